"""What the people of the console may do: five roles in one table, and who has which.

A role is one of Django's groups; its rights are written from this table whenever the database is migrated, and nowhere
else. Whoever needs other rights gets a group of their own, with the rights that it names, in place of a role.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from finalmarket.access.staff_models import StaffBinding
from finalmarket.kernel.errors import UserError


@dataclass(frozen=True, slots=True)
class Role:
    """A role: the name of its group, what it is for, and its rights ("room.verb_model", * for any). Those of
    `is_of_places` see only the locations that they are bound to."""

    key: str
    name: str
    about: str
    rights: tuple[str, ...]
    is_of_places: bool = False

    def grants(self, permission: str) -> bool:
        """Whether the role has this right."""
        return any(fnmatchcase(permission, right) for right in self.rights)


LOOKING = ("catalog.view_*", "channels.view_*", "stock.view_*")
FIGURES = (
    "analytics.view_channelanalytics", "analytics.view_exchangerate", "analytics.view_merchant",
    "analytics.view_segment", "analytics.view_segmentchange", "analytics.view_valuemodel",
)  # fmt: skip
ORDERS = (
    "orders.view_order", "orders.view_orderline", "orders.view_orderevent", "orders.view_orderpromise",
    "orders.view_orderimport", "orders.view_orderimportrefusal",
)  # fmt: skip

OWNER = Role("owner", "Owner", "Everything, and who else may do what.", ("*",))
MERCHANDISER = Role(
    "merchandiser",
    "Merchandiser",
    "What is sold where, at what price, out of which stock: products, listings, channels, stock, transfers, counts, "
    "advice on stock. Sees orders and figures; no customers, no keys.",
    (
        *LOOKING, "catalog.add_*", "catalog.change_*", "catalog.delete_*", "channels.add_*", "channels.change_*",
        "channels.delete_listingprice", "stock.add_*", "stock.change_*", "stock.delete_channelsource",
        *ORDERS, "orders.view_fulfilment*", "orders.view_return*", "orders.view_refund",
        "orders.view_payment", "orders.view_importedline", "orders.view_taxrate", "orders.change_taxrate",
        "orders.add_taxrate", "orders.delete_taxrate", *FIGURES, "analytics.change_exchangerate",
        "analytics.add_exchangerate",
        "advice.view_supplyterm", "advice.change_supplyterm", "advice.add_supplyterm", "advice.delete_supplyterm",
        "advice.view_stockadvice", "advice.change_stockadvice", "advice.view_demandforecast",
        "advice.view_loststep", "advice.change_loststep", "journeys.view_*",
        "integrations.view_channelintegration", "integrations.view_syncrun", "integrations.view_deadletter",
        "integrations.change_deadletter", "integrations.view_unlinkedlisting", "integrations.change_unlinkedlisting",
        "integrations.view_listinglink", "integrations.view_driftfinding", "integrations.view_pushrecord",
        "integrations.view_placemapping", "integrations.change_placemapping", "integrations.add_placemapping",
    ),
)  # fmt: skip
SUPPORT = Role(
    "support",
    "Support",
    "People and their orders: finds, builds and changes orders, takes calls, returns and payments by link, merges "
    "profiles, notes consents, answers requests for privacy. Changes no stock and no prices.",
    (
        *LOOKING, "orders.view_*", "orders.add_order*", "orders.add_cart*", "orders.add_pickup", "orders.add_phonecall",
        "orders.add_*draft*", "orders.change_order*", "orders.change_cart*", "orders.change_pickup",
        "orders.change_return", "orders.change_phonecall", "orders.change_*draft*",
        "customers.view_*", "customers.add_*", "customers.change_*", "customers.delete_channelpreference",
        "journeys.view_crosschanneljourney", "journeys.view_channelinteraction", "journeys.view_journeytouchpoint",
        "advice.view_nextaction", "advice.change_nextaction", "analytics.view_segment", "analytics.view_customervalue",
        "integrations.view_ticket", "integrations.add_ticket", "integrations.view_shippinglabel",
        "integrations.add_shippinglabel", "integrations.change_shippinglabel", "integrations.view_paymentpage",
        "integrations.add_paymentpage",
    ),
)  # fmt: skip
STORE_STAFF = Role(
    "store_staff",
    "Store staff",
    "The counter of their own stores: pick ups, parcels, returns, stock on the shelf, transfers and counts.",
    (
        "orders.view_order", "orders.change_order", "orders.view_pickup", "orders.change_pickup",
        "stock.view_stockitem", "stock.view_channelinventory", "stock.view_stockalert", "stock.change_stockalert",
        "stock.add_stockmovement", "stock.view_transfer", "stock.add_transfer", "stock.change_transfer",
        "stock.view_stockcount", "stock.add_stockcount", "stock.change_stockcount",
    ),
    is_of_places=True,
)  # fmt: skip
ANALYST = Role(
    "analyst",
    "Analyst",
    "Figures, journeys, attribution, segments and advice, and the orders behind them; changes segments, nothing else. "
    "No customers by name.",
    (
        *LOOKING, *ORDERS, "orders.view_return*", "orders.view_refund", *FIGURES,
        "analytics.add_segment", "analytics.change_segment", "analytics.delete_segment", "journeys.view_*",
        "advice.view_stockadvice", "advice.view_demandforecast", "advice.view_supplyterm", "advice.view_loststep",
        "integrations.view_channelintegration", "integrations.view_syncrun",
    ),
)  # fmt: skip
ROLES = (OWNER, MERCHANDISER, SUPPORT, STORE_STAFF, ANALYST)
BY_NAME = {role.name: role for role in ROLES}
BY_KEY = {role.key: role for role in ROLES}


def write_roles() -> None:
    """Make the groups what the table says: to be called after migrations. Members stay who they are."""
    rights = {
        f"{app}.{codename}": key
        for app, codename, key in Permission.objects.values_list("content_type__app_label", "codename", "pk")
    }
    with transaction.atomic():
        for role in ROLES:
            group, _ = Group.objects.get_or_create(name=role.name)
            group.permissions.set([key for name, key in rights.items() if role.grants(name)])


def roles_of(user: Any) -> frozenset[str]:
    """Return the keys of the roles that a user has; asked of the database once a request."""
    if not hasattr(user, "_roles"):
        names = user.groups.values_list("name", flat=True) if user.pk else ()
        user._roles = frozenset(BY_NAME[name].key for name in names if name in BY_NAME)
    known: frozenset[str] = user._roles
    return known


def is_owner(user: Any) -> bool:
    """Whether a user may do everything, keys and other users included."""
    return bool(user.is_active and (user.is_superuser or OWNER.key in roles_of(user)))


def places_of(user: Any) -> frozenset[int] | None:
    """Return the ids of the stock locations that a user is bound to, or None when they see all of them.

    Bound is whoever has a binding, or is of the store staff: without a binding those see nothing.
    """
    if user.is_superuser or OWNER.key in roles_of(user):
        return None
    if not hasattr(user, "_places"):
        found = StaffBinding.objects.filter(user_id=user.pk).values_list("location_ids", flat=True).first()
        if found is None and STORE_STAFF.key in roles_of(user):
            found = []
        user._places = None if found is None else frozenset(found)
    places: frozenset[int] | None = user._places
    return places


def may_work_at(user: Any, location_id: int) -> bool:
    """Whether a user sees this stock location."""
    places = places_of(user)
    return places is None or location_id in places


@transaction.atomic
def assign(user: User, role_key: str, location_ids: Iterable[int] = ()) -> None:
    """Give a user one role in place of the ones they had ("": none), and bind them to locations.

    Other groups of theirs stay. Raises UserError for a role that there is not, for store staff without a location, and
    when nobody would be left who may let others in.
    """
    role = BY_KEY.get(role_key)
    places = sorted(set(location_ids))
    if role is None and role_key:
        raise UserError(f"there is no role {role_key}; choose one of {', '.join(BY_KEY)}")
    if role is not None and role.is_of_places and not places:
        raise UserError("store staff work at one store at least; choose which")
    if role is not OWNER:
        keep_an_owner(user)
    user.groups.remove(*Group.objects.filter(name__in=BY_NAME))
    if role is not None:
        user.groups.add(Group.objects.get_or_create(name=role.name)[0])
    if role is not None and role.is_of_places:
        StaffBinding.objects.update_or_create(user=user, defaults={"location_ids": places})
    else:
        StaffBinding.objects.filter(user=user).delete()
    if user.is_superuser and role is not OWNER:
        user.is_superuser = False
        user.save(update_fields=["is_superuser"])
    for cached in ("_roles", "_places"):
        user.__dict__.pop(cached, None)


def keep_an_owner(user: User) -> None:
    """Raise UserError when nobody else could let others in if this user could not. Takes a lock on the owners, so that
    two of them cannot put each other off at once."""
    owners = User.objects.select_for_update().filter(is_active=True, is_staff=True)
    able = {one.pk for one in owners.filter(is_superuser=True)} | {
        one.pk for one in owners.filter(groups__name=OWNER.name)
    }
    if able == {user.pk}:
        raise UserError(f"{user} is the only owner; make somebody else one first")

"""What people did comes in: with our mails, on pages that a platform watches, with the newsletter. Each exactly once.

What is one of our interactions is kept as one; what says yes or no to mail goes into the consent ledger; a word that
nobody knows changes nothing (a webhook's own delivery keeps it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from finalmarket.connectors.talk import InteractionRecord
from finalmarket.customers import erased
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice, ExternalId
from finalmarket.integrations.storing import FAILED, Stored, each_alone, intake
from finalmarket.integrations.talk.consents import NEWSLETTER, Ledger, Said, bar
from finalmarket.integrations.talk.kinds import MAILS
from finalmarket.integrations.talk.names import message_id, short
from finalmarket.integrations.talk.seats import seat, seats
from finalmarket.journeys import storage
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.journeys.record import VALUE_SCORES, storable
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain
from finalmarket.orders.models import Fulfilment, Order, Wishlist

STREAM = "interactions"
KIND = "interaction"
INTERACTIONS: Mapping[str, str] = {
    "email_open": "email_open", "email_click": "email_click", "page_view": "page_view", "product_view": "product_view",
    "search": "search", "add_to_cart": "add_to_cart", "checkout_start": "checkout_start",
    "purchase": "checkout_complete", "social_engagement": "social_engagement",
}  # fmt: skip
CONSENTS: Mapping[str, bool] = {
    "subscribe": True, "unsubscribe": False, "email_bounce": False, "email_complaint": False,
}  # fmt: skip
"""What says yes or no to the newsletter; after the last two nothing is sent at all."""
BARRED_ADDRESS, BARRED_PERSON = "email_bounce", "email_complaint"
CONTEXT = {"device": 100, "location": 200, "url": 1000, "sku": 100, "subject": 300, "message_key": 100}
"""What is kept of an interaction, and how many characters of it."""


@dataclass(slots=True)
class Page:
    """Records that are taken together, and what is known of them: whom they are of, and which came before."""

    integration: ChannelIntegration
    channel_id: int
    people: Mapping[str, int | None]
    ledger: Ledger
    seen: set[str] = field(default_factory=set)

    def take_all(self, records: Sequence[InteractionRecord]) -> list[str]:
        """Take them at once; what became of each."""
        seen, rows, outcomes = set(self.seen), [], []
        for record in records:
            name, person = self.name(record), self.people.get(record.external_id)
            if person is None or name in seen or record.kind not in {*INTERACTIONS, *CONSENTS}:
                outcomes.append("unchanged")
                continue
            seen.add(name)
            outcomes.append("created")
            if record.kind in CONSENTS:
                self._consent(record, person)
            else:
                rows.append(self._interaction(record, person, name))
        ChannelInteraction.objects.bulk_create(rows, ignore_conflicts=True)
        self.seen = seen
        return outcomes

    def take(self, record: InteractionRecord) -> str:
        """Take one of them for itself; what was noted together with others may have been undone, so it is read anew."""
        person = self.people.get(record.external_id)
        self.ledger = Ledger(set() if person is None else {person})
        return self.take_all([record])[0]

    def name(self, record: InteractionRecord) -> str:
        """What the record is known by when it comes again."""
        return message_id(self.integration, record.external_id)

    def _interaction(self, record: InteractionRecord, person: int, name: str) -> ChannelInteraction:
        kind = INTERACTIONS[record.kind]
        context = {key: plain(getattr(record, key), most) for key, most in CONTEXT.items() if getattr(record, key)}
        return ChannelInteraction(
            customer_id=person, sales_channel_id=self.channel_id, interaction_type=kind, value_score=VALUE_SCORES[kind],
            context=storable(context), message_id=name, occurred_at=min(record.at, clock.now()),
        )  # fmt: skip

    def _consent(self, record: InteractionRecord, person: int) -> None:
        """Write what was said into the ledger, with its proof, and remember that it was."""
        proof = {"what": record.kind, "id": record.external_id[:200], "at": record.at.isoformat()}
        said = Said(
            self.integration.sales_channel_id, source_of(self.integration.pk), min(record.at, clock.now()), proof
        )
        if CONSENTS[record.kind]:
            self.ledger.note(person, NEWSLETTER, True, said)
        else:
            self.ledger.withdraw_everywhere(person, NEWSLETTER, said)
        if record.kind == BARRED_PERSON:
            bar(person, said)
        elif record.kind == BARRED_ADDRESS:
            bar(person, said, email=record.email)
        ExternalId.objects.create(
            integration=self.integration, kind=KIND, external_id=short(record.external_id), local_id=person
        )


def take_interactions(integration: ChannelIntegration, records: Sequence[InteractionRecord]) -> list[Stored]:
    """Take these interactions; the caller is within `storing.intake`."""
    told = [record for record in records if record.kind in {*INTERACTIONS, *CONSENTS}]
    people = _people(integration, told)
    ledger = Ledger({person for person in people.values() if person is not None})
    channel = seat(integration)
    page = Page(integration, channel.pk, people, ledger)
    page.seen = _seen(page, told)
    return each_alone(integration, STREAM, records, page.take, page.take_all, keep=_kept)


def _people(integration: ChannelIntegration, records: Sequence[InteractionRecord]) -> dict[str, int | None]:
    """Whom the records are of: by account and address, else by the mail of ours that they are about."""
    contacts = [
        Contact(email=record.email, account=account_of(integration.pk, record.customer_id), at=record.at)
        for record in records
    ]
    country = integration.sales_channel.country if integration.sales_channel else ""
    found = resolve_many(contacts, country=country, source=source_of(integration.pk))
    silent = {record.message_key for record, person in zip(records, found, strict=True) if person is None}
    readers = _readers(integration, silent - {""})
    gone = erased.among([*found, *readers.values()])
    people = {
        record.external_id: readers.get(record.message_key) if person is None else person
        for record, person in zip(records, found, strict=True)
    }
    return {name: None if person in gone else person for name, person in people.items()}


def _readers(integration: ChannelIntegration, keys: set[str]) -> dict[str, int]:
    """To whom our mails of these keys went."""
    if not keys:
        return {}
    rows = DueNotice.objects.filter(integration=integration, key__in=keys, kind__in=list(MAILS))
    notices = list(rows.values_list("key", "kind", "local_id"))
    found: dict[str, int] = {}
    for kind, model, customer in (
        (DueNotice.Kind.CONFIRMATION, Order, "customer"), (DueNotice.Kind.DISPATCH, Fulfilment, "order__customer"),
        (DueNotice.Kind.BACK_IN_STOCK, Wishlist, "customer"),
    ):  # fmt: skip
        by_id = {local_id: key for key, what, local_id in notices if what == kind}
        owners = model._default_manager.filter(pk__in=by_id).exclude(**{customer: None}).values_list("pk", customer)
        found |= {by_id[pk]: owner for pk, owner in owners} if by_id else {}
    return found


def _seen(page: Page, records: Sequence[InteractionRecord]) -> set[str]:
    """The names of those that came before."""
    names = {page.name(record) for record in records if record.kind in INTERACTIONS}
    channels = {page.channel_id, *seats(page.integration)}
    kept = {message for _, message in storage.told(channels, names)}
    said = {short(one.external_id): page.name(one) for one in records if one.kind in CONSENTS}
    noted = ExternalId.objects.filter(integration=page.integration, kind=KIND, external_id__in=said)
    known = {said[one] for one in noted.values_list("external_id", flat=True)}
    return known | kept


def _kept(record: InteractionRecord) -> Mapping[str, Any]:
    """What is needed to take a record again: nobody can be asked for a single one."""
    said = {**asdict(replace(record, raw={})), "at": record.at.isoformat(), "unknown": list(record.unknown)}
    return {"raw": record.raw, "record": said}


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Take the interaction of a letter again. Raises UserError when it fails again, or could not be read at all."""
    said = letter.payload.get("record")
    if not isinstance(said, dict):
        raise UserError("the platform can be asked for no single interaction; settle it by hand")
    try:
        at, unknown = datetime.fromisoformat(str(said["at"])), tuple(said["unknown"])
        record = InteractionRecord(**{**said, "at": at, "unknown": unknown, "raw": letter.payload.get("raw") or {}})
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the letter cannot be read any more: {error}") from error
    with intake(integration, STREAM):
        stored = take_interactions(integration, [record])
    if stored[0].outcome == FAILED:
        raise UserError(stored[0].reason)

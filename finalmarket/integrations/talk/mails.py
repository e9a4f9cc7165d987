"""Mails to single persons about their own order or wish, in the words of notices: whom they go to, and what they name.

A mail is written from the records as they stand when it is sent. It is withheld, and that is the end of it, where the
order was cancelled, the wish taken back, the duty switched off, or the address may not be written to any more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.talk import MessageContent, SendsMessages
from finalmarket.customers import consents
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.survivorship import presented
from finalmarket.integrations.duties import does
from finalmarket.integrations.notice_words import NOTHING, WITHHELD, Notice
from finalmarket.integrations.talk import mail_words
from finalmarket.kernel.clock import day_in
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Fulfilment, Order

OWN_MAILS = "own_mails"
"""The key in a channel's configuration that says whether its buyers may be written to; they may where it is missing."""
ADDRESS = ("name", "company", "street", "street2", "postcode", "city", "country")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that may be sent, and what it names."""

    email: str
    person: OmnichannelCustomer | None
    channel: SalesChannel
    values: Mapping[str, str]

    @property
    def language(self) -> str:
        """The person's language, else the first of the channel's."""
        return language_of(self.person, self.channel)


class Mail(ABC):
    """One kind of mails."""

    capability: ClassVar[type] = SendsMessages
    duty: ClassVar[str]
    purpose: ClassVar[str]

    @abstractmethod
    def letter(self, notice: Notice) -> Letter | None:
        """The mail as it stands now; None where there is none to be sent (any more)."""

    def find(self, connector: Any, notice: Notice) -> str | None:
        """Raises NotSupported where the platform cannot be asked: then a person decides whether it is sent again."""
        found: str | None = connector.find_message(notice.key)
        return None if found is None else found or NOTHING

    def tell(self, connector: Any, notice: Notice) -> str:
        """Raises UserError where the mail cannot be written: that is no fault of the platform's, which is not asked."""
        try:
            content = self._content(notice)
        except READING_ERRORS as error:
            raise UserError(f"the mail cannot be written: {type(error).__name__}: {error}") from error
        return WITHHELD if content is None else str(connector.send_message(content)) or NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        return True  # a mail is not sent on a guess

    def _content(self, notice: Notice) -> MessageContent | None:
        """The mail as it stands now; None where it may not be sent."""
        letter = self.letter(notice) if does(notice.integration, self.duty) else None
        if letter is None or not letter.email or not may_write(letter.channel):
            return None
        person = letter.person.pk if letter.person else None
        if not consents.agrees(person, self.purpose, letter.channel.pk, email=letter.email):
            return None
        name = letter.person.name if letter.person else letter.values.get("name", "")
        configured = letter.channel.configuration
        values = {
            **letter.values, "name": name, "shop": letter.channel.name,
            "contact": str(configured.get("contact_email", "")),
        }  # fmt: skip
        written = mail_words.write(notice.integration, self.purpose, letter.language, values)
        return MessageContent(
            key=notice.key, purpose=self.purpose, to_email=letter.email, to_name=name, subject=written.subject,
            text=written.text, html=written.html, language=letter.language, template=written.template, values=values,
        )  # fmt: skip


class Confirmations(Mail):
    """Orders that were placed."""

    duty = "confirmations"
    purpose = "order_confirmed"

    def letter(self, notice: Notice) -> Letter | None:
        order = order_of(notice.row.local_id)
        if order is None or order.state == Order.State.CANCELLED:
            return None
        person = person_of(order.customer)
        language = language_of(person, order.sales_channel)
        goods = order.lines.filter(kind="goods").select_related("variant__product").order_by("position")
        lines = [(one.quantity - one.cancelled_quantity, one.title or title_of(one.variant, one.sku)) for one in goods]
        day = day_in(order.sales_channel.time_zone, order.placed_at)
        values = {
            "number": order.number, "lines": _lines(lines), "total": amount(order.total, order.currency, language),
            "placed_on": format_date(day, "long", locale=locale(language)),
            "address": _written(order.shipping_address),
            "name": str(order.shipping_address.get("name", "")),
        }  # fmt: skip
        return Letter(_address(order, person), person, order.sales_channel, values)


class Dispatches(Mail):
    """Parcels that left."""

    duty = "dispatches"
    purpose = "shipped"

    def letter(self, notice: Notice) -> Letter | None:
        parcel = Fulfilment.objects.filter(pk=notice.row.local_id).first()
        order = order_of(parcel.order_id) if parcel else None
        if parcel is None or order is None or parcel.state not in ("shipped", "delivered"):
            return None
        person = person_of(order.customer)
        packed = parcel.lines.select_related("order_line", "variant__product").order_by("id")
        lines = [
            (
                one.quantity,
                one.order_line.title if one.order_line.title and one.variant_id == one.order_line.variant_id
                else title_of(one.variant, one.order_line.sku),
            )
            for one in packed
        ]  # fmt: skip
        values = {
            "number": order.number, "lines": _lines(lines), "carrier": parcel.carrier,
            "tracking_number": parcel.tracking_number, "tracking_url": safe_address(parcel.tracking_url),
            "name": str(order.shipping_address.get("name", "")),
        }  # fmt: skip
        return Letter(_address(order, person), person, order.sales_channel, values)


def order_of(order_id: int) -> Order | None:
    """The order with what a mail names of it."""
    orders = Order.objects.select_related("sales_channel", "customer__merged_into").defer("raw")
    found: Order | None = orders.filter(pk=order_id).first()
    return found


def person_of(customer: OmnichannelCustomer | None) -> OmnichannelCustomer | None:
    """The person behind a profile, as they are shown."""
    return presented(customer) if customer else None


def may_write(channel: SalesChannel) -> bool:
    """Whether buyers of the channel may be written to by us; some marketplaces do not want that."""
    return channel.configuration.get(OWN_MAILS, True) is not False


def title_of(variant: Variant | None, otherwise: str) -> str:
    """What the goods are called."""
    return variant.product.title if variant else otherwise


def language_of(person: OmnichannelCustomer | None, channel: SalesChannel) -> str:
    """The person's language, else the first of the channel's."""
    spoken = channel.configuration.get("languages") or [mail_words.OTHERWISE]
    return (person.language if person else "") or str(spoken[0])


def locale(language: str) -> Locale:
    """How numbers and days are written in that language."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(mail_words.OTHERWISE)


def amount(value: Any, currency: str, language: str) -> str:
    """An amount as it is written in that language."""
    return str(format_currency(value, currency, locale=locale(language)))


def safe_address(url: str) -> str:
    """The address, if it is one of the web; "" for what is none, or cannot be read as one."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # such as https://[x
        return ""
    return url if scheme in ("http", "https") else ""


def _address(order: Order, person: OmnichannelCustomer | None) -> str:
    return order.email or (person.email if person else "")


def _written(address: Mapping[str, Any]) -> str:
    """An address as it is written on a parcel."""
    return "\n".join(str(address[key]) for key in ADDRESS if address.get(key))


def _lines(lines: Iterable[tuple[int, str]]) -> str:
    return "\n".join(f"{units} x {title}" for units, title in lines if units > 0)

"""Letters that a person has sent: a link to pay, word that goods can be collected, an answer to a mail.

A letter is written when it is asked for, and its notice with it, in one transaction; asked for twice under one key it
is one. It goes out as every mail does: not where the address is barred, nor on a channel whose buyers may not be
written to.
"""

from __future__ import annotations

from typing import Any, ClassVar

from babel.dates import format_date
from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.talk import MessageContent, SendsMessages
from finalmarket.customers import consents
from finalmarket.customers.known_by import folded_email
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.models import ChannelIntegration, DueNotice, OwnLetter, PaymentPage
from finalmarket.integrations.notice_words import NOTHING, WITHHELD, Notice
from finalmarket.integrations.talk import mail_words
from finalmarket.integrations.talk.mails import amount, language_of, locale, may_write, person_of
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain
from finalmarket.orders.models import Order, OrderRequest, Pickup

CONTRACT = "order_confirmed"
"""The purpose by which such a mail is allowed: what somebody asked for. Only the bar on an address stops it."""
MOST_TEXT_CHARACTERS = 10_000
Kind = OwnLetter.Kind


def writers() -> list[ChannelIntegration]:
    """The accounts by which a letter can go out, the first of which is used."""
    (found,) = accounts_that(SendsMessages)
    return found


class Letters:
    """Letters that are due."""

    capability: ClassVar[type] = SendsMessages

    def find(self, connector: Any, notice: Notice) -> str | None:
        """Raises NotSupported where the platform cannot be asked: then a person decides whether it is sent again."""
        found: str | None = connector.find_message(notice.key)
        return None if found is None else found or NOTHING

    def tell(self, connector: Any, notice: Notice) -> str:
        letter = OwnLetter.objects.select_related("sales_channel").filter(pk=notice.row.local_id).first()
        if letter is None or not letter.email or not may_write(letter.sales_channel):
            return WITHHELD
        if not consents.agrees(None, CONTRACT, letter.sales_channel_id, email=letter.email):
            return WITHHELD
        content = MessageContent(
            key=notice.key, purpose=letter.kind, to_email=letter.email, to_name=letter.name, subject=letter.subject,
            text=letter.text, html=letter.html, language=letter.language,
        )  # fmt: skip
        return str(connector.send_message(content)) or NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        return True  # a mail is not sent on a guess


def send_payment_link(page_id: int, *, actor: str) -> OwnLetter:
    """Mail the address of a payment page to the buyer, once. Raises UserError where the page is closed, the order has
    no address, or no account sends mails."""
    page = PaymentPage.objects.select_related("order__sales_channel", "order__customer__merged_into").get(pk=page_id)
    if page.state != PaymentPage.State.STARTED:
        raise UserError("nobody can pay on that page any more; open another one")
    order = page.order
    language = language_of(person_of(order.customer), order.sales_channel)
    values = {"amount": amount(page.amount, page.currency, language), "url": page.approve_url}
    return _about(order, Kind.PAYMENT_LINK, f"page-{page.pk}", language, values, actor)


def tell_ready(pickup: Pickup, *, actor: str) -> OwnLetter | None:
    """Mail the buyer where their goods can be collected, and by what code, once; None where nobody can be."""
    order = Order.objects.select_related("sales_channel", "customer__merged_into").get(pk=pickup.order_id)
    if not order.email or not writers():
        return None
    language, place = language_of(person_of(order.customer), order.sales_channel), pickup.location
    today = clock.day_in(order.sales_channel.time_zone, clock.now())
    where = ", ".join(one for one in (place.name, place.street, f"{place.postcode} {place.city}".strip()) if one)
    values = {"place": where, "code": pickup.code, "day": format_date(today, "long", locale=locale(language))}
    return _about(order, Kind.PICKUP_READY, f"pickup-{pickup.pk}", language, values, actor)


def _about(
    order: Order, kind: OwnLetter.Kind, key: str, language: str, values: dict[str, str], actor: str
) -> OwnLetter:
    """A letter about an order, in our words."""
    channel, person = order.sales_channel, person_of(order.customer)
    name = person.name if person else str(order.shipping_address.get("name", ""))
    known = {
        **values, "number": order.number, "name": name, "shop": channel.name,
        "contact": str(channel.configuration.get("contact_email", "")),
    }  # fmt: skip
    words = mail_words.filled(mail_words.ours(kind, language), known)
    return _write(
        kind, key, channel, order.email, name, words.subject, words.text, words.html, language=language, order=order,
        actor=actor,
    )  # fmt: skip


def reply(request_id: int, *, subject: str, text: str, key: str, actor: str) -> OwnLetter:
    """Answer a mail that asked for goods, once by `key`. Raises UserError without a subject or a text, for a sender who
    gave no address or is not proved, and where no account sends mails."""
    request = OrderRequest.objects.select_related("sales_channel").get(pk=request_id)
    if request.unproved:
        raise UserError("the sender is not proved: an answer might go to somebody who never wrote")
    subject, text = plain(" ".join(subject.split()), 300), plain(text, MOST_TEXT_CHARACTERS)
    if not subject or not text:
        raise UserError("an answer needs a subject and a text")
    return _write(
        Kind.REPLY, f"request-{request.pk}-{key}"[:100], request.sales_channel, request.email, request.name, subject,
        text, request=request, actor=actor,
    )  # fmt: skip


@transaction.atomic
def _write(
    kind: OwnLetter.Kind, key: str, channel: SalesChannel, email: str, name: str, subject: str, text: str,
    html: str = "", **more: Any,
) -> OwnLetter:  # fmt: skip
    if not folded_email(email):
        raise UserError("there is no address to write to")
    accounts = writers()
    if not accounts:
        raise UserError("no account sends mails: connect one")
    letter, is_new = OwnLetter.objects.get_or_create(
        kind=kind, key=key,
        defaults={
            "integration": accounts[0], "sales_channel": channel, "email": folded_email(email), "name": name[:300],
            "subject": subject[:300], "text": text, "html": html, "created_at": clock.now(), **more,
        },
    )  # fmt: skip
    if is_new:
        DueNotice.objects.create(
            integration=letter.integration, kind=DueNotice.Kind.LETTER, local_id=letter.pk,
            key=key_of(letter.integration, DueNotice.Kind.LETTER, letter.pk), next_try_at=clock.now(),
            found_at=clock.now(), verified_at=clock.now(),
        )  # fmt: skip
    return letter

"""Who links an account proves who they are: by six digits that were mailed to their address, or by a code that the shop
showed them. Whoever asks for a mail learns nothing of whether the address is known."""

from __future__ import annotations

import hmac
import secrets as chance
import uuid
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F

from finalmarket.customers.known_by import folded_email, looks_like_a_desk, mailbox
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.integrations.models import LinkCode, VoiceSkill
from finalmarket.integrations.voice.skills import digest
from finalmarket.kernel import clock, secrets
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

MAILED_FOR = timedelta(minutes=10)
SHOWN_FOR = timedelta(hours=24)
MOST_TRIES = 5
MOST_MAILS_AN_HOUR = 5
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another
SHOWN_LETTERS = 12
WRONG = "That code is not right, or not any more. Ask for a new one."


def can_mail() -> bool:
    """Whether the operator of this house has named a mail server."""
    return bool(settings.MAIL_IS_SET)


@transaction.atomic
def ask_for_code(skill: VoiceSkill, address: str) -> uuid.UUID:
    """Have six digits mailed to a customer's address; return the name of the attempt. An address of nobody's, or one
    that asked five times within the hour, gets no mail and a name all the same."""
    folded = folded_email(address)
    customer_id = _customer_at(folded)
    if customer_id is None or not can_mail() or _asks_too_often(customer_id):
        return uuid.uuid4()
    text = f"{chance.randbelow(1_000_000):06}"
    row = LinkCode.objects.create(
        skill=skill, customer_id=customer_id, address=folded, digest=_digest_of_digits(skill, text),
        encrypted=secrets.encrypt(text).encode(), ends_at=clock.now() + MAILED_FOR,
    )  # fmt: skip
    enqueue("voice.mail_code", code=row.pk)
    return row.key


def _customer_at(address: str) -> int | None:
    """The very profile whose own mailbox that is, whoever is taken for the same person: its mail alone is read. None
    for nobody's, and for one that many share."""
    value = mailbox(address) if address else ""
    if not value or looks_like_a_desk("email", value):
        return None
    known = CustomerIdentity.objects.filter(kind=CustomerIdentity.Kind.EMAIL, value=value, is_anchor=True)
    row = known.select_related("customer").first()
    if row is None or row.customer.erased_at is not None:
        return None
    return row.customer_id


def _asks_too_often(customer_id: int) -> bool:
    since = clock.now() - timedelta(hours=1)
    mailed = LinkCode.objects.filter(customer=customer_id, created_at__gt=since).exclude(address="")
    return mailed.count() >= MOST_MAILS_AN_HOUR


def mail_code(code_id: int) -> None:
    """Send the mail with a code, and forget the code; only its digest is left."""
    row = LinkCode.objects.select_related("skill__sales_channel").filter(pk=code_id).first()
    if row is None or row.encrypted is None or row.ends_at <= clock.now():
        return
    text = secrets.decrypt(bytes(row.encrypted).decode())
    shop = row.skill.sales_channel.name
    body = (
        f"{text} is the code with which you link your account at {shop} to your voice assistant.\n\n"
        f"It works for ten minutes. If you did not ask for it, nothing happens without it: ignore this mail.\n"
    )
    message = EmailMessage(
        f"{text} is your code for {shop}"[:180], body, settings.DEFAULT_FROM_EMAIL, [row.address],
        headers={"Auto-Submitted": "auto-generated"}, connection=get_connection(),
    )  # fmt: skip
    message.send()
    LinkCode.objects.filter(pk=row.pk).update(encrypted=None)


@transaction.atomic
def show_code(skill: VoiceSkill, customer_id: int, *, actor: str) -> str:
    """Return a code for a profile of a customer whom the shop knows: staff read it to them, or their account shows it.
    It works once within a day, and the one before does not any more. Raises UserError for an unknown customer."""
    customer = OmnichannelCustomer.objects.filter(pk=customer_id, erased_at=None).first()
    if customer is None:
        raise UserError(f"there is no customer {customer_id}")
    LinkCode.objects.filter(skill=skill, customer=customer, address="", used_at=None).delete()
    text = "".join(chance.choice(LETTERS) for _ in range(SHOWN_LETTERS))
    LinkCode.objects.create(
        skill=skill, customer=customer, digest=digest(f"{skill.pk}:{text}"), ends_at=clock.now() + SHOWN_FOR
    )
    structlog.get_logger(__name__).info("link code shown", skill=skill.pk, customer=customer.pk, actor=actor)
    return "-".join(text[start : start + 4] for start in range(0, SHOWN_LETTERS, 4))


def redeem(skill: VoiceSkill, attempt: str, text: str) -> int:
    """Return who proved who they are, by the code of their attempt or by one that was shown. Raises UserError, the same
    for all that is wrong; a wrong code is counted, and after five the attempt is over."""
    customer_id = _redeem_shown(skill, text) or _redeem_mailed(skill, attempt, text)
    if customer_id is None:
        raise UserError(WRONG)
    return customer_id


@transaction.atomic
def _redeem_shown(skill: VoiceSkill, text: str) -> int | None:
    plain = "".join(letter for letter in text.upper() if letter in LETTERS)
    if len(plain) != SHOWN_LETTERS:
        return None
    known = LinkCode.objects.select_for_update().filter(skill=skill, digest=digest(f"{skill.pk}:{plain}"), address="")
    return _use(known.filter(used_at=None, ends_at__gt=clock.now()).first())


@transaction.atomic
def _redeem_mailed(skill: VoiceSkill, attempt: str, text: str) -> int | None:
    try:
        key = uuid.UUID(attempt)
    except ValueError:
        return None
    row = LinkCode.objects.select_for_update().filter(skill=skill, key=key).exclude(address="").first()
    if row is None or row.used_at is not None or row.ends_at <= clock.now() or row.tries >= MOST_TRIES:
        return None
    digits = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
    if not hmac.compare_digest(row.digest, _digest_of_digits(skill, digits)):
        LinkCode.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
        return None
    return _use(row)


def _use(row: LinkCode | None) -> int | None:
    if row is None:
        return None
    row.used_at, row.encrypted = clock.now(), None
    row.save(update_fields=["used_at", "encrypted"])
    return row.customer_id


def _digest_of_digits(skill: VoiceSkill, text: str) -> str:
    """A million codes are soon tried, so the digest depends on a secret of this house."""
    return hmac.new(settings.SECRET_KEY.encode(), f"{skill.pk}:{text}".encode(), "sha256").hexdigest()


def tidy() -> int:
    """Forget codes that ended a day ago; return how many."""
    forgotten, _ = LinkCode.objects.filter(ends_at__lt=clock.now() - SHOWN_FOR).delete()
    return forgotten

"""Shoppers prove who they are by six digits that are mailed to their address; there are no passwords.

An address that is not known yet becomes a customer when its code is entered: whoever asks for a code learns nothing.
Of code and session only digests are kept; an address has five codes an hour, a code five tries and ten minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as chance
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.known_by import folded_email, looks_like_a_desk, mailbox
from finalmarket.customers.models import ShopperSession, SignInCode
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock, places, secrets
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

CODE_WORKS_FOR = timedelta(minutes=10)
SESSION_WORKS_FOR = timedelta(days=90)
MOST_TRIES = 5
MOST_CODES_AN_HOUR = 5
DIGITS = 6
TOKEN = re.compile(r"st_[A-Za-z0-9_-]{43}")
WRONG = "that code is not right, or not any more; ask for a new one"


class TooManyCodes(UserError):
    """The address had five codes within the hour."""


def can_mail(channel: SalesChannel) -> bool:
    """Whether codes can be mailed: there is a mail server, or the shop is one for trying (see `mail_code`)."""
    return bool(settings.MAIL_IS_SET) or channel.configuration.get("test_payments") is True


@transaction.atomic
def ask_for_code(channel: SalesChannel, address: str) -> None:
    """Have a code mailed to an address, whether or not it is known.

    Raises UserError for what is no address, or nobody's own (reception@), and where no mail can be sent; TooManyCodes.
    """
    folded = folded_email(address)
    if not folded:
        raise UserError("that is no e-mail address")
    if looks_like_a_desk("email", mailbox(folded)):
        raise UserError("that is the address of a desk; use one that only you read")
    if not can_mail(channel):
        raise UserError("this shop cannot mail codes: its operator has to set a mail server (FINALMARKET_MAIL_HOST)")
    since = clock.now() - timedelta(hours=1)
    if SignInCode.objects.filter(address=folded, created_at__gt=since).count() >= MOST_CODES_AN_HOUR:
        raise TooManyCodes("this address had five codes within the hour; wait, and use the newest")
    text = f"{chance.randbelow(10**DIGITS):0{DIGITS}}"
    row = SignInCode.objects.create(
        sales_channel=channel, address=folded, digest=_digest_of_code(channel.pk, folded, text),
        encrypted=secrets.encrypt(text).encode(), created_at=clock.now(), ends_at=clock.now() + CODE_WORKS_FOR,
    )  # fmt: skip
    enqueue("customers.mail_code", code=row.pk)


def mail_code(code_id: int) -> None:
    """Send the mail with a code and forget the code. Without a mail server, mails of shops for trying become files in
    the folder `mail` of the data folder."""
    row = SignInCode.objects.select_related("sales_channel").filter(pk=code_id).first()
    if row is None or row.encrypted is None or row.ends_at <= clock.now():
        return
    text, shop = secrets.decrypt(bytes(row.encrypted).decode()), row.sales_channel.name
    body = (
        f"{text} is the code with which you sign in at {shop}.\n\n"
        "It works for ten minutes. If you did not ask for it, nothing happens without it: ignore this mail.\n"
    )
    backend: dict[str, Any] = {}
    if not settings.MAIL_IS_SET:
        folder = places.make_data_folder() / "mail"
        backend = {"backend": "django.core.mail.backends.filebased.EmailBackend", "file_path": str(folder)}
    EmailMessage(
        f"{text} is your code for {shop}"[:180], body, settings.DEFAULT_FROM_EMAIL, [row.address],
        headers={"Auto-Submitted": "auto-generated"}, connection=get_connection(**backend),
    ).send()  # fmt: skip
    SignInCode.objects.filter(pk=row.pk).update(encrypted=None)


def redeem(channel: SalesChannel, address: str, text: str, *, device: str = "") -> tuple[ShopperSession, str]:
    """Sign somebody in by the newest code of their address; return the session and the token that their page keeps.

    `device` (with its space in front) is where they are: what was done there before is theirs from now on. Raises
    UserError for a wrong code; the try is counted, and after five the code is of no use.
    """
    folded = folded_email(address)
    with transaction.atomic():
        is_right = _try_code(channel, folded, text)
        made = _begin(channel, folded, device) if is_right else None
    if made is None:  # raised outside: the count of tries stays
        raise UserError(WRONG)
    return made


def _try_code(channel: SalesChannel, address: str, text: str) -> bool:
    known = SignInCode.objects.select_for_update().filter(sales_channel=channel, address=address)
    row = known.order_by("-created_at", "-pk").first()
    if row is None or row.ends_at <= clock.now() or row.tries >= MOST_TRIES:
        return False
    digits = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
    if not hmac.compare_digest(row.digest, _digest_of_code(channel.pk, address, digits)):
        SignInCode.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
        return False
    SignInCode.objects.filter(sales_channel=channel, address=address).update(ends_at=clock.now(), encrypted=None)
    return True


def _begin(channel: SalesChannel, address: str, device: str) -> tuple[ShopperSession, str]:
    contact = Contact(email=address, device=device, at=clock.now())
    profile = resolve(contact, country=channel.country, source=channel.slug)
    if profile is None:
        raise UserError(WRONG)
    token = f"st_{chance.token_urlsafe(32)}"
    session = ShopperSession.objects.create(
        customer=profile, sales_channel=channel, digest=_digest(token), ends_at=clock.now() + SESSION_WORKS_FOR
    )
    return session, token


def who(channel: SalesChannel, token: str) -> ShopperSession | None:
    """Return the session of the channel that this token opens, with its customer; None for any other."""
    if not TOKEN.fullmatch(token):
        return None
    rows = ShopperSession.objects.select_related("customer")
    return rows.filter(sales_channel=channel, digest=_digest(token), ends_at__gt=clock.now()).first()


def sign_out(session: ShopperSession) -> None:
    """End a session."""
    ShopperSession.objects.filter(pk=session.pk).delete()


def tidy() -> int:
    """Forget codes of yesterday and sessions that have ended; return how many."""
    codes, _ = SignInCode.objects.filter(ends_at__lt=clock.now() - timedelta(days=1)).delete()
    sessions, _ = ShopperSession.objects.filter(ends_at__lt=clock.now()).delete()
    return codes + sessions


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _digest_of_code(channel_id: int, address: str, text: str) -> str:
    """A million codes are soon tried, so the digest depends on a secret of this house."""
    said = f"{channel_id}:{address}:{text}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), said, "sha256").hexdigest()

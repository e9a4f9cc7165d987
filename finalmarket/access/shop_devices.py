"""Kiosks: paired by a code that works once and for fifteen minutes, known by a token, ended when they are lost.

Of code and token only digests are kept. The code is short enough to be typed at a kiosk, so its digest depends on a
secret of this house; the token has 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from finalmarket.access.shop_models import ShopDevice
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

CODE_WORKS_FOR = timedelta(minutes=15)
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another
CODE_LETTERS = 8
SEEN_EVERY = timedelta(minutes=1)
TOKEN = re.compile(r"dt_[A-Za-z0-9_-]{43}")


def open_pairing(
    channel: SalesChannel, name: str, *, location_id: int | None = None, actor: str = ""
) -> tuple[ShopDevice, str]:
    """Make a place for a new device; return it and the code that is typed into it, such as ABCD-2345.

    Raises UserError for a channel that is no kiosk, and for a name that is none.
    """
    if channel.channel_type != "kiosk":
        raise UserError(f"{channel} is no kiosk: devices are paired with channels of that type")
    if not name.strip() or len(name) > 80 or "\x00" in name:
        raise UserError("give the device a name of at most 80 characters, such as Kiosk at the door")
    code = _code()
    row = ShopDevice.objects.create(
        sales_channel=channel, name=name.strip(), location_id=location_id, created_by=actor[:100],
        code_digest=_digest_of_code(code), code_ends_at=clock.now() + CODE_WORKS_FOR,
    )  # fmt: skip
    return row, _shown(code)


@transaction.atomic
def new_code(number: int) -> tuple[ShopDevice, str]:
    """Return a new code for a device: whoever is paired with it, the browser before is none of ours any more.

    Raises UserError where there is no such device, or it was ended.
    """
    row = _locked(number)
    if row.ended_at is not None:
        raise UserError(f"{row} was ended; add a device")
    code = _code()
    row.code_digest, row.code_ends_at = _digest_of_code(code), clock.now() + CODE_WORKS_FOR
    row.save(update_fields=["code_digest", "code_ends_at"])
    return row, _shown(code)


@transaction.atomic
def pair(channel: SalesChannel, code: str) -> tuple[ShopDevice, str]:
    """Pair a device by its code; return it and the token that it shows from then on. A token that was given out for it
    before is of no use any more. Raises UserError for a code that is not right, or not any more."""
    plain = "".join(letter for letter in code.upper() if letter in LETTERS)
    row = None
    if len(plain) == CODE_LETTERS:
        open_ones = ShopDevice.objects.select_for_update().filter(sales_channel=channel, ended_at=None)
        row = open_ones.filter(code_digest=_digest_of_code(plain), code_ends_at__gt=clock.now()).first()
    if row is None:
        raise UserError("that code is not right, or not any more; ask for a new one in the console")
    token = f"dt_{secrets.token_urlsafe(32)}"
    row.code_digest, row.code_ends_at, row.token_digest = "", None, _digest(token)
    row.paired_at = row.last_seen_at = clock.now()
    row.save()
    return row, token


def find(channel: SalesChannel, token: str) -> ShopDevice | None:
    """Return the device of the channel that shows this token; None for anybody else, and for one that was ended."""
    if not TOKEN.fullmatch(token):
        return None
    row = ShopDevice.objects.filter(sales_channel=channel, token_digest=_digest(token), ended_at=None).first()
    if row is None:
        return None
    before = clock.now() - SEEN_EVERY
    if row.last_seen_at is None or row.last_seen_at < before:
        unseen = Q(last_seen_at=None) | Q(last_seen_at__lt=before)
        ShopDevice.objects.filter(unseen, pk=row.pk).update(last_seen_at=clock.now())
    return row


@transaction.atomic
def end(number: int) -> ShopDevice:
    """End a device: from the next call on nobody is let in by its token or its code."""
    row = _locked(number)
    if row.ended_at is None:
        row.ended_at, row.code_digest, row.code_ends_at, row.token_digest = clock.now(), "", None, ""
        row.save()
    return row


def state_of(row: ShopDevice) -> str:
    """Say in a word how a device stands: ended, paired, waits for its code, or its code is too old."""
    if row.ended_at is not None:
        return "ended"
    if row.token_digest:
        return "paired"
    return "waits" if row.code_ends_at is not None and row.code_ends_at > clock.now() else "code too old"


def _locked(number: int) -> ShopDevice:
    row = ShopDevice.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise UserError(f"there is no device {number}")
    return row


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))


def _shown(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _digest_of_code(code: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"device:{code}".encode(), "sha256").hexdigest()

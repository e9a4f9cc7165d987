"""Publishable keys: made, used by pages of the origins that they name, ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from finalmarket.access.shop_models import MOST_KEY_CHARACTERS, MOST_ORIGIN_CHARACTERS, ShopKey
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

CALLS_PER_MINUTE, MOST_CALLS_PER_MINUTE = 300, 6_000
MOST_ORIGINS = 20
WRITTEN = re.compile(rf"pk_[A-Za-z0-9_-]{{10,{MOST_KEY_CHARACTERS - 3}}}")
KIND_OF_TYPE = {"mobile": ShopKey.Kind.APP, "kiosk": ShopKey.Kind.DEVICE}


def create(
    channel: SalesChannel, *, kind: str = "", origins: Collection[str] = (), actor: str = "",
    calls_per_minute: int = CALLS_PER_MINUTE,
) -> ShopKey:  # fmt: skip
    """Make a publishable key for a channel. Without a `kind` it is that of the channel: app, device (kiosks), else web.

    Raises UserError for an unknown kind, an origin that is none, and a limit that is none.
    """
    chosen = kind or KIND_OF_TYPE.get(channel.channel_type, ShopKey.Kind.WEB)
    if chosen not in ShopKey.Kind.values:
        raise UserError(f"a key is for {', '.join(ShopKey.Kind.values)}, not {kind!r}")
    if len(origins) > MOST_ORIGINS:
        raise UserError(f"a key names at most {MOST_ORIGINS} origins")
    if not 1 <= calls_per_minute <= MOST_CALLS_PER_MINUTE:
        raise UserError(f"an address makes between 1 and {MOST_CALLS_PER_MINUTE:,} calls a minute")
    return ShopKey.objects.create(
        sales_channel=channel, kind=chosen, key=f"pk_{secrets.token_urlsafe(24)}", created_by=actor[:100],
        origins=sorted({origin_of(one) for one in origins}), calls_per_minute=calls_per_minute,
    )  # fmt: skip


def origin_of(given: str) -> str:
    """Return an origin as browsers send it. Raises UserError for what is none, such as an address with a path.

    >>> origin_of("HTTPS://Shop.Example:443/")
    'https://shop.example'
    """
    try:
        parts = urlsplit(given.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_plain = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise UserError(f"an origin is one such as https://shop.example, not {given[:60]!r}")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")
    if len(origin) > MOST_ORIGIN_CHARACTERS or not origin.isascii():
        raise UserError(f"an origin has at most {MOST_ORIGIN_CHARACTERS} ASCII characters")
    return origin


def find(shown: str) -> ShopKey | None:
    """Return the key that this is, with its channel; None for one of nobody, and one that has ended."""
    if not WRITTEN.fullmatch(shown):
        return None
    row = ShopKey.objects.select_related("sales_channel").filter(key=shown).first()
    return None if row is None or is_over(row) else row


def working(channel: SalesChannel, *kinds: str) -> ShopKey | None:
    """Return the newest key of a channel that works, of one of these kinds (none named: of any)."""
    rows = ShopKey.objects.filter(sales_channel=channel).order_by("-id")
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return next((row for row in rows if not is_over(row)), None)


def end(number: int) -> ShopKey:
    """End a key now; one that has ended stays as it is. Raises UserError where there is none."""
    row: ShopKey | None = ShopKey.objects.select_related("sales_channel").filter(pk=number).first()
    if row is None:
        raise UserError(f"there is no publishable key {number}")
    if not is_over(row):
        row.ends_at = clock.now()
        row.save(update_fields=["ends_at"])
    return row


def is_over(row: ShopKey) -> bool:
    """Whether a key has ended."""
    return row.ends_at is not None and row.ends_at <= clock.now()

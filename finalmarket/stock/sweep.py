"""What is tidied from time to time. No promise depends on it: it keeps tables small and platforms informed."""

from __future__ import annotations

from django.db import connection, transaction

from finalmarket.stock import alerts, ledger, policies
from finalmarket.stock.questions import QUERIES

LINES_AT_ONCE = 1_000
VARIANTS_AT_ONCE = 500
MOST_ROUNDS = 200


def let_expired_holds_go() -> int:
    """Release all holds past their end, in bites of 1,000 lines that are each a transaction; return the lines."""
    gone = 0
    for _ in range(MOST_ROUNDS):
        bite = ledger.expire_holds(most=LINES_AT_ONCE)
        gone += bite
        if bite < LINES_AT_ONCE:
            break
    return gone


def refresh_alerts() -> int:
    """Look at all alerts that stock changes have put in question; return the variants looked at."""
    seen = 0
    for _ in range(MOST_ROUNDS):
        bite = alerts.refresh()
        seen += bite
        if bite < alerts.POOLS_AT_ONCE:
            break
    return seen


def tell_of_coming_goods() -> int:
    """Mark the listings of variants with announced deliveries as due; return the variants."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["touch_looking_ahead"])
        variants = [variant for (variant,) in cursor.fetchall()]
    for start in range(0, len(variants), VARIANTS_AT_ONCE):
        with transaction.atomic():
            policies.touch(variants[start : start + VARIANTS_AT_ONCE])
    return len(variants)

"""What becomes of claimed due rows: settled, given back, or in doubt. Each in one transaction, and written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from finalmarket.connectors.errors import ConnectorError, OutcomeUnknown, RetryLater, Unintelligible
from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import ChannelIntegration, PushRecord
from finalmarket.integrations.telling import Telling, Ware, rows
from finalmarket.kernel import failpoints

CLAIM_SECONDS = 180.0
GAP_SECONDS = 0.4
"""So long a listing that was told something rests: many changes of it in a second become two or three tellings."""
FIRST_PAUSE_SECONDS = 1.0
MOST_PAUSE_SECONDS = 300.0
ASKED = "asked: it shows this already"
Outcome = PushRecord.Outcome
Tellings = Sequence[Telling[Any]]


def settle(
    integration: ChannelIntegration, ware: Ware[Any], tellings: Tellings, refused: Mapping[int, str],
    records: Mapping[int, int], *, reason: str = "",
) -> None:  # fmt: skip
    """Write down that the platform answered: what it took and, with its reason, what it refused (by listing).

    A refused row is settled too, so that it is not told again until something changes; it lies in the dead letters.
    """
    if not tellings:
        return
    failpoints.hit("push.before_settle")
    taken = [telling for telling in tellings if telling.claim.listing_id not in refused]
    reasons = [refused.get(telling.claim.listing_id, "")[:500] for telling in tellings]
    with transaction.atomic():
        _lock(ware, tellings)
        rows("settle", **_claimed(ware, tellings), reasons=reasons, gap=GAP_SECONDS)
        ware.note(integration, taken)
        outcomes = [Outcome.REFUSED if words else Outcome.ACKNOWLEDGED for words in reasons]
        _end(records, tellings, outcomes, [words or reason for words in reasons])
        rows("show_state", listings=_listings(tellings))
        _write_letters(integration, ware, tellings, refused)
        failpoints.hit("push.within_settle")
    failpoints.hit("push.after_settle")


def put_off(
    integration: ChannelIntegration, ware: Ware[Any], tellings: Tellings, records: Mapping[int, int],
    error: ConnectorError,
) -> None:  # fmt: skip
    """Write down that the platform could not be told: due as before where surely nothing happened, else in doubt."""
    if not tellings:
        return
    failpoints.hit("push.before_put_off")
    is_lost = isinstance(error, (OutcomeUnknown, Unintelligible))
    doubtful = [telling for telling in tellings if is_lost or telling.claim.was_claimed]
    certain = [telling for telling in tellings if not is_lost and not telling.claim.was_claimed]
    reason = str(error)[:500] or type(error).__name__
    wait = error.retry_after if isinstance(error, RetryLater) else None
    with transaction.atomic():
        _lock(ware, tellings)
        pauses = {"reason": reason, "first": FIRST_PAUSE_SECONDS, "most": MOST_PAUSE_SECONDS}
        if certain:
            rows("give_back", **_claimed(ware, certain), **pauses, wait=wait or 0.0, counts=wait is None)
        if doubtful:
            rows("doubt", **_claimed(ware, doubtful), **pauses)
            rows("note_links", listings=_listings(doubtful), doubtful=True)
        outcome = Outcome.UNKNOWN if is_lost else Outcome.LATER
        _end(records, tellings, [outcome] * len(tellings), [reason] * len(tellings))
    failpoints.hit("push.after_put_off")


def begin(integration: ChannelIntegration, ware: Ware[Any], tellings: Tellings) -> dict[int, int]:
    """Write down what is about to be told; return the records by listing. One that is never ended was cut off."""
    told = rows(
        "begin_records", integration=integration.pk, **_claimed(ware, tellings),
        values=[telling.value[:200] for telling in tellings],
        due_since=[telling.claim.due_since for telling in tellings],
    )  # fmt: skip
    return {telling.claim.listing_id: number for telling, (number,) in zip(tellings, told, strict=True)}


def renewed(integration: ChannelIntegration, ware: Ware[Any], tellings: Tellings) -> list[Telling[Any]]:
    """Those tellings whose claims are still ours, each claimed for the whole time of a call from now on."""
    kept = rows("renew", integration=integration.pk, **_claimed(ware, tellings), seconds=CLAIM_SECONDS)
    ours = {listing_id for (listing_id,) in kept}
    return [telling for telling in tellings if telling.claim.listing_id in ours]


def _lock(ware: Ware[Any], tellings: Tellings) -> None:
    rows("lock_listings", listings=_listings(tellings))
    rows("lock", listings=_listings(tellings), what=ware.what)


def _listings(tellings: Tellings) -> list[int]:
    return [telling.claim.listing_id for telling in tellings]


def _claimed(ware: Ware[Any], tellings: Tellings) -> dict[str, Any]:
    return {
        "what": ware.what,
        "listings": _listings(tellings),
        "versions": [telling.claim.version for telling in tellings],
    }


def _end(records: Mapping[int, int], tellings: Tellings, outcomes: Sequence[str], reasons: Sequence[str]) -> None:
    ended = [
        (records[telling.claim.listing_id], str(outcome), reason)
        for telling, outcome, reason in zip(tellings, outcomes, reasons, strict=True)
        if telling.claim.listing_id in records
    ]
    if ended:
        numbers, results, words = zip(*ended, strict=True)
        rows("end_records", records=list(numbers), outcomes=list(results), reasons=list(words))


def _write_letters(
    integration: ChannelIntegration, ware: Ware[Any], tellings: Tellings, refused: Mapping[int, str]
) -> None:
    stream = f"push_{ware.what}"
    taken = [telling.ref.key for telling in tellings if telling.claim.listing_id not in refused]
    dead_letters.settle(integration, stream, taken, by="push")
    for telling in tellings:
        words = refused.get(telling.claim.listing_id)
        if words:
            payload = {"listing": telling.claim.listing_id, "what": ware.what, "value": telling.value}
            dead_letters.set_aside(integration, stream, telling.ref.key, words, payload)

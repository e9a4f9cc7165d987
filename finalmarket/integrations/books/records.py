"""Telling platforms that keep books our orders and customers, as they stand, whenever they change.

What is due is read for many at once, compared with what was told last, and told one by one: each is in doubt from just
before it is told until its answer is written down. Whoever finds one in doubt, because a worker was killed or an answer
got lost, asks the platform what it calls the record before telling it again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.contract import Connector, PushesFulfilments
from finalmarket.connectors.errors import (
    ConnectorError,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.customers import erased
from finalmarket.customers.resolve import add_identities
from finalmarket.integrations import breaker, dead_letters
from finalmarket.integrations.books.finding import Books, books_of
from finalmarket.integrations.books.wares import WARES, Due, Ware, What
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueRecord, ExternalId
from finalmarket.integrations.privacy import elsewhere
from finalmarket.integrations.push import Pushed, opened, reason_not_to_push
from finalmarket.integrations.telling import from_json
from finalmarket.integrations.told_again import SHOWN_AFTER
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries
from finalmarket.orders.models import Order

QUERIES = Queries(Path(__file__).with_name("records.sql"))
LANE = "records"
CLAIM_SECONDS = 180.0
GAP_SECONDS = 0.4
FIRST_PAUSE_SECONDS = 2.0
MOST_PAUSE_SECONDS = 900.0
MOST_ROUNDS = 200
MOST_TOGETHER = 50
SECONDS_TOGETHER = 1.0
"""As many records as went out in so short a time are read together: nothing is older than that when it is told, and a
consent that was withdrawn meanwhile is not."""
MOST_VERIFIED = 200
GONE = 404
Told = tuple[str, dict[str, str]]
"""The digest of a content, and its echoes."""
SURE = "sure"
"""In the place of a digest: what the account has is told it once more, to be sure."""


def tell(integration_id: int) -> Pushed:
    """Tell the account its due records, if nobody else is doing so. What it does not take is set aside with its reason;
    a failure of the platform ends the run. Raises nothing that a platform did."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    reason = reason_not_to_push(integration)
    if reason:
        return Pushed(reason=reason)
    with lane(integration_id, LANE) as held:
        if held is None:
            return Pushed(reason="somebody else is at it")
        if not breaker.may_call(integration_id):
            return Pushed(reason="the platform is left alone for a while")
        with opened(integration) as connector:
            if connector is None:
                return Pushed(reason=integration.status_reason)
            return _Drain(books_of(integration), connector, held).run()


def verify(integration_id: int) -> int:
    """Ask the platform whether it has what it was told a while ago: what it does not have is told anew, what it has
    once more, to be sure; told twice, it stands once. Return how many it did not have. Some platforms say yes and do
    nothing, and none says of a whole record how it stands."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    if reason_not_to_push(integration):
        return 0
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return 0
        with opened(integration) as connector:
            if connector is None:
                return 0
            try:
                return _verify_all(integration, connector)
            except ConnectorError as error:
                breaker.note_failure(integration, error)
                return 0


def _verify_all(integration: ChannelIntegration, connector: Connector) -> int:
    before = clock.now() - SHOWN_AFTER
    missing = 0
    for pk, what, local_id, external_id in rows(
        "unverified", integration=integration.pk, before=before, most=MOST_VERIFIED
    ):
        ware = next(one for one in WARES if one.what == what)
        is_there = not isinstance(connector, ware.capability) or _is_there(connector, ware, external_id, local_id)
        with failpoints.around("records.verify"), transaction.atomic():
            rows("verify", record=pk, is_there=is_there, sure=SURE)
            if not is_there:
                _forget_name(integration, what, external_id)
        missing += not is_there
    breaker.note_success(integration.pk)
    return missing


def _is_there(connector: Connector, ware: Ware, external_id: str, local_id: int) -> bool:
    try:
        return ware.is_there(connector, external_id, local_id)
    except (Rejected, NotSupported, *READING_ERRORS):
        return True  # this one cannot be asked for


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Have a refused record told again, as it stands now; one that is gone there is made anew. Raises UserError when
    there is none behind the letter."""
    payload = letter.payload
    gone = str(payload.get("external_id")) if payload.get("is_gone") is True else ""
    if not _tell_again(integration, payload.get("record") or 0, str(payload.get("what")), gone):
        raise UserError("there is no record behind this letter any more; settle it by hand")


def _tell_again(integration: ChannelIntegration, record: int, what: str, gone: str) -> bool:
    """Have a record told once more, as it stands; made anew, where the name that it had there is `gone`. Return whether
    there is such a record."""
    with failpoints.around("records.replay"), transaction.atomic():
        if gone:
            _forget_name(integration, what, gone)
        with connection.cursor() as cursor:
            values = {"record": record, "integration": integration.pk, "is_gone": bool(gone), "now": clock.held()}
            cursor.execute(QUERIES["again"], values)
            return int(cursor.rowcount) > 0


REPLAYS = {f"record_{ware.what}": replay for ware in WARES}
"""How refused records are tried again, by the stream of their dead letters."""


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run a query of records.sql; return its rows, none where it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], {"now": clock.held(), **values})
        return list(cursor.fetchall()) if cursor.description else []


def _forget_name(integration: ChannelIntegration, what: str, external_id: str) -> None:
    """The account has nothing of that name any more."""
    ExternalId.objects.filter(integration=integration, kind=what, external_id=external_id).delete()


class _Drain:
    """One run for one account."""

    def __init__(self, books: Books, connector: Connector, held: Lane) -> None:
        self._books, self._connector, self._lane = books, connector, held
        self._integration = books.integration
        self._done = Pushed()
        self._half = 1
        on = {What.ORDER: books.orders, What.CUSTOMER: books.customers}
        self._wares = [ware for ware in WARES if on[What(ware.what)] and isinstance(connector, ware.capability)]

    def run(self) -> Pushed:
        with failpoints.around("records.drop"):
            rows("drop", integration=self._integration.pk, told=[ware.what for ware in self._wares])
        try:
            for _ in range(MOST_ROUNDS):
                if not self._round():
                    break
        except ConnectorError as error:
            breaker.note_failure(self._integration, error)
            self._done.put_off, self._done.reason = self._done.put_off + 1, str(error)
        except _LaneLost:
            self._done.reason = "the lane was lost"
        return self._done

    def _round(self) -> bool:
        """Tell some people, then some orders, after the people behind them. Returns whether anything was due."""
        began = time.monotonic()
        dues = {ware.what: self._next(ware) for ware in self._wares}
        if not any(dues.values()):
            return False
        if dues.get(What.ORDER) and What.CUSTOMER in dues:
            known = {due.pk for due in dues[What.CUSTOMER]}
            dues[What.CUSTOMER] += [one for one in self._buyers(dues[What.ORDER]) if one.pk not in known]
        for ware in self._wares:
            self._tell_all(ware, dues[ware.what])
        in_time = self._half * SECONDS_TOGETHER / max(time.monotonic() - began, 1e-6)
        self._half = max(1, min(MOST_TOGETHER // 2, int(in_time)))
        return True

    def _next(self, ware: Ware) -> list[Due]:
        return _dues(rows("next", integration=self._integration.pk, what=ware.what, half=self._half))

    def _buyers(self, dues: Sequence[Due]) -> list[Due]:
        orders = [due.local_id for due in dues]
        with failpoints.around("records.persons"):
            rows("persons", integration=self._integration.pk, orders=orders)
        return _dues(rows("buyers", integration=self._integration.pk, orders=orders))

    def _tell_all(self, ware: Ware, dues: Sequence[Due]) -> None:
        if not dues:
            return
        if ware.what == What.ORDER and self._books.customers:
            with failpoints.around("records.wait"):
                waiting = rows("wait_for_buyer", integration=self._integration.pk, records=[due.pk for due in dues])
            dues = [due for due in dues if (due.pk,) not in waiting]
        contents = ware.read(self._books, dues)
        digests = {pk: ware.digest(content) for pk, content in contents.items()}
        loud = [due for due in dues if due.pk in contents and (due.was_tried or due.digest != digests[due.pk])]
        self._settle_quietly([due for due in dues if due not in loud])
        for due in loud:
            if not self._lane.is_held():
                raise _LaneLost
            self._tell_one(ware, due, contents[due.pk], digests[due.pk])

    def _settle_quietly(self, dues: Sequence[Due]) -> None:
        """What looks as it was told last, and what the account is not to hear of."""
        if dues:
            with failpoints.around("records.settle_quietly"):
                rows(
                    "settle_quietly", records=[due.pk for due in dues], versions=[due.version for due in dues]
                )  # fmt: skip

    def _tell_one(self, ware: Ware, due: Due, content: Any, digest: str) -> None:
        with failpoints.around("records.claim"):
            claimed = rows("claim", record=due.pk, attempts=due.attempts, seconds=CLAIM_SECONDS)
        if not claimed:
            return
        was_doubtful = bool(claimed[0][0])
        try:
            self._send(ware, due, content, digest, was_doubtful=was_doubtful)
        except ConnectorError as error:
            self._put_off(due, error, was_doubtful=was_doubtful)
            raise
        breaker.note_success(self._integration.pk, stream="push")

    def _send(self, ware: Ware, due: Due, content: Any, digest: str, *, was_doubtful: bool) -> None:
        try:
            if was_doubtful:
                failpoints.hit("records.before_ask")
                content = ware.ask(self._connector, content)
                failpoints.hit("records.after_ask")
            failpoints.hit("records.before_send")
            names = ware.tell(self._connector, content)
            failpoints.hit("records.after_send")
        except (Rejected, NotSupported, UserError) as error:
            self._take_no(ware, due, content, error)
            return
        except READING_ERRORS as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
        # Who was made under a key of an earlier try may stand there as they were then: they are told once more.
        is_again = due.was_tried and ware.what == What.CUSTOMER and not content.external_id
        told = ("", {}) if is_again else (digest, ware.echoes(content))
        self._settle(ware, due, names, told, is_again=is_again)

    def _take_no(self, ware: Ware, due: Due, content: Any, error: ConnectorError | UserError) -> None:
        """Set the record aside; but what the platform said to have taken under this name, and was not looked for since,
        has some time to show there, and is made anew where it then does not."""
        told_at = self._unproved_since(due) if getattr(error, "status", None) == GONE else None
        rest = (told_at + SHOWN_AFTER - clock.now()).total_seconds() if told_at else 0.0
        if rest > 0:
            self._put_off(due, RetryLater(str(error), retry_after=rest), was_doubtful=False)
            self._done.put_off += 1
        elif told_at and not _is_there(self._connector, ware, due.external_id, due.local_id):
            _tell_again(self._integration, due.pk, ware.what, due.external_id)
        else:
            self._refuse(ware, due, content, error)

    def _unproved_since(self, due: Due) -> datetime | None:
        """When the platform said yes to the name that it gave the record, if that was not looked for since. A name that
        came from there with the record is proved."""
        rows = DueRecord.objects.filter(pk=due.pk, verified_at=None).exclude(external_id="")
        found: datetime | None = rows.values_list("told_at", flat=True).first()
        return found

    def _settle(self, ware: Ware, due: Due, names: OrderNames, told: Told, *, is_again: bool) -> None:
        """Write down that the platform was told, and what it calls the record; nothing by which somebody could be known
        who was erased meanwhile."""
        digest, echoes = told
        external_id, line_ids = names.external_id[:200], {**due.line_ids, **names.lines}
        with transaction.atomic():
            if _is_of_the_erased(ware, due):
                digest, echoes = "", {}
                if ware.what == What.CUSTOMER:
                    elsewhere.tell_of_late_name(self._integration, external_id)
                    external_id = ""
            is_renamed = external_id not in ("", due.external_id)
            rows(
                "settle", record=due.pk, version=due.version, attempts=due.attempts + 1, external_id=external_id,
                line_ids=json.dumps(line_ids), digest=digest, echoes=json.dumps(echoes), is_again=is_again,
                is_sure=due.digest == SURE, gap=GAP_SECONDS,
            )  # fmt: skip
            if ware.what == What.CUSTOMER and is_renamed:
                _remember(self._integration, due.local_id, external_id)
                rows("try_orders_again", integration=self._integration.pk, person=due.local_id)
            if ware.what == What.ORDER and is_renamed and isinstance(self._connector, PushesFulfilments):
                rows("parcels", integration=self._integration.pk, order=due.local_id)
            dead_letters.settle(self._integration, f"record_{ware.what}", [_letter(ware, due)], by="push")
            failpoints.hit("records.within_settle")
        failpoints.hit("records.after_settle")
        self._done.told += 1

    def _refuse(self, ware: Ware, due: Due, content: Any, error: ConnectorError | UserError) -> None:
        """Set the record aside with its reason, until it changes or a person tries again."""
        payload = {
            "record": due.pk, "what": ware.what, "local_id": due.local_id, "external_id": content.external_id,
            "is_gone": bool(content.external_id) and getattr(error, "status", None) == GONE,
        }  # fmt: skip
        with transaction.atomic():
            rows("refuse", record=due.pk, version=due.version, reason=str(error)[:500])
            dead_letters.set_aside(
                self._integration, f"record_{ware.what}", _letter(ware, due), str(error), payload
            )  # fmt: skip
            failpoints.hit("records.within_refuse")
        failpoints.hit("records.after_refuse")
        self._done.refused += 1

    def _put_off(self, due: Due, error: ConnectorError, *, was_doubtful: bool) -> None:
        """Tell it later: in doubt where it may have arrived, else as if nothing had been."""
        is_doubtful = was_doubtful or isinstance(error, (OutcomeUnknown, Unintelligible))
        wait = error.retry_after if isinstance(error, RetryLater) else None
        with failpoints.around("records.put_off"):
            rows(
                "put_off", record=due.pk, is_doubtful=is_doubtful, reason=str(error)[:500], wait=wait or 0.0,
                first=FIRST_PAUSE_SECONDS, most=MOST_PAUSE_SECONDS,
            )  # fmt: skip


class _LaneLost(Exception):
    """The database forgot that we hold the lane: somebody else may be sending."""


def _dues(found: Sequence[tuple[Any, ...]]) -> list[Due]:
    return [
        Due(pk, local_id, version, settled, external_id, from_json(line_ids), digest, is_doubtful, attempts)
        for pk, local_id, version, settled, external_id, line_ids, digest, is_doubtful, attempts in found
    ]


def _letter(ware: Ware, due: Due) -> str:
    return f"{ware.what}-{due.local_id}"


def _is_of_the_erased(ware: Ware, due: Due) -> bool:
    """Whether the person whose record it is is erased by now. If not, nobody begins to erase them before the end of the
    transaction, and what is written is found then."""
    if not erased.is_anybody():
        return False
    buyers = Order.objects.filter(pk=due.local_id).values_list("customer_id", flat=True)
    person = due.local_id if ware.what == What.CUSTOMER else buyers.first()
    return bool(erased.among([person]))


def _remember(integration: ChannelIntegration, person: int, external_id: str) -> None:
    """What comes from the account about this person is known to be about them."""
    ExternalId.objects.bulk_create(
        [ExternalId(integration=integration, kind=What.CUSTOMER, external_id=external_id, local_id=person)],
        ignore_conflicts=True,
    )
    account = account_of(integration.pk, external_id)
    add_identities([(person, "account", account)], source=source_of(integration.pk))

"""Erasing a person: the books stay, the person goes, whole or not at all.

1. It is asked for: the request is written down, digests of all that the person is known by are kept, and the profiles
   are marked. From the commit on, whatever comes in is known to be of somebody who was erased, and what the person
   does from then on begins anew: the profiles have no anchors any more, and evidence joins nobody with them.
2. It is done: one transaction walks the lists of the rooms, set-based. A kill before its commit leaves nothing half
   done, and the worker does it within a minute. Platforms that know the person are told then (elsewhere.py).

What the law needs stays, without the person: amounts, tax, the country of delivery, units, dates, references. Orders
that are still under way need their address: the erasure waits for them unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from django.db import connection, transaction

from finalmarket.customers import erased, persons
from finalmarket.customers.known_by import Identity
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.customers.rules import blocked_among
from finalmarket.integrations.privacy import elsewhere
from finalmarket.integrations.privacy.lists import TABLES
from finalmarket.integrations.privacy.words import as_text, kinds_of_columns, pattern, words_of
from finalmarket.integrations.storing import patiently
from finalmarket.journeys import ingest, stitching, whose
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.personal import Table
from finalmarket.kernel.plural import plural
from finalmarket.orders.models import Order

State, Kind = PrivacyRequest.State, PrivacyRequest.Kind
UNDER_WAY = (Order.State.OPEN, Order.State.PARTLY_FULFILLED)
MOST_AT_ONCE = 50

STAY_ONE = """
INSERT INTO customer_merges (kind, first_id, second_id, decision, actor, reason, source, undone_by)
SELECT 'join', %(first)s, member.id, gen_random_uuid(), 'erasure', '', 'erasure', ''
FROM unnest(%(profiles)s::bigint[]) member(id) WHERE member.id <> %(first)s
  AND NOT EXISTS (SELECT FROM customer_merges known
                  WHERE known.first_id = %(first)s AND known.second_id = member.id AND known.undone_at IS NULL)
"""
WITHDRAW = """
INSERT INTO consents (customer_id, purpose, sales_channel_id, is_granted, source, proof, at)
SELECT DISTINCT said.customer_id, said.purpose, said.sales_channel_id, false, 'erasure', '{}'::jsonb, %(now)s
FROM consents said WHERE said.customer_id = ANY (%(profiles)s::bigint[])
"""
NAMES = """
SELECT 'account', format('integration:%%s:%%s', integration_id, external_id) FROM external_ids
WHERE kind = 'customer' AND local_id = ANY (%(profiles)s)
UNION SELECT 'account', format('integration:%%s:%%s', integration_id, external_id) FROM due_records
WHERE what = 'customer' AND external_id <> '' AND local_id = ANY (%(profiles)s)
UNION SELECT 'order', format('integration:%%s:%%s', integration_id, external_id) FROM external_ids
WHERE kind = 'order' AND local_id = ANY (%(orders)s)
UNION SELECT kind, value FROM customer_identities WHERE customer_id = ANY (%(profiles)s)
"""
RECORDS = """
SELECT integration_id, array_agg(external_id) FROM (
    SELECT integration_id, external_id FROM external_ids
    WHERE (kind = 'customer' AND local_id = ANY (%(profiles)s)) OR (kind = 'order' AND local_id = ANY (%(orders)s))
    UNION SELECT integration_id, external_id FROM dead_letters
    WHERE external_id <> '' AND concat_ws(' ', payload::text, reason) ~* %(named)s) known
GROUP BY integration_id
"""
READY = """
SELECT request.id FROM privacy_requests request
WHERE request.kind = 'erasure' AND request.state IN ('waiting', 'under_way')
  AND (request.state = 'under_way' OR NOT EXISTS (
      SELECT FROM orders WHERE state = ANY (%(under_way)s) AND customer_id IN (
          SELECT profile::bigint FROM jsonb_array_elements_text(request.profiles) profile)))
ORDER BY request.state = 'waiting', request.id
"""
EMPTY = """
UPDATE webhook_deliveries SET body = ''::bytea, headers = '{}', url = '', outcome = 'erased'
WHERE integration_id = %(integration)s AND handled_at IS NOT NULL
  AND concat_ws(' ', encode(body, 'escape'), outcome) ~* %(ids)s
"""


def erase(customer_id: int, *, actor: str, source: str = "", at_once: bool = False) -> PrivacyRequest:
    """Erase the person of a profile, all their profiles with them; return the request with what became of it.

    While orders of theirs are under way the request waits, and is carried out by the worker when the last is done;
    with `at_once` it does not, and those orders have no address any more. Erasing somebody again changes nothing.
    Raises UserError without an actor, and for an unknown customer. Must not be called within a transaction.
    """
    request = ask(customer_id, actor=actor, source=source, at_once=at_once)
    return finish(request.pk) if request.state == State.UNDER_WAY else request


@transaction.atomic
def ask(customer_id: int, *, actor: str, source: str = "", at_once: bool = False) -> PrivacyRequest:
    """Write down that a person is to be erased; see `erase`. One who was erased, or is to be, is asked for once."""
    if not actor.strip():
        raise UserError("an erasure has an actor: say who asks for it")
    erased.alone()  # before any row is locked: whoever resolves people holds this, and then rows
    profiles = _locked(customer_id)
    earlier = list(PrivacyRequest.objects.filter(kind=Kind.ERASURE, person_id__in=profiles).order_by("pk"))
    begun = [one for one in earlier if one.state != State.WAITING]
    if begun and _all_erased(profiles):
        _close_waiting(begun[-1])
        return begun[-1]
    waiting = (one for one in earlier if one.state == State.WAITING)
    request = next(waiting, PrivacyRequest(kind=Kind.ERASURE))
    request.person_id, request.profiles = profiles[0], profiles
    request.actor, request.source, request.state = actor.strip()[:100], source[:100], State.WAITING
    waits_for = 0 if at_once else _under_way(profiles)
    request.outcome = {"waits_for_orders": waits_for} if waits_for else {}
    if not waits_for:
        request.state = State.UNDER_WAY
        request.outcome = {"words": words_of(profiles, _orders(profiles))}  # until it is done: what comes late empties
        _begin(profiles)
    request.save()
    return request


def _locked(customer_id: int) -> list[int]:
    """The profiles of the person, locked: whoever was merging somebody with them meanwhile has done it by then."""
    profiles = members(customer_id)
    if not profiles:
        raise UserError(f"there is no customer {customer_id}")
    list(OmnichannelCustomer.objects.select_for_update().filter(pk__in=profiles).order_by("pk"))
    return profiles if members(customer_id) == profiles else _locked(customer_id)


def _all_erased(profiles: Sequence[int]) -> bool:
    return not OmnichannelCustomer.objects.filter(pk__in=profiles, erased_at=None).exists()


def _close_waiting(done: PrivacyRequest) -> None:
    """Requests that waited under another profile of a person who is erased: they came to be one person meanwhile."""
    if done.state != State.DONE:
        return
    others = PrivacyRequest.objects.filter(kind=Kind.ERASURE, state=State.WAITING, person_id__in=done.profiles)
    for one in others.select_for_update().order_by("pk"):
        if _all_erased(one.profiles):
            one.state, one.done_at, one.outcome = State.DONE, clock.now(), {"done_with": done.pk}
            one.save()


def waits_for(request: PrivacyRequest) -> str:
    """What an erasure waits for, in words; "" where it does not wait."""
    waits = request.outcome.get("waits_for_orders", 0)
    return f"{plural(waits, 'order that is', 'orders that are')} under way" if waits else ""


def _under_way(profiles: Sequence[int]) -> int:
    return Order.objects.filter(customer__in=profiles, state__in=UNDER_WAY).count()


def _begin(profiles: Sequence[int]) -> None:
    """From the end of this transaction on, the person is known to be erased, whatever comes in. Their profiles stay one
    buyer by decision, for evidence of theirs joins nobody any more; what they do next claims a profile of its own."""
    failpoints.hit("privacy.before_begin")
    now = clock.now()
    values: dict[str, Any] = {"profiles": list(profiles), "orders": _orders(profiles), "first": profiles[0]}
    with connection.cursor() as cursor:
        cursor.execute(NAMES, values)
        names: set[Identity] = set(cursor.fetchall())
        cursor.execute(STAY_ONE, values)
    CustomerIdentity.objects.filter(customer__in=profiles, is_anchor=True).update(is_anchor=False)
    erased.remember(profiles[0], names - blocked_among({one for one in names if one[0] != erased.ORDER}), now)
    OmnichannelCustomer.objects.filter(pk__in=profiles).update(erased_at=now)


def finish(request_id: int) -> PrivacyRequest:
    """Carry out an erasure that was asked for; one that is done is returned as it is. Where the database finds that we
    and somebody else wait for each other, it is done once or twice more."""
    return patiently(partial(_finish, request_id))


def _finish(request_id: int) -> PrivacyRequest:
    with transaction.atomic():
        request: PrivacyRequest = PrivacyRequest.objects.select_for_update().get(pk=request_id)
        if request.state != State.UNDER_WAY:
            return request
        request.outcome = _carry_out(list(request.profiles), request.outcome.get("words", []))
        request.state, request.done_at = State.DONE, clock.now()
        request.save()
        _close_waiting(request)
        failpoints.hit("privacy.before_commit")
    whose.forget(set(request.profiles))
    structlog.get_logger(__name__).info("person erased", request=request.pk, actor=request.actor)
    return request


def _carry_out(profiles: list[int], noted: Sequence[str]) -> dict[str, Any]:
    """Walk the lists, within a transaction; return how many rows of each table lost something. `noted` are words by
    which the person was known when it was asked for."""
    ingest.hold_back()
    persons.hold()
    stitching.hold(profiles)
    orders = _orders(profiles)
    told = elsewhere.tell_later(profiles, orders)
    values: dict[str, Any] = {"profiles": profiles, "orders": orders, "first": profiles[0], "now": clock.now()}
    words = sorted({*noted, *words_of(profiles, orders)})
    with connection.cursor() as cursor:
        cursor.execute(STAY_ONE, values)
        cursor.execute(WITHDRAW, values)
    persons.before_removal(profiles)
    kinds, rows = kinds_of_columns(), dict[str, int]()
    rows["webhook_deliveries"] = _empty_handled_webhooks(values, pattern(words) if words else "^$")
    for table in TABLES:
        done = _erase_rows(table, values) + (_erase_found(table, kinds, words) if words else 0)
        if done:
            rows[table.name] = rows.get(table.name, 0) + done
        failpoints.hit("privacy.after_table")
    return {"rows": rows, "kept": {table.name: table.kept for table in TABLES if table.whose and table.kept}, **told}


def _empty_handled_webhooks(values: dict[str, Any], named: str) -> int:
    """Empty webhooks that were worked on and are about a record of the person: by what the account calls their orders,
    themselves, and records that could not be taken and name them. Such a name may be as short as 17, so it is looked
    for with that account alone."""
    done = 0
    with connection.cursor() as cursor:
        cursor.execute(RECORDS, {**values, "named": named})
        for integration_id, ids in cursor.fetchall():
            cursor.execute(EMPTY, {"integration": integration_id, "ids": pattern(ids)})
            done += cursor.rowcount
    return done


def _orders(profiles: Sequence[int]) -> list[int]:
    return list(Order.objects.filter(customer__in=profiles).order_by("pk").values_list("pk", flat=True))


def _erase_rows(table: Table, values: dict[str, Any]) -> int:
    """Erase what is the person's own."""
    if not table.whose or not (table.is_deleted or table.erased):
        return 0
    changes = ", ".join(f"{column} = {becomes}" for column, becomes in table.erased.items())
    verb = f"DELETE FROM {table.name}" if table.is_deleted else f"UPDATE {table.name} SET {_escaped(changes)}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} WHERE {table.whose}", values)
        return int(cursor.rowcount)


def _erase_found(table: Table, kinds: dict[tuple[str, str], str], words: Sequence[str]) -> int:
    """Erase what nobody owns and the person is named in."""
    if not table.searched:
        return 0
    text = ", ".join(as_text(column, kinds.get((table.name, column), "text")) for column in table.searched)
    changes = ", ".join(f"{column} = {becomes}" for column, becomes in table.erased.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table.name} SET {_escaped(changes)} WHERE concat_ws(' ', {text}) ~* %(pattern)s",  # noqa: S608
            {"pattern": pattern(words)},
        )
        return int(cursor.rowcount)


def _escaped(sql: str) -> str:
    return sql.replace("%", "%%")


def go_on() -> int:
    """Carry out what was asked for and is not done: after a kill, or because orders were under way. Returns how many
    persons were erased. One that cannot be keeps no other waiting: what went wrong first is raised in the end."""
    with connection.cursor() as cursor:
        cursor.execute(READY, {"under_way": [str(state) for state in UNDER_WAY]})
        ready: list[int] = [number for (number,) in cursor.fetchall()]
    done, failed = 0, list[Exception]()
    for number in ready:
        if done == MOST_AT_ONCE:
            break
        try:
            done += _go_on_with(number)
        except Exception as error:  # the others have a right to it, too
            kind = type(error).__name__
            structlog.get_logger(__name__).error("an erasure could not be carried out", request=number, kind=kind)
            failed.append(error)
    if failed:
        raise failed[0]
    return done


def _go_on_with(request_id: int) -> bool:
    """Whether the person of the request was erased now."""
    request: PrivacyRequest = PrivacyRequest.objects.get(pk=request_id)
    if request.state == State.WAITING:
        request = ask(request.person_id, actor=request.actor, source=request.source)
    return request.state == State.UNDER_WAY and finish(request.pk).state == State.DONE

"""What people say of persons: these two are one, this one is not that one. Written down with who, when and why.

A decision is a row of its own and moves no other row; persons are computed from evidence and decisions together. So an
unmerge gives back exactly what each profile had, and holds against whatever evidence comes later, until somebody merges
them again. The newer decision goes before the older: it undoes what contradicts it, and the log keeps both.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from finalmarket.customers import erased
from finalmarket.customers.models import CustomerMerge, OmnichannelCustomer
from finalmarket.customers.persons import evidence_alone, hold, members, recompute, without
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

MOST_PAIRS = 10_000
Kind = CustomerMerge.Kind


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something, and why. `source` names what it came from, such as "suggestion:17"."""

    actor: str
    reason: str = ""
    source: str = ""
    decision: uuid.UUID = field(default_factory=uuid.uuid4)


@transaction.atomic
def merge(one: int, other: int, *, actor: str, reason: str = "", source: str = "") -> CustomerMerge:
    """Say that the persons of two profiles are one; return what was written down.

    All profiles of both are one then: where the merge itself makes a value count as shared that has held one of them
    (two addresses use the phone now), what it held is joined by the same decision. What was said before against it is
    undone. Raises UserError where they are one already, for a profile that does not exist, for somebody who was erased,
    and without an actor.
    """
    said = _said(actor, reason, source)
    hold()
    left, right = _members(one), _members(other)
    if left[0] == right[0]:
        raise UserError(f"customers {one} and {other} are one person already")
    _check_nobody_was_erased([*left, *right])
    together = _pairs(evidence_alone([*left, *right]))
    _undo(_crossing(left, right), said)
    decision = _write([(left[0], right[0])], Kind.JOIN, said)
    recompute({*left, *right}, cause=f"decision:{said.decision}")
    _keep_together(together, [said] * len(together))
    _log("customers merged", decision[0], persons=(left[0], right[0]))
    return decision[0]


@dataclass(frozen=True, slots=True)
class Parting:
    """What an unmerge would do: who leaves, who stays, which joins of people it undoes. `alone` are those who leave
    although evidence alone holds them together with who stays, `rest` those from whom they go. Profiles that hung on
    both sides at once are in neither: evidence tells where they belong afterwards."""

    leaving: tuple[int, ...]
    staying: tuple[int, ...]
    undone: tuple[int, ...]
    alone: tuple[int, ...]
    rest: tuple[int, ...]


@transaction.atomic
def unmerge(
    stays: int, leaves: Collection[int], *, actor: str, reason: str = "", source: str = ""
) -> list[CustomerMerge]:  # fmt: skip
    """Say that the profiles of `leaves` are not the person of `stays`; return what was written down.

    Who was merged with a profile that leaves, or hangs on it by evidence alone, leaves with it: both are what they were
    before the merge. Where a profile leaves that evidence held, the others whom evidence held stay one, although what
    holds them together is now seen to be shared: that is written down as said, too. Raises UserError where they are no
    one person, nobody would stay, and without an actor.
    """
    said = _said(actor, reason, source)
    hold()
    parting = plan_unmerge(stays, leaves)
    _undo(CustomerMerge.objects.filter(pk__in=parting.undone), said)
    _undo(_crossing(parting.leaving, parting.staying), said)
    together = [*_together(parting.alone, parting.rest), *_together(parting.rest, parting.alone)]
    pairs = [(one, other) for one in parting.leaving for other in parting.staying]
    decision = _write(pairs, Kind.PART, said)
    recompute({*parting.leaving, *parting.staying}, cause=f"decision:{decision[0].decision}")
    _keep_together(together, [replace(said, decision=uuid.uuid4()) for _ in together])
    _log("customer unmerged", decision[0], left=parting.leaving, stayed=parting.staying)
    return decision


def _together(ours: Sequence[int], theirs: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of ours that are one person if theirs did not exist."""
    return _pairs(without(ours, theirs)) if ours and theirs else []


def _pairs(persons: dict[int, int]) -> list[tuple[int, int]]:
    """Each profile with the first of its person."""
    first: dict[int, int] = {}
    return [(first[person], one) for one, person in sorted(persons.items()) if first.setdefault(person, one) != one]


def _keep_together(pairs: Sequence[tuple[int, int]], said: Sequence[Said]) -> None:
    """Join again what fell apart because a value that held it counts as shared now."""
    for (one, other), word in zip(pairs, said, strict=True):
        if members(one)[0] != members(other)[0]:
            _undo(_crossing([one], [other]), word)
            _write([(one, other)], Kind.JOIN, replace(word, reason=word.reason or "stay one person"))
            recompute([one, other], cause=f"decision:{word.decision}")


@transaction.atomic
def keep_apart(one: int, other: int, *, actor: str, reason: str = "", source: str = "") -> list[CustomerMerge]:
    """Say that two persons are two, against whatever evidence comes later; return what was written down.

    Raises UserError where they are one person (unmerge them), and without an actor.
    """
    said = _said(actor, reason, source)
    hold()
    left, right = _members(one), _members(other)
    if left[0] == right[0]:
        raise UserError(f"customers {one} and {other} are one person; unmerge them to keep them apart")
    _undo(_crossing(left, right), said)
    decision = _write([(mine, theirs) for mine in left for theirs in right], Kind.PART, said)
    recompute({*left, *right}, cause=f"decision:{decision[0].decision}")
    _log("customers kept apart", decision[0], persons=(left[0], right[0]))
    return decision


def plan_unmerge(stays: int, leaves: Collection[int]) -> Parting:
    """Work out what an unmerge does, without doing it. Raises UserError where they are no one person, or nobody would
    stay."""
    everybody = _members(stays)
    strangers = set(leaves) - set(everybody)
    if not leaves or strangers:
        named = ", ".join(map(str, sorted(strangers))) or "nobody"
        raise UserError(f"customer {stays} can be parted from profiles of the same person only, not from {named}")
    if stays in leaves:
        raise UserError(f"customer {stays} cannot leave and stay at once; name a profile that stays")
    found = evidence_alone(everybody)
    alone = tuple(one for one in everybody if one in leaves and found[one] == found[stays])
    rest = tuple(one for one in everybody if one not in leaves and found[one] == found[stays])
    pieces = found | dict.fromkeys(rest, rest[0]) | {one: one for one in alone}
    joins = list(_among(everybody, Kind.JOIN))
    edges = [(join.decision, pieces[join.first_id], pieces[join.second_id]) for join in joins]
    leaving = {pieces[one] for one in leaves}
    staying = _reached({pieces[stays]}, edges, leaving)
    leaving = _reached(leaving, edges, staying)
    lifted = {decision for decision, one, other in edges if (one in leaving) != (other in leaving)}
    return Parting(
        leaving=tuple(one for one in everybody if pieces[one] in leaving),
        staying=tuple(one for one in everybody if pieces[one] in staying),
        undone=tuple(join.pk for join in joins if join.decision in lifted),
        alone=alone, rest=rest,
    )  # fmt: skip


def _reached(begin: set[int], edges: Sequence[tuple[uuid.UUID, int, int]], barred: set[int]) -> set[int]:
    """The pieces that joins of people hold together with these, but for the barred ones."""
    reach = set(begin)
    while True:
        ends = {end for _, one, other in edges if one in reach or other in reach for end in (one, other)}
        if ends - barred <= reach:
            return reach
        reach |= ends - barred


def history(customer_id: int) -> QuerySet[CustomerMerge]:
    """Return what people said of the profiles of a person, the newest first, also what does not count any more."""
    ids = members(customer_id)
    said = CustomerMerge.objects.filter(Q(first__in=ids) | Q(second__in=ids))
    return said.select_related("first", "second").order_by("-id")


def _said(actor: str, reason: str, source: str) -> Said:
    if not actor.strip():
        raise UserError("say who decides this")
    return Said(actor.strip()[:100], reason.strip()[:500], source[:100])


def _members(profile: int) -> list[int]:
    found = members(profile)
    if not found:
        raise UserError(f"there is no customer {profile}")
    return found


def _check_nobody_was_erased(profiles: Sequence[int]) -> None:
    """Lock the profiles, so that no erasure of theirs begins meanwhile. Raises UserError where one has begun."""
    list(OmnichannelCustomer.objects.select_for_update(no_key=True).filter(pk__in=profiles).order_by("pk").only("pk"))
    erased.refuse(profiles)


def _among(profiles: Sequence[int], kind: str) -> QuerySet[CustomerMerge]:
    counting = CustomerMerge.objects.filter(kind=kind, undone_at=None)
    return counting.filter(first__in=profiles, second__in=profiles).order_by("id")


def _crossing(left: Sequence[int], right: Sequence[int]) -> QuerySet[CustomerMerge]:
    """What counts of what was said between these and those; a newer decision takes its place."""
    counting = CustomerMerge.objects.filter(undone_at=None)
    return counting.filter(Q(first__in=left, second__in=right) | Q(first__in=right, second__in=left))


def _undo(rows: QuerySet[CustomerMerge], said: Said) -> None:
    rows.update(undone_at=clock.now(), undone_by=said.actor, undone_for=said.decision)


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    return (pair[0], pair[1]) if pair[0] < pair[1] else (pair[1], pair[0])


def _write(pairs: Iterable[tuple[int, int]], kind: str, said: Said) -> list[CustomerMerge]:
    ordered = sorted({_ordered(pair) for pair in pairs})
    if len(ordered) > MOST_PAIRS:
        raise UserError(f"that parts {len(ordered):,} pairs of profiles; at most {MOST_PAIRS:,} are parted at once")
    now = clock.now()
    return CustomerMerge.objects.bulk_create(
        [
            CustomerMerge(
                kind=kind, first_id=first, second_id=second, decision=said.decision, actor=said.actor,
                reason=said.reason, source=said.source, at=now,
            )
            for first, second in ordered
        ]
    )  # fmt: skip


def _log(event: str, row: CustomerMerge, **words: object) -> None:
    structlog.get_logger(__name__).info(event, decision=str(row.decision), actor=row.actor, **words)


__all__ = ["Parting", "history", "keep_apart", "merge", "plan_unmerge", "unmerge"]

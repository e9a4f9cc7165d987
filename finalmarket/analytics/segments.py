"""Every person's segment, kept in step: sorted set-based by rules that are data, with who moved when and why.

Every night all is computed anew (`restate`); an order, a refund or a cancellation is followed within a minute
(`refresh`), a merge or an unmerge of persons at once (`follow`), a changed rule when it is saved (`follow_rule`), time
that has passed every quarter of an hour (`resort`). All of them compute the same: what is learned and where the highest
begin stands fixed between two nights, so that equal persons are in equal segments whenever they were looked at.

The main segment stands on all profiles of a person (`OmnichannelCustomer.segment`), for a person is shown with the
highest of theirs. Segments that users made have members of their own (segment_members), as audiences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from finalmarket.analytics import lifetime_value_stored as values
from finalmarket.analytics.models import Segment, SegmentMember, ValueModel
from finalmarket.analytics.segments_rules import NUMBERS, Compiler, Rule, leaves, mark_of
from finalmarket.analytics.segments_words import MOST_REASON_CHARACTERS, QUERIES, Finding, chunks, explained, why_moved
from finalmarket.customers import persons as customer_persons
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock, failpoints

LOCK = 0x7365_676D_656E  # "segmen"
FOLLOWER = "segments"
FEW, MOST_EXPLAINED, A_TIME = 5_000, 20_000, 2_000
CAUSES = {
    "orders": "an order came or changed", "night": "all were counted anew", "persons": "profiles were joined or parted",
    "rule": "the rule was changed", "time": "looked at again", "first": "sorted for the first time",
}  # fmt: skip
WHOSE = "AND p.id = ANY (%(persons)s::bigint[])"
WHOSE_MEMBER = "AND member.person_id = ANY (%(persons)s::bigint[])"
Move = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is to be sorted (None: everybody), why, and the currency of amounts in words."""

    persons: list[int] | None
    cause: str
    currency: str

    @property
    def given(self) -> dict[str, Any]:
        """What every query is told."""
        now = clock.now()
        return {"persons": self.persons or [], "now": now, "today": now.date(), "cause": self.cause}


@dataclass(frozen=True, slots=True)
class _Members:
    """Who left a segment that is not built in, and who joined it."""

    segment: Segment
    left: list[int]
    joined: list[int]


def restate(cause: str = "night") -> ValueModel:
    """Learn anew what people are worth, and sort everybody; return what was learned."""
    with hold():
        if values.latest() is None:
            cause = "first"  # nobody moves who was never sorted
        model = values.revalue()
        _renew_marks()
        _sort(_Asked(None, cause, model.currency))
    return model


def refresh() -> int:
    """Sort the persons anew whose orders something happened to since the last time; return how many they were."""
    with hold():
        model = values.latest()
        persons = values.touched(model) if model is not None else []
        if model is not None and len(persons) <= FEW:
            values.refresh(model, persons)
            if persons:
                _sort(_Asked(sorted(persons), "orders", model.currency))
            values.note_refreshed(model)
            return len(persons)
    return restate("orders").persons


def follow() -> int:
    """Sort the persons anew whose profiles were joined or parted and that were not seen yet; return how many changes
    there were."""
    with hold():
        return customer_persons.follow(FOLLOWER, _follow)


def _follow(changes: Sequence[customer_persons.Change]) -> None:
    model = values.latest()
    if model is None:
        return
    concerned = sorted({number for change in changes for number in (change.customer_id, change.was, change.becomes)})
    values.refresh(model, concerned)
    _sort(_Asked(concerned, "persons", model.currency))


def resort() -> None:
    """Sort everybody anew with what is known of them: time has passed."""
    with hold():
        model = values.latest()
        if model is not None:
            _sort(_Asked(None, "time", model.currency))
    if model is None:
        restate("time")


def follow_rule(segment: Segment) -> None:
    """Sort anew by the rule of a segment, which the caller has just saved: everybody where it is built in, for those
    above and below it are others then, too. Where the highest begin is found anew for its rule alone."""
    with hold():
        model = values.latest()
        _renew_marks(segment)
        asked = _Asked(None, "rule", model.currency if model else "")
        if not segment.is_built_in:
            _sort_into_one(segment, asked)
        elif model is not None:
            _sort(asked)
    if model is None and segment.is_built_in:
        restate("rule")


def dissolve(segment: Segment) -> None:
    """Let everybody out of a segment that is about to be taken away."""
    with hold():
        segment.rule = {}
        model = values.latest()
        _sort_into_one(segment, _Asked(None, "rule", model.currency if model else ""))


@contextmanager
def hold() -> Iterator[None]:
    """Hold the segments until the end of the transaction: nobody else computes or changes them meanwhile. Persons are
    held before; rows of segments and of customers are locked after, never before, so that nobody waits crosswise."""
    with failpoints.around("segments.sort"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


def _renew_marks(*only: Segment) -> None:
    """Compute anew from which value on somebody is among the highest, for every rule that asks for it."""
    for segment in only or Segment.objects.all():
        segment.marks = marks(segment.rule)
        segment.save(update_fields=["marks"])


def marks(rule: Rule) -> dict[str, str | None]:
    """Return from which value on somebody is among the highest, for each condition that asks for it."""
    found: dict[str, str | None] = {}
    with connection.cursor() as cursor:
        for leaf in leaves(rule):
            if "top" in leaf and mark_of(leaf) not in found:
                text = QUERIES["mark"].replace("{measure}", NUMBERS[leaf["field"]].sql)
                cursor.execute(text, {"part": leaf["top"], "today": clock.now().date()})
                (value,) = cursor.fetchone()
                found[mark_of(leaf)] = None if value is None else format(value, "f")
    return found


def _sort(asked: _Asked) -> None:
    """Sort into the built-in segments, then into the others, which may ask for those."""
    known = list(Segment.objects.all())
    _sort_into_built_in([one for one in known if one.is_built_in], asked)
    _write([_find_members(one, asked) for one in known if not one.is_built_in], asked)


def _sort_into_one(segment: Segment, asked: _Asked) -> None:
    """Sort into a segment that is not built in; nobody moves between the built-in ones."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["nobody_moves"])
    _write([_find_members(segment, asked)], asked)


def _sort_into_built_in(segments: Sequence[Segment], asked: _Asked) -> None:
    ranked = sorted(segments, key=lambda one: one.rank or 0)
    compiler = Compiler(is_for_few=asked.persons is not None)
    cases = []
    for one in ranked:
        compiler.marks = one.marks
        if one.rule:
            cases.append(f"WHEN {compiler.condition(one.rule)} THEN {compiler.parameter(one.key)}")
    text = QUERIES["moves"].replace("{sorting}", " ".join(cases) or "WHEN false THEN ''")
    text = text.replace("{whose}", WHOSE if asked.persons is not None else "")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS segment_moves")
        cursor.execute(text, {**compiler.parameters, **asked.given})
        cursor.execute(QUERIES["moved"])
        moved: list[Move] = cursor.fetchall()
        if len(moved) > MOST_EXPLAINED:
            cursor.execute(QUERIES["note_all"], {**asked.given, "reason": CAUSES[asked.cause]})
        else:
            _note(moved, _reasons(moved, {one.key: one for one in ranked}, asked.currency), asked)
    Segment.objects.filter(pk__in=[one.pk for one in ranked]).update(sorted_at=clock.now())


def _reasons(moved: Sequence[Move], segments: Mapping[str, Segment], currency: str) -> dict[int, str]:
    """Why each person moved: what holds of the rule above, or does not hold any more of the one before."""
    found: dict[int, str] = {}
    by_rule: dict[tuple[str, bool], list[Move]] = {}
    for move in moved:
        rises = (segments[move[2]].rank or 0) < (segments[move[1]].rank or 0)
        by_rule.setdefault((move[2] if rises else move[1], rises), []).append(move)
    for (key, rises), moves in by_rule.items():
        segment = segments[key]
        for part in chunks(moves, A_TIME):
            findings = explained(segment.rule, segment.marks, [person for person, *_ in part], currency)
            for person, was, _ in part:
                found[person] = why_moved(findings.get(person, []), segments[was].name, rises=rises)
    return found


def _note(moved: Sequence[Move], reasons: Mapping[int, str], asked: _Asked) -> None:
    if not moved:
        return
    people, was, becomes = (list(column) for column in zip(*moved, strict=True))
    words = [
        "; ".join(one for one in (CAUSES[asked.cause], reasons.get(person, "")) if one)[:MOST_REASON_CHARACTERS]
        for person in people
    ]
    with connection.cursor() as cursor:
        columns = {"persons": people, "was": was, "becomes": becomes, "reasons": words}
        cursor.execute(QUERIES["note"], {**columns, "cause": asked.cause, "now": clock.now()})


def _find_members(segment: Segment, asked: _Asked) -> _Members:
    """Let in who fulfils the rule of a segment that is not built in, and out who does not any more; return who that is.
    Who was just found to move between the built-in ones counts as there already."""
    is_few = asked.persons is not None
    compiler = Compiler(segment.marks, is_for_few=is_few, main_segment="coalesce(moved.becomes, p.segment)")
    text = QUERIES["wanted"].replace("{condition}", compiler.condition(segment.rule))
    given = {**compiler.parameters, **asked.given, "segment": segment.pk}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS segment_wanted")
        cursor.execute(text.replace("{whose}", WHOSE if is_few else ""), given)
        cursor.execute(QUERIES["leave"].replace("{whose_member}", WHOSE_MEMBER if is_few else ""), given)
        left = [person for (person,) in cursor.fetchall()]
        cursor.execute(QUERIES["join"], given)
        joined = [person for (person,) in cursor.fetchall()]
    return _Members(segment, left, joined)


def _write(found: Sequence[_Members], asked: _Asked) -> None:
    """Give the profiles of who moved their segment and have platforms told of members, in one run over all of them in
    the order of ids, for others lock customers in that order too; then note why members came and went."""
    touched = sorted({person for one in found for person in (*one.left, *one.joined)})
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["move"], {**asked.given, "touched": touched})
        cursor.execute("DROP TABLE segment_moves")  # they have moved
    for one in found:
        _note_members(one, asked)


def _note_members(found: _Members, asked: _Asked) -> None:
    segment, left, joined = found.segment, found.left, found.joined
    moved: list[Move] = [(one, segment.key, "") for one in left] + [(one, "", segment.key) for one in joined]
    few = len(moved) <= MOST_EXPLAINED
    _note(moved, _why_members(segment, left, joined, asked.currency) if few else {}, asked)
    Segment.objects.filter(pk=segment.pk).update(sorted_at=clock.now())


def _why_members(segment: Segment, left: Sequence[int], joined: Sequence[int], currency: str) -> dict[int, str]:
    found = {}
    for people, rises in ((left, False), (joined, True)):
        for part in chunks(people, A_TIME):
            findings: Mapping[int, list[Finding]] = explained(segment.rule, segment.marks, part, currency)
            for person in part:
                own = findings.get(person)
                gone = "one person with another profile now"
                found[person] = gone if own is None else why_moved(own, segment.name, rises=rises)
    return found


def members(key: str) -> list[int]:
    """Return the persons of a segment, built in or not, by the profile that stands for each, in the order of their
    numbers. Raises Segment.DoesNotExist."""
    segment = Segment.objects.get(key=key)
    if segment.is_built_in:
        rows = OmnichannelCustomer.objects.filter(segment=key, merged_into=None, erased_at=None)
        return list(rows.order_by("pk").values_list("pk", flat=True))
    return list(SegmentMember.objects.filter(segment=segment).order_by("person").values_list("person", flat=True))


def keys_of(people: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the keys of the segments that are not built in of each of these persons (by the profile that stands for
    them); who is in none is left out. One query."""
    found: dict[int, tuple[str, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["keys_of"], {"people": list(people)})
        for person, key in cursor.fetchall():
            found[person] = (*found.get(person, ()), key)
    return found

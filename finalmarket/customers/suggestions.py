"""Two profiles that may be one person: suggested by whoever found it, decided by a person, once.

Yes merges them. No means that this is not enough to hold them for one person: the pair is not suggested again, and
better evidence may still join them. Only who says that they are two persons (`keep_apart`) keeps them apart for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction

from finalmarket.customers import merging
from finalmarket.customers.models import MergeSuggestion, OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

State = MergeSuggestion.State


def suggest(one: int, other: int, *, source: str, evidence: Mapping[str, Any]) -> bool:
    """Put two profiles before a person; return whether that is new. Profiles that are one already are left alone, and
    so is who was erased; what was decided once stays decided."""
    living = OmnichannelCustomer.objects.filter(pk__in=[one, other], erased_at=None)
    persons = dict(living.values_list("pk", "merged_into"))
    if len({person or number for number, person in persons.items()}) < 2:
        return False
    first, second = sorted((one, other))
    _, is_new = MergeSuggestion.objects.get_or_create(
        first_id=first, second_id=second,
        defaults={"source": source[:100], "evidence": dict(evidence), "suggested_at": clock.now()},
    )  # fmt: skip
    return is_new


@transaction.atomic
def decide(suggestion_id: int, *, are_one: bool, actor: str, keep_apart: bool = False) -> MergeSuggestion:
    """Write down what a person decided: one person (they are merged) or not; with `keep_apart` they are two persons,
    whatever evidence comes. Deciding the same again changes nothing. Raises UserError for an unknown suggestion, for
    one that was decided otherwise, and for a merge with somebody who was erased."""
    rows = MergeSuggestion.objects.select_for_update()
    suggestion: MergeSuggestion | None = rows.filter(pk=suggestion_id).first()
    if suggestion is None:
        raise UserError(f"there is no suggestion with number {suggestion_id}")
    wanted = State.ACCEPTED if are_one else State.REJECTED
    if suggestion.state == wanted:
        return suggestion
    if suggestion.state != State.OPEN:
        decision = suggestion.get_state_display().lower()
        raise UserError(f"this was decided already by {suggestion.decided_by}: {decision}")
    suggestion.state, suggestion.decided_at, suggestion.decided_by = wanted, clock.now(), actor[:100]
    suggestion.save(update_fields=["state", "decided_at", "decided_by"])
    _carry_out(suggestion, are_one=are_one, keep_apart=keep_apart)
    structlog.get_logger(__name__).info(
        "merge suggestion decided", suggestion=suggestion.pk, state=str(wanted), actor=actor
    )
    return suggestion


def _carry_out(suggestion: MergeSuggestion, *, are_one: bool, keep_apart: bool) -> None:
    """Merge or part the two, as they stand now: evidence may have joined them since they were suggested."""
    first, second, actor = suggestion.first_id, suggestion.second_id, suggestion.decided_by
    source = f"suggestion:{suggestion.pk}"
    are_joined = second in members(first)
    if are_one and not are_joined:
        merging.merge(first, second, actor=actor, reason=f"suggested by {suggestion.source}", source=source)
    elif not are_one and keep_apart and are_joined:
        merging.unmerge(first, [second], actor=actor, reason="two persons", source=source)
    elif not are_one and keep_apart:
        merging.keep_apart(first, second, actor=actor, reason="two persons", source=source)

"""What a person is worth and why they are in their segment, on their page."""

from __future__ import annotations

from typing import Any

from finalmarket.analytics.models import Segment, SegmentChange
from finalmarket.analytics.segments_words import explained, rule_in_words

MOST_MOVES = 8


def worth(profile: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of it: the conditions of the person's segment with what they found, the segments that
    users made, and the last moves. A constant number of queries."""
    person, value = profile["customer"], profile.get("value")
    known = {one.key: one for one in Segment.objects.all()}
    own = known.get(profile["customer_segment"])
    currency = value["currency"] if value else ""
    findings = explained(own.rule, own.marks, [person], currency).get(person, []) if own and own.rule else []
    moves = SegmentChange.objects.filter(person__in=profile["profiles"]).exclude(cause="first").order_by("-id")
    return {
        "why": findings, "segment_rule": rule_in_words(own.rule) if own else "", "own_segment": own,
        "made_segments": [known[key] for key in profile.get("segments", ()) if key in known],
        "moves": [(row, known.get(row.was), known.get(row.becomes)) for row in moves[:MOST_MOVES]],
    }  # fmt: skip

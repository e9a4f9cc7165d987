"""Orders of ours as orders or deals with line items: all of them are known again by our names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finalmarket.connectors.books import OrderContent, OrderNames
from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.hubspot import words
from finalmarket.connectors.platforms.hubspot.custom import LINE
from finalmarket.connectors.platforms.hubspot.objects import Objects
from finalmarket.connectors.records import Raw


def tell(
    objects: Objects, kind: str, content: OrderContent, there: Raw | None, stages: Mapping[str, str]
) -> OrderNames:
    """Make the order, or bring the one that is `there` up to date; what it and its lines are called."""
    values = {words.line_key(content, line): words.line_values(content, line) for line in content.lines}
    lines = _ours(objects.upsert("line_items", LINE, values), content.number)
    if len(lines) != len(values):
        raise Unintelligible("HubSpot does not say what it calls each line")
    told = words.order_values(content, kind, stages)
    if there is None:
        buyer = [("contacts", content.customer_id)] if content.customer_id else []
        links = [*buyer, *(("line_items", name) for name in lines.values())]
        return OrderNames(external_id=_make(objects, kind, told, links, list(lines.values())), lines=lines)
    name = objects.update(kind, str(there["id"]), told)
    _link_again(objects, kind, name, content, lines)
    return OrderNames(external_id=name, lines=lines)


def _make(
    objects: Objects, kind: str, told: Mapping[str, str], links: Sequence[tuple[str, str]], lines: Sequence[str]
) -> str:
    """Make the order with its links. Where HubSpot refuses it because it said yes to a line and did not keep it, all
    of it may be told anew: nothing was made."""
    try:
        return objects.create(kind, told, links)
    except Rejected as error:
        if len(objects.read_many("line_items", lines, [LINE])) == len(lines):
            raise
        raise RetryLater("HubSpot has not kept every line that it said yes to") from error


def names_of(objects: Objects, kind: str, name: str, number: str) -> OrderNames:
    """What an order that is there, and its lines, are called."""
    linked = objects.linked(kind, name, "line_items")
    return OrderNames(external_id=name, lines=_ours(objects.read_many("line_items", linked, [LINE]), number))


def _link_again(objects: Objects, kind: str, name: str, content: OrderContent, lines: Mapping[str, str]) -> None:
    """Link an order to what is new of it, and put lines of ours away that are no longer part of it."""
    linked = objects.linked(kind, name, "line_items")
    objects.link(kind, name, "line_items", [one for one in lines.values() if one not in linked])
    if content.customer_id and content.customer_id not in objects.linked(kind, name, "contacts"):
        objects.link(kind, name, "contacts", [content.customer_id])
    others = [one for one in linked if one not in lines.values()]
    gone = _ours(objects.read_many("line_items", others, [LINE]), content.number)
    objects.archive("line_items", list(gone.values()))


def _ours(raws: Sequence[Raw], number: str) -> dict[str, str]:
    """Which of these line items are ours, of that order: our id to theirs."""
    found = (read_one(raw, lambda one: words.line_of(one, number)) for raw in raws)
    return {ours: theirs for ours, theirs in found if ours}

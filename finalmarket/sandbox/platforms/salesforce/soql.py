"""SOQL, as much of it as one kind of records at a time needs: fields, also of what a record refers to, conditions with
`IN`, an order and a limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from finalmarket.sandbox.conditions import condition, text_of

Record = dict[str, Any]
Look = Callable[[str, Record, str], Any]
QUESTION = re.compile(
    r"SELECT (?P<fields>[\w., ]+) FROM (?P<kind>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY (?P<order>[\w, ]+?))?(?: LIMIT (?P<limit>\d+))?",
    re.DOTALL,
)
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
AMONG = re.compile(r"([\w.]+) IN \(([^()]*)\)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)")
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
PLAIN = {"n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for."""

    fields: tuple[str, ...]
    kind: str
    where: str
    order: str
    limit: int | None


def read(written: str) -> Question:
    """A question as it is written. Raises ValueError for what is none."""
    found = QUESTION.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"unexpected token in {written[:60]!r}")
    fields = tuple(name.strip() for name in found["fields"].split(","))
    limit = int(found["limit"]) if found["limit"] else None
    return Question(fields, found["kind"], found["where"] or "", (found["order"] or "").strip(), limit)


def answer(question: Question, records: list[Record], look: Look) -> tuple[list[Record], list[Record]]:
    """The records that are asked for, and all of the kind in the same order. Raises ValueError for what is no
    condition, or names a field that is none."""
    for name in (*question.fields, *(part.strip() for part in question.order.split(",") if part.strip())):
        look(question.kind, {}, name)
    every = list(records)
    for name in reversed([part.strip() for part in question.order.split(",") if part.strip()]):
        every.sort(key=lambda one: (look(question.kind, one, name) is not None, look(question.kind, one, name) or ""))
    test = condition(_spelled(question.where), _compare(question.kind, look)) if question.where else None
    if test is not None:
        test({})  # names and operators are looked at also where there are no records
    found = [one for one in every if test is None or test(one)]
    return found[: question.limit], every


def _spelled(where: str) -> str:
    """A condition with quotes that are doubled instead of escaped, and each `IN` as a row of `OR`."""

    def doubled(found: re.Match[str]) -> str:
        plain = re.sub(r"\\(.)", lambda one: PLAIN.get(one[1], one[1]), found[1], flags=re.DOTALL)
        return "'" + plain.replace("'", "''") + "'"

    def each(found: re.Match[str]) -> str:
        literals = re.findall(r"'(?:[^']|'')*'", found[2])
        if not literals:
            raise ValueError("the list after IN is empty")
        return "(" + " OR ".join(f"{found[1]} = {one}" for one in literals) + ")"

    return AMONG.sub(each, LITERAL.sub(doubled, where))


def _compare(kind: str, look: Look) -> Callable[[Record, str, str, str], bool]:
    def compare(record: Record, name: str, operator: str, literal: str) -> bool:
        value, other = look(kind, record, name), _value(literal)
        if name.endswith("Id"):  # upper and lower case differ
            if isinstance(other, str) and not ID.fullmatch(other):
                raise ValueError(f"invalid ID field: {other}")
            held, wanted = value, other
        else:
            held, wanted = _measured(value), _measured(other)
        if operator == "=":
            return bool(held == wanted)
        if operator not in (">", ">=", "<", "<="):
            raise ValueError(f"unknown operator {operator}")
        if held is None or type(held) is not type(wanted):
            return False
        return bool(
            {">": held > wanted, ">=": held >= wanted, "<": held < wanted, "<=": held <= wanted}[operator]
        )  # fmt: skip

    return compare


def _value(literal: str) -> Any:
    if literal.startswith("'"):
        return text_of(literal)
    if literal.lower() in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[literal.lower()]
    if not MOMENT.fullmatch(literal):
        raise ValueError(f"unexpected token: {literal}")
    return literal


def _measured(value: Any) -> Any:
    """A value as it is compared: moments as such, texts without regard to case."""
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value.lower() if isinstance(value, str) else value

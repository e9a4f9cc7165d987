"""Conditions as query languages write them, `A eq 'x' and (B > 'y' or B = null)`, as tests of entities."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Entity = dict[str, Any]
Test = Callable[[Entity], bool]
# Whether an entity's property of that name stands to a literal as the operator says. Raises ValueError for a name or an
# operator that is none.
Compare = Callable[[Entity, str, str, str], bool]
Tokens = list[tuple[str, str]]
TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<literal>[a-z]*'(?:[^']|'')*')|(?P<word>[\w/.:+-]+)|(?P<sign>[<>=!]+))"
)


def condition(written: str, compare: Compare) -> Test:
    """The test that a condition stands for; `and` binds closer than `or`. Raises ValueError for what is none."""
    tokens: Tokens = []
    at = 0
    while at < len(written.rstrip()):
        match = TOKEN.match(written, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"syntax error at position {at} of the condition")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    test, rest = _either(tokens, compare)
    if rest:
        raise ValueError(f"syntax error at {rest[0][1]!r} of the condition")
    return test


def _either(tokens: Tokens, compare: Compare) -> tuple[Test, Tokens]:
    test, tokens = _both(tokens, compare)
    while tokens and tokens[0][1].lower() == "or":
        other, tokens = _both(tokens[1:], compare)
        test = _joined(test, other, any)
    return test, tokens


def _both(tokens: Tokens, compare: Compare) -> tuple[Test, Tokens]:
    test, tokens = _single(tokens, compare)
    while tokens and tokens[0][1].lower() == "and":
        other, tokens = _single(tokens[1:], compare)
        test = _joined(test, other, all)
    return test, tokens


def _joined(one: Test, other: Test, how: Callable[[Any], bool]) -> Test:
    return lambda entity: how(test(entity) for test in (one, other))


def _single(tokens: Tokens, compare: Compare) -> tuple[Test, Tokens]:
    if tokens and tokens[0][0] == "open":
        test, tokens = _either(tokens[1:], compare)
        if not tokens or tokens[0][0] != "close":
            raise ValueError("a bracket of the condition is not closed")
        return test, tokens[1:]
    if len(tokens) < 3 or tokens[0][0] != "word" or tokens[2][0] not in ("word", "literal"):
        raise ValueError("the condition holds no comparison where one is due")
    name, operator, literal = tokens[0][1], tokens[1][1], tokens[2][1]
    return lambda entity: compare(entity, name, operator, literal), tokens[3:]


def text_of(literal: str) -> str:
    """The text within a quoted literal; any other literal as it is."""
    _, quote, rest = literal.partition("'")
    return rest[:-1].replace("''", "'") if quote else literal

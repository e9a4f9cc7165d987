"""The language of segments: a rule is JSON, checked strictly, and becomes a condition of SQL with parameters.

    {"all": [{"field": "orders", "at_least": 2}, {"field": "country", "in": ["DE", "AT"]},
             {"not": {"field": "sku", "in": ["MUG-1"], "within_days": 90}}]}

`all`, `any` and `not` hold conditions. A condition names a field and says `at_least`, `at_most` or `top` (the highest
part of all buyers, such as 0.05) of a number; `in` of a list, where what happened may be bound to `within_days`; `is`
of a consent. What a rule says never becomes part of the SQL's text.

The same language serves the built-in segments and those that users make. Conditions are about persons: `p` is the
profile that stands for one, `v` what they are worth (customer_values).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel.errors import UserError

Rule: TypeAlias = Mapping[str, Any]

MOST_DEPTH, MOST_CONDITIONS, MOST_LISTED, MOST_CHARACTERS, MOST_DAYS = 5, 50, 500, 100, 36_500
MOST_NUMBER = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Number:
    """A field that is a number of each person: its name for people, its SQL, and whether the highest can be asked."""

    words: str
    sql: str
    unit: str = ""
    has_top: bool = False


NUMBERS: Mapping[str, Number] = {
    "orders": Number("orders", "coalesce(v.orders, 0)", has_top=True),
    "value": Number("brought so far", "coalesce(v.value, 0)", "money", has_top=True),
    "value_year": Number("brought in a year", "coalesce(v.value_year, 0)", "money", has_top=True),
    "average_order": Number("average order", "v.value / nullif(v.orders, 0)", "money"),
    "lifetime_value": Number("lifetime value", "coalesce(v.lifetime_value, 0)", "money", has_top=True),
    "expected_value": Number("expected in a year", "v.expected_value", "money", has_top=True),
    "expected_orders": Number("orders expected in a year", "v.expected_orders::numeric"),
    "alive": Number("chance of still being a customer", "v.alive::numeric", "part"),
    "days_since_order": Number("days since the last order", "%(today)s::date - v.last_order_on"),
    "days_since_first_order": Number("days since the first order", "%(today)s::date - v.first_order_on"),
    "recency_score": Number("recency score", "v.recency_score"),
    "frequency_score": Number("frequency score", "v.frequency_score"),
    "monetary_score": Number("value score", "v.monetary_score"),
}
# Persons to whom something happened. {whose} keeps to the profiles that are asked about where these are few.
BOUGHT = """p.id IN (SELECT coalesce(c.merged_into_id, c.id) FROM orders o
    JOIN omnichannel_customers c ON c.id = o.customer_id {joins}
    WHERE o.state <> 'cancelled' AND {what} {since} {{whose}})"""
LINES = """JOIN order_lines line ON line.order_id = o.id AND line.kind = 'goods'
    JOIN variants w ON w.id = line.variant_id"""
HAPPENED: Mapping[str, tuple[str, str]] = {
    "channel": ("bought on", BOUGHT.format(
        joins="", what="o.sales_channel_id = ANY ({list}::bigint[])", since="{since}")),
    "sku": ("bought", BOUGHT.format(joins=LINES, what="w.sku = ANY ({list}::text[])", since="{since}")),
    "category": ("bought of", BOUGHT.format(
        joins=LINES + " JOIN products g ON g.id = w.product_id",
        what="""g.category_id IN (WITH RECURSIVE below AS (
            SELECT id FROM categories WHERE slug = ANY ({list}::text[])
            UNION SELECT k.id FROM categories k JOIN below ON k.parent_id = below.id) SELECT id FROM below)""",
        since="{since}")),
}  # fmt: skip
"""Fields with a list and, if wanted, within so many days: their words and their SQL."""
SINCE = "AND o.placed_at >= %(now)s::timestamptz - make_interval(days => {days})"
SEEN = """(p.id IN (SELECT coalesce(c.merged_into_id, c.id) FROM channel_interactions i
    JOIN omnichannel_customers c ON c.id = i.customer_id
    WHERE i.occurred_at >= %(now)s::timestamptz - make_interval(days => {days}) {{whose}})
  OR p.id IN (SELECT coalesce(c.merged_into_id, c.id) FROM orders o JOIN omnichannel_customers c ON c.id = o.customer_id
    WHERE o.placed_at >= %(now)s::timestamptz - make_interval(days => {days}) {{whose}}))"""
# The last word of any profile counts, and of two words of one moment the withdrawal; see customers/consents.py.
CONSENT = """p.id IN (SELECT word.person FROM (
    SELECT DISTINCT ON (person) coalesce(c.merged_into_id, c.id) AS person, said.is_granted
    FROM consents said JOIN omnichannel_customers c ON c.id = said.customer_id
    WHERE said.purpose = {purpose} AND said.at <= %(now)s {{whose}}
    ORDER BY person, said.at DESC, said.is_granted, said.id DESC) word WHERE word.is_granted = {word})"""
COUNTRY = """coalesce(nullif(p.country, ''), (SELECT m.country FROM omnichannel_customers m
    WHERE m.merged_into_id = p.id AND m.country <> '' ORDER BY m.id LIMIT 1), '')"""
WHOSE = """AND c.id IN (SELECT id FROM omnichannel_customers WHERE id = ANY (%(persons)s::bigint[])
    UNION ALL SELECT id FROM omnichannel_customers WHERE merged_into_id = ANY (%(persons)s::bigint[]))"""
SEGMENTS = tuple(OmnichannelCustomer.Segment.values)
LISTS = ("segment", "country", *HAPPENED)
FIELDS = (*NUMBERS, *LISTS, "days_since_seen", "consent")
WORDS: Mapping[str, str] = {
    **{name: one.words for name, one in NUMBERS.items()}, **{name: words for name, (words, _) in HAPPENED.items()},
    "segment": "segment", "country": "country", "days_since_seen": "days since they were seen",
    "consent": "consent to",
}  # fmt: skip


def checked(rule: Any, *, is_built_in: bool = False) -> dict[str, Any]:
    """Return the rule in its one form (amounts as text, lists sorted). Raises UserError that says where it is wrong.

    A built-in segment cannot ask for segments, for it is what decides them.
    """
    counted = [0]
    found = _checked(rule, "the rule", 1, counted)
    if is_built_in and any(leaf["field"] == "segment" for leaf in leaves(found)):
        raise UserError("the rule of a built-in segment cannot ask for a segment: it is what decides it")
    return found


def _checked(rule: Any, where: str, depth: int, counted: list[int]) -> dict[str, Any]:
    if not isinstance(rule, Mapping):
        raise UserError(f"{where} is no condition: write an object such as " + '{"field": "orders", "at_least": 2}')
    if depth > MOST_DEPTH:
        raise UserError(f"{where} lies too deep: at most {MOST_DEPTH} conditions within each other")
    for word in ("all", "any"):
        if word in rule:
            parts = rule[word]
            if len(rule) != 1 or not isinstance(parts, list) or not parts:
                raise UserError(f'{where}: "{word}" stands alone and holds a list of at least one condition')
            return {word: [_checked(one, f"{where}, {word} {n}", depth + 1, counted) for n, one in enumerate(parts, 1)]}
    if "not" in rule:
        if len(rule) != 1:
            raise UserError(f'{where}: "not" stands alone')
        return {"not": _checked(rule["not"], f"{where}, not", depth + 1, counted)}
    counted[0] += 1
    if counted[0] > MOST_CONDITIONS:
        raise UserError(f"a rule has at most {MOST_CONDITIONS} conditions")
    return _leaf(rule, where)


def _leaf(rule: Rule, where: str) -> dict[str, Any]:
    name = rule.get("field")
    if not isinstance(name, str) or name not in FIELDS:
        raise UserError(f"{where}: {str(name)[:40]!r} is no field; known are {', '.join(FIELDS)}")
    if name in NUMBERS or name == "days_since_seen":
        return _number_leaf(rule, name, where)
    if name == "consent":
        _only(rule, ("purpose", "is"), where)
        if not isinstance(rule.get("is"), bool):
            raise UserError(f'{where}: "is" says true (they agreed last) or false (they refused last)')
        return {"field": name, "purpose": _text(rule.get("purpose"), f"{where}, purpose"), "is": rule["is"]}
    _only(rule, ("in", "within_days") if name in HAPPENED else ("in",), where)
    found: dict[str, Any] = {"field": name, "in": _listed(rule.get("in"), name, where)}
    if "within_days" in rule:
        found["within_days"] = _days(rule["within_days"], where)
    return found


def _number_leaf(rule: Rule, name: str, where: str) -> dict[str, Any]:
    has_top = name in NUMBERS and NUMBERS[name].has_top
    words = ("at_least", "at_most", "top") if has_top else ("at_least", "at_most")
    _only(rule, words, where)
    said = [word for word in words if word in rule]
    if not said or ("top" in said and len(said) > 1):
        raise UserError(f"{where}: say {' or '.join(words)} of {name}")
    found: dict[str, Any] = {"field": name}
    for word in said:
        if name == "days_since_seen":
            found[word] = _days(rule[word], where)
            continue
        number = _number(rule[word], f"{where}, {word}")
        if word == "top" and not 0 < number < 1:
            raise UserError(f"{where}: top is a part of all buyers between 0 and 1, such as 0.05")
        found[word] = format(number, "f")
    return found


def _only(rule: Rule, words: Sequence[str], where: str) -> None:
    unknown = sorted(set(map(str, rule)) - {"field", *words})
    if unknown:
        raise UserError(f"{where}: {rule['field']} knows {', '.join(words)}, not {unknown[0][:40]!r}")


def _number(value: Any, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UserError(f"{where}: {str(value)[:40]!r} is no number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise UserError(f"{where}: {str(value)[:40]!r} is no number") from error
    exponent = number.as_tuple().exponent
    if not number.is_finite() or abs(number) >= MOST_NUMBER or not isinstance(exponent, int) or exponent < -12:
        raise UserError(f"{where}: {str(value)[:40]!r} is beyond what can be asked")
    return number


def _days(value: Any, where: str) -> int:
    number = _number(value, where)
    if number != number.to_integral_value() or not 0 <= number <= MOST_DAYS:
        raise UserError(f"{where}: days are a whole number from 0 to {MOST_DAYS}")
    return int(number)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST_CHARACTERS or "\x00" in value:
        raise UserError(f"{where}: a text of 1 to {MOST_CHARACTERS} characters is wanted")
    return value.strip()


def _listed(value: Any, name: str, where: str) -> list[Any]:
    if not isinstance(value, list) or not value or len(value) > MOST_LISTED:
        raise UserError(f'{where}: "in" is a list of 1 to {MOST_LISTED} entries')
    if name == "channel":
        if not all(isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**63 for one in value):
            raise UserError(f"{where}: channels are given by their numbers")
        return sorted(set(value))
    found = sorted({_text(one, where) for one in value})
    if name == "segment" and (unknown := sorted(set(found) - set(SEGMENTS))):
        raise UserError(f"{where}: {unknown[0]!r} is no built-in segment; those are {', '.join(SEGMENTS)}")
    return found


def leaves(rule: Rule) -> Iterator[Rule]:
    """Yield the conditions of a checked rule, from left to right."""
    for word in ("all", "any"):
        for part in rule.get(word, ()):
            yield from leaves(part)
    if "not" in rule:
        yield from leaves(rule["not"])
    if "field" in rule:
        yield rule


def mark_of(leaf: Rule) -> str:
    """Return under which name the mark of a condition with `top` is kept."""
    return f"{leaf['field']}:{leaf['top']}"


@dataclass
class Compiler:
    """Turns checked rules into conditions of SQL, with their parameters. `marks` are the values from which on somebody
    is among the highest; a mark that is missing or null lets nobody in. `main_segment` is the SQL of the built-in one
    that somebody is in."""

    marks: Mapping[str, Any] = field(default_factory=dict)
    is_for_few: bool = False
    main_segment: str = "p.segment"
    parameters: dict[str, Any] = field(default_factory=dict)

    def condition(self, rule: Rule) -> str:
        """Return the condition that a checked rule is. It is never null."""
        for word, joint in (("all", " AND "), ("any", " OR ")):
            if word in rule:
                return f"({joint.join(self.condition(part) for part in rule[word])})"
        if "not" in rule:
            return f"(NOT {self.condition(rule['not'])})"
        return self._leaf(rule) if "field" in rule else "false"

    def _leaf(self, leaf: Rule) -> str:
        name = leaf["field"]
        if name in NUMBERS:
            return self._number(leaf, NUMBERS[name].sql)
        if name == "segment":
            return f"({self.main_segment} = ANY ({self.parameter(leaf['in'])}::text[]))"
        if name == "country":
            return f"({COUNTRY} = ANY ({self.parameter(leaf['in'])}::text[]))"
        whose = WHOSE if self.is_for_few else ""
        if name == "consent":
            text = CONSENT.format(purpose=self.parameter(leaf["purpose"]), word=self.parameter(leaf["is"]))
        elif name == "days_since_seen":
            return self._seen(leaf, whose)
        else:
            since = SINCE.format(days=self.parameter(leaf["within_days"])) if "within_days" in leaf else ""
            text = HAPPENED[name][1].format(list=self.parameter(leaf["in"]), since=since, whose="{whose}")
        return f"({text.format(whose=whose)})"

    def _number(self, leaf: Rule, sql: str) -> str:
        if "top" in leaf:
            mark = self.marks.get(mark_of(leaf))
            return f"coalesce({sql} >= {self.parameter(mark)}::numeric, false)" if mark is not None else "false"
        bounds = [f"{sql} {sign} {self.parameter(leaf[word])}::numeric"
                  for word, sign in (("at_least", ">="), ("at_most", "<=")) if word in leaf]  # fmt: skip
        return f"coalesce({' AND '.join(bounds)}, false)"

    def _seen(self, leaf: Rule, whose: str) -> str:
        """At most so many days ago is something that happened since; at least so many is nothing since."""
        parts = []
        if "at_most" in leaf:
            parts.append(SEEN.format(days=self.parameter(leaf["at_most"])).format(whose=whose))
        if "at_least" in leaf:
            parts.append(f"NOT {SEEN.format(days=self.parameter(leaf['at_least'])).format(whose=whose)}")
        return f"({' AND '.join(parts)})"

    def parameter(self, value: Any) -> str:
        """Take a value in; return how the SQL names it."""
        name = f"r{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

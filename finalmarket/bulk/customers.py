# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Customers: who they are, what they are known by, what they prefer and what they agreed to.

A row is about the person with its number, e-mail address, phone number, account or loyalty number. Where these name
two persons, or would give somebody another's e-mail address, the row is refused: nobody is merged by a file. What
several persons are known by (a family's phone) names none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import phonenumbers

from finalmarket.bulk.columns import Column
from finalmarket.bulk.customer_rows import write_rows
from finalmarket.bulk.customer_stored import persons
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.row import Problem
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import CONSENTS, COUNTRY, EMAIL, OBJECT, WORDS, line_of_text, whole_number
from finalmarket.customers import erased
from finalmarket.customers.known_by import MAILBOX_SQL, Identity, e164, identity

MAILBOX = MAILBOX_SQL.format("new.email")
KNOWN_BY = {"email": "email", "account": "accounts", "loyalty": "loyalty_numbers", "phone": "phone"}
ERASED = "is of somebody who was erased; they come back by what they do"
STRONGER = ("customer", "email")
"""Where a row has one of these, it is not by the phone number that its customer is known."""
LANGUAGE = line_of_text(12, r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "must be a language such as de or pt-BR")


class Customers(Importer):
    """Customers with their identities, preferences and consents."""

    name = "customers"
    key: ClassVar = ("customer",)
    called: ClassVar = ("email", "phone")
    own: ClassVar = {"customer_id": "bigint"}
    on: ClassVar = "old.customer = new.customer_id"
    columns: Sequence[Column] = (
        Column("customer", whole_number(2**62), "Our number of the customer, as the export writes it."),
        Column("name", line_of_text(300), "The person's name.", empty=""),
        Column("email", EMAIL, "The e-mail address; kept in small letters."),
        Column("phone", line_of_text(50), "The phone number: +4930123456, or as dialled in the row's country."),
        Column("country", COUNTRY, "ISO 3166-1 such as DE.", empty=""),
        Column("language", LANGUAGE, "de, pt-BR.", empty=""),
        Column("accounts", WORDS, "Accounts such as webshop:4711, with ; between; added to those known.", empty=[]),
        Column("loyalty_numbers", WORDS, "Loyalty numbers with ; between; added to those known.", empty=[]),
        Column("preferences", OBJECT, 'By channel: {"web-shop": {"newsletter": "weekly"}}.', empty="{}"),
        Column("consents", CONSENTS, "newsletter=yes; sms=no, on all channels: what differs is noted.", empty="{}"),
        Column("attributes", OBJECT, "More about the person, as a JSON object.", empty="{}"),
    )

    def current(self) -> str:
        """The persons who are stored, as they are shown; who was erased is none."""
        return persons()

    def same(self, column: Column) -> str:
        """Identities and consents are added, preferences are set by channel: what is not named stays."""
        if column.name in {"accounts", "loyalty_numbers"}:
            return f"new.{column.name} <@ old.{column.name}"
        if column.name == "consents":
            return "old.consents @> new.consents"
        if column.name == "preferences":
            return """NOT EXISTS (SELECT FROM jsonb_each(new.preferences) said
                                  WHERE old.preferences -> said.key IS DISTINCT FROM said.value)"""
        return super().same(column)

    def refine(self, values: Mapping[str, list[Any]]) -> dict[int, Problem]:
        """Write phone numbers as +4930123456; the country of the row stands in for +49."""
        problems: dict[int, Problem] = {}
        phones = values.get("phone", [])
        countries = values.get("country") or [""] * len(phones)
        for position, (phone, country) in enumerate(zip(phones, countries, strict=True)):
            if phone is not None:
                phones[position] = e164(phone, country or "") or _possible(phone)
                if not phones[position]:
                    hint = "" if phone.startswith("+") or country else "; write it with its country, as in +4930123456"
                    problems[position] = Problem("phone", phone, f"is no phone number{hint}")
        return _of_the_erased(values) | problems

    def check(self, stage: Stage) -> None:
        """Find the person of every row; refuse rows about nobody, about two persons, or against another row."""
        known = stage.beside(
            f"""SELECT line, kind, value, NULL::bigint AS owner FROM {{stage}} new, LATERAL (
                   SELECT 'email', {MAILBOX} UNION ALL SELECT 'phone', new.phone
                   UNION ALL SELECT 'account', unnest(new.accounts)
                   UNION ALL SELECT 'loyalty', unnest(new.loyalty_numbers)) named(kind, value)
               WHERE value IS NOT NULL"""
        )
        _find_owners(stage, known)
        _refuse_shared(stage, known)
        stage.refuse(
            "customer",
            "'there is no such customer'",
            """new.customer IS NOT NULL AND NOT EXISTS (
                   SELECT FROM omnichannel_customers person WHERE person.id = new.customer)""",
        )
        stage.refuse(
            "customer",
            "'this customer was erased'",
            """EXISTS (SELECT FROM omnichannel_customers person
                       WHERE person.id = new.customer_id AND person.erased_at IS NOT NULL)""",
        )
        _refuse_ambiguous(stage, known)
        stage.refuse_contradictions(("customer_id",), "customer", shown="email")
        _refuse_unknown_channels(stage)

    def write(self, stage: Stage) -> None:
        """Store persons, identities, preferences and consents."""
        write_rows(stage)


def _of_the_erased(values: Mapping[str, list[Any]]) -> dict[int, Problem]:
    """Refuse rows of people who were erased: a file does not bring them back, what they do does."""
    if not erased.is_anybody():
        return {}
    named = list(_named(values))
    gone = erased.known({one for _, one in named})
    problems: dict[int, Problem] = {}
    for position, one in named:
        if one in gone and not gone[one].is_back:
            problems.setdefault(position, Problem("phone" if one[0] == "phone" else "email", "", ERASED))
    return problems


def _named(values: Mapping[str, list[Any]]) -> Iterator[tuple[int, Identity]]:
    """By what rows name people, each with its position. A phone number names somebody for sure where nothing stronger
    stands beside it."""
    for kind, column in KNOWN_BY.items():
        for position, given in enumerate(values.get(column, [])):
            if kind == "phone" and any(values[other][position] for other in STRONGER if other in values):
                continue
            for word in given if isinstance(given, list | tuple) else [given]:
                one = identity(kind, str(word)) if word else None
                if one is not None:
                    yield position, one


def _possible(phone: str) -> str:
    """A number written out in full that no plan of numbers knows (yet), as it stands; "" if it cannot be one."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _find_owners(stage: Stage, known: str) -> None:
    """Fill in which one person each identity belongs to, and the person of each row. Of several persons with one
    address, account or loyalty number it is the one who is anchored there; a phone of several is nobody's."""
    stage.run(
        f"""UPDATE {known} SET owner = carried.person FROM (
                SELECT identity.kind, identity.value,
                       CASE WHEN count(DISTINCT coalesce(profile.merged_into_id, profile.id)) = 1
                            THEN min(coalesce(profile.merged_into_id, profile.id))
                            ELSE min(coalesce(profile.merged_into_id, profile.id))
                                 FILTER (WHERE identity.is_anchor AND identity.kind <> 'phone') END AS person
                FROM (SELECT DISTINCT kind, value FROM {known}) named
                JOIN customer_identities identity ON identity.kind = named.kind AND identity.value = named.value
                JOIN omnichannel_customers profile ON profile.id = identity.customer_id
                GROUP BY identity.kind, identity.value) carried
            WHERE carried.kind = {known}.kind AND carried.value = {known}.value"""
    )
    stage.run("UPDATE {stage} SET customer_id = customer")
    stage.run(
        """UPDATE {stage} new SET customer_id = profile.merged_into_id FROM omnichannel_customers profile
           WHERE profile.id = new.customer_id AND profile.merged_into_id IS NOT NULL"""
    )
    stage.run(
        f"""UPDATE {{stage}} new SET customer_id = found.owner
            FROM (SELECT line, min(owner) AS owner FROM {known} GROUP BY line) found
            WHERE found.line = new.line AND new.customer_id IS NULL"""
    )


def _refuse_shared(stage: Stage, known: str) -> None:
    """Refuse rows that nobody can be known by, and identities that two rows claim."""
    stage.refuse(
        "email",
        "'says nothing that a person is known by: customer, email, phone, accounts or loyalty_numbers'",
        f"new.customer IS NULL AND NOT EXISTS (SELECT FROM {known} said WHERE said.line = new.line)",
    )
    stage.refuse(
        "phone",
        "'is the number of several customers; name the customer by number or address'",
        f"""new.customer IS NULL AND new.customer_id IS NULL AND NOT EXISTS (
                SELECT FROM {known} said WHERE said.line = new.line AND said.kind <> 'phone')
            AND EXISTS (SELECT FROM {known} said JOIN customer_identities identity
                            ON identity.kind = said.kind AND identity.value = said.value
                        WHERE said.line = new.line AND said.kind = 'phone')""",
    )
    stage.refuse_contradictions(("email",), "e-mail address")
    stage.refuse_contradictions(("phone",), "phone number")
    stage.refuse(
        "accounts",
        "shared.value || ' stands in line ' || shared.other || ' too'",
        "shared.line = new.line",
        f""", (SELECT mine.line, mine.value, min(twin.line) AS other FROM {known} mine
               JOIN {known} twin ON twin.kind = mine.kind AND twin.value = mine.value AND twin.line <> mine.line
               JOIN {{stage}} open ON open.line = twin.line AND open.action IS NULL
               WHERE mine.kind IN ('account', 'loyalty') GROUP BY mine.line, mine.value) shared""",
    )


def _refuse_ambiguous(stage: Stage, known: str) -> None:
    stage.refuse(
        "email",
        "said.kind || ' ' || said.value || ' belongs to customer ' || said.owner || ', the row to customer '"
        " || new.customer_id || '; merge them first, or mend the row'",
        "said.owner <> new.customer_id",
        f"JOIN {known} said ON said.line = new.line",
    )
    stage.refuse(
        "email",
        "'customer ' || person.id || ' has another e-mail address; name the customer by number to change it'",
        """new.customer IS NULL AND person.email <> '' AND new.email <> person.email AND NOT EXISTS (
               SELECT FROM customer_identities own JOIN omnichannel_customers member ON member.id = own.customer_id
               WHERE (member.id = person.id OR member.merged_into_id = person.id)
               AND own.kind = 'email' AND own.value = """
        + f"{MAILBOX})",
        "JOIN omnichannel_customers person ON person.id = new.customer_id",
    )


def _refuse_unknown_channels(stage: Stage) -> None:
    if stage.has("preferences"):
        stage.refuse(
            "preferences",
            """'there is no channel ' || said.key || ', or its preferences are no object;'
               || ' write {"web-shop": {"newsletter": "weekly"}}'""",
            """jsonb_typeof(said.value) <> 'object'
               OR NOT EXISTS (SELECT FROM sales_channels channel WHERE channel.slug = said.key)""",
            ", jsonb_each(new.preferences) said",
        )
    if stage.has("consents"):
        stage.refuse(
            "consents",
            "'names a purpose of more than 50 characters'",
            "length(said.key) > 50",
            ", jsonb_each(new.consents) said",
        )


def plan(given: Given, **reading: Any) -> Plan:
    """Plan customers from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(Customers(), given, **reading)

"""What a message asks of us, read by plain rules: a command such as /stock COAT-M, or a question that says the same.
What is none of these is for people, and left to them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_UNITS = 99
COMMAND = re.compile(r"/(?P<name>stock|order|buy|code|yes|no|help)(?:\s+(?P<rest>.*))?", re.IGNORECASE | re.DOTALL)
BUY = re.compile(r"(?P<what>.+?)(?:\s+x?(?P<units>[0-9]{1,3})x?)?", re.DOTALL)
ORDER = re.compile(
    r"(?:hi|hello|hey|hallo|guten tag)?[,.! ]*"
    r"(?:where(?:'s| is) my order|where is order|what about my order|order status|track(?: my)? order"
    r"|wo ist meine bestellung|wo bleibt meine bestellung|status meiner bestellung)"
    r"[ ,:]*(?:no\.?|number|nummer|nr\.?)?\s*#?(?P<number>[A-Za-z0-9][A-Za-z0-9._-]{0,59})?[ ?!.]*",
    re.IGNORECASE,
)
STOCK = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        r"(?:is|are)(?: the| there(?: any)?)? (?P<what>.+?) (?:still )?(?:in stock|available)[ ?!.]*",
        r"do you (?:still )?have(?: any| the)? (?P<what>.+?)(?: in stock)?[ ?!.]*",
        r"(?:ist|sind) (?:der |die |das )?(?P<what>.+?) (?:noch )?(?:auf lager|verfügbar)[ ?!.]*",
        r"(?:habt ihr|haben sie) (?:noch )?(?P<what>.+?)(?: auf lager)?[ ?!.]*",
    )
)
YES, NO = (
    re.compile(r"(?:yes|ja|ok)(?: please| bitte)?[ !.]*", re.IGNORECASE),
    re.compile(r"(?:no|nein)(?: thanks| danke)?[ !.]*", re.IGNORECASE),
)
CODE = re.compile(r"(?:code )?([0-9]{3})[ -]?([0-9]{3})[.]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked: stock, order, buy, code, yes, no or help, with what it is about. `is_guessed`: it was no command
    but a question that sounds like one."""

    name: str
    what: str = ""
    units: int = 1
    is_guessed: bool = False


def read(text: str, author: str) -> Command | None:
    """Return what a message asks of us; None for what is for people. Agents ask by commands alone."""
    said = " ".join(text.split())
    found = COMMAND.fullmatch(said)
    if found is not None:
        return _command(found["name"].lower(), (found["rest"] or "").strip())
    return _question(said) if author == "customer" else None


def _command(name: str, rest: str) -> Command:
    if name == "buy" and (found := BUY.fullmatch(rest)):
        units = int(found["units"] or 1)
        return Command("buy", found["what"].strip(), max(1, min(units, MOST_UNITS)))
    return Command(name, rest.removeprefix("#") if name == "order" else rest)


def _question(said: str) -> Command | None:
    if found := ORDER.fullmatch(said):
        return Command("order", found["number"] or "")
    for rule in STOCK:
        if found := rule.fullmatch(said):
            return Command("stock", found["what"].strip(), is_guessed=True)
    for name, rule in (("yes", YES), ("no", NO)):
        if rule.fullmatch(said):
            return Command(name)
    found = CODE.fullmatch(said)
    return Command("code", found[1] + found[2]) if found else None

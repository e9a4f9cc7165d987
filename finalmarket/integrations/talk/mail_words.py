"""What mails say: short texts of our own in files, or a merchant's (MailText), with names in braces filled in.

A line of which every name stands for nothing is left out, so that nobody is asked to follow a parcel without a number.
In HTML every value is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.models.talk import MailText

WORDS = Path(__file__).with_name("words")
OTHERWISE = "en"
"""Who speaks none of our languages is written to in this one."""
ORDER = ("number", "name", "shop", "contact", "lines")
NAMES: Mapping[str, tuple[str, ...]] = {
    "order_confirmed": (*ORDER, "placed_on", "total", "address"),
    "shipped": (*ORDER, "carrier", "tracking_number", "tracking_url"),
    "back_in_stock": ("name", "shop", "contact", "title", "sku", "shop_url"),
}
"""What may be named in the words of each kind of mail."""
_NAME = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a mail with their names in braces; `template` is the platform's name of a template."""

    subject: str
    text: str
    html: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A mail as it is sent."""

    subject: str
    text: str
    html: str
    template: str


def write(integration: ChannelIntegration, purpose: str, language: str, values: Mapping[str, str]) -> Written:
    """The mail in the reader's language, or the nearest that there is; own words go before ours."""
    return filled(_own(integration, purpose, language) or ours(purpose, language), values)


def filled(words: Words, values: Mapping[str, str]) -> Written:
    """Words with their names filled in."""
    return Written(
        subject=" ".join(_filled(words.subject, values).split()), text=_filled(words.text, values),
        html=_filled(words.html, _escaped(values)), template=words.template,
    )  # fmt: skip


def names_in(*texts: str) -> set[str]:
    """The names in braces."""
    return {name for text in texts for name in _NAME.findall(text)}


@lru_cache(maxsize=200)
def ours(purpose: str, language: str) -> Words:
    """Our own words, from their files: the first line of the text is the subject."""
    folder = next(folder for folder in (WORDS / _first(language), WORDS / OTHERWISE) if folder.is_dir())
    subject, _, text = (folder / f"{purpose}.txt").read_text(encoding="utf-8").partition("\n")
    return Words(subject, text.strip(), (folder / f"{purpose}.html").read_text(encoding="utf-8").strip())


def _own(integration: ChannelIntegration, purpose: str, language: str) -> Words | None:
    """The merchant's words in that language, else those for every language; a template alone keeps our texts beside."""
    rows = MailText.objects.filter(integration=integration, purpose=purpose, language__in=[_first(language), ""])
    row = rows.order_by("-language").first()
    if row is None:
        return None
    if not row.text:
        beside = ours(purpose, language)
        return Words(beside.subject, beside.text, beside.html, row.template)
    return Words(row.subject, row.text, row.html, row.template)


def _first(language: str) -> str:
    """The language without its country: de for de-AT."""
    found = re.match(r"[a-z]+", language.strip().lower())
    return found[0] if found else OTHERWISE


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its names filled in, without the lines that name nothing but what is not known."""
    kept = []
    for line in text.splitlines():
        names = names_in(line)
        if not names or any(values.get(name) for name in names):
            kept.append(_NAME.sub(lambda found: values.get(found[1], ""), line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    return {name: html.escape(value).replace("\n", "<br>") for name, value in values.items()}

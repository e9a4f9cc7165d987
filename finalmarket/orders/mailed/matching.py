"""Which goods are meant: a wish's words held against SKUs, barcodes and titles of the catalogue. Nothing is guessed in
silence: whoever is not named exactly is a candidate, and a person chooses."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.sql import Queries
from finalmarket.orders.mailed.rules import Wish
from finalmarket.orders.models import OrderRequestLine

QUERIES = Queries(Path(__file__).with_name("matching.sql"))
Certainty = OrderRequestLine.Certainty
MOST_CANDIDATES, MOST_TOKENS, MOST_TITLES = 8, 6, 40
TOKEN = re.compile(r"[^\W_](?:[\w./#-]*[^\W_])?")
CODE = re.compile(r"(?=.*[\d-])[\w./#-]{3,100}$|[A-Z][A-Z0-9]{2,99}$")
"""What may be a SKU that is named in the middle of a sentence: with a digit or a hyphen, or all in capitals."""
SMALL = """
    a an the of in size colour color and or with for your our der die das den dem ein eine von vom mit und grosse grösse
    farbe please bitte
"""
SMALL_WORDS = frozenset(SMALL.split())


@dataclass(frozen=True, slots=True)
class Understood:
    """A wish with what the catalogue says to it. Without a variant a person has to choose one."""

    wish: Wish
    certainty: str
    variant_id: int | None = None
    why: str = ""
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Good:
    id: int
    sku: str
    is_listed: bool
    words: frozenset[str] = field(default_factory=frozenset)


def understand(channel: SalesChannel, wishes: Sequence[Wish], text: str) -> list[Understood]:
    """Say which goods of the catalogue are meant; what the channel sells goes before the rest. Wishes that may be none
    and that name nothing known are left out; SKUs that stand in the text without a wish are added, to be looked at.
    Three queries."""
    loose = [token for token in TOKEN.findall(text) if CODE.match(token)][:200]
    words = [one for wish in wishes for one in (wish.what, wish.also) if one]
    coded = _coded(channel, {*words, *(token for one in words for token in TOKEN.findall(one)), *loose})
    titled = _titled(channel, [one for one in words if not _exact(one, coded)])
    found = [one for wish in wishes if (one := _of_wish(wish, coded, titled)) is not None]
    known = {one.variant_id for one in found} | {pk for one in found for pk in one.candidates}
    return [*found, *_unasked(text, loose, coded, known)]


def _of_wish(wish: Wish, coded: Mapping[str, _Good], titled: Mapping[str, list[_Good]]) -> Understood | None:
    goods = _exact(wish.what, coded) or _exact(wish.also, coded)
    if len(goods) == 1:
        return _counted(Understood(wish, Certainty.SURE, goods[0].id))
    if goods:
        ids = tuple(one.id for one in goods[:MOST_CANDIDATES])
        return Understood(wish, Certainty.DOUBTFUL, None, "several SKUs are named", ids)
    for words in (wish.what, wish.also):
        understood = _by_title(wish, words, titled.get(words, []))
        if understood is not None:
            return _counted(understood)
    if not wish.is_plain:
        return None
    return Understood(wish, Certainty.UNKNOWN, None, "nothing in the catalogue is called that")


def _counted(one: Understood) -> Understood:
    """How many were wished for has to be said, too."""
    if one.wish.units is not None:
        return one
    return replace(
        one, wish=replace(one.wish, units=1), certainty=Certainty.DOUBTFUL, why="how many is not said; one is assumed"
    )  # fmt: skip


def _exact(words: str, coded: Mapping[str, _Good]) -> list[_Good]:
    """The goods whose SKU or barcode is all of the words, else one of them that looks like a code: a SKU that is called
    tea is not meant by everybody who writes of green tea."""
    whole = coded.get(words.strip().casefold())
    if whole is not None:
        return [whole]
    tokens = [token for token in TOKEN.findall(words) if CODE.match(token)]
    found = {coded[token.casefold()].id: coded[token.casefold()] for token in tokens if token.casefold() in coded}
    return list(found.values())


def _by_title(wish: Wish, words: str, goods: Sequence[_Good]) -> Understood | None:
    """The goods whose titles hold most of the words. One that is called just so is read; others are candidates."""
    named = [token for token in _tokens(words) if token not in SMALL_WORDS]
    if not named or not goods:
        return None
    scored = sorted(((_share(named, one.words), one.is_listed, one) for one in goods), key=_order)
    best = scored[0][0]
    if best < 0.5:
        return None
    close = [one for share, _, one in scored if share == best][:MOST_CANDIDATES]
    ids = tuple(one.id for one in close)
    just_so = [one for one in close if best == 1 and all(_is_among(word, named) for word in one.words - SMALL_WORDS)]
    if len(just_so) == 1:
        return Understood(wish, Certainty.SURE, just_so[0].id)
    if len(close) == 1:
        return Understood(wish, Certainty.DOUBTFUL, close[0].id, "by its name; is this the one?", ids)
    return Understood(wish, Certainty.DOUBTFUL, None, "several goods are called that", ids)


def _order(scored: tuple[float, bool, _Good]) -> tuple[float, bool, int, int]:
    """The best share first, what is sold here before the rest, the shorter name before the longer."""
    share, is_listed, good = scored
    return (-share, not is_listed, len(good.words), good.id)


def _share(named: Sequence[str], words: Iterable[str]) -> float:
    return sum(_is_among(one, words) for one in named) / len(named)


def _is_among(word: str, others: Iterable[str]) -> bool:
    """Whether a word is among others, in the singular or in the plural."""
    return any(word == other or _stem(word) == _stem(other) for other in others)


def _stem(word: str) -> str:
    for ending in ("ies", "es", "en", "er", "s", "e", "n", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _tokens(words: str) -> list[str]:
    parted = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(one for one in parted if not unicodedata.combining(one))
    return re.findall(r"\w+", plain)[:20]


def _unasked(
    text: str, loose: Sequence[str], coded: Mapping[str, _Good], known: Iterable[int | None]
) -> list[Understood]:
    """SKUs that are named somewhere in the text, and that no rule has read a wish about."""
    seen, found = set(known), []
    for token in loose:
        good = coded.get(token.casefold())
        if good is None or good.id in seen:
            continue
        seen.add(good.id)
        line = next((one.strip() for one in text.split("\n") if token in one), token)
        wish = Wish(line[:400], token, 1, False)
        found.append(Understood(wish, Certainty.DOUBTFUL, good.id, "named in the text; is it wished for?", (good.id,)))
    return found


# What the catalogue holds.


def _coded(channel: SalesChannel, names: Iterable[str]) -> dict[str, _Good]:
    """Goods by SKU in small letters and by barcode, of those that are named."""
    wanted = sorted({one.strip().casefold() for one in names if 0 < len(one.strip()) <= 100})
    if not wanted:
        return {}
    found: dict[str, _Good] = {}
    for row in _rows("coded", {"names": wanted, "channel": channel.pk}):
        good = _Good(row["id"], row["sku"], row["is_listed"])
        found[row["sku"].casefold()] = good
        if row["barcode"]:
            found.setdefault(row["barcode"].casefold(), good)
    return found


def _titled(channel: SalesChannel, phrases: Sequence[str]) -> dict[str, list[_Good]]:
    """For each phrase the goods in whose product's title stand most of its words."""
    asked = [(phrase, _patterns(phrase)) for phrase in dict.fromkeys(phrases)]
    asked = [(phrase, patterns) for phrase, patterns in asked if patterns]
    if not asked:
        return {}
    found: dict[str, list[_Good]] = defaultdict(list)
    values = {
        "numbers": [number for number, (_, patterns) in enumerate(asked) for _ in patterns],
        "patterns": [pattern for _, patterns in asked for pattern in patterns],
        "channel": channel.pk, "most": MOST_TITLES,
    }  # fmt: skip
    for row in _rows("titled", values):
        words = frozenset(_tokens(f"{row['title']} {row['own_title']} {row['values']}"))
        found[asked[row["n"]][0]].append(_Good(row["id"], row["sku"], row["is_listed"], words))
    return found


def _patterns(phrase: str) -> list[str]:
    """The words of a phrase as parts of a title, the longest first; the accents that were typed are kept."""
    words = [one for one in re.findall(r"\w+", phrase.casefold()) if len(one) > 2 and one not in SMALL_WORDS]
    chosen = sorted(dict.fromkeys(words), key=len, reverse=True)[:MOST_TOKENS]
    stems = [_stem(word).replace("\\", "").replace("%", "").replace("_", "") for word in chosen]
    return [f"%{stem}%" for stem in stems if stem]


def _rows(name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

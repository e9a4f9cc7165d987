"""The glossary leaves no word with two meanings: a word that stands twice says each time what it is of."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_a_word_that_stands_twice_says_what_it_is_of() -> None:
    heads = re.findall(r"^\| (\*\*.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    times = Counter(word for head in heads for word in re.findall(r"\*\*(.*?)\*\*", head))
    assert times["lane"] == times["health"] == 2
    bare = [head for head in heads if times[head.strip("*")] > 1]
    assert not bare
    assert len(set(heads)) == len(heads)

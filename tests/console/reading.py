"""What a page says, as a person reads it."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client


def words(answer: Any) -> str:
    """The text of the page's own part, without marks and with single blanks."""
    page = answer.content.decode()
    own = page.split('<div class="fm-page">')[-1]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", own)))


def read(client: Client, address: str) -> str:
    """The words of a page that must be there."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return words(answer)


def told(answer: Any) -> list[str]:
    """What the operator is told at the top of the page that a post leads to."""
    return [str(message) for message in answer.context["messages"]]

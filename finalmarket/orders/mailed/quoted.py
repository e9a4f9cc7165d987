"""What a writer wrote themselves: without the message that they answer, and without what they sign with."""

from __future__ import annotations

import re

MOST_LINES = 600
ANSWERED = re.compile(
    r"^\s*>*\s*(?:"
    r"(?:on|am|le|el|il|op|den)\b.{5,200}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev)\b.{0,80}:"
    r"|-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine)\s*-{2,}"
    r"|_{20,}"
    r")\s*$",
    re.IGNORECASE,
)
PASSED_ON = re.compile(
    r"^\s*(?:-{3,}\s*)?(?:begin forwarded message|forwarded message|weitergeleitete nachricht|message transféré)"
    r"\s*(?:-{3,})?:?\s*$",
    re.IGNORECASE,
)
HEADER = re.compile(
    r"^\s*\**(from|von|de|sent|gesendet|date|datum|to|an|cc|subject|betreff|reply-to)\s*:\**\s?.{0,300}$", re.IGNORECASE
)
SIGNATURE = re.compile(
    r"^\s*(?:--\s?|—\s?|sent from my .{1,40}|von meinem .{1,40} gesendet|get outlook for .{1,40})$", re.IGNORECASE
)
FAREWELL = re.compile(
    r"^\s*(?:(?:many |kind |best |warm |with (?:kind |best )?)?regards|kind wishes|best wishes|best|cheers|sincerely"
    r"|yours(?: sincerely| faithfully| truly)?|thanks(?: a lot| in advance| so much| and regards)?"
    r"|thank you(?: very much)?|many thanks|mit freundlichen grüßen"
    r"|freundliche grüße|viele grüße|beste grüße|liebe grüße|mfg|vg|lg"
    r"|vielen dank(?: im voraus)?|danke|gruß|grüße|cordialement|saludos)\s*[,.!]?\s*$",
    re.IGNORECASE,
)


def own_words(text: str) -> tuple[str, bool]:
    """Return what the writer wrote, and whether it was taken from what they quote: somebody who passes an order on says
    nothing themselves.

    >>> own_words("Two coats, please.\\n\\nOn Mon, Ann wrote:\\n> hello")
    ('Two coats, please.', False)
    """
    lines = text.split("\n")[:MOST_LINES]
    own = _unsigned(_until_quoted(lines))
    if any(line.strip() for line in own):
        return "\n".join(own).strip(), False
    passed = _unsigned(_passed_on(lines))
    return "\n".join(passed).strip(), any(line.strip() for line in passed)


def _until_quoted(lines: list[str]) -> list[str]:
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _begins_quote(lines, number):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return kept


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number]
    if len(line) > 400:
        return False
    both = f"{line} {lines[number + 1]}" if number + 1 < len(lines) else line  # mailers break that line
    return bool(ANSWERED.match(line) or ANSWERED.match(both[:400]) or PASSED_ON.match(line)) or _is_head(lines, number)


def _is_head(lines: list[str], number: int) -> bool:
    """Whether the headers of another message begin here: a sender, and two more of them in the lines that follow."""
    found = HEADER.match(lines[number][:400])
    if found is None or found[1].lower() not in ("from", "von", "de"):
        return False
    return sum(bool(HEADER.match(line[:400])) for line in lines[number + 1 : number + 5]) >= 2


def _passed_on(lines: list[str]) -> list[str]:
    """What stands in the message that was passed on or quoted: without its marks and headers, up to the next one."""
    kept: list[str] = []
    for raw in lines:
        line = re.sub(r"^\s*(?:>\s?)+", "", raw)
        if HEADER.match(line[:400]) or PASSED_ON.match(line[:400]) or ANSWERED.match(line[:400]):
            if any(one.strip() for one in kept) and not HEADER.match(line[:400]):
                break
            continue
        kept.append(line)
    return kept


def _unsigned(lines: list[str]) -> list[str]:
    """Without what stands below a line that ends a letter; a greeting with nothing before it ends none."""
    for number, line in enumerate(lines):
        is_end = SIGNATURE.match(line[:100]) or FAREWELL.match(line[:100])
        if is_end and any(one.strip() for one in lines[:number]):
            return lines[:number]
    return lines

"""Reading a message (RFC 5322, MIME) into plain text, whoever wrote it and however: bounded in size, parts and time.

Nothing of a message is believed: names and addresses are words, markup is thrown away, attachments are left alone but
for tables of comma-separated values. What cannot be read is said, not guessed.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime

from finalmarket.customers.known_by import folded_email
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.mailed.markup import text_of_html

MOST_BYTES = 15 * 1024 * 1024
MOST_LINES = 400_000
MOST_NESTED = 20
MOST_PARTS = 100
MOST_TEXT_CHARACTERS = 50_000
MOST_MARKUP_CHARACTERS = 300_000
MOST_HEADER_CHARACTERS = 2_000
MOST_ROWS = 500
NO_TEXT_ENCODINGS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7"})
"""Python's codecs that are none of mail, or take a time that grows with the square of what they decode."""
PROOFS = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(fail|softfail|permerror)\b", re.IGNORECASE)


class Unreadable(UserError):
    """What came is no message, or larger than one that is read."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it was read. `rows` are those of attached tables; `unproved` says what speaks against the sender
    being who they say ("" for nothing known); `warnings` what was left out or could not be read."""

    message_id: str
    email: str
    name: str
    subject: str
    text: str
    sent_at: datetime
    rows: tuple[tuple[str, ...], ...] = ()
    unproved: str = ""
    warnings: tuple[str, ...] = ()


def read(raw: bytes) -> Mail:
    """Read a message. Raises Unreadable for one of more than 15 MiB, and for what has no header of a message.

    One that is nested or broken beyond reading comes back without a text and with a warning.
    """
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"a message has at most {MOST_BYTES // 1024 // 1024} MiB; this one has {len(raw):,} bytes")
    head = BytesHeaderParser(policy=compat32).parsebytes(raw)
    if not (head["From"] or head["Message-ID"] or head["Subject"]):
        raise Unreadable("this is no message: it has neither a sender nor a subject nor a Message-ID")
    mail = _headed(head, raw)
    if raw.lower().count(b"boundary=") > MOST_NESTED or raw.count(b"\n") > MOST_LINES:
        return replace(mail, warnings=("The message has too many parts or lines to be read.",))
    try:
        whole = BytesParser(policy=compat32).parsebytes(raw)
        return _with_body(mail, whole)
    except (RecursionError, LookupError, ValueError, AssertionError, TypeError) as error:
        return replace(mail, warnings=(f"The message is broken and could not be read ({type(error).__name__}).",))


def from_fields(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> Mail:
    """Read a message that a service has taken apart: SendGrid's Inbound Parse names its parts headers, from, subject,
    text, html, SPF and dkim. `files` are names and contents by field.

    Source: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
    Raises Unreadable where there is neither a sender nor a text.
    """
    if not fields.get("from") and not fields.get("text") and not fields.get("html"):
        raise Unreadable("the form holds no message: neither email, nor from and text")
    raw = fields.get("headers", "").strip().encode("utf-8", "replace")[: MOST_BYTES // 2]
    head = BytesHeaderParser(policy=compat32).parsebytes(raw + b"\n\n")
    text = fields.get("text", "")
    plain = _short(text) if text.strip() else text_of_html(fields.get("html", "")[:MOST_MARKUP_CHARACTERS])
    mail = _headed(head, repr(sorted(fields.items())).encode())
    email, name = _address(fields.get("from", "")) if fields.get("from") else (mail.email, mail.name)
    unproved = [mail.unproved] if mail.unproved else []
    unproved += [f"{proof}=fail" for proof, said in _said_by_service(fields) if "fail" in said.lower()]
    rows = [row for name_of, content in files.values() if _is_table(name_of, "") for row in _rows(content, "utf-8")]
    left_out = [_printable(name_of)[:80] for name_of, _ in files.values() if not _is_table(name_of, "")]
    return replace(
        mail, email=email, name=name, subject=_words(fields.get("subject", "")) or mail.subject, text=_short(plain),
        unproved=", ".join(dict.fromkeys(unproved)), rows=tuple(rows[:MOST_ROWS]), warnings=_warnings(left_out),
    )  # fmt: skip


def _said_by_service(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("SPF", "dkim"):
        if fields.get(name):
            yield name.lower(), fields[name][:MOST_HEADER_CHARACTERS]


def _headed(head: Message, raw: bytes) -> Mail:
    """What the headers say."""
    email, name = _address(_header(head, "From"))
    known = _printable(_header(head, "Message-ID")).strip().strip("<>").strip()
    message_id = known[:250] or f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return Mail(
        message_id=message_id, email=email, name=name, subject=_words(_header(head, "Subject"))[:300], text="",
        sent_at=_moment(_header(head, "Date")), unproved=_unproved(head),
    )  # fmt: skip


def _header(head: Message, name: str) -> str:
    return str(head.get(name, ""))[:MOST_HEADER_CHARACTERS]


def _words(raw: str) -> str:
    """A header as it is read: encoded words decoded, on one line, without control characters."""
    try:
        parts = [
            decoded(part, charset or "ascii") if isinstance(part, bytes) else part
            for part, charset in decode_header(raw[:MOST_HEADER_CHARACTERS])
        ]
    except (HeaderParseError, ValueError, LookupError):
        parts = [raw]
    return " ".join(_printable("".join(parts)).split())


def _printable(text: str) -> str:
    """Without control characters, of which a column takes no NUL."""
    return "".join(one if one.isprintable() else " " for one in text)


def _address(raw: str) -> tuple[str, str]:
    """Address and name of a sender; "" for an address that is none."""
    name, address = parseaddr(" ".join(raw[:MOST_HEADER_CHARACTERS].split()))
    return folded_email(_words(address))[:320], _words(name)[:300]


def _moment(raw: str) -> datetime:
    """When it was sent, as it says; now, if it says nothing that can be so."""
    now = clock.now()
    try:
        said = parsedate_to_datetime(raw)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    try:
        aware = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return min(aware, now) if aware.year >= 1995 else now


def _unproved(head: Message) -> str:
    """What the first Authentication-Results say to have failed: our own server's stands on top (RFC 8601)."""
    said = " ".join(_header(head, "Authentication-Results").split())
    return ", ".join(dict.fromkeys(f"{name.lower()}={what.lower()}" for name, what in PROOFS.findall(said)))


def _with_body(mail: Mail, whole: Message) -> Mail:
    plain: list[str] = []
    markup: list[str] = []
    rows: list[tuple[str, ...]] = []
    left_out: list[str] = []
    for count, part in enumerate(_leaves(whole)):
        if count >= MOST_PARTS:
            left_out.append("further parts")
            break
        name, kind = _words(str(part.get_filename() or "")), part.get_content_type()
        if name or part.get_content_disposition() == "attachment":
            if _is_table(name, kind):
                rows += _rows(_content(part), part.get_content_charset() or "utf-8")
            else:
                left_out.append(name[:80] or _printable(kind)[:80])
        elif kind == "text/plain":
            plain.append(_text(part))
        elif kind == "text/html":
            markup.append(text_of_html(_text(part)[:MOST_MARKUP_CHARACTERS]))
    text = "\n".join(plain) if any(one.strip() for one in plain) else "\n".join(markup)
    return replace(mail, text=_short(text), rows=tuple(rows[:MOST_ROWS]), warnings=_warnings(left_out))


def _leaves(whole: Message) -> Iterator[Message]:
    """The parts that hold something, without what stands in attached messages."""
    waiting = [whole]
    while waiting:
        part = waiting.pop()
        if part.get_content_type() == "message/rfc822":
            yield part
        elif part.is_multipart():
            children = part.get_payload()
            waiting += [one for one in reversed(children) if isinstance(one, Message)]  # type: ignore[arg-type]
        else:
            yield part


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    return decoded(_content(part), part.get_content_charset() or "utf-8")


def decoded(content: bytes, charset: str) -> str:
    """Text in a charset; what it does not hold is shown as such. An unknown charset is taken for UTF-8, then 8-bit."""
    try:
        name = codecs.lookup(charset).name
        if name not in NO_TEXT_ENCODINGS:
            return str(content, name, "replace")
    except (LookupError, ValueError, TypeError):
        pass
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _is_table(name: str, kind: str) -> bool:
    return kind in ("text/csv", "application/csv", "text/tab-separated-values") or name.lower().endswith(
        (".csv", ".tsv")
    )


def _rows(content: bytes, charset: str) -> list[tuple[str, ...]]:
    """The rows of an attached table; the mark that its first line has most of parts its columns."""
    text = decoded(content[: MOST_TEXT_CHARACTERS * 4], charset).lstrip("\ufeff").replace("\x00", "")
    first = text.partition("\n")[0]
    mark = max((";", "\t", ","), key=first.count)
    try:
        rows = [tuple(cell.strip()[:300] for cell in row) for row in csv.reader(text.splitlines(), delimiter=mark)]
    except csv.Error:
        return []
    return [row for row in rows[:MOST_ROWS] if any(row)]


def _short(text: str) -> str:
    """Text that a column can hold, with plain line ends."""
    kept = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return kept[:MOST_TEXT_CHARACTERS].strip("\n")


def _warnings(left_out: list[str]) -> tuple[str, ...]:
    names = list(dict.fromkeys(left_out))[:10]
    return (f"Attachments were not read: {', '.join(names)}.",) if names else ()

"""The form by which a mail service delivers a message: SendGrid's Inbound Parse, whole ("POST the raw, full MIME
message": the field `email`) or taken apart.

Source: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from finalmarket.orders.mailed.message import Mail, Unreadable, decoded, from_fields, read

MOST_BYTES = 20 * 1024 * 1024
MOST_FIELDS = 60
BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})"?', re.IGNORECASE)
NAMED = re.compile(r'\bname="([^"\r\n]{1,100})"', re.IGNORECASE)
FILE = re.compile(r'\bfilename="([^"\r\n]{0,300})"', re.IGNORECASE)
WHOLE = ("message/rfc822", "application/octet-stream", "text/plain", "")
FORM = "multipart/form-data"


def message_of(content_type: str, body: bytes) -> Mail:
    """Read what was posted: a message as it is (message/rfc822 and the like), or the form of a mail service. Raises
    Unreadable for anything else."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in WHOLE:
        return read(body)
    if kind != FORM:
        raise Unreadable(f"a message comes as message/rfc822 or {FORM}, not as {kind[:60]}")
    fields, files = _parted(content_type, body)
    raw = fields.get("email")
    return read(raw) if raw else from_fields(_texts(fields), files)


def _parted(content_type: str, body: bytes) -> tuple[dict[str, bytes], dict[str, tuple[str, bytes]]]:
    """The fields of a form and its files, of which the first with a name counts (RFC 7578)."""
    found = BOUNDARY.search(content_type)
    if found is None:
        raise Unreadable("the form does not say what parts its fields")
    fields: dict[str, bytes] = {}
    files: dict[str, tuple[str, bytes]] = {}
    mark = b"--" + found[1].encode("latin-1", "replace")
    for part in (b"\r\n" + body).split(b"\r\n" + mark, MOST_FIELDS + 1)[1 : MOST_FIELDS + 1]:
        head, gap, content = part.partition(b"\r\n\r\n")
        words = head[:4_000].decode("utf-8", "replace")
        name, file = NAMED.search(words), FILE.search(words)
        if not gap or name is None:
            continue
        if file is not None:
            files.setdefault(name[1], (file[1], content))
        else:
            fields.setdefault(name[1], content)
    return fields, files


def _texts(fields: Mapping[str, bytes]) -> dict[str, str]:
    """The fields as text; `charsets` says in which charset each is, UTF-8 where it does not."""
    try:
        said = json.loads(fields.get("charsets", b"{}"))
    except (ValueError, RecursionError):
        said = {}
    charsets = said if isinstance(said, dict) else {}
    return {name: decoded(content, str(charsets.get(name, "utf-8"))[:60]) for name, content in fields.items()}

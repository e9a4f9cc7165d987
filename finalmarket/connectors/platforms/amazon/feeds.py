"""Many changes at once: a JSON_LISTINGS_FEED is uploaded, waited for, and its processing report read.

Shapes: feed-schemas/listings-feed-schema-v2.json and listings-feed-processing-report-schema-v2.json of the models;
the feed type's name and its limits: developer-docs.amazon.com/sp-api/docs/listings-feed-type-values.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.http import MOST_BYTES, Answer
from finalmarket.connectors.platforms.amazon import calls
from finalmarket.connectors.platforms.amazon.calls import Seller

FEED_TYPE = "JSON_LISTINGS_FEED"
CONTENT_TYPE = "application/json; charset=UTF-8"
MOST_MESSAGES = 25_000
# How long to wait before each look at a feed; then the time is up.
PAUSES_SECONDS = (2, 3, 5, 10, 15, *(30,) * 18)


@dataclass(frozen=True, slots=True)
class Message:
    """One change: which record of the batch it is, what is to be patched, and on which marketplaces."""

    key: str
    sku: str
    product_type: str
    patches: Sequence[Mapping[str, Any]]
    marketplace_ids: Sequence[str]


def submit(
    seller: Seller, messages: Sequence[Message], address: Callable[[str], str], pause: Callable[[float], None]
) -> Sequence[Rejected]:
    """Have all changes made, and return those that Amazon refused.

    `address` turns an upload address into the one to call, `pause` waits. Raises OutcomeUnknown when Amazon does not
    finish in ten minutes, or gives the feed up midway; RetryLater when nothing of it happened.
    """
    document_id = _upload(seller, _feed_body(seller.seller_id, messages), address)
    wanted = {
        "feedType": FEED_TYPE, "marketplaceIds": list(seller.marketplace_ids), "inputFeedDocumentId": document_id,
    }  # fmt: skip
    feed_id = _text(seller.call(calls.CREATE_FEED, json=wanted), "feedId")
    report_id = _wait(seller, feed_id, pause)
    return refusals(_download(seller, report_id, address), messages) if report_id else []


def _feed_body(seller_id: str, messages: Sequence[Message]) -> bytes:
    body = {
        "header": {"sellerId": seller_id, "version": "2.0"},
        "messages": [
            {
                "messageId": number, "sku": message.sku, "operationType": "PATCH",
                "productType": message.product_type, "patches": list(message.patches),
            }
            for number, message in enumerate(messages, start=1)
        ],
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode()


def _upload(seller: Seller, body: bytes, address: Callable[[str], str]) -> str:
    answer = seller.call(calls.CREATE_FEED_DOCUMENT, json={"contentType": CONTENT_TYPE}, repeatable=True)
    url = address(_https(_text(answer, "url")))
    # The address itself is the permission: our token has no business there.
    try:
        seller.http.call(
            "PUT", url, content=body, headers={"Content-Type": CONTENT_TYPE}, repeatable=True, is_authorized=False
        )
    except NeedsAttention as error:
        raise RetryLater(f"the upload address is no longer good: {error.reason}", status=error.status) from None
    return _text(answer, "feedDocumentId")


def _wait(seller: Seller, feed_id: str, pause: Callable[[float], None]) -> str:
    """The id of the report of a finished feed; "" where there is none."""
    for seconds in (0, *PAUSES_SECONDS):
        if seconds:
            pause(seconds)
        try:
            feed = seller.call(calls.GET_FEED, feed_id=feed_id).data
        except (RetryLater, Rejected, Unintelligible):
            continue  # the feed goes on without being looked at; a new one may not be seen at once
        status = feed.get("processingStatus") if isinstance(feed, dict) else None
        if status == "DONE":
            return str(feed.get("resultFeedDocumentId") or "")
        if status == "CANCELLED":
            raise RetryLater(f"feed {feed_id} was cancelled before it began")
        if status == "FATAL":
            raise OutcomeUnknown(f"feed {feed_id} was given up midway: some, none or all of it may have happened")
    return _give_up(seller, feed_id)


def _give_up(seller: Seller, feed_id: str) -> str:
    """Take a feed back that has not begun; one that has may end whenever it likes."""
    waited = f"feed {feed_id} is not finished after {sum(PAUSES_SECONDS)} seconds"
    try:
        seller.call(calls.CANCEL_FEED, feed_id=feed_id, repeatable=True)
    except (Rejected, RetryLater):
        raise OutcomeUnknown(waited) from None
    raise RetryLater(f"{waited}; it had not begun and was taken back")


def _download(seller: Seller, document_id: str, address: Callable[[str], str]) -> Any:
    try:
        answer = seller.call(calls.GET_FEED_DOCUMENT, document_id=document_id)
        url = address(_https(_text(answer, "url")))
        body = seller.http.call("GET", url, is_authorized=False).body
    except (RetryLater, NeedsAttention, Rejected, Unintelligible) as error:
        # The feed is done: what is not known is which of its changes were refused.
        raise OutcomeUnknown(f"the report of a finished feed cannot be had: {error.reason}") from None
    try:
        if answer.data.get("compressionAlgorithm") == "GZIP":
            body = _unzipped(body)
        return read_json(body)
    except (ValueError, OSError, EOFError):
        raise OutcomeUnknown("the report of a finished feed is not the JSON that it should be") from None


def _unzipped(body: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        plain = file.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        raise ValueError(f"longer than {MOST_BYTES} bytes")
    return plain


def refusals(report: Any, messages: Sequence[Message]) -> list[Rejected]:
    """The messages that a processing report refuses, each once with all its words: all of them where it refuses the
    feed as a whole. Raises OutcomeUnknown for a report that counts refusals which it does not name."""
    if not isinstance(report, dict) or "summary" not in report:
        raise OutcomeUnknown("the report of a finished feed has no summary")
    words: dict[int, list[Mapping[str, Any]]] = {}
    for issue in report.get("issues") or []:
        if issue.get("severity") == "ERROR":
            words.setdefault(int(issue.get("messageId") or 0), []).append(issue)
    of_the_feed = words.pop(0, [])
    if of_the_feed and not int(report["summary"].get("messagesAccepted") or 0):
        return [_refusal(message.key, words.get(number) or of_the_feed) for number, message in enumerate(messages, 1)]
    invalid = int(report["summary"].get("messagesInvalid") or 0)
    if of_the_feed or invalid > len(words):
        raise OutcomeUnknown(f"the report counts {invalid} refused changes and names {len(words)}")
    return [_refusal(messages[number - 1].key, words[number]) for number in sorted(words) if number <= len(messages)]


def _refusal(key: str, issues: Sequence[Mapping[str, Any]]) -> Rejected:
    return Rejected(
        "; ".join(str(issue.get("message")) for issue in issues), key=key, code=str(issues[0].get("code") or "")
    )


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise Unintelligible("the upload address is no https address")
    return url


def _text(answer: Answer, name: str) -> str:
    value = answer.data.get(name) if isinstance(answer.data, dict) else None
    if not isinstance(value, str):
        raise Unintelligible(f"the answer has no {name!r}", status=answer.status)
    return value

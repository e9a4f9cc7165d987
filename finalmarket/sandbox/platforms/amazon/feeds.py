"""Feeds: documents that are uploaded, worked on after a while, and reported on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.platforms.amazon.account import SELLER_ID, SHOPS, body_of, invalid, refusal, written
from finalmarket.sandbox.platforms.amazon.listings import Listings
from finalmarket.sandbox.platforms.amazon.submissions import Unfit
from finalmarket.sandbox.stand_in import Handler, Reply, Request, Route, route

FEED_TYPE = "JSON_LISTINGS_FEED"
UPLOADS = "https://feeds.amazon-sandbox.invalid"
MOST_MESSAGES = 25_000
URL_LIFETIME = timedelta(minutes=5)
MOST_FEEDS, FEEDS_EVERY = 5, timedelta(minutes=5)  # of this type


class Feeds(Listings):
    """Feeds by number. A feed waits `feed_waits` and is worked on for `feed_works` of the world's time."""

    feed_waits: ClassVar[timedelta] = timedelta(0)
    feed_works: ClassVar[timedelta] = timedelta(0)
    zips_reports: ClassVar[bool] = True

    # Documents. Their addresses are permissions in themselves: who brings a token along is refused.

    @route("POST", "/feeds/2021-06-30/documents", bucket="createFeedDocument")
    def create_document(self, request: Request) -> Reply:
        """An address to upload to."""
        told = body_of(request)
        if not told.get("contentType"):
            raise invalid("contentType is required")
        number = f"amzn1.tortuga.4.eu.{self.next_number()}"
        self.state["documents"][number] = {"type": told["contentType"], "body": None, "made_at": self.now()}
        return Reply(201, {"feedDocumentId": number, "url": f"{UPLOADS}/uploads/{number}?X-Amz-Signature=sandbox"})

    @route("PUT", "/uploads/{number}", is_open=True)
    def upload(self, request: Request, number: str) -> Reply:
        """Take the contents of a document."""
        document = self._document(request, number)
        if request.headers.get("content-type") != document["type"]:
            return Reply(403, {"error": "SignatureDoesNotMatch"})
        document["body"] = request.body
        return Reply(200)

    @route("GET", "/downloads/{number}", is_open=True)
    def download(self, request: Request, number: str) -> Reply:
        """Give the contents of a document."""
        document = self._document(request, number)
        return Reply(200, document["body"], {"Content-Type": "application/octet-stream"})

    def _document(self, request: Request, number: str) -> dict[str, Any]:
        document: dict[str, Any] | None = self.state["documents"].get(number)
        is_signed = request.query.get("X-Amz-Signature") == "sandbox" and "x-amz-access-token" not in request.headers
        if document is None or not is_signed or self.now() - document["made_at"] > URL_LIFETIME:
            raise refusal(403, "AccessDenied", "Request has expired, or carries what is none of ours")
        return document

    @route("GET", "/feeds/2021-06-30/documents/{number}", bucket="getFeedDocument")
    def document(self, request: Request, number: str) -> Reply:
        """Where a document can be had."""
        document = self.state["documents"].get(number)
        if document is None or document["body"] is None:
            raise refusal(404, "NotFound", f"there is no document {number}")
        document["made_at"] = self.now()
        told = {"feedDocumentId": number, "url": f"{UPLOADS}/downloads/{number}?X-Amz-Signature=sandbox"}
        return Reply(200, {**told, "compressionAlgorithm": "GZIP"} if document.get("is_zipped") else told)

    # Feeds.

    @route("POST", "/feeds/2021-06-30/feeds", bucket="createFeed")
    def create_feed(self, request: Request) -> Reply:
        """Have an uploaded document worked on."""
        told = body_of(request)
        if told.get("feedType") != FEED_TYPE or not told.get("marketplaceIds"):
            raise invalid("feedType and marketplaceIds are required")
        if any(place not in SHOPS for place in told["marketplaceIds"]):
            raise invalid("marketplaceIds holds a marketplace that the seller does not take part in")
        document = self.state["documents"].get(told.get("inputFeedDocumentId"))
        if document is None or document["body"] is None:
            raise invalid("the input feed document has no contents")
        lately = [one for one in self.state["feeds"].values() if self.now() - one["made_at"] < FEEDS_EVERY]
        if len(lately) >= MOST_FEEDS:
            raise refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        number = str(50_000_000_000 + self.next_number())
        self.state["feeds"][number] = {
            "number": number, "input": document["body"], "status": "IN_QUEUE", "made_at": self.now(), "report": "",
            "places": told["marketplaceIds"],
        }  # fmt: skip
        return Reply(202, {"feedId": number})

    @route("GET", "/feeds/2021-06-30/feeds/{number}", bucket="getFeed")
    def feed(self, request: Request, number: str) -> Reply:
        """How a feed is doing."""
        one = self._feed(number)
        told = {
            "feedId": number, "feedType": FEED_TYPE, "marketplaceIds": one["places"],
            "createdTime": written(one["made_at"]), "processingStatus": one["status"],
        }  # fmt: skip
        if one["report"]:
            told["resultFeedDocumentId"] = one["report"]
        return Reply(200, told)

    @route("DELETE", "/feeds/2021-06-30/feeds/{number}", bucket="cancelFeed")
    def cancel_feed(self, request: Request, number: str) -> Reply:
        """Take a feed back that has not begun."""
        one = self._feed(number)
        if one["status"] != "IN_QUEUE":
            raise invalid("only a feed in the queue can be cancelled")
        one["status"] = "CANCELLED"
        return Reply(200)

    def _feed(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["feeds"].get(number)
        if found is None:
            raise refusal(404, "NotFound", f"there is no feed {number}")
        return found

    def _handled(self, request: Request, found: Route, handler: Handler, arguments: dict[str, str]) -> Reply:
        """Whoever calls finds the feeds where they are by now."""
        self.work_on_feeds()
        return super()._handled(request, found, handler, arguments)

    def work_on_feeds(self) -> None:
        """Bring every feed to where it is by now."""
        for one in self.state["feeds"].values():
            since = self.now() - one["made_at"]
            if one["status"] == "IN_QUEUE" and since >= self.feed_waits:
                one["status"] = "IN_PROGRESS"
            if one["status"] == "IN_PROGRESS" and since >= self.feed_waits + self.feed_works:
                self._finish(one)

    def _finish(self, one: dict[str, Any]) -> None:
        report = self._process(one)
        number, body = f"amzn1.tortuga.4.eu.{self.next_number()}", json.dumps(report).encode()
        self.state["documents"][number] = {
            "type": "application/json", "body": gzip.compress(body) if self.zips_reports else body,
            "made_at": self.now(), "is_zipped": self.zips_reports,
        }  # fmt: skip
        one |= {"status": "DONE", "report": number}
        finished = {
            "SellerId": SELLER_ID, "AccountId": f"amzn1.merchant.o.{SELLER_ID}", "FeedId": one["number"],
            "FeedType": FEED_TYPE, "ProcessingStatus": "DONE", "ResultFeedDocumentId": number,
        }  # fmt: skip
        self.notify("FEED_PROCESSING_FINISHED", {"FeedProcessingFinishedNotification": finished})

    def _process(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Work on the messages of a feed; the processing report."""
        try:
            told = json.loads(one["input"], parse_float=Decimal)
            header, messages = told["header"], told["messages"]
        except (ValueError, KeyError, TypeError):
            return _report(one["number"], [_issue(None, "The feed is not valid JSON")], 0, 0)
        if header.get("sellerId") != SELLER_ID or header.get("version") != "2.0" or len(messages) > MOST_MESSAGES:
            return _report(one["number"], [_issue(None, "The header of the feed is not valid")], len(messages), 0)
        issues, invalid_count = [], 0
        for message in messages:
            try:
                if message.get("operationType") != "PATCH":
                    raise Unfit("4000001", "this sandbox knows the operation PATCH only", "operationType")
                self.apply_patches(message["sku"], message["patches"])
            except Unfit as error:
                issues.append(_issue(message, str(error), error.code))
                invalid_count += 1
        return _report(one["number"], issues, len(messages), invalid_count)


def _issue(message: Mapping[str, Any] | None, words: str, code: str = "90200") -> dict[str, Any]:
    named = {"messageId": message["messageId"], "sku": message["sku"]} if message else {}
    return {**named, "code": code, "severity": "ERROR", "message": words}


def _report(feed: str, issues: list[dict[str, Any]], processed: int, invalid_count: int) -> dict[str, Any]:
    accepted = processed - invalid_count if all("messageId" in issue for issue in issues) else 0
    return {
        "header": {"sellerId": SELLER_ID, "version": "2.0", "feedId": feed},
        "issues": issues,
        "summary": {
            "errors": len(issues), "warnings": 0, "messagesProcessed": processed, "messagesAccepted": accepted,
            "messagesInvalid": invalid_count,
        },
    }  # fmt: skip

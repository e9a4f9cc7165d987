"""The suite can fail: connectors that break the contract in one place each are found out, each by the right check."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from finalmarket.connectors.contract import Checked
from finalmarket.connectors.errors import ConnectorError, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.paging import read_cursor, write_cursor
from finalmarket.connectors.records import StockRecord
from tests.connectors import cases
from tests.connectors.conformance import CHECKS, Check

Breaks = Callable[[Any], type]


def check_called(name: str) -> Check:
    """The check of that name."""
    (found,) = [check for check in CHECKS if check.name == name]
    return found


def never_ends(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def pull_orders(self, cursor: str, since: Any) -> Iterator[Any]:
            while True:
                page = self._page_of_orders(cursor)
                yield page
                if page.is_last:
                    return
                cursor = page.cursor

    return Mutant


def skips_a_page(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def _page_of_orders(self, cursor: str) -> Any:
            page = super()._page_of_orders(cursor)
            place = read_cursor(page.cursor)
            if "page" in place and not cursor:
                return replace(page, cursor=write_cursor(page=str(int(place["page"]) + 1)))
            return page

    return Mutant


def forgets_since(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def pull_orders(self, cursor: str, since: Any) -> Any:
            return super().pull_orders(cursor, None)

    return Mutant


def _changed_orders(example: Any, **fields: Callable[[Any], Any]) -> type:
    class Mutant(example):  # type: ignore[misc]
        def _page_of_orders(self, cursor: str) -> Any:
            page = super()._page_of_orders(cursor)
            changed = [
                replace(record, **{name: change(record) for name, change in fields.items()}) for record in page.records
            ]
            return replace(page, records=tuple(changed))

    return Mutant


def counts_in_floats(example: Any) -> type:
    return _changed_orders(example, total=lambda record: float(record.total))


def hides_a_float_in_a_line(example: Any) -> type:
    def lines(record: Any) -> Any:
        return tuple(replace(line, unit_price=float(line.unit_price)) for line in record.lines)

    return _changed_orders(example, lines=lines)


def loses_the_zone(example: Any) -> type:
    return _changed_orders(example, placed_at=lambda record: record.placed_at.replace(tzinfo=None))


def forgets_the_unknown(example: Any) -> type:
    return _changed_orders(example, unknown=lambda record: ())


def raises_for_a_missing_order(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def pull_order(self, external_id: str) -> Any:
            found = super().pull_order(external_id)
            if found is None:
                raise Rejected("404 not_found", status=404)
            return found

    return Mutant


def ships_under_a_new_key_every_time(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        tries = 0

        def push_fulfilment(self, notice: Any) -> str:
            self.tries += 1
            return str(super().push_fulfilment(replace(notice, key=f"{notice.key}-{self.tries}")))

    return Mutant


def repeats_blindly(example: Any) -> type:
    """Loses the key on the way, and tries again by itself."""

    class Mutant(example):  # type: ignore[misc]
        tries = 0

        def push_fulfilment(self, notice: Any) -> str:
            for _ in range(3):
                self.tries += 1
                try:
                    return str(super().push_fulfilment(replace(notice, key=f"{notice.key}-{self.tries}")))
                except (RetryLater, OutcomeUnknown):
                    continue
            raise AssertionError("never told")

    return Mutant


def blames_the_record(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def push_stock(self, levels: Sequence[Any]) -> Sequence[Rejected]:
            try:
                return list(super().push_stock(levels))
            except (RetryLater, OutcomeUnknown) as error:
                return [Rejected(error.reason, key=level.ref.key) for level in levels]

    return Mutant


def stops_at_the_bad_record(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def push_stock(self, levels: Sequence[Any]) -> Sequence[Rejected]:
            for level in levels:
                refused = super().push_stock([level])
                if refused:
                    return list(refused)
            return []

    return Mutant


def returns_refusals_without_their_key(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def push_stock(self, levels: Sequence[Any]) -> Sequence[Rejected]:
            return [Rejected(error.reason) for error in super().push_stock(levels)]

    return Mutant


def takes_too_large_batches(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        stock_batch_limit = 101

    return Mutant


def believes_every_webhook(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def verify_webhook(self, delivery: Any) -> None:
            pass

    return Mutant


def believes_recordings(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def verify_webhook(self, delivery: Any) -> None:
            sent = datetime.fromtimestamp(int(delivery.header("Sent-At") or 0), UTC)
            super().verify_webhook(replace(delivery, received_at=sent))

    return Mutant


def forgets_the_former_secret(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def webhook_secret(self) -> tuple[str, ...]:
            return super().webhook_secret()[:1]  # type: ignore[no-any-return]

    return Mutant


def signs_with_nothing(example: Any) -> type:
    """An empty secret is a secret to it."""

    class Mutant(example):  # type: ignore[misc]
        def verify_webhook(self, delivery: Any) -> None:
            secret = self.account.secrets.get("webhook_secret", "").encode()
            message = delivery.header("Sent-At").encode() + b"." + delivery.body
            wanted = base64.b64encode(hmac.digest(secret, message, "sha256")).decode()
            if delivery.header("Signature") != wanted:
                super().verify_webhook(delivery)

    return Mutant


def chokes_on_a_new_topic(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def read_webhook(self, delivery: Any) -> Any:
            raw = json.loads(delivery.body)
            if raw["topic"] not in self.webhook_topics:
                raise ValueError(f"unknown topic {raw['topic']}")
            return super().read_webhook(delivery)

    return Mutant


def tells_its_token(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def check(self) -> str:
            try:
                return str(super().check())
            except Rejected as error:
                raise Rejected(f"{error.reason} with {self.account.secrets['access_token']}") from None

    return Mutant


def shows_its_token(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def __repr__(self) -> str:
            return f"Shop({dict(self.account.secrets)})"

    return Mutant


def crashes_on_another_shape(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def check(self) -> str:
            return str(self.http.call("GET", "/v1/account").data["name"])

    return Mutant


def shows_stock_it_does_not_know(example: Any) -> type:
    class Mutant(example):  # type: ignore[misc]
        def pull_stock(self, refs: Sequence[Any], location: str = "") -> Any:
            found = {record.key: record for record in super().pull_stock(refs, location)}
            return [found.get(ref.key, StockRecord(key=ref.key, quantity=0)) for ref in refs]

    return Mutant


def is_of_no_known_kind(example: Any) -> type:
    return type("Mutant", (example,), {"kind": "shop"})


def was_checked_in_the_future(example: Any) -> type:
    return type("Mutant", (example,), {"checked_against": Checked("the sandbox", on="2099-01-01")})


BREAKS: Mapping[Breaks, str] = {
    never_ends: "a_cursor_that_comes_a_second_time_is_noticed-orders",
    skips_a_page: "all_of_a_stream_comes_in_oldest_change_first-orders",
    forgets_since: "a_pull_begins_at_the_moment_it_is_given-orders",
    counts_in_floats: "amounts_are_exact_and_moments_aware-orders",
    hides_a_float_in_a_line: "amounts_are_exact_and_moments_aware-orders",
    loses_the_zone: "amounts_are_exact_and_moments_aware-orders",
    forgets_the_unknown: "a_word_that_no_documentation_knows_survives_in_an_order",
    raises_for_a_missing_order: "one_record_is_what_the_stream_brings_and_none_for_an_unknown_id-orders",
    ships_under_a_new_key_every_time: "done_twice_it_counts_once-push_fulfilment",
    repeats_blindly: "lost_news_of_a_write_never_doubles_it-push_fulfilment",
    blames_the_record: "lost_news_of_a_write_never_doubles_it-push_stock",
    stops_at_the_bad_record: "a_stock_level_that_is_refused_comes_back_by_its_key_and_the_others_stand",
    returns_refusals_without_their_key: "a_stock_level_that_is_refused_comes_back_by_its_key_and_the_others_stand",
    takes_too_large_batches: "a_full_batch_of_stock_is_applied_to_the_unit",
    believes_every_webhook: "an_altered_body_is_refused_or_events_are_hints_only",
    believes_recordings: "a_recording_is_refused_where_the_time_is_signed",
    forgets_the_former_secret: "both_secrets_hold_while_one_rotates_and_the_old_one_ends_with_it",
    signs_with_nothing: "without_a_secret_nothing_gets_in",
    chokes_on_a_new_topic: "an_unknown_topic_is_read_as_unknown",
    tells_its_token: "no_secret_is_in_an_error_or_a_log",
    shows_its_token: "no_secret_is_in_what_a_debugger_prints",
    crashes_on_another_shape: "an_answer_of_another_shape_is_an_error_of_ours_or_nothing",
    shows_stock_it_does_not_know: "what_the_platform_shows_can_be_asked_for",
    is_of_no_known_kind: "says_who_it_is",
    was_checked_in_the_future: "names_what_it_was_checked_against",
}


# How a check fails: by itself, or with what it does not let through.
FOUND_OUT = (AssertionError, pytest.fail.Exception, ConnectorError, ValueError, TypeError, KeyError)


@pytest.mark.parametrize("breaks", BREAKS, ids=lambda breaks: breaks.__name__)
def test_a_connector_that_breaks_the_contract_is_found_out(skeleton: Path, breaks: Breaks) -> None:
    case = cases.case_of("best_buy")
    own = type("Own", (case.connector,), {"docs": "https://docs.shop.test", "base_url": "https://api.shop.test"})
    check = check_called(BREAKS[breaks])
    check.run(replace(case, connector=own))  # the connector as it comes, but for its addresses, keeps it
    with pytest.raises(FOUND_OUT):
        check.run(replace(case, connector=breaks(own)))


def test_what_a_case_leaves_out_is_named(skeleton: Path) -> None:
    case = replace(cases.case_of("best_buy"), fulfilment=None)
    with pytest.raises(AssertionError, match="the case leaves out `fulfilment`"):
        check_called("two_parcels_are_two").run(case)


def test_a_stand_in_that_changes_nothing_is_found_out(skeleton: Path) -> None:
    case = replace(cases.case_of("best_buy"), stock_of=lambda shop, ref: 5)
    with pytest.raises(AssertionError, match="changes nothing"):
        check_called("done_twice_it_counts_once-push_stock").run(case)

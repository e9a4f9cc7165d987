"""What a platform says makes no process big, keeps none for long, and ends in an error of the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from finalmarket.connectors import registry
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.exact_json import MOST_DEPTH, MOST_VALUES, read_json
from finalmarket.connectors.http import MOST_BYTES
from finalmarket.connectors.records import Delivery
from tests.security.hostile_answers import IS_AN_ANSWER

ROOT = Path(__file__).resolve().parents[2]
MOST_MEBIBYTES = 350
ERRORS = ("Unintelligible", "RetryLater", "OutcomeUnknown", "Rejected")


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """What came of all hostile answers, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.security.hostile_answers"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2_000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_every_hostile_answer_ends_in_an_error_that_says_what_to_do(outcome: dict[str, Any]) -> None:
    came = outcome["came"]
    wrong = {name: what for name, what in came.items() if name not in IS_AN_ANSWER and not what.startswith(ERRORS)}
    assert wrong == {}
    assert len(came) >= 4 * 30


def test_no_hostile_answer_makes_the_process_big(
    outcome: dict[str, Any], record_property: Callable[[str, Any], None]
) -> None:
    peaks = outcome["peaks"]
    assert max(peaks.values()) < MOST_MEBIBYTES, peaks
    record_property("population", f"{len(peaks)} hostile answers")
    record_property("most_memory_mb", max(peaks.values()))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1), b"1e999999999", b"1e-999", b"0e999999999",
        b"NaN", b"[Infinity]", b"1" * 5_000, b"0." + b"1" * 5_000, b"[" + b"1," * MOST_VALUES + b"1]", b"\xff", b"",
    ],
    ids=lambda body: f"{body[:12]!r} {len(body)}",
)  # fmt: skip
def test_json_that_nobody_means_is_none(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(body)


def test_json_that_somebody_means_is_read_exactly() -> None:
    assert str(read_json('{"total": 1.10, "lines": [[1e3, -0.0]]}')) == str(
        {"total": read_json("1.10"), "lines": [[read_json("1e3"), read_json("-0.0")]]}
    )
    assert str(read_json("1.10")) == "1.10"
    assert read_json("[" * MOST_DEPTH + "]" * MOST_DEPTH) is not None
    assert MOST_BYTES // MOST_VALUES > 10  # what a platform writes of a value is longer


HOSTILE_BODIES = {
    "deep": b"[" * 100_000 + b"]" * 100_000, "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "NaN": b'{"id": NaN, "type": NaN, "event": NaN, "data": Infinity}', "huge": b'{"id": 1' + b"0" * 5_000 + b"}",
    "exponent": b'{"id": 1e999999999, "amount": 1e999999999}', "not JSON": b"\x00\xff\xfe", "empty": b"",
    "text": b'"text"', "number": b"7", "null": b"null", "list of lists": b"[[[[]]]]",
    "half a pair": b'{"id": "\\ud800"}',
    "form": b"a=" + b"%" * 10_000, "nested text": json.dumps(json.dumps({"data": "[" * 5_000})).encode(),
}  # fmt: skip


@pytest.mark.parametrize(
    "slug", sorted(slug for slug, one in registry.connectors().items() if hasattr(one, "read_webhook"))
)
def test_a_webhook_that_nobody_signed_or_means_is_refused_in_the_words_of_the_contract(slug: str) -> None:
    there = _opened(slug)
    for name, body in HOSTILE_BODIES.items():
        for verb in (there.verify_webhook, there.read_webhook):
            try:
                verb(_delivery(body))
            except ConnectorError:
                pass
            except Exception as error:
                pytest.fail(f"{slug}, {name}, {verb.__name__}: {type(error).__name__}: {error}")
    with pytest.raises(ConnectorError):
        there.verify_webhook(_delivery(b'{"id": "1"}'))


def _opened(slug: str) -> Any:
    connector = registry.connectors()[slug]
    names = (*connector.secrets, *connector.optional_secrets, *getattr(connector, "webhook_secrets", ()))
    settings = {one.name: one.default or "x" for one in connector.settings}
    return connector(Account(dict.fromkeys(names, "0123456789abcdef0123456789abcdef"), settings))


def _delivery(body: bytes) -> Any:
    return Delivery("https://house.example/hooks/t/", {"Content-Type": "application/json"}, body, datetime.now(UTC))

"""No secret in an error, a log, or anything that a traceback or a debugger would print."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx2

from finalmarket.connectors.contract import ReceivesWebhooks
from finalmarket.connectors.errors import ConnectorError, Rejected, WebhookRefused
from tests.connectors.cases import Case
from tests.connectors.conformance.books import BOOK_VERBS
from tests.connectors.conformance.carriers import CARRIER_VERBS
from tests.connectors.conformance.checkout import CHECKOUT_VERBS
from tests.connectors.conformance.stage import (
    CHECKS,
    DOUBLE,
    START,
    Check,
    Handler,
    check,
    needed,
    on_a_double,
    staged,
)
from tests.connectors.conformance.statuses import reads_of
from tests.connectors.conformance.talk import TALK_VERBS
from tests.connectors.conformance.verbs import Verb


class _Kept(logging.Handler):
    """Keeps all that is logged, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))


@contextmanager
def _logged() -> Iterator[list[str]]:
    kept, root = _Kept(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept.lines
    finally:
        root.removeHandler(kept)
        root.setLevel(level)


def _secrets(case: Case) -> set[str]:
    secrets = set(case.account(DOUBLE).secrets.values())
    assert all(len(secret) >= 8 for secret in secrets), "secrets of a case have 8 letters at least"
    return secrets


def _found(secrets: set[str], text: str) -> list[str]:
    return sorted(secret for secret in secrets if secret in text)


def _telling(secrets: set[str], status: int) -> Handler:
    """A platform that tells all it knows in its errors."""
    words = " ".join(sorted(secrets))
    error = {"code": words, "message": words, "detail": words, "error": words, "category": words, "field": words}
    body = json.dumps({"errors": [error], "error": error, "message": words, "error_description": words}).encode()
    return lambda request: httpx2.Response(status, headers={"Content-Type": "application/json"}, content=body)


def _breaking(secrets: set[str]) -> Handler:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError(f"lost: {' '.join(sorted(secrets))} {request.url}", request=request)

    return fail


def _all_told(error: BaseException) -> str:
    """All that an error would print, and all that it carries."""
    carried = " ".join(f"{name}={value!r}" for name, value in vars(error).items())
    return "".join(traceback.format_exception(error)) + repr(error) + str(error) + carried


@check()
def no_secret_is_in_an_error_or_a_log(case: Case) -> None:
    secrets = _secrets(case)
    answers = [_telling(secrets, status) for status in (400, 401, 403, 404, 422, 429, 500)]
    with _logged() as lines:
        for answer in [*answers, _breaking(secrets)]:
            for name, read in {**reads_of(case), "a write": _write}.items():
                connector = on_a_double(case, answer)
                try:
                    read(connector)
                except ConnectorError as error:
                    assert _found(secrets, _all_told(error)) == [], f"{name} tells a secret"
    assert _found(secrets, "\n".join(lines)) == []


def _write(connector: Any) -> None:
    connector.http.call("POST", "/anything", json={"quantity": 1})


def no_secret_is_in_what_a_write_says(case: Case, verb: Verb) -> None:
    secrets = _secrets(case)
    with _logged() as lines:
        for status in (200, 400, 401, 404, 422, 429, 500):
            with staged(case) as stage:
                act = verb.prepare(stage)
                there, stage.connector = stage.connector, on_a_double(case, _telling(secrets, status))
                try:
                    told = act.call()
                except ConnectorError as error:
                    assert _found(secrets, _all_told(error)) == [], f"{verb.name} tells a secret"
                else:
                    refused = [each for each in told if isinstance(each, Rejected)] if isinstance(told, list) else []
                    assert _found(secrets, "".join(map(_all_told, refused))) == [], f"{verb.name} tells a secret"
                finally:
                    stage.connector = there
    assert _found(secrets, "\n".join(lines)) == []


for _verb in (*BOOK_VERBS, *TALK_VERBS, *CARRIER_VERBS, *CHECKOUT_VERBS):
    CHECKS.append(
        Check(
            f"{no_secret_is_in_what_a_write_says.__name__}-{_verb.name}",
            (_verb.capability,),
            partial(no_secret_is_in_what_a_write_says, verb=_verb),
        )
    )


@check()
def no_secret_is_in_what_a_debugger_prints(case: Case) -> None:
    secrets = _secrets(case)
    connector = on_a_double(case, _telling(secrets, 200))
    shown = [connector, connector.account, connector.http, connector.http.scrub, connector.http.auth]
    shown += list(vars(connector.http.auth).values())
    for thing in shown:
        if not isinstance(thing, (str, bytes)):
            assert _found(secrets, f"{thing!r} {thing}") == [], f"repr of {type(thing).__name__}"


@check(ReceivesWebhooks)
def no_secret_is_in_what_is_said_of_a_refused_webhook(case: Case) -> None:
    made: Any = case.connector
    account = case.account(DOUBLE)
    secrets = {account.secrets[name] for name in made.webhook_secrets}
    deliver = needed(case.deliver, "deliver")
    delivery = deliver(account, topic=made.webhook_topics[0], sent_at=START)
    connector = on_a_double(case, _telling(secrets, 200))
    altered = [replace(delivery, body=b"{}")] if case.signs_body else []
    for wrong in [*altered, replace(delivery, headers={})]:
        with _logged() as lines:
            try:
                connector.verify_webhook(wrong)
            except WebhookRefused as error:
                assert _found(secrets, _all_told(error)) == []
                assert _found({value for value in delivery.headers.values() if len(value) > 30}, _all_told(error)) == []
            else:
                raise AssertionError("a forged delivery gets in")
        assert _found(secrets, "\n".join(lines)) == []

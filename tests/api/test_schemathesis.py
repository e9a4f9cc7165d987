"""Schemathesis against the description, with all of its checks, as each kind of key: no error of ours, nothing that is
not described, nobody let in without a right.

What it makes up knows nothing of the house, so half of what it says is about things that are there. What it writes is
undone after each call (or, where calls follow from each other, after each story).

FINALMARKET_API_CALLS is the dose of all cases together, those of the shopper's API among them. A long run is cut into
parts of their own, so that they share processors and that one which fails takes nothing from the others; each says its
seed, and FINALMARKET_API_SEED does it again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as some
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from finalmarket.access import keys, rates
from finalmarket.access.models import ApiKey
from finalmarket.kernel import clock
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.api.furnished import Furnished, absent

pytestmark = pytest.mark.committed_database
DOSE = 150
CALLS = int(os.environ.get("FINALMARKET_API_CALLS", 0)) * 7 // 10 or DOSE
PARTS = max(1, CALLS // 900)
STORIES, STEPS = max(4, CALLS // 7 // 6), 6
SEED = int(os.environ.get("FINALMARKET_API_SEED", 0 if CALLS == DOSE else time.time_ns() // 10**9))
ANSWERS_TO_WHAT_FITS = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422", "429"]
"""What is shaped as it should be may still be refused: numbers of nobody, rules that no schema tells."""
ANSWERS_TO_WHAT_DOES_NOT = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "429"]
AS_FOUND = [Phase.generate]  # what fails is told with a curl command that does it again; to make it smaller takes long
QUIETLY = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]


@pytest.fixture
def there(committed_database: object) -> Iterator[Furnished]:
    """A furnished house. A request must not end the connection of the transaction that undoes it, as it would."""
    rates.forget()
    furnished = Furnished(open_house())
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield furnished
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)
    rates.forget()


def description(there: Furnished) -> Any:
    """The description as it is served; words in addresses name what is there, or what is not."""
    application = get_wsgi_application()
    read = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    raw = read.raw_schema
    for methods in raw["paths"].values():
        for one in (one for operation in methods.values() for one in operation["parameters"]):
            if one["in"] == "path":
                values = [there.named[one["name"]], absent(one["name"])]
                one["schema"] = {"enum": [one if isinstance(one, int) else str(one) for one in values]}
    made = schemathesis.openapi.from_dict(raw)
    made.app = application
    made.config.checks.positive_data_acceptance.expected_statuses = ANSWERS_TO_WHAT_FITS
    made.config.checks.negative_data_rejection.expected_statuses = ANSWERS_TO_WHAT_DOES_NOT
    return made


def holders(there: Furnished) -> dict[str, str]:
    """Every kind of key, as it is shown."""
    bindable = sorted(keys.SCOPES.keys() - keys.OF_ALL_CHANNELS)
    expired, revoked = Program(), Program()
    ApiKey.objects.filter(pk=expired.row.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    keys.revoke(revoked.row.pk)
    reads = [scope for scope in keys.SCOPES if scope.endswith(":read")]
    rooms = sorted({scope.partition(":")[0] for scope in keys.SCOPES})
    of_room = {room: Program(*(one for one in keys.SCOPES if one.startswith(f"{room}:"))).key for room in rooms}
    return {
        "all": Program().key, "reads": Program(*reads).key, "bound": Program(*bindable, channels=[there.web.pk]).key,
        "foreign": Program(*bindable, channels=[there.till.pk]).key, "none": "", "wrong": "fm_nothing",
        "expired": expired.key, "revoked": revoked.key, **of_room,
    }  # fmt: skip


def is_lost(case: Any, answer: Any) -> bool:
    """Whether what does not fit was not said at all: an empty list among the words of an address leaves no trace."""
    said = parse_qsl(urlsplit(answer.request.url).query, keep_blank_values=True)
    return not set(case.query or ()) <= {name for name, _ in said}


def one_by_one(answer: Any) -> bool:
    """Whether it is a bulk call, and its answer names what was refused of it."""
    if answer.status_code != 200 or not answer.request.url.endswith("/bulk"):
        return False
    return any(one.get("state") == "refused" for one in answer.json()["items"])


NOT_LET_IN = {"none", "wrong", "expired", "revoked"}


def shown(key: str) -> dict[str, str]:
    return {"Host": "localhost", **({"Authorization": f"Bearer {key}"} if key else {})}


def about_what_is_there(there: Furnished, value: Any, draw: Any) -> Any:
    """Numbers that name something become, now and then, those of this house."""
    if isinstance(value, dict):
        return {name: _real(there, name, one, draw) for name, one in value.items()}
    if isinstance(value, list):
        return [about_what_is_there(there, one, draw) for one in value]
    return value


def _real(there: Furnished, name: str, value: Any, draw: Any) -> Any:
    known = {**there.asked, "source": there.north.pk, "destination": there.south.pk, "line": there.line}
    if name in known and isinstance(value, int | str) and not isinstance(value, bool) and draw(some.booleans()):
        return known[name]
    return about_what_is_there(there, value, draw)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_said_is_answered_as_described_whoever_says_it(
    there: Furnished, tried: Counter[str], record_property: Callable[[str, object], None], part: int
) -> None:
    record_property("seed", SEED)
    schema, known = description(there), holders(there)
    operations = [found.ok() for found in schema.get_all_operations()]
    weighed = [*["all"] * 10, *known]

    @seed(SEED + part)
    @settings(max_examples=CALLS // PARTS, database=None, suppress_health_check=QUIETLY, phases=AS_FOUND)
    @given(data=some.data())
    def say(data: some.DataObject) -> None:
        note(f"again with FINALMARKET_API_SEED={SEED}")
        mode = data.draw(some.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        operation = data.draw(some.sampled_from(operations))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        holder = data.draw(some.sampled_from(weighed))
        if mode == GenerationMode.POSITIVE:
            case.query = about_what_is_there(there, case.query, data.draw)
            case.body = about_what_is_there(there, case.body, data.draw)
        rates.forget()
        with transaction.atomic():
            headers = shown(known[holder])
            answer = case.call(headers=headers)
            passed_over = [negative_data_rejection] if one_by_one(answer) or is_lost(case, answer) else []
            case.validate_response(
                answer, headers=headers, excluded_checks=passed_over, transport_kwargs={"headers": headers}
            )
            transaction.set_rollback(True)
        tried["calls"] += 1
        tried[f"as {holder}"] += 1
        if holder in NOT_LET_IN:
            assert answer.status_code == 401, (holder, operation.label, answer.status_code)

    say()


def test_what_is_made_can_be_read_changed_and_ended_in_any_order(there: Furnished, tried: Counter[str]) -> None:
    schema, key = description(there), Program().key

    class Story(schema.as_state_machine()):  # type: ignore[misc]
        """Calls that follow from each other, undone at the end."""

        def setup(self) -> None:
            tried["stories"] += 1
            rates.forget()
            self.undone = transaction.atomic()
            self.undone.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

        def before_call(self, case: Any) -> None:
            case.headers.update(shown(key))
            tried["calls"] += 1

    Story.run(
        settings=settings(
            max_examples=STORIES, stateful_step_count=STEPS, database=None, derandomize=CALLS == DOSE,
            suppress_health_check=QUIETLY, phases=AS_FOUND,
        )
    )  # fmt: skip

import os
import signal
import subprocess
import sys

import pytest

from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError


def test_an_unarmed_place_is_passed() -> None:
    failpoints.hit("import.after_batch")


def test_an_armed_place_raises_at_the_visit_asked_for_and_only_then() -> None:
    with failpoints.armed("import.after_batch:raise@2"):
        failpoints.hit("import.after_batch")
        with pytest.raises(failpoints.FailpointHit, match=r"import\.after_batch"):
            failpoints.hit("import.after_batch")
        failpoints.hit("import.after_batch")


@pytest.mark.parametrize(("place", "done"), [("before", []), ("after", ["claimed"])])
def test_a_step_is_cut_before_it_begins_or_after_it_has_ended(place: str, done: list[str]) -> None:
    found: list[str] = []
    with (
        failpoints.armed(f"push.{place}_claim:raise"),
        pytest.raises(failpoints.FailpointHit),
        failpoints.around("push.claim"),
    ):
        found.append("claimed")
    assert found == done


def test_a_step_that_fails_is_not_cut_after_it() -> None:
    def fail() -> None:
        with failpoints.armed("push.after_claim:raise"), failpoints.around("push.claim"):
            raise RuntimeError("it fails")

    with pytest.raises(RuntimeError, match="it fails"):
        fail()


def test_an_armed_place_kills_the_process_without_a_last_word() -> None:
    program = (
        "import atexit; atexit.register(print, 'last word');"
        " from finalmarket.kernel import failpoints; failpoints.hit('push.after_send')"
    )
    environment = {**os.environ, "FINALMARKET_FAILPOINT": "push.after_send:kill"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("text", ["push", "push:explode", "push:kill@0", "Push:kill"])
def test_a_misspelt_failpoint_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="name:kill"), failpoints.armed(text):
        failpoints.hit("push")

"""The figures of the whole suite."""

from tests.proof.result import Reading
from tests.proof.suite import figures_of


def came(passed: int, failed: int = 0) -> Reading:
    return Reading(counts={"passed": passed, "failed": failed, "skipped": 3})


def test_a_test_that_fails_in_one_run_of_many_is_not_lost_in_the_median() -> None:
    figures = {one.name: one for one in figures_of([14.0, 13.0, 15.5], [came(9), came(8, failed=1), came(9)])}
    assert figures["suite_failed"].value == 1
    assert (figures["suite_minutes"].value, figures["suite_minutes"].max) == (14.0, 15.5)
    assert (figures["suite_tests"].value, figures["suite_tests"].min, figures["suite_tests"].runs) == (9, 8, 3)

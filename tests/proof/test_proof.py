"""The proof's own program: whatever a step does, the others are run, and all of it is said at the end."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.proof import keeping, where
from tests.proof.__main__ import chosen, prove
from tests.proof.page import page
from tests.proof.reading import Unreadable, read_figures, read_laws
from tests.proof.result import Reading
from tests.proof.running import judged
from tests.proof.step import REPORT, Floor, Step
from tests.proof.steps import STEPS

MOST_MINUTES = 55
FIGURE = {
    "name": "hot_sku", "value": 36123.4, "unit": "reservations/s", "baseline_name": "bare", "baseline": 4500.0,
    "ratio": 8.03, "runs": 5, "min": 35000.0, "max": 37000.5,
}  # fmt: skip
MEASURED = json.dumps({"bench": "toy", "machine": {"cpus": 2}, "seed": 7, "figures": [FIGURE]})
CASES = """<testsuites><testsuite>
<testcase classname="tests.laws.test_toy" name="test_nothing_is_lost[amazon]"><properties>
<property name="faults" value="1,203"/><property name="seed" value="7"/><property name="pace" value="quick | dirty"/>
</properties></testcase>
<testcase classname="tests.laws.test_toy" name="test_nothing_is_lost[ebay]"><properties>
<property name="faults" value="97"/><property name="killed" value="{'door by the clock': 3}"/></properties></testcase>
%s</testsuite></testsuites>"""
FAILED = (
    '<testcase classname="tests.laws.test_toy" name="test_it">'
    '<failure message="two are lost in /home/ann/house/.venv/bin/python -m x&#10;more"/></testcase>'
)
SKIPPED = '<testcase classname="tests.laws.test_toy" name="test_it"><skipped message="no data"/></testcase>'


def printing(text: str, code: int = 0) -> tuple[str, ...]:
    """A command that prints this and ends so."""
    return ("python", "-c", f"import sys; sys.stdout.write({text!r}); sys.exit({code})")


def writing(text: str, code: int = 0) -> tuple[str, ...]:
    """A command that writes this into its report and ends so."""
    program = f"import sys; open(sys.argv[1], 'w').write({text!r}); sys.exit({code})"
    return ("python", "-c", program, REPORT)


TOYS = (
    Step("fast", "It is fast.", "figures", printing(MEASURED), 1, floors=[Floor("hot_sku", 8, measure="ratio")]),
    Step("slow", "It is faster still.", "figures", printing(MEASURED), 1, floors=[Floor("hot_sku", at_least=40_000)]),
    Step("law", "Nothing is lost.", "laws", writing(CASES % SKIPPED), 1, floors=[Floor("faults", at_least=1_300)]),
    Step("lost", "Nothing is lost here.", "laws", writing(CASES % FAILED, 1), 1),
    Step("endless", "It ends.", "figures", ("python", "-c", "import time; time.sleep(60)"), 0.3 / 60),
    Step("mumbling", "It speaks clearly.", "figures", printing('{"figures": [', 0), 1),
    Step("named", "Only if it is named.", "figures", printing(MEASURED), 1, is_in_the_hour=False),
)  # fmt: skip


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which all toys of the hour were proved."""
    folder = tmp_path_factory.mktemp("docs")
    prove(chosen(TOYS, ()), folder, TOYS)
    return folder


def test_every_step_is_run_and_each_has_its_own_outcome(proved: Path) -> None:
    outcomes = {name: one.outcome for name, one in keeping.load(proved).items()}
    assert outcomes == {
        "fast": "held", "slow": "missed", "law": "held", "lost": "broken", "endless": "out of time",
        "mumbling": "unreadable",
    }  # fmt: skip


def test_the_page_says_what_did_not_hold_and_why(proved: Path) -> None:
    page = (proved / "proof.md").read_text("utf-8")
    assert "- **slow**, missed: hot_sku is 36,123.4, promised is at least 40,000" in page
    assert "- **lost**, broken: test_toy::test_it: two are lost in python -m x\n" in page
    assert "- **endless**, out of time" in page
    assert "- **mumbling**, unreadable" in page


def test_the_page_shows_figures_with_their_baselines_and_populations_with_their_sums(proved: Path) -> None:
    page = (proved / "proof.md").read_text("utf-8")
    row = "| `hot_sku` | 36,123.4 | reservations/s | 35,000 to 37,000.5 | 5 | 8.03 | 4,500 | bare |"
    assert row in page
    assert "| `hot_sku` | at least 8 of its baseline | 8.03 | kept | fast |" in page
    assert "| amazon | 1,203 | 7 | quick \\| dirty |  |" in page
    assert "Together: faults 1,300, killed: door by the clock 3." in page
    assert "Skipped: test_toy::test_it: no data" in page


def test_the_page_sums_the_hour_and_what_goes_beyond_it_and_says_how_long_a_step_may_take_now(proved: Path) -> None:
    known = {**keeping.load(proved), "named": replace(keeping.load(proved)["fast"], name="named", seconds=75.0)}
    longer = [replace(step, minutes=7) if step.name == "fast" else step for step in TOYS]
    told = page(known, longer)
    assert "those beyond it: 1:15 min. A step is stopped after twice what it is allowed." in told
    assert re.search(r"^\| \[fast\].*\| 7 min \|", told, re.MULTILINE)
    assert not re.search("beyond it", page({"fast": known["fast"]}, TOYS).partition("## Outcome")[2])


def test_each_machine_is_shown_with_its_steps_and_one_alone_without(proved: Path) -> None:
    known = keeping.load(proved)
    known["law"] = replace(known["law"], machine={**known["law"].machine, "python": "3.99"})
    machines = page(known, TOYS).partition("## Machine\n")[2].partition("\n## ")[0]
    assert "Steps: fast, slow, lost, endless, mumbling." in machines
    assert "python 3.99" in machines
    assert machines.rstrip().endswith("Steps: law.")
    assert "Steps: " not in page({"fast": known["fast"]}, TOYS)


def test_commands_of_their_own_lead_to_their_pages(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "defects.md").touch()
    (tmp_path / "Makefile").write_text("all:\n\nscale:\n\nproof-defects:\n\nmutants:\n")
    keeping.save(tmp_path / "docs", {}, TOYS)
    told = (tmp_path / "docs" / "proof.md").read_text("utf-8")
    assert "a test red ([defects.md](defects.md)).\n" in told
    assert "tests notice ([defects.md](defects.md#mutants)).\n" in told
    assert "- `make scale`" in told and "scale.md" not in told
    assert "make peers" not in told


def test_every_result_names_its_commit_its_moment_and_its_machine(proved: Path) -> None:
    for one in keeping.load(proved).values():
        assert re.fullmatch(r"[0-9a-f]{10}( with changes)?|no commit", one.commit)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", one.at)
        assert one.machine["cpus"]


def test_a_part_is_written_anew_and_the_rest_stays(proved: Path) -> None:
    before = keeping.load(proved)
    faster = json.dumps({**json.loads(MEASURED), "figures": [{**FIGURE, "value": 50_000.0}]})
    toys = [Step(one.name, one.proves, one.kind, printing(faster), 1, floors=one.floors) if one.name == "slow" else one
            for one in TOYS]  # fmt: skip
    prove(chosen(toys, ["slow"]), proved, toys)
    after = keeping.load(proved)
    assert after.pop("slow").outcome == "held"
    before.pop("slow")
    assert after == before


def test_a_step_that_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(Exception, match="there is no step stokc"):
        chosen(TOYS, ["stokc"])


def test_a_law_whose_tests_were_all_skipped_is_not_proved() -> None:
    reading = Reading(counts={"passed": 0, "failed": 0, "skipped": 2}, skipped=["no data"])
    assert judged(0, reading, "", [])[0] == "broken"


def test_a_command_that_ends_badly_though_its_report_is_good_has_not_held() -> None:
    assert judged(3, Reading(counts={"passed": 4, "failed": 0, "skipped": 0}), "", [])[0] == "broken"


@pytest.mark.parametrize(
    "told", ["", "{}", '{"figures": []}', '{"figures": [{"name": "a"}]}', "[]", '{"figures": 3}', '"figures"']
)
def test_what_no_bench_prints_is_unreadable(tmp_path: Path, told: str) -> None:
    report = tmp_path / "report"
    report.write_text(told)
    with pytest.raises(Unreadable):
        read_figures(report)


@pytest.mark.parametrize("told", ["", "<testsuites>", "no xml"])
def test_what_pytest_does_not_write_is_unreadable(tmp_path: Path, told: str) -> None:
    report = tmp_path / "report"
    report.write_text(told)
    with pytest.raises(Unreadable):
        read_laws(report)


def test_a_figure_that_was_not_measured_keeps_no_promise() -> None:
    assert not Floor("gone", at_most=5).is_kept_by(None)


def test_the_steps_of_the_hour_fit_into_it_and_their_names_differ() -> None:
    assert sum(step.minutes for step in STEPS if step.is_in_the_hour) <= MOST_MINUTES
    assert len({step.name for step in STEPS}) == len(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_a_step_runs_is_there(step: Step) -> None:
    paths = [word for word in step.command if word.startswith("tests/")]
    assert all((where.ROOT / path).exists() for path in paths)
    assert (Path(sys.executable).parent / step.command[0]).exists()

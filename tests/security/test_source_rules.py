"""Rules of our own about the source: what opens a door to an attack stands nowhere, or where it is listed with why.

They are read from the syntax tree: names and calls, not words, so that a comment breaks none of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "finalmarket"
SECRETS = re.compile(r"signature|digest|hmac|token|password|secret_given|nonce", re.IGNORECASE)
# Without the token of a form: doors whose callers are let in by a key, a signature or a secret in the address.
CSRF_EXEMPT = {
    "api/alexa/skill.py", "api/alexa/linking.py", "api/door.py", "api/track.py", "api/acp/door.py", "api/shop/door.py",
    "api/hooks.py", "api/inbound.py", "config/bench_urls.py",
}  # fmt: skip
PICKLE = {"sandbox/house.py", "sandbox/stand_in.py"}  # the sandbox's own state, in a private folder


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """All files of the package, by their names."""
    paths = sorted(
        path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts and "made" not in path.parts
    )
    return tuple((str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


@cache
def calls() -> tuple[tuple[str, ast.Call, str], ...]:
    """All calls, with the name of what is called."""
    return tuple(
        (name, node, _name(node.func))
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    )


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported() -> Iterator[tuple[str, str]]:
    """Files, and the modules that each imports."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((name, one.name) for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield name, node.module


def places(found: Iterator[tuple[str, ast.AST]]) -> list[str]:
    """Where they stand."""
    return [f"{name}:{getattr(node, 'lineno', 0)}" for name, node in found]


def test_no_code_is_made_of_text_and_nothing_is_unpacked_that_runs() -> None:
    wrong = {
        "eval",
        "exec",
        "compile",
        "os.system",
        "os.popen",
        "yaml.load",
        "marshal.loads",
        "shelve.open",
        "__import__",
    }
    assert places((name, node) for name, node, called in calls() if called in wrong) == []
    assert {name for name, module in imported() if module in ("pickle", "dill", "shelve", "marshal")} == PICKLE


def test_nothing_reads_xml() -> None:
    assert [name for name, module in imported() if module.split(".")[0] in ("xml", "lxml", "defusedxml")] == []


def test_no_program_is_started_by_way_of_a_shell() -> None:
    through = ((name, node) for name, node, _ in calls() for word in node.keywords if word.arg == "shell")
    assert places(through) == []


def test_certificates_are_always_verified() -> None:
    words = ("verify", "check_hostname")
    off = ((name, node) for name, node, _ in calls() for word in node.keywords
           if word.arg in words and isinstance(word.value, ast.Constant) and not word.value.value)  # fmt: skip
    assert places(off) == []
    assert not [name for name, _, called in calls() if called.endswith("_create_unverified_context")]


def test_secrets_are_compared_in_constant_time() -> None:
    """No `==` between two values of which one is named as a signature, a digest or a token; a constant is none."""
    found = []
    for name, tree in trees():
        if name.startswith(("sandbox/", "bench/", "demo/")):
            continue  # the outside world, and measuring
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
                sides = [node.left, *node.comparators]
                named = [side for side in sides if SECRETS.search(_name(side).rpartition(".")[2])]
                if named and not any(isinstance(side, ast.Constant) for side in sides):
                    found.append(f"{name}: {ast.unparse(node)} (line {node.lineno})")
    assert [one for one in found if not one.startswith(NO_PROOFS)] == []


NO_PROOFS = (
    "access/idempotency.py",
    "integrations/books/records.py",
    "integrations/talk/tickets.py",  # what was said before
    "connectors/auth.py",
    "connectors/platforms/tiktok/doors.py",  # whether another has renewed our token meanwhile
    "connectors/platforms/amazon/incoming.py",  # the token of a page
    # what eBay shows us of our own subscription
    "connectors/platforms/ebay/notifications.py: told.get('verificationToken') != token",
    "connectors/platforms/sap/__init__.py: error.code != NO_TOKEN",  # the code of an error
)
"""Comparisons of what bears such a name and lets nobody in."""


def test_texts_become_markup_by_escaping_alone() -> None:
    assert places((name, node) for name, node, called in calls() if called.endswith(("mark_safe", "SafeString"))) == []
    templates = [
        path for path in PACKAGE.rglob("*.html") if re.search(r"\|\s*safe\b|autoescape off", path.read_text("utf-8"))
    ]
    assert [str(path.relative_to(PACKAGE)) for path in templates] == []


def test_every_table_that_is_written_as_csv_guards_its_cells() -> None:
    """Where csv.writer is called, `safe` of bulk/landing.py is at hand."""
    writing = {name for name, _, called in calls() if called in ("csv.writer", "csv.DictWriter")}
    guarded = {name for name, module in imported() if module == "finalmarket.bulk.landing"}
    assert {name for name in writing if not name.startswith(("bench/", "demo/", "sandbox/"))} - guarded == set()


def test_scripts_write_texts_as_texts() -> None:
    sinks = re.compile(r"\.(innerHTML|outerHTML)\s*\+?=|insertAdjacentHTML|document\.write|\beval\(|new Function\(")
    ours = [path for room in ("console", "storefront") for path in (PACKAGE / room / "static").rglob("*.js")]
    found = {str(path.relative_to(PACKAGE)) for path in ours if sinks.search(path.read_text("utf-8"))}
    assert found == set()


def test_the_token_of_a_form_is_asked_for_at_every_door_but_those_listed() -> None:
    found = set()
    for name, tree in trees():
        for node in ast.walk(tree):
            if (isinstance(node, ast.Name) and node.id == "csrf_exempt") or (
                isinstance(node, ast.Attribute) and node.attr == "csrf_exempt"
            ):
                found.add(name)
    assert found == CSRF_EXEMPT


def test_no_moment_is_without_its_zone() -> None:
    naive = {"datetime.utcnow", "datetime.utcfromtimestamp", "datetime.datetime.utcnow", "datetime.today"}
    assert places((name, node) for name, node, called in calls() if called in naive) == []
    bare = ((name, node) for name, node, called in calls()
            if called in ("datetime.now", "datetime.datetime.now") and not node.args and not node.keywords)  # fmt: skip
    assert places(bare) == []


def test_weak_hashes_prove_nothing() -> None:
    weak = {"hashlib.md5", "hashlib.sha1"}
    proving = (
        (name, node) for name, node, called in calls()
        if called in weak and "usedforsecurity" not in {word.arg for word in node.keywords}
    )  # fmt: skip
    assert places(proving) == []


def test_no_figure_that_somebody_could_guess_is_a_secret() -> None:
    """`random` is for what a seed may replay; keys, codes and tokens come from `secrets`."""
    users = {name for name, module in imported() if module == "random"}
    made_up = {name for name in users if name.startswith(("sandbox/", "bench/", "demo/"))}
    pauses = {"stock/clerk.py", "client/calling.py", "console/live/listening.py"}
    assert users - made_up == {"kernel/randomness.py", *pauses}


QUERY = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY|ALTER|DROP|TRUNCATE|GRANT)\b", re.IGNORECASE)


def test_no_statement_is_put_together_where_programs_and_shoppers_are_answered() -> None:
    """Elsewhere the linter asks each such place for its reason (S608)."""
    found = []
    for name, tree in trees():
        if name.startswith(("api/", "storefront/")):
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                    found += [f"{name}:{node.lineno}"] if QUERY.match(str(node.values[0].value)) else []
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_line_of_a_lock_has_its_hashes(lock: str) -> None:
    text = (PACKAGE.parent / lock).read_text(encoding="utf-8")
    pinned = [part for part in re.split(r"\n(?=\S)", text.strip()) if not part.startswith("#")]
    assert len(pinned) > 30
    bad = [
        part.splitlines()[0]
        for part in pinned
        if not re.match(r"[A-Za-z0-9._\[\],-]+==\S+", part) or "--hash=sha256:" not in part
    ]
    assert bad == []
    assert "://" not in text

"""The pages about connectors say what the class statements say."""

from pathlib import Path

import pytest

from finalmarket.connectors.contract import CAPABILITIES
from finalmarket.connectors.matrix import WORDS, matrix, with_matrix
from finalmarket.connectors.registry import real_connectors

PAGES = Path(__file__).resolve().parents[2] / "docs" / "connectors"
SHOWN = sorted(real_connectors())


def test_the_matrix_of_the_docs_is_the_one_of_the_classes() -> None:
    page = (PAGES / "README.md").read_text(encoding="utf-8")
    assert matrix() in page, "docs/connectors/README.md is outdated: run `make matrix`"


def test_the_table_of_a_page_is_made_anew_and_all_around_it_stays() -> None:
    assert with_matrix("# A\n\n| old |\n| --- |\n\nB | C\n") == f"# A\n\n{matrix()}\n\nB | C\n"
    with pytest.raises(ValueError, match="no table"):
        with_matrix("# A\n\nB | C\n")


def test_every_capability_has_a_word_in_the_matrix() -> None:
    assert set(WORDS) == {capability.__name__ for capability in CAPABILITIES}


@pytest.mark.parametrize("slug", SHOWN)
def test_every_platform_has_its_page_with_its_secrets(slug: str) -> None:
    page = (PAGES / f"{slug}.md").read_text(encoding="utf-8")
    for secret in (*real_connectors()[slug].secrets, *real_connectors()[slug].optional_secrets):
        assert f"`{secret}`" in page, f"{slug}.md does not say where `{secret}` comes from"

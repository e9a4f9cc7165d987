"""Every connector keeps the contract, according to what its class statement declares.

pytest tests/connectors/test_conformance.py -k square
pytest tests/connectors/test_conformance.py -k "square and push_stock"
"""

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.cases")

from finalmarket.connectors.registry import connectors  # noqa: E402
from tests.connectors.cases import case_of  # noqa: E402
from tests.connectors.conformance import CHECKS, Check  # noqa: E402

PAIRS = [
    pytest.param(slug, check, id=f"{slug}-{check.name}")
    for slug, connector in connectors().items()
    for check in CHECKS
    if check.applies_to(connector)
]


@pytest.mark.parametrize(("slug", "check"), PAIRS)
def test_conformance(slug: str, check: Check) -> None:
    check.run(case_of(slug))

"""The conformance suite: what every connector keeps, according to what its class statement declares.

Each check is a function of a Case and says which capabilities it is about. It knows no platform; what a platform needs
to be tried is in its case. test_conformance.py runs every check that applies on every connector there is.
"""

from tests.connectors.conformance import (
    books,
    carriers,
    checkout,
    erasing,
    pages,
    refusals,
    secrets,
    spoilt,
    statement,
    statuses,
    talk,
    verbs,
    webhooks,
)
from tests.connectors.conformance.stage import CHECKS, Check

__all__ = [
    "CHECKS",
    "Check",
    "books",
    "carriers",
    "checkout",
    "erasing",
    "pages",
    "refusals",
    "secrets",
    "spoilt",
    "statement",
    "statuses",
    "talk",
    "verbs",
    "webhooks",
]

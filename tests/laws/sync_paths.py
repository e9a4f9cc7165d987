"""All the ways on which the border post works, by what they are about."""

from collections.abc import Mapping

from tests.laws.sync_path import Path
from tests.laws.ways_around import AROUND_THE_ACCOUNT
from tests.laws.ways_in import WHAT_COMES_IN
from tests.laws.ways_out import WHAT_GOES_OUT

WAYS: Mapping[str, tuple[Path, ...]] = {**WHAT_COMES_IN, **WHAT_GOES_OUT, **AROUND_THE_ACCOUNT}
PATHS = tuple(path for paths in WAYS.values() for path in paths)

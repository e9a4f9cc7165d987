"""All the ways on which the border post works."""

from tests.laws.ways_around import AROUND_THE_ACCOUNT
from tests.laws.ways_in import WHAT_COMES_IN
from tests.laws.ways_out import WHAT_GOES_OUT

PATHS = (*WHAT_COMES_IN, *WHAT_GOES_OUT, *AROUND_THE_ACCOUNT)

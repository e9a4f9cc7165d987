"""The questions of `questions.sql` by their names."""

from pathlib import Path

from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("questions.sql"))

"""Who computes the answers: DuckDB within this process, or a Spark cluster. The questions do not know.

FINALMARKET_ENGINE names it: "duckdb" (unless set otherwise), the address of a cluster ("spark://host:7077"), or
"local[2]" for Spark within this process. Workers of a cluster read the lake by the same path as we do.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from finalmarket.analytics.lake.asked import LakeAsked
from finalmarket.analytics.lake.layout import Lake
from finalmarket.analytics.lake.tables import TABLES
from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_ENGINE"
SPARK_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",  # a day is a day in UTC, wherever the driver runs
    "spark.sql.ansi.enabled": "true",  # what does not fit fails, and is not null
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


class Backend(Protocol):
    """What we ask of an Ibis backend."""

    def to_pyarrow(self, expression: Any) -> Any:
        """The rows of an expression."""

    def compile(self, expression: Any) -> Any:
        """The expression in the engine's own SQL."""

    def sql(self, query: str, *, schema: Any) -> Any:
        """The expression of a query in the engine's own SQL."""


class Engine:
    """One engine with the tables of one lake, open until `close`."""

    def __init__(self, name: str, backend: Backend, tables: Mapping[str, Any]) -> None:
        self.name, self._backend, self._tables = name, backend, tables
        self._translated: dict[tuple[str, LakeAsked], Any] = {}

    def ask(self, question: str, asked: LakeAsked) -> pa.Table:
        """Answer a question by its name. Raises UserError for a name that is none."""
        from finalmarket.analytics.lake.history import History
        from finalmarket.analytics.lake.questions import QUESTIONS

        if question not in QUESTIONS:
            raise UserError(f'there is no question "{question}"; ask one of: {", ".join(QUESTIONS)}')
        found, history = QUESTIONS[question], History(self._tables, asked)
        if (question, asked) not in self._translated:  # which takes a tenth of a second, and is done once
            expression = found.ask(history)
            query = str(self._backend.compile(expression))
            self._translated[question, asked] = self._backend.sql(query, schema=expression.schema())
        rows = self._backend.to_pyarrow(self._translated[question, asked]).to_pylist()
        return pa.Table.from_pylist(found.finish(rows, history), schema=found.schema)

    def channel_number(self, name: str) -> int:
        """The number of a channel by its name or short name. Raises UserError for one that is not in the lake."""
        channels = self._tables["channels"].select("id", "name", "slug")
        rows = self._backend.to_pyarrow(channels).to_pylist()
        found = [row["id"] for row in rows if name.casefold() in (row["name"].casefold(), row["slug"])]
        if not found:
            known = ", ".join(sorted(row["slug"] for row in rows))
            raise UserError(f'the lake knows no channel "{name}"; it knows: {known}')
        return int(found[0])

    def usual_currency(self, channel: int | None) -> str:
        """The currency of the channel, or that of most orders; "" where there are none."""
        import ibis

        if channel is not None:
            channels = self._tables["channels"]
            found = channels.filter(channels.id == channel).select("currency")
        else:
            counted = self._tables["orders"].group_by("currency").agg(orders=ibis._.count())
            found = counted.order_by(ibis.desc("orders"), "currency").select("currency").limit(1)
        rows = self._backend.to_pyarrow(found).to_pylist()
        return str(rows[0]["currency"]) if rows else ""


@contextmanager
def engine(folder: Path, name: str | None = None) -> Iterator[Engine]:
    """Open the lake in `folder` with the engine `name`, or the one of FINALMARKET_ENGINE.

    Raises UserError where there is no lake, the name says nothing, or what is needed is not installed.
    """
    chosen = name or os.environ.get(VARIABLE) or "duckdb"
    lake = Lake(Path(folder).resolve())
    with lake.reading():
        if chosen == "duckdb":
            with _duckdb(lake) as opened:
                yield opened
        elif chosen.startswith(("spark://", "local")):
            with _spark(lake, chosen) as opened:
                yield opened
        else:
            raise UserError(f'{VARIABLE} is "{chosen}"; write duckdb, or the address of a cluster: spark://host:7077')


@contextmanager
def _duckdb(lake: Lake) -> Iterator[Engine]:
    try:
        import ibis

        backend = ibis.duckdb.connect()
    except ImportError as error:
        raise UserError('questions to the lake need Ibis and DuckDB: pip install "finalmarket[lake]"') from error
    backend.raw_sql("SET autoinstall_known_extensions = false")  # nothing is fetched while somebody waits
    try:
        tables = {}
        for name, table in TABLES.items():
            files = lake.files(name)
            if files:
                tables[name] = backend.read_parquet(files, table_name=name, hive_partitioning=False)
            else:
                backend.con.register(name, table.schema.empty_table())
                tables[name] = backend.table(name)
        yield Engine("duckdb", backend, tables)
    finally:
        backend.disconnect()


@contextmanager
def _spark(lake: Lake, master: str) -> Iterator[Engine]:
    try:
        import ibis
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UserError('a Spark cluster is spoken to by PySpark: pip install "finalmarket[spark]"') from error
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"pyspark\.")  # about pandas, of which we use none
    builder = SparkSession.builder.master(master).appName("finalmarket")
    for setting, value in SPARK_SETTINGS.items():
        builder = builder.config(setting, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        backend = ibis.pyspark.connect(session)
        tables = {}
        for name, table in TABLES.items():
            files = lake.files(name)
            if files:
                frame = session.read.parquet(*[f"file://{file}" for file in files])
            else:
                frame = session.createDataFrame([], _spark_schema(table.schema))
            frame.createOrReplaceTempView(f"lake_{name}")
            tables[name] = backend.table(f"lake_{name}")
        yield Engine(master, backend, tables)
    finally:
        session.stop()


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)

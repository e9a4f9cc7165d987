"""Installs the guards and functions of `stock/sql/`, in the order of their names; for migrations."""

from pathlib import Path
from typing import Any


def install(apps: Any, schema_editor: Any) -> None:
    """Create or replace them all; a migration that changes a signature drops the old function first."""
    for file in sorted((Path(__file__).parent / "sql").glob("*.sql")):
        # Straight through the driver: the text holds percent signs that are not placeholders.
        with schema_editor.connection.connection.cursor() as cursor:
            cursor.execute(file.read_text())

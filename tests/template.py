"""python -m tests.template: make the template of the tests' databases ahead of them, while the other core lints."""

import importlib

import django

import tests.environment  # noqa: F401  where the tests' database is


def main() -> None:
    """Make it, unless it is there already."""
    django.setup()
    database = importlib.import_module("finalmarket.kernel.database")
    databases = importlib.import_module("tests.databases")
    database.database_ready()
    with databases.open_server() as server:
        databases.ensure_template(server)


if __name__ == "__main__":
    main()

"""Loaded by pytest before anything of the project: where the tests' database and data are.

The tests have a data folder of their own (`.data-test`), whose embedded server several runs may share; each run has its
own databases in it. FINALMARKET_TEST_DATABASE_URL names another server instead: its user must be allowed to create
databases and roles, and only databases whose names begin with `fm_` are made and removed there.
"""

import gc
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _arrange() -> None:
    given = os.environ.get("FINALMARKET_TEST_DATABASE_URL")
    if given:
        os.environ["DATABASE_URL"] = given
    os.environ.setdefault("FINALMARKET_DATA", str(ROOT / ".data-test"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "finalmarket.config.settings"
    for variable in ("FINALMARKET_POOL", "FINALMARKET_FAILPOINT", "DATABASE_MIGRATE_URL"):
        os.environ.pop(variable, None)
    for variable, folder in (("FINALMARKET_TEST_DATA", "data"), ("FINALMARKET_VENDOR_APIS", "vendor-apis")):
        beside = ROOT.parent / "shared" / folder
        if variable not in os.environ and beside.is_dir():
            os.environ[variable] = str(beside)


_arrange()
# Descriptions of platforms are large and stay: looking through all of it for circles was a twentieth of the suite.
gc.set_threshold(20_000, 20, 100)

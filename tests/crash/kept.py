"""A house that is migrated, furnished and closed, kept to be copied: making one takes many seconds, a copy does not.

`python -m tests.crash.kept` makes it in FINALMARKET_DATA. It is kept in the tests' data folder, one for each state of
the migrations, and safe on the disk like a house of a merchant's: fsync is on.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FACTS, DUMP = "facts.json", "template.sql"
UNITS = 1_000_000
MAKING_SECONDS = 900


@dataclass(frozen=True)
class Facts:
    """What callers of the house have to know."""

    channel: int
    variant: int
    sku: str
    key: str
    write_key: str
    hook: str
    hook_secret: str


def kept_house() -> Path:
    """The data folder to copy, made if nobody has; several runs may ask at once."""
    shelf = Path(os.environ["FINALMARKET_DATA"]) / "kept-houses"
    shelf.mkdir(parents=True, exist_ok=True)
    house = shelf / _state()
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not house.exists():
            for old in shelf.glob("house-*"):
                shutil.rmtree(old)
            _make(house)
    return house


def copy_house(to: Path) -> Facts:
    """Copy it to a folder that is not there yet; return what callers have to know."""
    subprocess.run(["cp", "-a", kept_house(), to], check=True)
    return facts_of(to)


def facts_of(house: Path) -> Facts:
    """What callers of this house have to know."""
    return Facts(**json.loads((house / FACTS).read_text()))


def environment_of(house: Path, **more: str) -> dict[str, str]:
    """The environment of a process of this house."""
    mine = ("DATABASE_URL", "DATABASE_MIGRATE_URL", "FINALMARKET_POOL", "FINALMARKET_FAILPOINT")
    kept = {name: value for name, value in os.environ.items() if name not in mine}
    return {**kept, "FINALMARKET_DATA": str(house), "PYTHONDONTWRITEBYTECODE": "1", **more}


def _state() -> str:
    from tests.databases import template_name

    return f"house-{sha256((template_name() + Path(__file__).read_text()).encode()).hexdigest()[:12]}"


def _make(house: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # for the account of the server, when we are root
        _dump_template(folder / "data" / DUMP)
        made = subprocess.run(
            [sys.executable, "-m", "tests.crash.kept"], cwd=ROOT, env=environment_of(folder / "data"),
            capture_output=True, text=True, timeout=MAKING_SECONDS, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr[-3000:]
        subprocess.run(["cp", "-a", folder / "data", house.with_suffix(".new")], check=True)
    house.with_suffix(".new").rename(house)


def _dump_template(to: Path) -> None:
    """Write down the migrated template of the tests: restoring that takes a tenth of the time of migrating."""
    from finalmarket.kernel.cluster import pg_bindir
    from finalmarket.kernel.database import owner_database
    from tests import databases

    to.parent.mkdir()
    to.parent.chmod(0o711)
    name, owner = f"fm_draft_{secrets.token_hex(6)}", owner_database()
    told = {"PGHOST": owner["HOST"], "PGPORT": owner["PORT"], "PGUSER": owner["USER"], "PGPASSWORD": owner["PASSWORD"]}
    with databases.open_server() as server:
        databases.make_clone(server, databases.template_name(), name)
        try:
            subprocess.run(
                [pg_bindir() / "pg_dump", "--no-owner", "--file", to, name], check=True,
                env={**os.environ, **{word: value for word, value in told.items() if value}},
            )  # fmt: skip
        finally:
            databases.drop(server, name)


def main() -> None:
    """Make it."""
    import django

    django.setup()
    from finalmarket.kernel.cluster import pg_bindir
    from finalmarket.kernel.database import database_ready
    from finalmarket.kernel.embedded import DATABASE_NAME, OWNER_ROLE, installed_server

    database_ready()
    server = installed_server()
    with server.connect() as owner:  # nobody has entrusted anything to it yet
        owner.execute("ALTER SYSTEM SET fsync = off")
        owner.execute("SELECT pg_reload_conf()")
    dump = Path(os.environ["FINALMARKET_DATA"]) / DUMP
    restored = ["-h", str(server.socket), "-U", OWNER_ROLE, "-v", "ON_ERROR_STOP=1", "-q", "-f", str(dump)]
    subprocess.run([pg_bindir() / "psql", "-X", *restored, DATABASE_NAME], check=True, stdout=subprocess.DEVNULL)
    dump.unlink()
    facts = furnish()
    with server.connect() as owner:
        owner.execute("ALTER SYSTEM RESET fsync")
        owner.execute("SELECT pg_reload_conf()")
        owner.execute("CHECKPOINT")
    (Path(os.environ["FINALMARKET_DATA"]) / FACTS).write_text(json.dumps(asdict(facts)))


def furnish() -> Facts:
    """Put one of everything that callers need into an empty house."""
    from finalmarket.access import keys
    from finalmarket.catalog.models import VariantPrice
    from finalmarket.channels.models import SalesChannel
    from finalmarket.integrations.accounts import keep_secrets
    from finalmarket.integrations.models import ChannelIntegration
    from finalmarket.journeys.storage import make_months
    from finalmarket.journeys.write_keys import open_key
    from finalmarket.kernel import clock
    from tests.stock.shelves import new_place, new_variant, put

    channel = SalesChannel.objects.create(name="Web shop", channel_type="web", country="DE")
    tea = new_variant("TEA")
    put(tea, new_place("warehouse"), UNITS)
    VariantPrice.objects.create(variant=tea, currency="EUR", amount=Decimal("5.00"))
    channel.add_product(tea.product)
    make_months([clock.now()])
    account = ChannelIntegration.objects.create(
        platform_name="fake", integration_type="marketplace", sales_channel=channel, status="active",
        base_url="http://127.0.0.1:9/fake/main", webhook_token="t" * 43,
    )  # fmt: skip
    secret = secrets.token_hex(20)
    keep_secrets(account, {"token": "none", "webhook_secret": secret})
    _, key = keys.create("web shop", list(keys.SCOPES), calls_per_minute=keys.MOST_CALLS_PER_MINUTE)
    return Facts(channel.pk, tea.pk, tea.sku, key, open_key(channel).key, account.webhook_token, secret)


if __name__ == "__main__":
    main()

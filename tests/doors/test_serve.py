"""One command opens the house; whatever happens to it, the next one opens it again."""

import os
import pwd
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.doors.house import WAIT_SECONDS, House, interpreter_for


@pytest.fixture(scope="module")
def opened_before() -> Iterator[Path]:
    """The data folder of a house that was opened for the first time, and closed: that makes tables for many seconds."""
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        first = House(folder / "data").open()
        assert first.log_in() == f"{first.address}admin/"
        assert first.close() == 0
        yield folder / "data"


def words_of(house: House) -> list[str]:
    """By what words the processes of the house were started."""
    words = []
    for process in house.processes:
        with suppress(psutil.NoSuchProcess):
            words += process.cmdline()
    return words


@pytest.fixture
def house(open_folder: Path, opened_before: Path) -> Iterator[House]:
    """A house with a copy of those data."""
    subprocess.run(["cp", "-a", opened_before, open_folder / "data"], check=True)
    house = House(open_folder / "data")
    yield house
    house.end()


def test_one_command_opens_the_house_on_this_machine_alone_and_ctrl_c_closes_all_of_it(house: House) -> None:
    house.open()
    assert "Log in" in house.page("admin/login/")
    assert house.log_in() == f"{house.address}admin/"
    house.wait_for(house.live_port)
    assert "worker" in words_of(house)
    listening = set[tuple[str, int]]()
    for process in house.processes:
        with suppress(psutil.NoSuchProcess):  # a database connection's may end by itself meanwhile
            found = process.net_connections("tcp")
            listening |= {(*one.laddr,) for one in found if one.status == psutil.CONN_LISTEN}
    assert {port for _, port in listening} >= {house.port, house.live_port}
    assert {ip for ip, _ in listening} == {"127.0.0.1"}
    kept = house.data / "admin-password"
    assert kept.read_text().strip() == house.password
    for_its_owner_alone = {stat.S_IMODE(path.stat().st_mode) for path in house.data.iterdir() if path.is_file()}
    assert for_its_owner_alone == {0o600}
    assert house.close() == 0


def test_killed_in_the_middle_or_cut_off_from_power_it_leaves_nothing_behind_and_opens_again(house: House) -> None:
    house.open()
    password = house.password
    house.close(signal.SIGKILL)
    house.open()
    assert house.password == password
    assert house.log_in() == f"{house.address}admin/"
    cut_the_power(house)
    house.open()
    assert house.log_in() == f"{house.address}admin/"
    assert house.close(signal.SIGTERM) == 0


def cut_the_power(house: House) -> None:
    """End every process of it at once."""
    for process in house.processes:
        with suppress(psutil.NoSuchProcess):  # a database connection's may end by itself meanwhile
            process.suspend()
    for process in house.processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert house.process is not None
    house.process.communicate(timeout=WAIT_SECONDS)
    assert psutil.wait_procs(house.processes, timeout=WAIT_SECONDS)[1] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as someone else")
def test_it_runs_as_an_ordinary_user_too(open_folder: Path, opened_before: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    if interpreter_for(nobody) is None:
        pytest.skip("no Python here that the account nobody can run")
    folder = open_folder / "nobodys"
    folder.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", opened_before, folder / "data"], check=True)
    subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", folder], check=True)
    house = House(folder / "data", account=nobody)
    try:
        house.open()
        assert {process.uids().real for process in house.processes} == {nobody.pw_uid}
        assert house.close() == 0
    finally:
        house.end()


def test_a_taken_port_is_named_with_the_process_that_holds_it(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            **house.command("serve", "--port", str(port)), capture_output=True, timeout=WAIT_SECONDS, check=False
        )
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"finalmarket: error: port {port} is taken by")
    assert f"process {os.getpid()}" in refused.stderr

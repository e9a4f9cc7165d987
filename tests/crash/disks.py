"""Disks that a test can fill up: file systems of their own, in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 1 << 16


@contextmanager
def disk(size_bytes: int) -> Iterator[Path]:
    """A folder on a disk of that size. The test is skipped, loudly, where this process may not mount one."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("no disk of its own: only root on Linux can mount one; run this test as root")
    with tempfile.TemporaryDirectory(prefix="fm-disk-", ignore_cleanup_errors=True) as name:
        options = f"size={size_bytes},mode=0711"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", name], capture_output=True, text=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip(f"no disk of its own: this machine lets nobody mount one ({mounted.stderr.strip()})")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=False)


@contextmanager
def filled(folder: Path, leave_bytes: int = 0) -> Iterator[None]:
    """Within it the disk has no more room than that: another program has filled it up."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while _free(folder) > leave_bytes:
            try:
                file.write(b"\0" * min(BLOCK, _free(folder) - leave_bytes))
            except OSError:
                break
    try:
        yield
    finally:
        filler.unlink()


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize

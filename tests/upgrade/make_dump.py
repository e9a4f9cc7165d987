"""Writes the dump of this version's database that later versions must be able to take over.

    python -m tests.upgrade.make_dump DATABASE_URL

The database holds a small demo (`finalmarket demo --scale 0.05`). Lines that only newest servers understand are left
out, so that any server from PostgreSQL 15 on can load it.
"""

import gzip
import subprocess
import sys
from pathlib import Path

from finalmarket import __version__
from finalmarket.kernel.embedded import pg_bindir

DUMPS = Path(__file__).parent
NEWEST_ONLY = (b"SET transaction_timeout", b"\\restrict", b"\\unrestrict")


def main(url: str) -> None:
    """Dump the database at `url` beside this file, named after this version."""
    program = [str(pg_bindir() / "pg_dump"), "--no-owner", "--no-privileges", url]
    dump = subprocess.run(program, check=True, capture_output=True).stdout
    lines = [line for line in dump.splitlines(keepends=True) if not line.startswith(NEWEST_ONLY)]
    target = DUMPS / f"{__version__}.sql.gz"
    target.write_bytes(gzip.compress(b"".join(lines), mtime=0))
    print(f"{target.name}: {target.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])

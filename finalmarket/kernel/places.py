"""Where things lie on this machine: the data folder, the database cluster inside it, its socket, its secrets.

Everything here is computed from the environment alone and starts nothing, so that settings may import it.
"""

import hashlib
import os
import pwd
import secrets
import stat
import tempfile
from pathlib import Path

import platformdirs

from finalmarket.kernel.errors import UserError

# A unix socket's path holds 107 bytes on Linux and 103 on macOS; ".s.PGSQL.5432" is what we put there.
SOCKET_FOLDER_BYTES = 103 - len("/.s.PGSQL.5432")
SYSTEM_FOLDER = Path("/var/lib/finalmarket")


def data_folder() -> Path:
    """The folder that holds this installation's data: FINALMARKET_DATA, `.data` in a checkout, else the user's own."""
    named = os.environ.get("FINALMARKET_DATA")
    if named:
        return Path(named).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".data"
    return Path(platformdirs.user_data_dir("finalmarket", appauthor=False))


def make_data_folder() -> Path:
    """Create the data folder if it is missing; others may pass through it (the database's account) but not list it.

    Raises UserError where it cannot be created.
    """
    folder = data_folder()
    try:
        for missing in [step for step in [*reversed(folder.parents), folder] if not step.exists()]:
            missing.mkdir(exist_ok=True)
            missing.chmod(0o711)
        if os.geteuid() == 0 and folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    except OSError as error:
        raise UserError(
            f"cannot create the data folder {folder}: {error.strerror}; set FINALMARKET_DATA to a folder you may write"
        ) from error
    return folder


def server_account() -> pwd.struct_passwd | None:
    """The account the embedded database runs as when we are root; None when we are an ordinary user already.

    The owner of the data folder, if that is not root; else `nobody`. PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    folder = data_folder()
    if folder.exists() and folder.stat().st_uid != 0:
        return pwd.getpwuid(folder.stat().st_uid)
    return pwd.getpwnam("nobody")


def reachable_by(path: Path, account: pwd.struct_passwd | None) -> bool:
    """Whether the account may pass through every folder from the root down to `path` (missing ones count as ours)."""
    if account is None:
        return True
    groups = set(os.getgrouplist(account.pw_name, account.pw_gid))
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            return True
        status = folder.stat()
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode & stat.S_IXUSR
        elif status.st_gid in groups:
            allowed = status.st_mode & stat.S_IXGRP
        else:
            allowed = status.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def database_folder() -> Path:
    """The folder of the embedded database: in the data folder, or under /var/lib where the server's account could not
    reach that (root with a checkout in its private home: the rights of parent folders are not ours to change)."""
    folder = data_folder()
    if reachable_by(folder.parent, server_account()):
        return folder / "database"
    return SYSTEM_FOLDER / _mark(folder)


def socket_folder(database: Path | None = None) -> Path:
    """The folder of the embedded database's socket: beside its files, or a short one in the temporary folder when the
    path is too long for a socket."""
    folder = (database or database_folder()) / "socket"
    if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES:
        return folder
    return Path(tempfile.gettempdir()) / f"finalmarket-{_mark(folder)}"


def _mark(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def private_text(name: str) -> str | None:
    """The text of a private file of the data folder, or None when there is none yet.

    Raises UserError when it exists and may not be read.
    """
    path = data_folder() / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise UserError(
            f"{path} belongs to another account; run as its owner or set FINALMARKET_DATA to a folder of your own"
        ) from error


def keep_private_text(name: str, text: str) -> str:
    """Write a private file (mode 0600) of the data folder unless it exists; return what stands there afterwards.

    Two processes may call it at once: the first to finish wins and both return its text.
    """
    draft, path = _private_draft(name, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return private_text(name) or text
    finally:
        draft.unlink()
    return text


def replace_private_text(name: str, text: str) -> None:
    """Write a private file (mode 0600) of the data folder over the one there; a power cut leaves one of the two."""
    draft, path = _private_draft(name, text)
    draft.replace(path)


def _private_draft(name: str, text: str) -> tuple[Path, Path]:
    path = make_data_folder() / name
    draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except PermissionError as error:
        raise UserError(
            f"cannot write {path}: the folder belongs to another account; run as its owner or set FINALMARKET_DATA"
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        if os.geteuid() == 0:  # whoever owns the data folder can go on without root
            os.fchown(handle, path.parent.stat().st_uid, path.parent.stat().st_gid)
        file.write(text + "\n")
        file.flush()
        os.fsync(handle)
    return draft, path


def kept_secret(name: str) -> str:
    """A random secret (50 bytes, URL-safe text) that is made once and kept in the data folder."""
    return private_text(name) or keep_private_text(name, secrets.token_urlsafe(50))

"""Secrets at rest: encrypted with keys that can be replaced while old texts stay readable (Fernet, MultiFernet).

The keys come from FINALMARKET_SECRET_KEYS (parted by commas, the newest first) or from the file `encryption-keys` of
the data folder (mode 0600, one a line, the newest first), which is made at the first use.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from finalmarket.kernel import places
from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_SECRET_KEYS"
FILE = "encryption-keys"


def encrypt(text: str) -> str:
    """The text, readable only with one of our keys."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text behind the token. Raises UserError when none of our keys opens it."""
    return decrypt_all({"": token})[""]


def decrypt_all(tokens: Mapping[str, str]) -> dict[str, str]:
    """The texts behind these tokens, by the same names. Raises UserError when none of our keys opens one of them."""
    keys = _keys() if tokens else None
    try:
        return {name: keys.decrypt(token.encode()).decode() for name, token in tokens.items()} if keys else {}
    except InvalidToken as error:
        raise _no_key() from error


def rotate(token: str) -> str:
    """The same secret under the newest key. Raises UserError when none of our keys opens it."""
    try:
        return _keys().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise _no_key() from error


def is_newest(token: str) -> bool:
    """Whether the newest of our keys opens the token: the others are not needed for it."""
    newest = _all_keys()[0]
    try:
        newest.decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def count_keys() -> int:
    """How many keys there are, the newest among them."""
    return len(_all_keys())


def comes_from_environment() -> bool:
    """Whether the keys are those of FINALMARKET_SECRET_KEYS, which only its keeper can change."""
    return bool(os.environ.get(VARIABLE))


def newest_since() -> datetime | None:
    """When the newest key was put into the key file (UTC); None where the keys come from the environment."""
    if comes_from_environment():
        return None
    _all_keys()
    return datetime.fromtimestamp((places.data_folder() / FILE).stat().st_mtime, UTC)


def drop_old_keys() -> int:
    """Leave the newest key alone in the key file; return how many went. What is encrypted with them is lost: see
    integrations/rekey.py, which looks first. Raises UserError when the keys come from the environment."""
    if comes_from_environment():
        raise UserError(f"the keys come from {VARIABLE}: leave the newest alone there")
    _all_keys()
    newest, *old = (places.private_text(FILE) or "").split()
    if old:
        places.replace_private_text(FILE, newest)
    return len(old)


def add_key() -> None:
    """Put a new key before the others in the key file: what is encrypted from now on uses it.

    Raises UserError when the keys come from the environment, which only its keeper can change.
    """
    if comes_from_environment():
        raise UserError(f"the keys come from {VARIABLE}: put a new key before the others there")
    keys = places.private_text(FILE) or ""
    places.replace_private_text(FILE, f"{Fernet.generate_key().decode()}\n{keys}".strip())


def _keys() -> MultiFernet:
    return MultiFernet(_all_keys())


def _all_keys() -> list[Fernet]:
    """The keys as they are now, the newest first: a key that another process has just added is known here at once."""
    given = os.environ.get(VARIABLE)
    if given:
        keys, where = given.split(","), VARIABLE
    else:
        text = places.private_text(FILE) or places.keep_private_text(FILE, Fernet.generate_key().decode())
        keys, where = text.split(), str(places.data_folder() / FILE)
    try:
        found = [Fernet(key.strip()) for key in keys if key.strip()]
    except ValueError as error:
        raise UserError(f"{where} does not hold Fernet keys (32 bytes, URL-safe base64, each)") from error
    if not found:
        raise UserError(f"{where} does not hold Fernet keys (32 bytes, URL-safe base64, each)")
    return found


def _no_key() -> UserError:
    return UserError(
        f"a stored secret cannot be read with the keys at hand; bring back the key it was written with ({VARIABLE} or "
        f"the file {FILE} of the data folder), or enter the secret anew"
    )

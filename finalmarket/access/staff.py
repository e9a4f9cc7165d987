"""People of the console: invited, given a role, put off, let in anew. Passwords are known to nobody but their owners: a
link that works once, for three days, lets somebody choose one."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from finalmarket.access import roles
from finalmarket.kernel.errors import UserError


@transaction.atomic
def invite(name: str, email: str, role_key: str, location_ids: Iterable[int] = ()) -> User:
    """Make a log-in without a password, with a role. Raises UserError when the name is taken or no name, when the
    address is none, and for what `roles.assign` refuses."""
    user = User(username=name.strip(), email=email.strip(), is_staff=True)
    try:
        User.username_validator(user.username)
        if user.email:
            validate_email(user.email)
    except ValidationError as error:
        raise UserError(" ".join(error.messages)) from error
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise UserError(f'there is already a log-in named "{user.username}"') from error
    roles.assign(user, role_key, location_ids)
    return user


def password_link(user: User) -> tuple[str, str]:
    """Return the two words of a link that lets this person choose a password: who, and a token that works once."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


@transaction.atomic
def let_go(user: User) -> None:
    """Let somebody in no more; whatever they have open ends with their next step. Raises UserError for the only
    owner."""
    roles.keep_an_owner(user)
    user.is_active = False
    user.save(update_fields=["is_active"])


def let_back(user: User) -> None:
    """Let somebody in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])


@transaction.atomic
def reset_password(user: User) -> tuple[str, str]:
    """End somebody's password and all that they have open, and return a link as `password_link` does."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return password_link(user)

"""finalmarket createuser: log-ins for the console."""

import secrets

import click
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from finalmarket.kernel.database import database_ready
from finalmarket.kernel.errors import UserError


def create_user(name: str, *, password: str | None = None, email: str = "", superuser: bool = True) -> str:
    """Make a log-in that may enter the console; returns its password, a new one where none was given.

    Raises UserError when the name is taken or the password too weak.
    """
    if User.objects.filter(username=name).exists():
        raise UserError(f'there is already a log-in named "{name}"')
    user = User(username=name, email=email, is_staff=True, is_superuser=superuser)
    chosen = password or secrets.token_urlsafe(12)
    try:
        User.username_validator(name)
        if email:
            validate_email(email)
        validate_password(chosen, user)
    except ValidationError as error:
        raise UserError(" ".join(error.messages)) from error
    user.set_password(chosen)
    user.save()
    return chosen


@click.command()
@click.argument("name")
@click.option("--email", default="", help="The person's e-mail address.")
@click.option("--ask", is_flag=True, help="Ask for a password instead of making one.")
@click.option("--staff", is_flag=True, help="A log-in without rights of its own: give it some in the console.")
def command(name: str, email: str, ask: bool, staff: bool) -> None:
    """Make a log-in called NAME for the console and print its password once."""
    database_ready()
    given = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    password = create_user(name, password=given, email=email, superuser=not staff)
    click.echo(f"log-in {name}" + ("" if ask else f", password {password}"))

"""Persons keep up with the evidence by themselves."""

from finalmarket.customers import persons, sign_in
from finalmarket.customers.linkage.scoring import is_installed
from finalmarket.customers.linkage.suggesting import find_duplicates
from finalmarket.kernel.jobs import job


@job("customers.settle", cron="* * * * *")
def settle() -> None:
    """Compute the persons anew whose evidence has changed: what was not done right after it was stored."""
    persons.settle()


@job("customers.mail_code", attempts=3, is_urgent=True)
def mail_code(*, code: int) -> None:
    """Mail a code to somebody who signs in."""
    sign_in.mail_code(code)


@job("customers.tidy_sign_in", cron="41 * * * *")
def tidy_sign_in() -> None:
    """Every hour: forget codes and sessions that have ended."""
    sign_in.tidy()


if is_installed():

    @job("customers.link", cron="17 2 * * *")
    def link() -> None:
        """Every night, where the extra is installed: suggest who may be one person although no value says so."""
        find_duplicates()

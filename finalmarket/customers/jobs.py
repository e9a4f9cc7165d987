"""Persons keep up with the evidence by themselves."""

from finalmarket.customers import persons
from finalmarket.customers.linkage.scoring import is_installed
from finalmarket.customers.linkage.suggesting import find_duplicates
from finalmarket.kernel.jobs import job


@job("customers.settle", cron="* * * * *")
def settle() -> None:
    """Compute the persons anew whose evidence has changed: what was not done right after it was stored."""
    persons.settle()


if is_installed():

    @job("customers.link", cron="17 2 * * *")
    def link() -> None:
        """Every night, where the extra is installed: suggest who may be one person although no value says so."""
        find_duplicates()

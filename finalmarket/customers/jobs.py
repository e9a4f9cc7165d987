"""Persons keep up with the evidence by themselves."""

from finalmarket.customers import persons
from finalmarket.kernel.jobs import job


@job("customers.settle", cron="* * * * *")
def settle() -> None:
    """Compute the persons anew whose evidence has changed: what was not done right after it was stored."""
    persons.settle()

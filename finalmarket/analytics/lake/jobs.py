"""The worker keeps the notes of what the lake has to write few, where no lake is written for long."""

from django.db import connection

from finalmarket.analytics.lake.export import QUERIES
from finalmarket.kernel.jobs import job


@job("lake.compact", cron="*/10 * * * *")
def compact() -> None:
    """Make one note of many about the same day."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["compact"])

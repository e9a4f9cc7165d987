"""Work that people began on pages and that takes longer than a page may."""

from finalmarket.console import file_work
from finalmarket.kernel.jobs import job


@job(file_work.JOB)
def carry_out(work: int, applies: bool) -> None:
    """Bring a file in or out."""
    file_work.carry_out(work, applies=applies)


@job("console.tidy", cron="41 3 * * *")
def tidy() -> None:
    """Every night: forget files of yesterday."""
    file_work.forget()

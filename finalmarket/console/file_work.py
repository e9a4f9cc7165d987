"""Files brought in and out by a worker: first what an import would change, then, when a person says so, the change
itself. How far it is stands in the row, written over a connection of its own, so that it is seen while it goes on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

from django.core.exceptions import ValidationError

from finalmarket.access.models import Work
from finalmarket.bulk import exchange_rates, listings, prices, products, stock
from finalmarket.bulk.export import export
from finalmarket.bulk.plan import Importer, Plan, make_plan
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue
from finalmarket.kernel.plural import plural
from finalmarket.kernel.sql import open_connection

MOST_BYTES = 50_000_000
SHOWN = 50
KEPT = timedelta(days=1)
SECONDS_BETWEEN_WORDS = 0.5
JOB = "console.file_work"
State = Work.State


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be brought in and out, whose right that is, and how its importer is made."""

    title: str
    permission: str
    importer: Callable[[SalesChannel | None], Importer]
    is_by_channel: bool = False


SUBJECTS = {
    "products": Subject("Products", "catalog.change_product", lambda channel: products.Products()),
    "prices": Subject("Prices", "catalog.change_variantprice", prices.importer, is_by_channel=True),
    "stock": Subject("Stock", "stock.add_stockmovement", lambda channel: stock.StockLevels()),
    "listings": Subject("Listings", "channels.change_channelproduct", listings.importer, is_by_channel=True),
    "rates": Subject("Exchange rates", "analytics.change_exchangerate", lambda channel: exchange_rates.ExchangeRates()),
}


def ask_import(subject: str, file_name: str, content: bytes, *, channel_id: int | None, actor: str) -> Work:
    """Have a worker look at what a file would change. Raises ValidationError for an empty or too large one."""
    if not content.strip():
        raise ValidationError("The file is empty.")
    if len(content) > MOST_BYTES:
        raise ValidationError(f"That is more than {MOST_BYTES // 1_000_000} MB: finalmarket import {subject} FILE")
    work = Work.objects.create(
        kind=Work.Kind.IMPORT, subject=subject, channel_id=channel_id, file_name=file_name[-200:] or "pasted.csv",
        given=content, rows_expected=max(content.count(b"\n") - 1, 1), asked_by=actor,
    )  # fmt: skip
    enqueue(JOB, work=work.pk, applies=False)
    return work


def ask_export(subject: str, *, channel_id: int | None, actor: str) -> Work:
    """Have a worker write everything into a CSV file."""
    work = Work.objects.create(
        kind=Work.Kind.EXPORT, subject=subject, channel_id=channel_id, file_name=f"{subject}.csv", asked_by=actor
    )
    enqueue(JOB, work=work.pk, applies=False)
    return work


def ask_apply(work: Work) -> None:
    """Have a worker do what it found. Raises UserError for what is not planned, or was done meanwhile."""
    changed = Work.objects.filter(pk=work.pk, state=State.PLANNED).update(state=State.WAITING, rows_done=0)
    if not changed:
        raise UserError("this is not waiting for you any more; look at its page again")
    enqueue(JOB, work=work.pk, applies=True)


def carry_out(work_id: int, *, applies: bool) -> None:
    """Do one step of a work; what goes wrong is told in its row, for a person."""
    work = Work.objects.filter(pk=work_id, state__in=(State.WAITING, State.RUNNING)).first()
    if work is None:
        return
    Work.objects.filter(pk=work_id).update(state=State.RUNNING)
    try:
        with _progress(work_id) as progress:
            values = _written(work, progress) if work.kind == Work.Kind.EXPORT else _read(work, applies, progress)
    except UserError as error:
        values = {"state": State.FAILED, "told": str(error), "given": None}
    except OSError as error:  # a full disk, mostly: the person tries again when there is room
        values = {"state": State.FAILED, "told": f"this machine cannot keep the file: {error.strerror}", "given": None}
    is_over = values["state"] in (State.DONE, State.FAILED)
    Work.objects.filter(pk=work_id).update(**values, **({"ended_at": clock.now()} if is_over else {}))


def _written(work: Work, progress: Callable[[int], None]) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="finalmarket-export-") as folder:
        path = Path(folder) / work.file_name
        rows = export(_importer(work), path, progress=progress)
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"that is more than {MOST_BYTES // 1_000_000} MB: finalmarket export {work.subject} FILE")
        return {
            "state": State.DONE,
            "made": path.read_bytes(),
            "rows_done": rows,
            "told": f"{plural(rows, 'row is', 'rows are')} written.",
        }


def _read(work: Work, applies: bool, progress: Callable[[int], None]) -> dict[str, object]:
    if work.given is None:
        raise UserError("the file is not kept any more; bring it in again")
    with tempfile.TemporaryDirectory(prefix="finalmarket-import-") as folder:
        path = Path(folder) / f"{Path(work.file_name).stem or 'file'}.csv"
        path.write_bytes(bytes(work.given))
        try:
            with make_plan(_importer(work), path, progress=progress) as plan:
                return _applied(work, plan) if applies else {"state": State.PLANNED, "found": _found(plan)}
        except UserError as error:
            raise UserError(str(error).replace(f"{folder}/", "")) from error


def _applied(work: Work, plan: Plan) -> dict[str, object]:
    """Do it, if it is still what the person has seen; else show it anew."""
    found = _found(plan)
    if found["counts"] != work.found["counts"]:
        return {"state": State.PLANNED, "found": found, "told": "Something changed meanwhile; look at it again."}
    done = plan.apply()
    told = (
        f"{done.created:,} created, {done.changed:,} changed, {done.unchanged:,} were so already, "
        f"{done.refused:,} left out."
    )
    return {"state": State.DONE, "found": found, "given": None, "told": told}


def _found(plan: Plan) -> dict[str, object]:
    """What it would change, as far as it is shown."""
    changes = [
        {"line": one.line, "key": [str(part) for part in one.key], "is_new": one.is_new,
         "fields": [[name, str(old or ""), str(new or "")] for name, old, new in one.fields]}
        for one in plan.changes(SHOWN)
    ]  # fmt: skip
    refusals = [
        {"line": line, "column": problem.column, "value": str(problem.value or "")[:60], "reason": problem.reason}
        for line, problem in islice(plan.refusals(), SHOWN)
    ]
    return {"counts": asdict(plan.counts), "changes": changes, "refusals": refusals}


def _importer(work: Work) -> Importer:
    channel = SalesChannel.objects.filter(pk=work.channel_id).first() if work.channel_id else None
    return SUBJECTS[work.subject].importer(channel)


@contextmanager
def _progress(work_id: int) -> Iterator[Callable[[int], None]]:
    """What is called with the rows done so far writes them down, twice a second at most."""
    told_at = 0.0
    with open_connection() as connection:

        def tell(rows: int) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= SECONDS_BETWEEN_WORDS:
                connection.execute("UPDATE works SET rows_done = %s WHERE id = %s", [rows, work_id])
                told_at = time.monotonic()

        yield tell


def forget() -> None:
    """Files are kept for a day, what came of them for ninety."""
    old = clock.now() - KEPT
    Work.objects.filter(asked_at__lt=old).exclude(given=None, made=None).update(given=None, made=None)
    Work.objects.filter(asked_at__lt=clock.now() - 90 * KEPT).delete()

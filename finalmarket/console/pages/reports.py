"""Reports of a period, to take along: a page with charts, or the daily figures as CSV or Parquet."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

from django.http import HttpRequest, HttpResponse

from finalmarket.bulk.period import write_report
from finalmarket.bulk.period.figures import MOST_DAYS, collect
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError, sentence

DAYS = 30
KINDS = {
    "html": ("Page with charts", "text/html; charset=utf-8", "One file that needs nothing besides itself."),
    "csv": ("CSV", "text/csv; charset=utf-8", "The figures of every channel and day, for a spreadsheet."),
    "parquet": ("Parquet", "application/vnd.apache.parquet", "The same for a program, with exact amounts."),
}


class ReportFilters(asked.Filters):
    """The period; the last 30 days up to yesterday unless told otherwise."""

    since = asked.day("From")
    until = asked.day("To")

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day."""
        last = self.given.get("until") or clock.now().date() - timedelta(days=1)
        return self.given.get("since") or last - timedelta(days=DAYS - 1), last


@page("analytics.view_channelanalytics")
def reports(request: HttpRequest) -> HttpResponse:
    """What a report of the period would say, and the files of it."""
    filters = ReportFilters(request)
    first, last = filters.period
    context: dict[str, object] = {"filters": filters, "first": first, "last": last, "most_days": MOST_DAYS}
    context["kinds"] = [(kind, name, hint) for kind, (name, _, hint) in KINDS.items()]
    try:
        context["report"] = collect(first, last)
    except UserError as error:
        context["refused"] = sentence(str(error))
    return show(request, "reports.html", "Reports", context)


@page("analytics.view_channelanalytics")
def report_file(request: HttpRequest, kind: str) -> HttpResponse:
    """The report of the period as a file."""
    first, last = ReportFilters(request).period
    if kind not in KINDS:
        return HttpResponse("there is no such kind of report", status=404, content_type="text/plain")
    with tempfile.TemporaryDirectory(prefix="fm-report-") as folder:
        path = Path(folder) / f"report-{first}-{last}.{kind}"
        try:
            write_report(first, last, path)
        except UserError as error:
            return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
        answer = HttpResponse(path.read_bytes(), content_type=KINDS[kind][1])
    answer["Content-Disposition"] = f'attachment; filename="{path.name}"'
    return answer

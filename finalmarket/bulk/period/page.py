"""The report of a period as one HTML file: style and charts are in it, nothing is fetched, nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import escape

from finalmarket.bulk.period.charts import line, lying_bars, stacked_bars
from finalmarket.bulk.period.figures import Line, Report, Sums

DAYS_BY_DAY, DAYS_BY_WEEK = 62, 400
STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5c6773; --edge: #d8dde3; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf0; --soft: #9aa5b1; --edge: #39434e; --paper: #171c22; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
       max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { color: var(--soft); margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--edge); padding: .35rem .5rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 600; }
small { color: var(--soft); display: block; } svg { width: 100%; height: auto; } .scroll { overflow-x: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } .grid { stroke: var(--edge); }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
.legend span { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; }
@media print { body { margin: 0; } section { break-inside: avoid; } }
"""


def as_html(report: Report) -> str:
    """The page of a report."""
    title = f"Report, {report.first} to {report.last}"
    body = (
        "\n".join([*_figures(report), *_charts(report), _funnel(report), _paths(report)]) if report.lines else _empty()
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n"
        f"<h1>{title}</h1>\n<p>Days are those where each channel is. Revenue is goods after discount, without tax and "
        f"shipping; net revenue is less refunds. Small figures are the change from {report.before_first} to "
        f"{report.first - timedelta(days=1)}.</p>\n{body}\n</body>\n</html>\n"
    )


def _empty() -> str:
    return "<p>Nothing was ordered and nobody came by in this period, nor in the one before it.</p>"


def _figures(report: Report) -> list[str]:
    heads = ["Channel", "Orders", "Net revenue", "Revenue", "Average order", "New customers", "Sessions", "Conversion",
             "Return rate"]  # fmt: skip
    rows = [
        [
            escape(one.channel), _count(one, "orders_count"), _money(one, "net_revenue"), _money(one, "revenue"),
            _average(one), _count(one, "new_customers"), _count(one, "sessions"),
            _share(one, lambda sums: sums.conversion_rate), _share(one, lambda sums: sums.return_rate),
        ]
        for one in report.lines
    ]  # fmt: skip
    return [_section("Figures by channel", _table(heads, rows))]


def _charts(report: Report) -> list[str]:
    spans = _spans(report)
    labels = [str(begin) if begin == end else f"{begin} +{(end - begin).days}" for begin, end in spans]
    found = []
    for currency in sorted({one.currency for one in report.lines}):
        series = [(one.channel, _by_span(one.now, spans, 0)) for one in report.lines if one.currency == currency]
        title = f"Net revenue, {currency}"
        found.append(_section(title, stacked_bars(title, labels, series)))
    orders: dict[str, list[float]] = {}
    for one in report.lines:
        mine = orders.setdefault(one.channel, [0.0] * len(spans))
        orders[one.channel] = [sum(pair) for pair in zip(mine, _by_span(one.now, spans, 1), strict=True)]
    found.append(_section("Orders", stacked_bars("Orders", labels, list(orders.items()))))
    sessions = [sum(each) for each in zip(*(_by_span(one.now, spans, 2) for one in report.lines), strict=True)]
    ordering = [sum(each) for each in zip(*(_by_span(one.now, spans, 3) for one in report.lines), strict=True)]
    rates = [part / whole if whole else None for part, whole in zip(ordering, sessions, strict=True)]
    if any(sessions):
        title = "Conversion: sessions with an order, of all sessions"
        found.append(_section(title, line(title, labels, rates)))
    return found


def _spans(report: Report) -> list[tuple[date, date]]:
    """The period in days, weeks or months, so that a chart has not too many bars."""
    days = report.days
    if len(days) <= DAYS_BY_DAY:
        return [(day, day) for day in days]
    if len(days) <= DAYS_BY_WEEK:
        return [(days[n], days[min(n + 6, len(days) - 1)]) for n in range(0, len(days), 7)]
    begins = [day for day in days if day.day == 1 or day == days[0]]
    ends = [day - timedelta(days=1) for day in begins[1:]] + [days[-1]]
    return list(zip(begins, ends, strict=True))


def _by_span(sums: Sums, spans: Sequence[tuple[date, date]], place: int) -> list[float]:
    found = [Decimal(0)] * len(spans)
    begins = [begin for begin, _ in spans]
    where = 0
    for day in sorted(sums.by_day):
        while where + 1 < len(begins) and begins[where + 1] <= day:
            where += 1
        found[where] += sums.by_day[day][place]
    return [float(value) for value in found]


def _funnel(report: Report) -> str:
    bars = [(stage.step.action.replace("_", " "), stage.persons) for stage in report.stages]
    if not any(count for _, count in bars):
        return ""
    title = "Persons who did one thing after another"
    return _section(title, lying_bars(title, bars))


def _paths(report: Report) -> str:
    if not report.paths:
        return ""
    rows = [[escape(words), f"{one.journeys:,}", f"{one.persons:,}", f"{one.ordered:,}"] for words, one in report.paths]
    return _section(
        "Ways over channels that most journeys took", _table(["Way", "Journeys", "Persons", "Orders"], rows)
    )


def _section(title: str, inside: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{inside}\n</section>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _count(one: Line, name: str) -> str:
    now, before = one.now.counts[name], one.before.counts[name]
    return f"{now:,}{_change(Decimal(now), Decimal(before))}"


def _money(one: Line, name: str) -> str:
    now, before = one.now.amounts[name], one.before.amounts[name]
    return f"{now:,.2f}&nbsp;{escape(one.currency)}{_change(now, before)}"


def _average(one: Line) -> str:
    now = one.now.average_order_value
    return "" if now is None else f"{now:,.2f}&nbsp;{escape(one.currency)}"


def _share(one: Line, rate: Callable[[Sums], Decimal | None]) -> str:
    now, before = rate(one.now), rate(one.before)
    if now is None:
        return ""
    change = "" if before is None else f"<small>{(now - before) * 100:+.1f} points</small>"
    return f"{now:.1%}{change}"


def _change(now: Decimal, before: Decimal) -> str:
    """How much more or less, of what was before."""
    return f"<small>{(now - before) / before:+.1%}</small>" if before > 0 else ""

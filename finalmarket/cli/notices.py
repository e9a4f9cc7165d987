"""finalmarket notices: what operators should know now."""

import json

import click

from finalmarket.kernel.database import database_ready

MOST_SHOWN = 200


@click.command()
@click.option("--all", "with_closed", is_flag=True, help="Also those that are not so any more.")
@click.option("--look", is_flag=True, help="Look now, instead of showing what the worker saw in the last five minutes.")
@click.option("--json", "wants_json", is_flag=True, help="Print JSON, one object a line.")
def command(with_closed: bool, look: bool, wants_json: bool) -> None:
    """Show what operators should know: low stock, broken integrations, unusual days. Urgent ones first."""
    from finalmarket.advice import notices
    from finalmarket.advice.models import Notice

    database_ready()
    failed = notices.gather().failed if look else ()
    chosen = Notice.objects.all() if with_closed else Notice.objects.filter(closed_at=None)
    found = list(chosen.order_by("-urgency", "-opened_at", "-pk")[:MOST_SHOWN])
    for one in found:
        if wants_json:
            click.echo(json.dumps(_as_json(one)))
        else:
            closed = f", until {one.closed_at:%Y-%m-%d %H:%M}" if one.closed_at else ""
            click.echo(f"{one.opened_at:%Y-%m-%d %H:%M}{closed}  {one.urgency:6}  {one.title}\n    {one.text}")
    if failed:
        click.echo(f"could not be looked at: {', '.join(failed)}; the log says why", err=True)
        raise click.exceptions.Exit(1)
    if not found and not wants_json:
        click.echo("Nothing to tell.")


def _as_json(one: object) -> dict[str, str | None]:
    names = ("kind", "urgency", "title", "text", "about", "opened_at", "closed_at")
    values = {name: getattr(one, name) for name in names}
    return {name: None if value is None else str(value) for name, value in values.items()}

"""finalmarket sandbox: the outside platforms on this machine."""

import signal
import threading

import click

from finalmarket.cli.children import follow_parent
from finalmarket.kernel import places
from finalmarket.kernel.errors import UserError
from finalmarket.sandbox.house import Sandbox

FOLDER = "sandbox"


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="The port; 0: any.")
@click.option("--seed", default=1, show_default=True, help="Decides what shoppers buy and which faults are met.")
@click.option("--orders-a-minute", type=click.FloatRange(0, 6000), default=6.0, show_default=True, help="0: none.")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of calls that fail.")
@click.option("--forget", is_flag=True, help="Begin anew, and keep nothing at the end.")
def command(port: int, seed: int, orders_a_minute: float, faults: float, forget: bool) -> None:
    """Serve stand-ins of the platforms on the loopback address: what connectors are tried on without an account.

    They hold listings, stock, orders and customers, keep the platforms' limits, send signed webhooks, and shoppers buy
    on them. What they hold is kept in the data folder.
    """
    follow_parent()
    folder = None if forget else places.data_folder() / FOLDER
    try:
        sandbox = Sandbox(seed=seed, port=port, folder=folder, orders_a_minute=orders_a_minute, faults=faults)
    except OSError as error:
        raise UserError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error
    closing = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closing.set())
    sandbox.open()
    names = ", ".join(sorted({stand_in.slug for _, stand_in in sandbox.wire.all()}))
    click.echo(f"The sandbox serves {names} at http://127.0.0.1:{sandbox.wire.port}/ (Ctrl-C ends it).")
    closing.wait()
    sandbox.close()

"""finalmarket, the command-line tool.

Commands load when they are called, so that `--help` answers at once; a command whose module is not there is not listed.
A mistake of the user's ends in one line and code 2, an unforeseen error in one line and code 1; `--debug` shows where.
"""

import importlib
import importlib.util
import os
import sys
import traceback

import click

from finalmarket import __version__
from finalmarket.kernel.errors import UserError

# name: (module, one line for the list of commands). Each module holds `command`.
COMMANDS = {
    "serve": ("finalmarket.cli.serve", "Start everything: database, web and worker."),
    "worker": ("finalmarket.cli.worker", "Start one more worker."),
    "sandbox": ("finalmarket.cli.sandbox", "Serve stand-ins of the outside platforms on this machine."),
    "migrate": ("finalmarket.cli.migrate", "Bring the database up to this version."),
    "demo": ("finalmarket.cli.demo", "Fill an empty house with a demo."),
    "import": ("finalmarket.cli.import_data", "Bring in orders, products, prices, stock or customers from a file."),
    "export": ("finalmarket.cli.export_data", "Write products, prices, stock or customers to a file."),
    "connectors": ("finalmarket.cli.connectors", "List the platforms that can be connected, and what each can do."),
    "replay": ("finalmarket.cli.replay", "Try again what could not be taken from a platform, or sent to one."),
    "inbound": ("finalmarket.cli.inbound", "Hand in a mail that asks for goods."),
    "privacy": ("finalmarket.cli.privacy", "Export all that is kept of a person, or erase the person."),
    "link": ("finalmarket.cli.link", "Suggest customers who may be one person."),
    "stitch": ("finalmarket.cli.stitch", "Recognise the journeys of what customers did."),
    "voice": ("finalmarket.cli.voice", "Print what a voice assistant has to be told of a voice channel."),
    "lake": ("finalmarket.cli.lake", "Write history to Parquet files by day, and ask questions about all of it."),
    "report": ("finalmarket.cli.report", "Write a report of a period: HTML with charts, CSV or Parquet."),
    "notices": ("finalmarket.cli.notices", "Show what operators should know."),
    "check": ("finalmarket.cli.check", "Prove that what is stored agrees with itself."),
    "backup": ("finalmarket.cli.backup", "Write the whole database to a file, while the house goes on."),
    "restore": ("finalmarket.cli.restore", "Bring back what a backup holds."),
    "evaluate": ("finalmarket.cli.evaluate", "Say how good the advice is, on data of real experiments."),
    "bench": ("finalmarket.cli.bench", "Measure."),
    "createuser": ("finalmarket.cli.createuser", "Make a log-in for the console."),
    "apikey": ("finalmarket.cli.apikey", "Make and end keys for programs that call the REST API."),
    "shopkey": ("finalmarket.cli.shopkey", "Make and end publishable keys of shops, and pair kiosks."),
    "secrets": ("finalmarket.cli.secrets", "Replace the keys that stored secrets are encrypted with."),
    "shell": ("finalmarket.cli.shell", "A Python shell with the models at hand."),
    "doctor": ("finalmarket.cli.doctor", "Say what is here and whether it works."),
    "version": ("finalmarket.cli.version", "Say which version this is."),
}


def command_is_there(name: str) -> bool:
    """Whether the command's module is part of this installation."""
    return importlib.util.find_spec(COMMANDS[name][0]) is not None


class LazyGroup(click.Group):
    """The commands of COMMANDS, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose modules are there."""
        return [name for name in COMMANDS if command_is_there(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, with Django set up behind it; None for one that is not there."""
        if cmd_name not in COMMANDS or not command_is_there(cmd_name):
            return None
        _set_up_django()
        found = importlib.import_module(COMMANDS[cmd_name][0]).command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _set_up_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="finalmarket")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """The Final Market: one stock, one customer, many sales channels."""


def main() -> None:
    """The entry of the `finalmarket` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        left_with = cli.main(arguments, prog_name="finalmarket", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read us has gone; the interpreter must not try to flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        return _told(error, debug="--debug" in arguments)
    # Out of standalone mode, click gives the code of an Exit back instead of raising it.
    return left_with if isinstance(left_with, int) else 0


def _told(error: Exception, *, debug: bool) -> int:
    """Tell the error in one line on stderr; returns the exit code."""
    if debug and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        hint = f" (see: {error.ctx.command_path} --help)" if isinstance(error, click.UsageError) and error.ctx else ""
        _say(f"{error.format_message()}{hint}")
        return 2
    if isinstance(error, UserError):
        _say(str(error))
        return 2
    hint = "" if debug else " (an error of ours, not yours; see where with: finalmarket --debug ...)"
    _say(f"{type(error).__name__}: {str(error).strip()}{hint}")
    return 1


def _say(text: str) -> None:
    click.echo("finalmarket: error: " + " ".join(text.split()), err=True)

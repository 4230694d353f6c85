"""What can be done from the command line: one tree; errors are one message; exit 0 done, 1 the answer is no, 2 bad input."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import click

from dauys import __version__
from dauys.errors import BadInput, DauysError

COMMANDS = {
    "run": ("dauys.cli.run:run", "Run a poll from its opening to its bundle."),
    "decide": ("dauys.cli.decide:decide", "Apply a decision rule to a table of totals."),
    "verify": ("dauys.cli.verify:verify", "Check that what a bundle publishes follows from its record."),
    "witness": ("dauys.cli.witness:witness", "Check that a record only grew, and cosign it."),
    "open": ("dauys.cli.commission:open_", "Open a poll: its law and its stations enter the record."),
    "serve": ("dauys.cli.serve:serve", "Serve the public site and the desk of all polls."),
    "account": ("dauys.cli.account:account", "Make an account for the desk, or give it a new password."),
    "protocols": ("dauys.cli.protocols:protocols", "Send a file of protocols into a poll."),
    "annul": ("dauys.cli.commission:annul", "Annul the result of an area or a station."),
    "declare": ("dauys.cli.commission:declare", "Declare a stage of a poll as it stands."),
    "law": ("dauys.cli.law:law", "Say what the law is on a day, what changes it, and why."),
    "roll": ("dauys.cli.roll:roll", "Keep the roll of voters and freeze it for a poll."),
    "sample": ("dauys.cli.sample:sample", "Draw stations that anybody who knows the seed draws again."),
    "estimate": ("dauys.cli.estimate:estimate", "Estimate a share from sampled stations, with its interval."),
    "compare": ("dauys.cli.compare:compare", "Hold observers' copies of protocols against the official."),
    "indicators": ("dauys.cli.indicators:indicators", "Show what is unusual in a table of stations."),
    "audit": ("dauys.cli.audit:audit", "Audit the count from the paper, with a risk limit."),
    "pollbook": ("dauys.cli.pollbook:pollbook", "Give stations their pollbooks, and see how they are."),
    "station": ("dauys.cli.station:station", "Run the pollbook of one station."),
    "observers": ("dauys.cli.observers:observers", "Decide who observes a poll, and check badges."),
    "mission": ("dauys.cli.mission:mission", "Run an observer mission."),
}
"""Command name to the function that does it, and what it does. Imported only when called: `verify` starts without a database."""


class Tree(click.Group):
    """The commands of `COMMANDS`, loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, without loading what is listed."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.group(cls=Tree, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dauys")
def tree() -> None:
    """Runs referendums and elections under their own law and publishes what proves the result."""


def say(text: str, end: bool = True) -> None:
    """Progress and remarks for a person: standard error, so that --json stays clean."""
    click.echo(text, err=True, nl=end)


def answer(value: Any, as_json: bool, text: str) -> None:
    """The command's answer: JSON on one line with --json, text for a person otherwise."""
    if as_json:  # half of a surrogate pair has no UTF-8: it is written as JSON escapes it
        click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
    else:
        click.echo("\n".join(map(one_line, text.split("\n"))))


def one_line(text: str) -> str:
    """The text as it can stand on a screen: what came from outside cannot end the line, colour it or turn it round."""
    return "".join(c if c.isprintable() or c in "\u00a0\u202f" else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, noun: str) -> str:
    """`1 poll`, `2,000 polls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def utc(at: datetime) -> str:
    """A moment as a person may compare it with his own clock, wherever this machine stands."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def without_iin(_context: click.Context, option: click.Parameter, text: str) -> str:
    """For options with words that are kept for good: `roll.free_text`."""
    from dauys.roll.free_text import no_iin

    return no_iin(text, option.opts[0])


MOST_NAME = 100


def a_name(_context: click.Context, option: click.Parameter, text: str) -> str:
    """For options with the name of who does something, which is kept and shown for good: one line, and no IIN."""
    if len(text) > MOST_NAME or not text.isprintable():
        raise BadInput(f"a name is one line of at most {MOST_NAME} characters", field=option.opts[0])
    from dauys.roll.free_text import CHECK, holds_iin

    if holds_iin(text):
        raise BadInput("an IIN stands here: say who does it by name", field=option.opts[0], check=CHECK)
    return text


def moment(text: str | None) -> datetime:
    """The moment that an option names, or now: the clock of the shell. Raises BadInput."""
    try:
        named = datetime.fromisoformat(text) if text else datetime.now().astimezone()
    except ValueError:
        named = None
    if named is None or named.tzinfo is None:
        raise BadInput("not a moment", found=text, expected="ISO 8601 with an offset, like 2022-06-05T21:00:00+06:00")
    return named


def main(args: list[str] | None = None) -> None:
    """Runs a command. Every failure that a user can mend is one message and exit code 2, never a traceback."""
    # A poll is hundreds of thousands of values that live: looking through them often is waste.
    gc.set_threshold(50_000, 20, 50)
    # A service manager stops with SIGTERM: end as Ctrl-C does, so that the embedded database stops too.
    with contextlib.suppress(ValueError):  # not in the main thread of a program that calls this
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = tree.main(args=args, prog_name="dauys", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        say("dauys: stopped")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except DauysError as error:
        if "--json" in (args or sys.argv):
            body = error.as_json() if isinstance(error, BadInput) else {"message": str(error)}
            answer({"error": body}, True, "")
        say(f"dauys: {one_line(str(error))}")
        sys.exit(2)
    except OSError as error:  # a folder that cannot be written, a full disk
        say(f"dauys: {one_line(str(error.filename or 'a file'))}: {error.strerror or error}")
        sys.exit(2)
    except Exception as error:
        store = sys.modules.get("dauys.store.engine")  # `verify` runs without a database: none is loaded for this
        if store is None or not isinstance(error, store.AWAY):
            raise
        why = one_line(str(error).partition("\n")[0])
        say(f"dauys: the database did not do it ({why}). What was not finished is undone: try again")
        sys.exit(2)

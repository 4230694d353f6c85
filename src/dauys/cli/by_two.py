"""How does a command take the names of the two people who give it together: `--by NAME OTHER`?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from dauys.cli.main import a_name
from dauys.errors import BadInput


class ByTwo(click.Command):
    """A command with `by_two`: whoever gives one name hears that another person is needed, not of arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.BadOptionUsage as error:
            if error.option_name == "--by":
                raise _another() from None
            raise


def by_two(words: str, required: bool = False) -> Callable[[Any], Any]:
    """The option of a `ByTwo`. What begins with a dash is the next option, and no name."""
    return click.option("--by", nargs=2, metavar="NAME OTHER", required=required, callback=_names, help=words)


def _names(context: click.Context, option: click.Parameter, names: tuple[str, str] | None) -> tuple[str, str] | None:
    if any(name.startswith("-") for name in names or ()):
        raise _another()
    for name in names or ():
        a_name(context, option, name)
    return names


def _another() -> BadInput:
    return BadInput(
        "two different people do this: both names are needed", field="--by", expected="--by NAME OTHER", check="P.058"
    )

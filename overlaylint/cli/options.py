"""Options that stand together: declared in one place, and handed to a command as one value.

A group is a frozen dataclass, with an option for each of its fields. A command takes it with
`@options("choosing", "Rules", Choosing, click.option(...), ...)` as the argument `choosing`,
and its help shows the options under that heading. An option joins by a field and a line
beside the dataclass; the command itself is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]

#: The place of an option's heading among what click keeps of it.
_HEADING = "overlaylint_heading"
_OTHERS = "Other options"


def options(
    name: str, heading: str, kind: type[Any], *declared: Decorator[Any]
) -> Decorator[Function]:
    """Return a decorator that gives a command the options of a group, as one argument."""
    names = [field.name for field in fields(kind)]

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(**values: Any) -> Any:
            own = {one: values.pop(one) for one in names}
            return function(**values, **{name: kind(**own)})

        before = len(getattr(call, "__click_params__", ()))
        for option in reversed(declared):
            call = option(call)
        for parameter in getattr(call, "__click_params__", ())[before:]:
            setattr(parameter, _HEADING, heading)
        return call  # type: ignore[return-value]

    return decorate


class Command(click.Command):
    """A command whose help has a heading for each group of options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of each group under its heading, those of no group at the end."""
        found: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            # An argument is told of in the text above.
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                found.setdefault(getattr(parameter, _HEADING, _OTHERS), []).append(record)
        found[_OTHERS] = found.pop(_OTHERS, [])
        for heading, records in found.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def names_in(values: tuple[str, ...]) -> list[str]:
    """Return the names in an option that may be repeated and holds commas."""
    return [name for value in values for name in value.replace(",", " ").split()]


master_option = click.option(
    "--master",
    "masters",
    multiple=True,
    metavar="NAME=PATH",
    help="Where a master is; else it is looked for beside the overlay.",
)

color_option = click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Colour the text output. NO_COLOR turns auto off.",
)

overlay_option = click.option(
    "--overlay",
    "path",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="PATH",
    help="The overlay; else the one that the working folder lies in.",
)


def uses_color(choice: str, *, is_terminal: bool) -> bool:
    """Whether to colour text: what `--color` says, or what the environment and terminal do."""
    import os

    if choice != "auto":
        return choice == "always"
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

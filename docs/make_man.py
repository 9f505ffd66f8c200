"""Write the manual pages into a folder, from what the commands say of themselves: `make man`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click_man.core import write_man_pages

from overlaylint import __version__
from overlaylint.cli import overlaylint


def main(folder: Path) -> None:
    """Write a page for overlaylint, and one for each command."""
    folder.mkdir(parents=True, exist_ok=True)
    context = click.Context(overlaylint)
    # The commands are imported when they are asked for; click-man asks for all of them at once.
    commands = {}
    for name in overlaylint.list_commands(context):
        command = overlaylint.get_command(context, name)
        assert command is not None
        # The whole sentence: click would cut it to what fits beside the names.
        command.short_help = (command.help or "").split(".\n")[0].replace("\n", " ").rstrip(".")
        commands[name] = command
    whole = click.Group(
        "overlaylint",
        commands,
        params=overlaylint.params,
        help=overlaylint.help,
        short_help="check the policies of a Gentoo overlay without running a line of it",
        context_settings=overlaylint.context_settings,
    )
    write_man_pages("overlaylint", whole, version=__version__, target_dir=str(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

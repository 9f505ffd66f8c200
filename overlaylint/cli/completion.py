"""`overlaylint completion`: what a shell needs to complete commands, options and rules."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print the script that has SHELL complete overlaylint's commands, options and rules.

    \b
    bash   eval "$(overlaylint completion bash)"             in ~/.bashrc
    zsh    eval "$(overlaylint completion zsh)"              in ~/.zshrc
    fish   overlaylint completion fish > ~/.config/fish/completions/overlaylint.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from overlaylint.cli import overlaylint

    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(overlaylint, {}, "overlaylint", "_OVERLAYLINT_COMPLETE")
    # Not its own `source`, which for bash starts one to ask for its version.
    print(ShellComplete.source(completion))
    return 0


def complete_rule(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the rules whose names begin so."""
    from overlaylint.engine.packs import load_catalog

    return [name for name in load_catalog().rules if name.startswith(incomplete)]


def complete_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the rules and packs, and ALL, that continue a list with commas."""
    from overlaylint.engine.packs import ALL, load_catalog

    before, comma, last = incomplete.rpartition(",")
    catalog = load_catalog()
    names = (*catalog.rules, *(pack.name for pack in catalog.packs), ALL)
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]

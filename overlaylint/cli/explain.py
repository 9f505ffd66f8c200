"""`overlaylint explain`: a rule's documentation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli.completion import complete_rule
from overlaylint.cli.options import overlay_option

if TYPE_CHECKING:
    from overlaylint.engine.packs import LoadedPack
    from overlaylint.rule import Rule


@click.command("explain")
@click.argument("name", metavar="RULE", shell_complete=complete_rule)
@overlay_option
def command(name: str, path: Path) -> int:
    """Say what RULE does, why it matters, and what to write instead."""
    from overlaylint.cli.overlays import catalog_for

    catalog = catalog_for(path)
    rule = catalog.rule(name)
    text = as_markdown(rule, catalog.pack_of(rule))
    # rich takes a while to import, and a pipe wants plain Markdown.
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        from rich.console import Console
        from rich.markdown import Markdown

        console = Console()
        console.print(Markdown(text), width=min(console.width, 100))
    else:
        print(text, end="")
    return 0


def as_markdown(rule: Rule, pack: LoadedPack) -> str:
    documentation = rule.documentation
    facts = [f"Pack `{pack.name}`", f"severity {rule.severity}"]
    if rule.packages:
        facts.append("packages " + ", ".join(f"`{package}`" for package in rule.packages))
    if rule.decided_in:
        facts.append(f"decided in {rule.decided_in}")
    if rule.needs_masters:
        facts.append("needs the masters")
    sections = [f"## {heading}\n\n{text}\n" for heading, text in documentation.sections.items()]
    head = f"# {rule.name}: {documentation.title}\n\n{'; '.join(facts)}.\n"
    return "\n".join((head, *sections))

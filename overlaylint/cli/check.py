"""`overlaylint check`: run the rules and report what they find.

What it may be asked for stands in groups of options, each in a module of its own: `choosing`
(which rules), `scope` (where), `output` (how it is shown).
"""

from __future__ import annotations

from pathlib import Path

import click

from overlaylint.cli import FINDINGS, NOTHING_FOUND
from overlaylint.cli.choosing import Choosing, choosing_options
from overlaylint.cli.options import Command
from overlaylint.cli.output import Output, output_options
from overlaylint.cli.scope import Scope, scope_options


@click.command("check", cls=Command)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@choosing_options
@scope_options
@output_options
def command(paths: tuple[Path, ...], choosing: Choosing, scope: Scope, output: Output) -> int:
    """Check overlays, or files and folders in them.

    PATH is an overlay's root, or anything in an overlay: then only findings in what is given
    are reported, and the rest is read as context. Without PATH, it is the working folder.
    """
    from overlaylint.engine.packs import load_catalog
    from overlaylint.engine.run import run

    catalog = load_catalog()
    results = []
    for opened, selection in scope.overlays(paths):
        results.append(run(opened.overlay, choosing.plan(opened, catalog, selection)))
    scope.must_hold_files(paths, results)
    output.show(results)
    return FINDINGS if any(result.findings for result in results) else NOTHING_FOUND

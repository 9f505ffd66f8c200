"""`overlaylint check`: run the rules and report what they find.

What it may be asked for stands in groups of options, each in a module of its own: `choosing`
(which rules), `scope` (where), `baseline` (what is known), `fixing` (what becomes of fixes),
`output` (how it is shown), `caching` (what is kept for the next run).
"""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import FINDINGS, INTERRUPTED, NOTHING_FOUND, tell
from overlaylint.cli.baseline import Adopting, adopting_options
from overlaylint.cli.caching import Caching, caching_options
from overlaylint.cli.choosing import Choosing, choosing_options
from overlaylint.cli.fixing import Fixing, fixing_options
from overlaylint.cli.options import Command
from overlaylint.cli.output import Output, output_options
from overlaylint.cli.progress import Watch
from overlaylint.cli.scope import Scope, scope_options
from overlaylint.report.counts import counted

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened
    from overlaylint.engine.baseline import Baseline
    from overlaylint.engine.result import Result
    from overlaylint.engine.selection import Selection


@click.command("check", cls=Command)
# A file that can't be read is a finding, and the others are checked: click must not refuse it.
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path, readable=False)
)
@choosing_options
@scope_options
@adopting_options
@fixing_options
@output_options
@caching_options
def command(
    paths: tuple[Path, ...],
    choosing: Choosing,
    scope: Scope,
    adopting: Adopting,
    fixing: Fixing,
    output: Output,
    caching: Caching,
) -> int:
    """Check overlays, or files and folders in them.

    PATH is an overlay's root, or anything in an overlay: then only findings in what is given
    are reported, and the rest is read as context. Without PATH, it is the working folder.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.engine.packs import load_catalog
    from overlaylint.engine.run import run

    # To look for garbage in cycles takes a twentieth of a run, and there are some ten MB of it.
    gc.set_threshold(5_000_000, 50, 1000)
    fixing.must_make_sense(checked=scope.instead_of_files(paths))
    adopting.must_make_sense(is_reported=not fixing.diff)
    output.must_make_sense()
    catalog = load_catalog()
    done = []
    failures = []
    baselines = []
    with Watch(is_quiet=output.quiet) as watch:
        for opened, selection in scope.overlays(paths):
            known = adopting.known(opened)

            def check(
                opened: Opened, selection: Selection = selection, known: Baseline | None = known
            ) -> Result:
                plan = choosing.plan(opened, catalog, selection)
                with caching.used_for(opened):
                    return run(opened.overlay, replace(plan, baseline=known), watch)

            fixed = fixing.run(opened, selection, check)
            failures += fixing.write(opened, fixed)
            done.append(fixed)
            baselines.append(known)
            if fixed.result.unfinished:
                break
    stopped = [name for fixed in done for name in fixed.result.unfinished]
    if stopped:
        return _stopped([fixed.result for fixed in done], output)
    scope.must_hold_files(paths, [fixed.result for fixed in done])
    if fixing.diff:
        return fixing.show_diff(done, output.color)
    results = adopting.written([fixed.result for fixed in done], baselines)
    output.show(results)
    if failures:
        written = sum(len(fixed.after) for fixed in done) - len(failures)
        others = f"{counted(written, 'other file')} {'is' if written == 1 else 'are'} fixed"
        raise UsageError("; ".join(failures) + (f" ({others})" if written else ""))
    has_findings = any(result.findings for result in results)
    is_changed = fixing.exit_non_zero_on_fix and any(fixed.after for fixed in done)
    if output.exit_zero:
        return NOTHING_FOUND
    return FINDINGS if has_findings or is_changed else NOTHING_FOUND


def _stopped(results: list[Result], output: Output) -> int:
    """Report what there is of a run that Ctrl-C ended; nothing else comes of it."""
    last = results[-1]
    had_finished = len(last.rules) - len(last.skipped) - len(last.unfinished)
    if len(results) == 1 and not had_finished:
        raise KeyboardInterrupt
    output.show(results)
    tell(
        f"stopped before the end: {counted(len(last.unfinished), 'rule')} had not finished,"
        " and what the others found is reported"
    )
    return INTERRUPTED

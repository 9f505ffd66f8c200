"""The options that have findings fixed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from overlaylint.cli import tell
from overlaylint.cli.options import options, uses_color
from overlaylint.records import dataclass
from overlaylint.report.counts import counted

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened
    from overlaylint.engine.fix import Fixed
    from overlaylint.engine.result import Result
    from overlaylint.engine.selection import Selection
    from overlaylint.tree import Tree


@dataclass(frozen=True, slots=True)
class Fixing:
    """What is given on the command line."""

    fix: bool
    diff: bool
    unsafe_fixes: bool
    exit_non_zero_on_fix: bool

    def must_make_sense(self, *, checked: str = "") -> None:
        """Raise UsageError for options that say nothing without another.

        `checked` says what is checked where it is not the files as they lie on disk.
        """
        from overlaylint.engine.errors import UsageError

        if self.unsafe_fixes and not (self.fix or self.diff):
            raise UsageError("--unsafe-fixes: it goes with --fix or --diff")
        if self.fix and not self.diff and checked:
            raise UsageError(f"--fix: it changes files, and not {checked}; --diff shows the fixes")
        if self.exit_non_zero_on_fix and not self.fix:
            raise UsageError("--exit-non-zero-on-fix: it goes with --fix")

    def run(self, opened: Opened, selection: Selection, check: Callable[[Opened], Result]) -> Fixed:
        """Check an overlay and fix what is to be fixed; nothing is written yet."""
        from overlaylint.engine.fix import Fixed, fix_tree

        if not (self.fix or self.diff):
            return Fixed(check(opened), {}, {})
        within = selection.with_link_targets(opened.overlay)

        def again(tree: Tree) -> Result:
            return check(opened.with_tree(tree))

        fixed = fix_tree(opened.overlay.tree, again, within.reports_on, unsafe=self.unsafe_fixes)
        if fixed.unsettled:
            tell(f"the fixes of {', '.join(fixed.unsettled)} undo each other; they are left out")
        return fixed

    def write(self, opened: Opened, fixed: Fixed) -> list[str]:
        """Write what was fixed, if that was asked for; return what could not be written."""
        from overlaylint.tree import TreeError, write_file

        failures = []
        for path, data in fixed.after.items() if self.fix and not self.diff else ():
            try:
                write_file(opened.root, path, data, fixed.before[path])
            except TreeError as error:
                failures.append(str(error))
        return failures

    def show_diff(self, fixed: Sequence[Fixed], color: str) -> int:
        """Print what the fixes would change, and return the exit status."""
        from overlaylint.cli import FINDINGS, NOTHING_FOUND
        from overlaylint.report.diff import diff, shown
        from overlaylint.report.style import Style

        changes = b"".join(diff(one.before, one.after) for one in fixed)
        is_terminal = sys.stdout.isatty()
        is_colored = uses_color(color, is_terminal=is_terminal)
        if is_terminal or is_colored or not hasattr(sys.stdout, "buffer"):
            sys.stdout.write(shown(changes, Style(is_colored)))
        else:
            # As it is, for `git apply` and `patch`.
            sys.stdout.buffer.write(changes)
        files = sum(len(one.after) for one in fixed)
        if files:
            findings = sum(len(one.result.fixed) for one in fixed)
            tell(f"{counted(findings, 'finding')} would be fixed in {counted(files, 'file')}")
        return FINDINGS if files else NOTHING_FOUND


fixing_options = options(
    "fixing",
    "Fixes",
    Fixing,
    click.option("--fix", is_flag=True, help="Apply the safe fixes, and report what is left."),
    click.option(
        "--diff",
        is_flag=True,
        help="Print what --fix would change, and change nothing; exit with 1 if it is anything.",
    ),
    click.option(
        "--unsafe-fixes",
        is_flag=True,
        help="Apply, or show, the fixes that may be wrong as well.",
    ),
    click.option(
        "--exit-non-zero-on-fix",
        is_flag=True,
        help="Exit with 1 where --fix changed something, though nothing is left.",
    ),
)

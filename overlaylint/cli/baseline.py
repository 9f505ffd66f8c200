"""The options that say what is known already, and need not be reported again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import tell
from overlaylint.cli.destinations import must_follow_no_link
from overlaylint.cli.options import options
from overlaylint.records import dataclass
from overlaylint.report.counts import counted

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened
    from overlaylint.engine.baseline import Baseline
    from overlaylint.engine.result import Result


@dataclass(frozen=True, slots=True)
class Adopting:
    """What is given on the command line; it goes before the configuration."""

    baseline: Path | None
    no_baseline: bool
    write_baseline: Path | None

    def must_make_sense(self, *, is_reported: bool) -> None:
        """Raise UsageError for options that exclude each other; `--diff` reports nothing."""
        from overlaylint.engine.errors import UsageError

        if self.no_baseline and self.baseline is not None:
            raise UsageError("--baseline and --no-baseline exclude each other")
        if self.write_baseline is not None and not is_reported:
            raise UsageError("--write-baseline and --diff exclude each other")

    def known(self, opened: Opened) -> Baseline | None:
        """Return the baseline that holds for an overlay, None where none does.

        That is the one given, else the one that is to be written anew, else the configured
        one. Raises UsageError where its file can't be read, or is no baseline.
        """
        from overlaylint.engine.baseline import read_baseline
        from overlaylint.tree import DirectoryTree, TreeError

        if self.no_baseline:
            return None
        given = self.baseline
        if given is None and self.write_baseline is not None and self.write_baseline.exists():
            given = self.write_baseline
        if given is not None:
            return read_baseline(_read(given), str(given))
        configured = opened.configuration
        name = configured.settings.baseline
        if not name or self.write_baseline is not None:
            return None
        try:
            # As a tree, so that a checked overlay can name no file outside of its folder.
            data = DirectoryTree(configured.folder).read(name)
        except TreeError as error:
            raise configured.where.at("baseline").error(error.reason) from error
        return read_baseline(data, name)

    def written(
        self, results: Sequence[Result], before: Sequence[Baseline | None]
    ) -> Sequence[Result]:
        """Write the baseline if that is asked for, and return the results as it leaves them.

        `before` are the baselines that held for the results. What they hold of files and rules
        that were not looked at is kept. Raises UsageError where the file can't be written.
        """
        if self.write_baseline is None:
            return results
        from overlaylint.engine.baseline import Baseline, baseline_of, with_baseline, write_baseline
        from overlaylint.engine.errors import UsageError

        must_follow_no_link(
            self.write_baseline, [one.root for one in results if one.root is not None]
        )
        old = Baseline(tuple({one for each in before if each for one in each.entries}))
        new = baseline_of(results, old)
        try:
            self.write_baseline.write_text(write_baseline(new), encoding="utf-8")
        except OSError as error:
            reason = f"{self.write_baseline} can't be written: {error.strerror}"
            raise UsageError(reason) from error
        added = len(set(new.entries) - set(old.entries))
        removed = len(set(old.entries) - set(new.entries))
        holds = f"{self.write_baseline} holds {counted(len(new.entries), 'finding')}"
        tell(f"{holds}: {added} added, {removed} removed")
        return [with_baseline(one, new) for one in results]


adopting_options = options(
    "adopting",
    "Baseline",
    Adopting,
    click.option(
        "--baseline",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Report only what is not in FILE.",
    ),
    click.option(
        "--no-baseline",
        is_flag=True,
        help="Report everything, whatever the configuration says.",
    ),
    click.option(
        "--write-baseline",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write what is found to FILE, so that it is not reported from now on.",
    ),
)


def _read(path: Path) -> bytes:
    from overlaylint.engine.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error

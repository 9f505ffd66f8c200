"""`overlaylint check`: run the rules and report what they find."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import FINDINGS, NOTHING_FOUND
from overlaylint.cli.overlays import by_overlay, masters_given
from overlaylint.report import FORMATS

if TYPE_CHECKING:
    from overlaylint.engine.configuration import Configuration
    from overlaylint.engine.packs import Catalog
    from overlaylint.engine.result import Result
    from overlaylint.overlay.masters import Repositories
    from overlaylint.report import Settings


@click.command("check")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--select",
    "selects",
    multiple=True,
    metavar="NAMES",
    help="Run only these rules or packs, or ALL; with commas between them.",
)
@click.option(
    "--ignore",
    "ignores",
    multiple=True,
    metavar="NAMES",
    help="Leave out these rules or packs.",
)
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How the findings are shown.",
)
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report to FILE instead of standard output.",
)
@click.option(
    "--master",
    "masters",
    multiple=True,
    metavar="NAME=PATH",
    help="Where a master is; else it is looked for beside the overlay.",
)
@click.option(
    "--force-exclude",
    is_flag=True,
    help="Leave excluded files out even where they are given as PATH.",
)
@click.option(
    "--show-undecided",
    is_flag=True,
    help="List where a rule could not tell, and why.",
)
@click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Colour the text output. NO_COLOR turns auto off.",
)
def command(
    paths: tuple[Path, ...],
    selects: tuple[str, ...],
    ignores: tuple[str, ...],
    output_format: str,
    output_file: Path | None,
    masters: tuple[str, ...],
    color: str,
    *,
    force_exclude: bool,
    show_undecided: bool,
) -> int:
    """Check overlays, or files and folders in them.

    PATH is an overlay's root, or anything in an overlay: then only findings in what is given
    are reported, and the rest is read as context. Without PATH, it is the working folder.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.engine.packs import load_catalog
    from overlaylint.report import Settings, load_format

    catalog = load_catalog()
    results = []
    for root, given in by_overlay(paths or (Path(),)).items():
        overlay = _Overlay(root, masters_given(masters), catalog)
        results.append(
            overlay.check(
                given,
                select=_names(selects),
                ignore=_names(ignores),
                force_exclude=force_exclude,
            )
        )
    if not any(result.files for result in results):
        if not force_exclude:
            names = ", ".join(str(path) for path in paths) or "."
            raise UsageError(f"there is nothing to check in {names}")
        print("overlaylint: every file given is excluded", file=sys.stderr)
    settings = Settings(
        use_color=_use_color(color, output_file),
        width=_width(),
        show_undecided=show_undecided,
        environment=os.environ,
        folder=Path.cwd(),
    )
    text = load_format(output_format).render(results, settings)
    if output_file is None:
        sys.stdout.write(text)
    else:
        _write(output_file, text, "w")
    if output_format == "github":
        _write_step_summary(results, settings)
    return FINDINGS if any(result.findings for result in results) else NOTHING_FOUND


def _names(values: Iterable[str]) -> list[str]:
    """Return the names in an option that may be repeated and holds commas."""
    return [name for value in values for name in value.replace(",", " ").split()]


class _Overlay:
    """An overlay on disk with its configuration and its masters."""

    def __init__(self, root: Path, masters: Mapping[str, Path], catalog: Catalog) -> None:
        from overlaylint.engine.configuration import load_configuration
        from overlaylint.overlay.repository import Repository
        from overlaylint.tree import DirectoryTree

        self.root = root
        self.catalog = catalog
        self.tree = DirectoryTree(root)
        self.configuration: Configuration = load_configuration(Repository(self.tree))
        configured = {name: root / path for name, path in self.configuration.masters.items()}
        self.repositories = self._find({**configured, **masters})

    def _find(self, masters: Mapping[str, Path]) -> Repositories:
        from overlaylint.overlay.masters import find_repositories

        return find_repositories(self.root, masters, self.tree)

    def check(
        self, given: set[str], *, select: Sequence[str], ignore: Sequence[str], force_exclude: bool
    ) -> Result:
        """Run the rules that are selected on the command line, else by the configuration."""
        from overlaylint.engine.configuration import rule_options
        from overlaylint.engine.run import Plan, run
        from overlaylint.engine.selection import Selection

        repository = self.repositories.overlay
        rules = self.catalog.select(
            repository.name,
            select or self.configuration.select,
            (*ignore, *(() if select else self.configuration.ignore)),
        )
        plan = Plan(
            rules=rules,
            known=frozenset(self.catalog.rules),
            selection=Selection(frozenset(given), self.configuration.exclude, force_exclude),
            options=rule_options(self.configuration, self.catalog),
            missing_masters=self.repositories.missing,
            root=self.root,
        )
        return run(repository, plan)


def _use_color(choice: str, output_file: Path | None) -> bool:
    if choice != "auto":
        return choice == "always"
    if output_file is not None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def _write(path: Path, text: str, mode: str) -> None:
    from overlaylint.engine.errors import UsageError

    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error


def _write_step_summary(results: Sequence[Result], settings: Settings) -> None:
    path = settings.environment.get("GITHUB_STEP_SUMMARY")
    if path:
        from overlaylint.report.github import step_summary

        _write(Path(path), step_summary(results, settings), "a")

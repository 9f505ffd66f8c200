"""The configuration, `overlaylint.toml` or `[tool.overlaylint]`: what it holds, and where it is.

It is looked for at the overlay's root, and from there upward to the root of the git work tree
that the overlay lies in; the nearest wins, and nothing of the others counts. Every path in it
is relative to the folder that it lies in. Nothing it says can name code to run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overlaylint.engine.errors import ConfigurationError, nearest
from overlaylint.engine.settings import Where, from_table, key_of
from overlaylint.finding import Severity, Span
from overlaylint.records import dataclass
from overlaylint.syntax import Text, Texts
from overlaylint.tree import Tree, TreeError

if TYPE_CHECKING:
    from overlaylint.engine.packs import Catalog
    from overlaylint.lines import LineIndex
    from overlaylint.policies.policy import Policy

FILE_NAME = "overlaylint.toml"
#: Larger files are refused: they are read whole before anything else is done.
LARGEST_CONFIGURATION = 1024 * 1024
#: More of them in one line are refused: tomllib takes hours for a key of so many parts.
MOST_DOTS = 2000
PYPROJECT = "pyproject.toml"
_PYPROJECT_TABLE = ("tool", "overlaylint")


@dataclass(frozen=True, slots=True)
class IgnoredPaths:
    """Files in which findings of some rules are expected, with the reason."""

    paths: Texts
    """Globs over a path or one of the folders that it lies in."""
    rules: Texts
    """Rules and packs that are not reported there, or ALL."""
    reason: Text
    """Why that is so, for the next maintainer."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file may hold; on the command line the same names are options."""

    select: tuple[str, ...] = ()
    """Rules and packs to run, instead of those that are on for the overlay."""
    ignore: tuple[str, ...] = ()
    """Rules and packs not to run."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    """How bad a rule's findings are, by its name, where that is not as the rule has it."""
    ignore_paths: tuple[IgnoredPaths, ...] = ()
    """Where findings of some rules are expected."""
    exclude: tuple[str, ...] = ()
    """Globs over paths that nothing is reported in."""
    masters: Mapping[str, str] = field(default_factory=dict)
    """Where a master is, by its name."""
    profiles: tuple[str, ...] = ()
    """Globs over the profiles that rules look at, as paths below `profiles/`; else all."""
    baseline: str = ""
    """A file of findings that are known, which are not reported."""
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The options of a rule, by its name: `[rules.implicit-base-package]`."""
    policy: tuple[Policy, ...] = ()
    """Policies of the overlay's own: rules without code."""


@dataclass(frozen=True)
class Configured:
    """The configuration of one overlay, and where it stands.

    `file` is its path as messages show it, relative to the overlay's root, or empty where
    there is none. `folder` is the folder that its paths are relative to, and `base` the
    overlay's root as a path in that folder, empty where they are the same.
    """

    settings: Configuration = field(default_factory=Configuration)
    file: str = ""
    folder: Path = field(default_factory=Path)
    base: str = ""
    text: str = field(default="", repr=False)
    table: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        """The place of the whole, for messages."""
        return Where(self.file, (), self.text, self.table)

    @property
    def select(self) -> tuple[str, ...]:
        """The rules and packs to run, none for those that are on.

        Policies stand in the same file, which would not say what it does not mean.
        """
        own = ("policies",) if self.settings.policy and self.settings.select else ()
        return (*self.settings.select, *own)

    @property
    def ignore(self) -> tuple[str, ...]:
        """The rules and packs not to run."""
        return self.settings.ignore

    @property
    def exclude(self) -> tuple[str, ...]:
        """Globs over paths in `folder` that nothing is reported in."""
        return self.settings.exclude

    @property
    def masters(self) -> Mapping[str, Path]:
        """The masters' folders, by their names."""
        return {name: self.folder / path for name, path in self.settings.masters.items()}

    @cached_property
    def lines(self) -> Mapping[tuple[str | int, ...], int]:
        """The line of each key, from 1, without the table that all of them stand in."""
        from overlaylint.engine.toml_lines import statement_lines

        skipped = len(self.table)
        return {
            keys[skipped:]: line
            for keys, line in statement_lines(self.text).items()
            if keys[:skipped] == self.table and len(keys) > skipped
        }

    @cached_property
    def _index(self) -> LineIndex:
        from overlaylint.lines import LineIndex

        return LineIndex(self.text.encode())

    def span(self, *keys: str | int) -> Span | None:
        """Return the first line of a setting; None where the file lies outside of the overlay."""
        if not self.file or self.file.startswith("../"):
            return None
        from overlaylint.engine.toml_lines import line_of

        line = line_of(self.lines, keys)
        if line is None:
            return Span(self.file)
        start, end = self._index.span(line)
        return Span(self.file, start, end)

    def severities(self, catalog: Catalog) -> dict[str, Severity]:
        """Return the severities by rule. Raises ConfigurationError for a name of no rule."""
        for name in self.settings.severity:
            self._known(name, catalog, self.where.at("severity").at(name))
        return dict(self.settings.severity)

    def rule_options(self, catalog: Catalog) -> dict[str, object]:
        """Return the options that are set, typed as each rule has them.

        Raises ConfigurationError for a rule or an option that there is not.
        """
        options: dict[str, object] = {}
        for name, table in self.settings.rules.items():
            where = self.where.at("rules").at(name)
            self._known(name, catalog, where)
            kind = catalog.rules[name].options
            if kind is None:
                raise where.error("the rule has no options")
            options[name] = from_table(kind, table, where)
        return options

    @staticmethod
    def _known(name: str, catalog: Catalog, where: Where) -> None:
        if name not in catalog.rules:
            raise where.error(f"no rule is called {name}{nearest(name, catalog.rules)}")


def load_configuration(tree: Tree, root: Path | None = None) -> Configured:
    """Return the configuration of the overlay that `tree` holds, an empty one where it has none.

    `root` is where the overlay lies on disk; without it no folder above is looked into.
    Raises ConfigurationError where the file can't be read, or holds what it can't hold.
    """
    for place, folder, above in _folders(tree, root):
        for name in (FILE_NAME, PYPROJECT):
            if place.kind(name) is None:
                continue
            file = above + name
            text, table = _read(place, name, file)
            keys: tuple[str, ...] = ()
            if name == PYPROJECT:
                keys = _PYPROJECT_TABLE
                if not isinstance(table.get("tool"), dict) or keys[1] not in table["tool"]:
                    continue
                table = table["tool"][keys[1]]
            where = Where(file, (), text, keys)
            settings = _settings(table, where)
            base = "" if root is None or not above else _relative(root, folder)
            return Configured(settings, file, folder, base, text, keys)
    return Configured(folder=root or Path())


def _settings(table: Any, where: Where) -> Configuration:
    if not isinstance(table, dict):
        raise where.error("this must be a table")
    return from_table(Configuration, table, where, _later("policy" in table))


def _later(is_needed: bool) -> dict[str, Any]:
    """Return the types that take long to import, if they are needed."""
    if not is_needed:
        return {"Policy": object}
    from overlaylint.policies.policy import Policy

    return {"Policy": Policy}


def configuration_keys() -> tuple[str, ...]:
    """Return every key that the file may hold, in the order they are told of."""
    return tuple(map(key_of, fields(Configuration)))


def _folders(tree: Tree, root: Path | None) -> Iterator[tuple[Tree, Path, str]]:
    """Yield the folders to look into, with the way there from the overlay's root."""
    yield tree, root or Path(), ""
    if root is None:
        return
    from overlaylint.tree import DirectoryTree

    place = Path(os.path.abspath(root))  # noqa: PTH100 (a link is where it is given)
    above = ""
    for folder in _up_to_work_tree(place):
        above += "../"
        try:
            yield DirectoryTree(folder), folder, above
        except TreeError:
            # A folder that may not be listed: nothing is known to be there.
            continue


def _up_to_work_tree(place: Path) -> tuple[Path, ...]:
    """Return the folders above, up to the one with `.git`; none where there is no such folder."""
    if os.path.lexists(place / ".git"):
        return ()
    found = []
    for folder in place.parents:
        found.append(folder)
        if os.path.lexists(folder / ".git"):
            return tuple(found)
    return ()


def _relative(root: Path, folder: Path) -> str:
    return Path(os.path.abspath(root)).relative_to(folder).as_posix()  # noqa: PTH100


def _read(tree: Tree, name: str, shown: str) -> tuple[str, dict[str, Any]]:
    import tomllib

    try:
        data = tree.read(name)
        if len(data) > LARGEST_CONFIGURATION:
            limit = f"{LARGEST_CONFIGURATION // 1024} KiB"
            raise ConfigurationError(f"{shown}: it is larger than {limit}")
        text = data.decode("utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            if line.count(".") > MOST_DOTS:
                raise ConfigurationError(f"{shown}:{number}: it has more than {MOST_DOTS} dots")
        return text, tomllib.loads(text)
    except TreeError as error:
        raise ConfigurationError(f"{shown}: {error.reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{shown}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{shown}: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{shown}: it is nested too deeply") from error
    except ValueError as error:
        # tomllib leaves it to Python to refuse an integer of thousands of digits.
        raise ConfigurationError(f"{shown}: a number has too many digits") from error

"""Files in which the configuration expects findings: `[[ignore-paths]]`.

Like a comment in the overlay, an entry has a reason, and one that is good for nothing is
itself a finding: it would hide the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING

from overlaylint.engine.selection import matches_path
from overlaylint.finding import Finding, Span
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.engine.configuration import Configured
    from overlaylint.engine.packs import Catalog

# The place of what has no place in the overlay.
_ELSEWHERE = "profiles/repo_name"


@dataclass(frozen=True, slots=True)
class PathIgnore:
    """One entry, as the run sees it.

    `span` is its first line, or profiles/repo_name where it lies outside of the overlay;
    `shown` tells where it is. `rules` has the rules behind each name that it holds. The rest
    is filled in when the run is over: `used` are the rules that it suppressed a finding of,
    `judged` those that had their say about every file that it is for.
    """

    span: Span
    shown: str
    paths: tuple[str, ...]
    base: str
    rules: tuple[tuple[str, frozenset[str]], ...]
    reason: str
    used: frozenset[str] = frozenset()
    judged: frozenset[str] = frozenset()

    def is_for(self, finding: Finding) -> bool:
        """Whether the entry holds for a finding."""
        return any(finding.rule in names for _, names in self.rules) and self.is_for_path(
            finding.span.path
        )

    def is_for_path(self, path: str) -> bool:
        """Whether the entry holds for a file of the overlay."""
        return matches_path(self.paths, path, self.base)

    @property
    def is_about_this_overlay(self) -> bool:
        """Whether some file of the overlay could be meant: a file may serve several overlays."""
        return not self.base or any(
            _may_be_below(_literal_folder(glob), self.base) for glob in self.paths
        )


@dataclass(frozen=True, slots=True)
class PathIgnores:
    """The entries of one configuration, in their order."""

    entries: tuple[PathIgnore, ...] = field(default=())

    def of(self, finding: Finding) -> PathIgnore | None:
        """Return the first entry that holds for a finding, or None."""
        return next((one for one in self.entries if one.is_for(finding)), None)


def path_ignores(configured: Configured, catalog: Catalog) -> PathIgnores:
    """Return the entries of a configuration. Raises ConfigurationError for a name of no rule."""
    from overlaylint.engine.errors import UsageError

    found = []
    for at, entry in enumerate(configured.settings.ignore_paths):
        where = configured.where.at("ignore-paths").at(at)
        rules = []
        for number, name in enumerate(entry.rules):
            try:
                rules.append((name, catalog.rules_called(name)))
            except UsageError as error:
                raise where.at("rules").at(number).error(str(error)) from error
        span = configured.span("ignore-paths", at)
        line = where.line
        shown = configured.file if line is None else f"{configured.file}:{line}"
        found.append(
            PathIgnore(
                span or Span(_ELSEWHERE),
                "" if span else shown,
                entry.paths,
                configured.base,
                tuple(rules),
                entry.reason,
            )
        )
    return PathIgnores(tuple(found))


def _literal_folder(glob: str) -> str:
    """Return the folders of a glob before its first wildcard."""
    parts: Iterable[str] = glob.strip("/").split("/")
    literal = []
    for part in parts:
        if set(part) & set("*?["):
            break
        literal.append(part)
    return "/".join(literal)


def _may_be_below(folder: str, base: str) -> bool:
    """Whether `base` lies in `folder` or the other way round."""
    return f"{base}/".startswith(f"{folder}/" if folder else "") or f"{folder}/".startswith(
        f"{base}/"
    )

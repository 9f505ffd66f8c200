"""Calls of `systemd-tmpfiles` on a folder that becomes a root, while a package is built.

systemd-tmpfiles(8): with `--root=R` it makes in R what tmpfiles.d(5) in R says. From systemd 246
on, users and groups are looked up in R's own passwd and group, not in the machine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overlaylint.overlay.built import built_ebuilds, has_at_least
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.steps import (
    UNKNOWN,
    Location,
    Step,
    list_options,
    pattern_of,
    read_options,
)
from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition
from overlaylint.shell.values import Mixed

TOOL = "systemd-tmpfiles"
PACKAGE = "sys-apps/systemd"

# What such a call may be asked to do; without any of them it only prints something, or fails.
_ACTIONS = frozenset({"create", "clean", "remove", "purge"})
_TAKING_WORD = frozenset({"root", "image", "prefix", "exclude-prefix", "replace"})
_HARMLESS = frozenset({"help", "h", "version", "cat-config", "tldr", "dry-run"})


@dataclass(frozen=True, slots=True)
class RootCall:
    """One call with `--root`: its place among the steps, and the root; None if that is unknown."""

    index: int
    step: Step
    root: Location | None
    written: str

    @property
    def guards(self) -> tuple[Condition, ...]:
        """What must hold for it to run."""
        return self.step.call.guards

    def may_make(self, configuration: str, path: str) -> bool:
        """Whether it may make what a configuration in the root says of a path.

        It makes nothing without `--create`, reads those alone that it is given by name, and leaves
        out what its prefixes do.
        """
        words = self.step.arguments
        if any(isinstance(word, Mixed) and not word.head and word.is_many for word in words):
            return True
        options, names = list_options(words, _TAKING_WORD)
        if not any(name == "create" for name, _ in options):
            return False
        known = [pattern_of(name).rpartition("/")[2] for name in names]
        if names and not any(UNKNOWN in one or one in (configuration, "-") for one in known):
            return False
        prefixes = [pattern_of(value) for name, value in options if name == "prefix"]
        excluded = [pattern_of(value) for name, value in options if name == "exclude-prefix"]
        if any(_is_below(path, one) for one in excluded):
            return False
        return not prefixes or any(
            UNKNOWN in one or _is_below(path, one) or _is_below(one, path) for one in prefixes
        )


def root_calls(of: Sequence[Step]) -> Iterator[RootCall]:
    """Yield the calls of systemd-tmpfiles that make something in a root, in their order."""
    for index, step in enumerate(of):
        if step.name != TOOL:
            continue
        words = step.arguments
        is_known = not any(isinstance(word, Mixed) and not word.head for word in words)
        options, _ = read_options(words, _TAKING_WORD)
        if not _HARMLESS.isdisjoint(options) or (is_known and _ACTIONS.isdisjoint(options)):
            continue
        root = options.get("root")
        if root:
            yield RootCall(index, step, step.at(root), str(root))


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def looks_users_up_in_root(repository: Repository, since: str) -> bool | None:
    """Whether the tree's systemd does that, as it does from version `since` on.

    None where it is unknown: there is a live ebuild only, or none, and a master is missing.
    """
    ebuilds = built_ebuilds(repository, PACKAGE)
    if ebuilds:
        return has_at_least(ebuilds, since)
    is_missing = any(one.missing_masters for one in repository.family)
    return None if is_missing else False

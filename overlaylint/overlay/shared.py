"""What the revisions of a repository share: syntax trees, what eclasses do, what ebuilds come to.

All of it is found by the content that it was made from, so that a revision takes only what holds
for it. What was not asked for longest is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from overlaylint.overlay.eclass_effects import Effect
from overlaylint.overlay.evaluation import Evaluation, evaluate
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.repository import Repository
    from overlaylint.shell import Script

#: The syntax trees of so many bytes of scripts are kept; they take some twenty times as much.
MOST_SCRIPT_BYTES = 5 * 1024 * 1024
#: Of so many ebuilds the metadata is kept: several revisions of a large repository.
MOST_KEPT = 6144
#: So many evaluations are kept: those of one revision of a large overlay.
MOST_EVALUATIONS = 1024


class Shared:
    """Belongs to repositories that are much alike, one after the other."""

    def __init__(
        self, *, most_bytes: int = MOST_SCRIPT_BYTES, most_evaluations: int = MOST_EVALUATIONS
    ) -> None:
        self.effects: dict[str, list[Effect]] = {}
        self.store = Memory()
        self._scripts: OrderedDict[tuple[str, bytes], tuple[Script, int]] = OrderedDict()
        self._bytes = 0
        self._most_bytes = most_bytes
        self._most_evaluations = most_evaluations
        self._evaluations: OrderedDict[object, _Evaluated] = OrderedDict()

    def serve(self, repository: Repository) -> None:
        """Let a repository and its masters take part."""
        for one in repository.family:
            one.shared = self
            one.store = self.store

    def forget(self) -> None:
        """Let go of what was made from texts that were not asked for in a while."""
        kept = {id(script) for script, _ in self._scripts.values()}
        for key, one in list(self._evaluations.items()):
            scripts = (one.script, *(script for _, script in one.eclasses))
            if any(script is not None and id(script) not in kept for script in scripts):
                del self._evaluations[key]
        for name, effects in list(self.effects.items()):
            effects[:] = [
                one for one in effects if all(id(script) in kept for _, script in one.scripts)
            ]
            if not effects:
                del self.effects[name]

    def evaluation(self, ebuild: Ebuild) -> Evaluation:
        """Evaluate an ebuild, or take what it came to. Raises TreeError as `evaluate` does."""
        repository = ebuild.repository
        missing = tuple(one.missing_masters for one in repository.family)
        key = (repository.name, ebuild.path, ebuild.source_path, missing)
        known = self._evaluations.get(key)
        if known is not None and known.script is repository.script(ebuild.source_path):
            find = repository.eclass_script
            if all(find(name) is script for name, script in known.eclasses):
                self._evaluations.move_to_end(key)
                return replace(known.evaluation, ebuild=ebuild)
        found = evaluate(ebuild)
        if found.state.havoc is None:
            eclasses = tuple((name, repository.eclass_script(name)) for name in found.sought)
            script = repository.script(ebuild.source_path)
            # An ebuild leads to its repository, with all that was worked out of that.
            alone = replace(found, ebuild=cast("Ebuild", None))
            self._evaluations[key] = _Evaluated(alone, script, eclasses)
            self._evaluations.move_to_end(key)
            if len(self._evaluations) > self._most_evaluations:
                self._evaluations.popitem(last=False)
        return found

    def parse(self, data: bytes, name: str) -> Script:
        """Return a script as `overlaylint.shell.parse` does, the same one for the same text."""
        from overlaylint.shell import parse

        key = (name, sha256(data).digest())
        known = self._scripts.get(key)
        if known is not None:
            self._scripts.move_to_end(key)
            return known[0]
        script = parse(data, name)
        self._scripts[key] = script, len(data)
        self._bytes += len(data)
        while self._bytes > self._most_bytes and len(self._scripts) > 1:
            _, (_, size) = self._scripts.popitem(last=False)
            self._bytes -= size
        return script


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """An evaluation, and what it was made from: the ebuild's text and the eclasses it sought.

    The evaluation is of no ebuild: it is given the one of each revision.
    """

    evaluation: Evaluation
    script: Script
    eclasses: tuple[tuple[str, Script | None], ...]


class Memory:
    """A store (see `overlaylint.overlay.kept`) that holds what was used last."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._known: OrderedDict[str, object] = OrderedDict()
        self._most = most

    def get(self, key: str) -> object:
        """Return what was kept last; None where nothing was."""
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    def keep(self, key: str, value: object) -> None:
        """Keep something in place of what is there."""
        self._known[key] = value
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

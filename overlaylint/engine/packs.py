"""Rule packs: found through the entry-point group `overlaylint.rules`, imported when needed."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from overlaylint.engine.errors import UsageError, nearest
from overlaylint.records import dataclass
from overlaylint.rule import Pack, Rule, RuleError

if TYPE_CHECKING:
    from overlaylint.engine.configuration import Configured

GROUP = "overlaylint.rules"

#: The pack of what the engine itself has to say. It is on everywhere.
ENGINE_PACK = "overlaylint"
_ENGINE_PACKAGE = "overlaylint.engine.rules"

#: The rule that says of the others that they failed.
INTERNAL_ERROR = "internal-error"

#: Selects every rule there is, whatever overlays its pack is for.
ALL = "ALL"


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack with its name and its rules, sorted by name."""

    name: str
    pack: Pack
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Catalog:
    """Every pack that is installed, sorted by name."""

    packs: tuple[LoadedPack, ...]

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by its name, sorted. Raises RuleError if two have one name."""
        found: dict[str, Rule] = {}
        for pack in self.packs:
            for rule in pack.rules:
                if rule.name in found:
                    raise RuleError(
                        f"two rules are called {rule.name}: {found[rule.name].module}"
                        f" and {rule.module}"
                    )
                found[rule.name] = rule
        return dict(sorted(found.items()))

    def rule(self, name: str) -> Rule:
        """Return a rule by its name; raises UsageError with the nearest name."""
        try:
            return self.rules[name]
        except KeyError:
            raise UsageError(f"no rule is called {name}{nearest(name, self.rules)}") from None

    def with_policies(self, configured: Configured) -> Catalog:
        """Return the catalog with the policies that a configuration writes down, as a pack.

        Raises ConfigurationError where one is called like another rule or policy.
        """
        if not configured.settings.policy:
            return self
        from overlaylint.policies.policy import PACK, TITLE, policy_rule

        rules: dict[str, Rule] = {}
        for at, policy in enumerate(configured.settings.policy):
            where = configured.where.at("policy").at(at, policy.name).at("name")
            if policy.name in self.rules:
                pack = self.pack_of(self.rules[policy.name]).name
                raise where.error(f"the pack {pack} has a rule of that name")
            if policy.name in rules or policy.name in (PACK, *(one.name for one in self.packs)):
                what = "another policy" if policy.name in rules else "a pack"
                raise where.error(f"{what} is called so")
            rules[policy.name] = policy_rule(policy)
        own = LoadedPack(PACK, Pack(TITLE), tuple(rules[name] for name in sorted(rules)))
        return Catalog((*self.packs, own))

    def pack_of(self, rule: Rule) -> LoadedPack:
        """Return the pack that a rule of this catalog is in."""
        return next(pack for pack in self.packs if rule in pack.rules)

    def select(
        self, repository: str, select: Iterable[str] = (), ignore: Iterable[str] = ()
    ) -> tuple[Rule, ...]:
        """Return the rules to run on a repository of that name, sorted by name.

        `select` and `ignore` hold names of rules and packs, and `ALL`. With nothing
        selected, the packs that are on for the repository run. `internal-error` is one of
        them unless it is ignored by name. Raises UsageError for a
        name that is none, and where no rule is left.
        """
        chosen = set(self._expand(select))
        if not chosen:
            chosen = {
                rule.name
                for pack in self.packs
                if pack.pack.is_on_for(repository)
                for rule in pack.rules
            }
        ignored = set(self._expand(ignore))
        if not chosen - ignored:
            raise UsageError("no rule is left to run: all that are selected are ignored")
        # Whatever is selected: a rule that fails must not look like one that finds nothing.
        chosen.add(INTERNAL_ERROR)
        chosen -= ignored
        return tuple(rule for name, rule in self.rules.items() if name in chosen)

    def rules_called(self, name: str) -> frozenset[str]:
        """Return the rules that a name stands for: a rule, a pack, or `ALL`.

        Raises UsageError for a name that is none.
        """
        by_pack = {pack.name: pack.rules for pack in self.packs}
        if name == ALL:
            return frozenset(self.rules)
        if name in by_pack:
            return frozenset(rule.name for rule in by_pack[name])
        if name in self.rules:
            return frozenset({name})
        known = (*self.rules, *by_pack, ALL)
        raise UsageError(f"no rule or pack is called {name}{nearest(name, known)}")

    def _expand(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            yield from self.rules_called(name)


def load_catalog() -> Catalog:
    """Import every installed pack.

    Raises RuleError where a pack or rule is not put together as it must be. Nothing but
    installed packages is looked at, so that no checked overlay can bring in code.
    """
    packs = {ENGINE_PACK: _ENGINE_PACKAGE, **dict(sorted(_entry_points()))}
    return Catalog(tuple(load_pack(name, packs[name]) for name in sorted(packs)))


def load_pack(name: str, package: str) -> LoadedPack:
    """Import the rules of a pack: one in each module of the package, save those with a `_`."""
    try:
        module = import_module(package)
        pack = getattr(module, "PACK", None)
        if not isinstance(pack, Pack):
            raise RuleError(f"the rule pack {name} ({package}) sets no PACK")
        rules = [
            _only_rule(f"{package}.{info.name}")
            for info in pkgutil.iter_modules(module.__path__)
            if not info.name.startswith("_")
        ]
    except ImportError as error:
        raise RuleError(f"the rule pack {name} ({package}) can't be imported: {error}") from error
    return LoadedPack(name, pack, tuple(sorted(rules, key=lambda rule: rule.name)))


def _only_rule(module_name: str) -> Rule:
    module = import_module(module_name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, Rule) and value.module == module_name
    ]
    if len(found) != 1:
        raise RuleError(f"the rule module {module_name} must hold one rule, and holds {len(found)}")
    return found[0]


def _entry_points() -> Iterator[tuple[str, str]]:
    """Yield the name and package of each pack that an installed distribution announces.

    The files are read here, because importlib.metadata takes longer to import than a file
    takes to check. It is asked where overlaylint's own entry is not found this way.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            # sys.path may name archives, and folders that are not there.
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                for key, package in _group(Path(folder, name, "entry_points.txt")):
                    found.setdefault(key, package)
    if not found:
        from importlib.metadata import entry_points

        found = {point.name: point.value for point in entry_points(group=GROUP)}
    if not found:
        raise RuleError(
            f"no rule pack is installed (entry-point group {GROUP}): overlaylint itself is"
            " to be installed, not only importable"
        )
    yield from found.items()


def _group(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text("utf-8")
    except OSError:
        # Most distributions have no entry points.
        return
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == GROUP and "=" in line and not line.startswith(("#", ";")):
            name, _, package = line.partition("=")
            yield name.strip(), package.strip()

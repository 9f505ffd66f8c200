"""Package dependency atoms: what they say and what they match (PMS 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from overlaylint.overlay.pkgcore_adapter import AtomError, parse_atom_parts
from overlaylint.overlay.version import (
    Version,
    is_category_name,
    is_package_name,
    parse_version,
    split_pf,
)
from overlaylint.records import dataclass

__all__ = ["Atom", "AtomError", "Candidate", "by_specificity", "package_of", "parse_atom"]

# Atoms that every EAPI writes alike: no slot, no USE dependency, no strong blocker.
_PLAIN = re.compile(
    r"(?P<blocker>!?)(?P<operator>[<>]=?|[=~]|)(?P<cpv>[A-Za-z0-9+_./-]+)(?P<glob>\*?)"
)
# What may follow these (PMS 8.3.3, 8.3.4), as EAPI 5 and later have it.
_SLOT = r"[A-Za-z0-9_][A-Za-z0-9+_.-]*"
_FLAG = r"[A-Za-z0-9][A-Za-z0-9+_@-]*"
_DEFAULT = r"(?:\([+-]\))?"
_WANTED = rf"(?:-?{_FLAG}{_DEFAULT}|!?{_FLAG}{_DEFAULT}[?=])"
_DETAILS = re.compile(
    rf"(?::(?:(?P<slot>{_SLOT})(?:/(?P<subslot>{_SLOT}))?(?P<equals>=?)|(?P<operator>[*=])))?"
    rf"(?:\[(?P<use>{_WANTED}(?:,{_WANTED})*)\])?"
)
_WITH_DETAILS = frozenset({None, "5", "6", "7", "8"})
_TILDE_REVISION = re.compile(r"^(!{0,2}~[^:\[]+)(-r[0-9]+)(?=[:\[]|$)")
_USE_FLAG = re.compile(_FLAG)
_USE_DEPENDENCY = re.compile(
    r"(?P<prefix>[!-]?)(?P<flag>[^?=(]+)(?P<default>\([+-]\))?(?P<suffix>[?=]?)"
)

# What portage.dep.best_match_to_list gives each operator; a slot counts 3.
_SPECIFICITY = {"=": 6, "~": 5, "=*": 4, ">": 2, "<": 2, ">=": 2, "<=": 2, "": 1}

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an atom is matched with: one ebuild's name, version, slot and repository."""

    cp: str
    version: Version
    slot: str = "0"
    """SLOT as the ebuild has it, with its subslot: `0/1.2`."""
    repository: str = ""


@dataclass(frozen=True, slots=True)
class UseDependency:
    """One flag between the brackets of an atom (PMS 8.3.4).

    `prefix` is "", "-" or "!"; `suffix` is "", "?" or "="; `default` is "", "+" or "-".
    """

    flag: str
    prefix: str = ""
    suffix: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Atom:
    """An atom, taken apart. Two atoms are equal where they are written alike."""

    text: str
    category: str
    package: str
    operator: str = ""
    """`=`, `=*` (that is `=cat/pkg-1*`), `~`, `<`, `<=`, `>`, `>=`, or "" without version."""
    version: Version | None = None
    slot: str | None = None
    subslot: str | None = None
    slot_operator: str = ""
    """`=` or `*`, or "" for neither."""
    use: tuple[UseDependency, ...] = ()
    repository: str | None = None
    blocker: str = ""
    """`!` or `!!`, or "" for none."""

    def __str__(self) -> str:
        return self.text

    @property
    def cp(self) -> str:
        """The package: `category/package`."""
        return f"{self.category}/{self.package}"

    def matches(self, candidate: Candidate) -> bool:
        """Whether Portage would take the candidate for this atom.

        The blocker's sign and USE dependencies are not looked at: the first turns an
        answer round, the second need the candidate's flags.
        """
        return (
            candidate.cp == self.cp
            and self.matches_version(candidate.version)
            and self._matches_slot(candidate.slot)
            and (self.repository is None or candidate.repository in ("", self.repository))
        )

    def matches_version(self, version: Version) -> bool:
        """Whether a version is one that the atom asks for, of whatever package."""
        own = self.version
        if own is None:
            return True
        match self.operator:
            case "=":
                return version == own
            case "=*":
                return _starts_with(version.text, own.text)
            case "~":
                return version.without_revision == own.without_revision
            case "<":
                return version < own
            case "<=":
                return version <= own
            case ">":
                return version > own
            case _:
                return version >= own

    def _matches_slot(self, slot: str) -> bool:
        if self.slot is None:
            return True
        main, _, sub = slot.partition("/")
        # Without a subslot of its own, the slot is its own subslot (PMS 7.2).
        return self.slot == main and self.subslot in (None, sub or main)


@lru_cache(maxsize=32768)
def parse_atom(text: str, eapi: str | None = None) -> Atom:
    """Return the atom that `text` writes, or raise AtomError.

    With an EAPI, only what that EAPI has is taken; without, all of it, and `::repository`.
    """
    plain = _parse_plain(text)
    if plain is None and eapi in _WITH_DETAILS:
        plain = _parse_detailed(text)
    return plain if plain is not None else _parse_with_pkgcore(text, eapi)


def package_of(text: str) -> str | None:
    """Return the `category/package` of what looks like an atom, without reading all of it."""
    bare = text.lstrip("!<>=~")
    cpv = re.split(r"[:\[]", bare, maxsplit=1)[0]
    if len(bare) == len(text) or text.lstrip("!") == bare:
        return cpv if "/" in cpv else None
    category, slash, pf = cpv.rstrip("*").partition("/")
    split = split_pf(pf)
    return f"{category}/{split[0]}" if slash and split is not None else None


def by_specificity(entries: Mapping[Atom, _Value], candidate: Candidate) -> list[_Value]:
    """Return the values of the atoms that match, the most specific atom's last.

    Portage applies the lines of one profile's `package.*` file in this order, and not in
    the order they are written: `=` over `~` over `=*` over a slot over `<`, `>` over the
    bare package; among `<` and `>`, the version nearest to the candidate's (portage(5) does
    not say so; `portage.dep.best_match_to_list` does).
    """
    remaining = [atom for atom in entries if atom.matches(candidate)]
    if len(remaining) == 1:
        return [entries[remaining[0]]]
    ordered = []
    while remaining:
        best = _most_specific(remaining, candidate)
        remaining.remove(best)
        ordered.append(entries[best])
    ordered.reverse()
    return ordered


def _most_specific(atoms: Iterable[Atom], candidate: Candidate) -> Atom:
    best: Atom | None = None
    best_value = -1
    for atom in atoms:
        if atom.slot is not None and best_value < 3:
            best, best_value = atom, 3
        value = _SPECIFICITY[atom.operator]
        if value > best_value:
            best, best_value = atom, value
        elif value == best_value == 2 and best is not None and _is_nearer(atom, best, candidate):
            best = atom
    if best is None:
        raise ValueError("no atoms to choose from")
    return best


def _is_nearer(atom: Atom, best: Atom, candidate: Candidate) -> bool:
    new, old, own = atom.version, best.version, candidate.version
    if new is None or old is None or old.text in (own.text, new.text):
        return False
    if new.text == own.text:
        return True
    # Both on one side of the candidate: the one in the middle is nearer. Else Portage keeps
    # the first. The sort is stable, so equal versions keep this order, as they do there.
    ordered = sorted(((old, 0), (own, 1), (new, 2)), key=lambda pair: pair[0])
    places = [which for _, which in ordered]
    return places[1] == 2


def _starts_with(version: str, prefix: str) -> bool:
    """Whether `=cat/pkg-prefix*` matches a version, on the bounds of its parts only."""
    version, prefix = _without_zeros(version), _without_zeros(prefix)
    if not version.startswith(prefix):
        return False
    following = version[len(prefix) : len(prefix) + 1]
    return not following or following in "._-" or prefix[-1].isdigit() != following.isdigit()


def _without_zeros(version: str) -> str:
    stripped = version.lstrip("0")
    return stripped if stripped[:1].isdigit() else f"0{stripped}"


def _parse_plain(text: str) -> Atom | None:
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    category, slash, pf = match["cpv"].partition("/")
    operator = match["operator"]
    if not slash or "/" in pf or not is_category_name(category):
        return None
    if not operator:
        if match["glob"] or not is_package_name(pf):
            return None
        return Atom(text, category, pf, blocker=match["blocker"])
    split = split_pf(pf)
    if split is None or (match["glob"] and operator != "="):
        return None
    version = parse_version(split[1])
    return Atom(
        text, category, split[0], operator + match["glob"], version, blocker=match["blocker"]
    )


def _parse_detailed(text: str) -> Atom | None:
    """Return an atom with a slot, or flags without blanks; None for what is not just that."""
    bare = re.split(r"[:\[]", text, maxsplit=1)[0]
    details = _DETAILS.fullmatch(text, len(bare))
    plain = _parse_plain(bare)
    if plain is None or details is None:
        return None
    use = tuple(map(_use_dependency, details["use"].split(","))) if details["use"] else ()
    if len({one.flag for one in use}) < len(use):
        # They may contradict each other.
        return None
    return replace(
        plain,
        text=text,
        slot=details["slot"],
        subslot=details["subslot"],
        slot_operator=details["operator"] or details["equals"] or "",
        use=use,
    )


def _parse_with_pkgcore(text: str, eapi: str | None) -> Atom:
    # Portage takes a revision behind `~` and pays no heed to it; pkgcore and PMS refuse it.
    tilde = _TILDE_REVISION.match(text)
    parts = parse_atom_parts(_TILDE_REVISION.sub(r"\1", text), eapi)
    category = str(parts["category"])
    if not is_category_name(category):
        # pkgcore takes `a/b/c` for package c of a category a/b.
        raise AtomError(f"{category!r} is not the name of a category")
    version = parts["version"]
    if tilde is not None:
        version = f"{version}{tilde[2]}"
    inside = text.partition("[")[2].rpartition("]")[0]
    return Atom(
        text,
        category,
        str(parts["package"]),
        str(parts["operator"] or ""),
        parse_version(str(version)) if version is not None else None,
        _optional(parts["slot"]),
        _optional(parts["subslot"]),
        str(parts["slot_operator"] or ""),
        tuple(_use_dependency(part.strip()) for part in inside.split(",")) if inside else (),
        _optional(parts["repository"]),
        "!" * (len(text) - len(text.lstrip("!"))),
    )


def _use_dependency(text: str) -> UseDependency:
    match = _USE_DEPENDENCY.fullmatch(text)
    if match is None or _USE_FLAG.fullmatch(match["flag"]) is None:
        raise AtomError(f"no USE dependency: {text!r}")
    return UseDependency(
        match["flag"], match["prefix"], match["suffix"], (match["default"] or "").strip("()")
    )


def _optional(part: object) -> str | None:
    return None if part is None else str(part)

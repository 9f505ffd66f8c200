"""Which systemd units a build enables, and what the units themselves say of it.

A unit is enabled by a link in a `.wants` or `.requires` folder of a target (systemd.unit(5)), which
`systemd_enable_service` of systemd.eclass makes as well.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from functools import reduce
from posixpath import normpath
from typing import TYPE_CHECKING

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.install_targets import Write, writes
from overlaylint.overlay.removals import removes
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.scene import Thing
from overlaylint.overlay.steps import Location, Step, pattern_of
from overlaylint.overlay.systemd_unit import Unit, parse_unit
from overlaylint.overlay.text import encode
from overlaylint.records import dataclass, once_each
from overlaylint.shell.conditions import Check, Condition, any_true, both, negate
from overlaylint.shell.values import Mixed, Value, pieces_of
from overlaylint.tree import Kind, TreeError, walk

if TYPE_CHECKING:
    from overlaylint.overlay.file_texts import File, Piece
    from overlaylint.overlay.written_commands import Written

SUFFIXES = (
    ".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice",
)  # fmt: skip

# A unit among an ebuild's files may have more at its end: `hello.service-r1`, `hello.socket.in`.
_FILE = re.compile(rf"(?P<unit>.+?(?:{'|'.join(map(re.escape, SUFFIXES))}))(?:[-.][a-z0-9.]+)?")

_HELPER = "systemd_enable_service"
_LINKING = frozenset({"dosym", "ln"})

# A link that enables a unit, wherever units lie; what is unknown before `/systemd` is a prefix.
_LINK = re.compile(
    r"(?P<prefix>.*)/systemd/(?P<scope>system|user)/"
    r"(?P<target>[^/]+)\.(?P<kind>wants|requires|upholds)/(?P<unit>[^/]+)"
)

_ALSO = re.compile(rb"Also[\s\\]*=")

_SECTION_KEYS = {"wants": "WantedBy", "requires": "RequiredBy", "upholds": "UpheldBy"}
_ALSO_KEY = "Also"
_KEYS = (_ALSO_KEY, *_SECTION_KEYS.values())

# Stands in a unit for text that is unknown.
_UNKNOWN = "\x01"

# Folders of units, also where they are unknown.
_UNITS = re.compile(r"/systemd/(?:system|user)$|\*$")

# How deep below an ebuild's files a unit is looked for.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Enabled:
    """A unit that a step enables for a target.

    `kind` is `wants`, `requires` or `upholds`; `scope` is `system` or `user`. `step` is the call in
    the phase itself that leads there, `guards` are those of the link. `is_in_usr` tells it from a
    link in /etc.
    """

    unit: str
    target: str
    kind: str
    scope: str
    step: Step
    guards: tuple[Condition, ...]
    is_in_usr: bool


def may_enable(command: Written, units: Iterable[str]) -> bool:
    """Whether a command, as it is written, may enable one of some units.

    What is not among SUFFIXES is taken for a name: with these, any unit is meant.
    """
    is_it = not _LINKING.isdisjoint(command.programs) or any(
        name.endswith(_HELPER) for name in command.programs
    )
    return is_it and any(_may_be(end, unit) for end in command.ends for unit in units)


def _may_be(end: str, unit: str) -> bool:
    """Whether a path that ends so may be that of a unit, or of an instance of it."""
    name = normpath(end).rpartition("/")[2].strip(".")
    known = unit.rpartition("@")[2]
    return name.endswith(known) or known.endswith(name)


def enabled_units(of: Sequence[Step]) -> Iterator[Enabled]:
    """Yield what steps of one phase enable, and leave enabled, in their order."""
    places = {id(step): at for at, step in enumerate(of)}
    for at, one in _enabled(of, places):
        guards = one.guards
        for step in of[at + 1 :]:
            removed = _is_removed(step, one)
            if removed is False:
                continue
            call = step.call
            if removed is None:
                guards = (*guards, Check(("it stays",), call.source, call.start, call.end))
            elif call.guards:
                guards = (*guards, negate(reduce(both, call.guards)))
            else:
                break
        else:
            yield replace(one, guards=guards)


def _is_removed(step: Step, one: Enabled) -> bool | None:
    """Return whether a step removes the link that enables a unit; None if that is unknown."""
    end = f"/systemd/{one.scope}/{one.target}.{one.kind}/{one.unit}"
    places = [f"/usr/lib{end}", f"/lib{end}"] if one.is_in_usr else [f"/etc{end}"]
    return any_true(removes(step, Location("D", place), Thing.LINK) for place in places)


def _enabled(of: Sequence[Step], places: Mapping[int, int]) -> Iterator[tuple[int, Enabled]]:
    """Yield what is enabled with the indices of the steps that do it."""
    callers: list[Step] = []
    links: dict[int, list[Write]] = {}
    for one in writes(tuple(of)):
        if one.step.name in _LINKING:
            links.setdefault(id(one.step), []).append(one)
    for step in of:
        callers = [one for one in callers if _is_inside(step, one)]
        outermost = callers[0] if callers else step
        if step.call.is_function:
            callers.append(step)
        elif step.name.endswith(_HELPER) and len(step.arguments) == 2:
            target, unit = map(pattern_of, step.arguments)
            name = unit.rpartition("/")[2]
            guards = step.call.guards
            yield (
                places[id(step)],
                Enabled(name, target, "wants", "system", outermost, guards, True),
            )
        for one in links.get(id(step), ()):
            found = _LINK.fullmatch(one.location.path) if one.location.root == "D" else None
            if found is not None and found["unit"].endswith(SUFFIXES):
                yield (
                    places[id(step)],
                    Enabled(
                        found["unit"],
                        found["target"],
                        found["kind"],
                        found["scope"],
                        outermost,
                        step.call.guards,
                        not found["prefix"].startswith("/etc"),
                    ),
                )


def _is_inside(step: Step, caller: Step) -> bool:
    """Whether a step runs in the function that another one calls."""
    stack, outer = step.call.stack, caller.call.stack
    return len(stack) > len(outer) and stack[: len(outer)] == outer


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit as the overlay has it, and where: the path is empty for one that steps write.

    `doubts` says why a key of its `Install` section may have more than is known, by key. `lines`
    are where lines begin that are there under some guards only, each with these.
    """

    unit: Unit
    path: str = ""
    doubts: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[tuple[int, tuple[Condition, ...]], ...] = ()

    def targets(self) -> tuple[tuple[str, str], ...] | None:
        """Return what it is to be enabled for, each as the kind of folder and the target.

        None where that is unknown in part.
        """
        if any(key in self.doubts for key in _SECTION_KEYS.values()):
            return None
        return tuple(
            (kind, word.text)
            for kind, key in _SECTION_KEYS.items()
            for word in self.unit.words("Install", key)
        )

    def also(self) -> Mapping[str, tuple[Condition, ...]]:
        """Return the units that are to be enabled with it, as far as they are known.

        Each is with the guards under which it is there.
        """
        starts = [start for start, _ in self.lines]
        found: dict[str, tuple[Condition, ...]] = {}
        for word in self.unit.words("Install", _ALSO_KEY):
            at = bisect_right(starts, word.start)
            if _UNKNOWN not in word.text:
                guards = self.lines[at - 1][1] if at else ()
                found[word.text] = () if word.text in found else guards
        return found

    @property
    def also_doubt(self) -> str:
        """Why more units may have to be enabled with it; empty if not."""
        return self.doubts.get(_ALSO_KEY, "")


class UnitFiles:
    """The units that an ebuild may install or enable, as far as the overlay has their text."""

    def __init__(self, overlay: Repository, ebuild: Ebuild, of: Sequence[Step]) -> None:
        self._overlay = overlay
        self._ebuild = ebuild
        self._written = dict(self._installed(of))
        self._beside = _units_below(ebuild.repository, ebuild.filesdir)

    def find(self, name: str) -> UnitFile | None:
        """Return a unit by its name, or the template that it is an instance of."""
        template = re.sub(r"@[^.]+\.", "@.", name)
        for one in dict.fromkeys((name, template)):
            found = self._written.get(one) or self._by_name(one)
            if found is not None:
                return found
        for place, unit in self._written.items():
            if fnmatchcase(name, place) and (unit.also() or unit.also_doubt):
                return UnitFile(Unit(), "", {_ALSO_KEY: f"a unit is written to {place}"})
        return None

    def _by_name(self, name: str) -> UnitFile | None:
        own = self._beside.get(name, ())
        paths = own or _units_of(self._overlay).get(name, ())
        if len(paths) != 1:
            return None
        repository = self._ebuild.repository if own else self._overlay
        return UnitFile(parse_unit(repository.tree.read(paths[0]), paths[0]), paths[0])

    def _installed(self, of: Sequence[Step]) -> Iterator[tuple[str, UnitFile]]:
        """Yield the units that steps put into the image."""
        from overlaylint.overlay.file_texts import file_texts

        for place, file in file_texts(self._ebuild, of, self._overlay).items():
            folder, _, name = place.path.rpartition("/")
            if place.root != "D" or not name.endswith(SUFFIXES) or not _UNITS.search(folder):
                continue
            unit = _written_unit(file)
            if unit is not None:
                yield name, unit


def _written_unit(file: File) -> UnitFile | None:
    """Return a unit that steps write, if they say anything of it."""
    lines = [
        (line, fate)
        for line in file.lines()
        if not _is_upstreams(line) and (fate := line.fate()) is not None
    ]
    if not lines:
        is_empty = file.is_whole and not file.doubts and not any(map(_is_upstreams, file.pieces))
        is_there = any(piece.fate() is not None for piece in file.pieces)
        return UnitFile(Unit()) if is_empty and is_there else None
    under = set(lines[0][0].guards)
    for line, _ in lines:
        under &= set(line.guards)
    doubts: dict[str, str] = {}
    places: list[tuple[int, tuple[Condition, ...]]] = []
    data = b""
    for line, fate in lines:
        guards = tuple(guard for guard in line.guards if guard not in under)
        keys = _keys_in(line.text)
        if isinstance(line.text, Mixed):
            fate = fate or line.text.unknown.reason
        elif fate:
            doubts = dict.fromkeys(keys, fate) | doubts
            continue
        elif guards and keys != (_ALSO_KEY,):
            fate = f"it depends on {' and '.join(map(str, guards))}"
        if fate:
            doubts = dict.fromkeys(keys, fate) | doubts
        places.append((len(data), guards))
        text = "".join(part if isinstance(part, str) else _UNKNOWN for part in pieces_of(line.text))
        data += encode(f"{text}\n")
    for _, reason in file.doubts:
        doubts = dict.fromkeys(_KEYS, reason) | doubts
    if not file.is_whole:
        if not any(_keys_in(line.text) for line, _ in lines):
            return None
        doubts = dict.fromkeys(_KEYS, "what else is in its file is not at hand") | doubts
    return UnitFile(parse_unit(data), "", doubts, tuple(places))


def _is_upstreams(line: Piece) -> bool:
    """Whether a line is of a file that is not the overlay's."""
    return line.origin is not None and line.origin.root != "FILESDIR"


def _keys_in(line: Value) -> tuple[str, ...]:
    """Return the keys that a line may have something of: with what is unknown at its start, all."""
    first, *rest = pieces_of(line) or ("",)
    if not isinstance(first, str):
        return () if first.symbol else _KEYS
    start = first.lstrip()
    if start.startswith("[") or (not start and rest):
        return _KEYS
    name, equals, _ = start.partition("=")
    if equals or not rest:
        return tuple(key for key in _KEYS if name.strip() == key)
    return tuple(key for key in _KEYS if key.startswith(start))


@once_each
def _units_of(repository: Repository) -> Mapping[str, tuple[str, ...]]:
    """Return every unit below a `files` folder of a repository, by name."""
    found: dict[str, tuple[str, ...]] = {}
    for category in repository.categories:
        for package in repository.entries(category):
            if package.kind is Kind.FOLDER:
                below = _units_below(repository, f"{category}/{package.name}/files")
                for name, paths in below.items():
                    found[name] = (*found.get(name, ()), *paths)
    return found


@once_each
def units_with_also(repository: Repository) -> frozenset[str]:
    """Return the names of the units below a repository's `files` folders that have an `Also=`."""
    return frozenset(
        name
        for name, paths in _units_of(repository).items()
        if any(b"Also" in repository.tree.read(path) for path in paths)
    )


def has_also(ebuild: Ebuild) -> bool:
    """Whether one of an ebuild's files, whatever it is called, speaks of an `Also=`."""
    tree = ebuild.repository.tree
    if tree.kind(ebuild.filesdir) is not Kind.FOLDER:
        return False
    return any(_ALSO.search(tree.read(path)) for path in walk(tree, ebuild.filesdir))


def _units_below(
    repository: Repository, folder: str, depth: int = 0
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    try:
        entries = repository.entries(folder)
    except TreeError:
        # A folder that can't be looked into is another rule's to report.
        return found
    for entry in entries:
        path = f"{folder}/{entry.name}"
        unit = _FILE.fullmatch(entry.name)
        if entry.kind is Kind.FILE and unit is not None:
            found[unit["unit"]] = (*found.get(unit["unit"], ()), path)
        elif entry.kind is Kind.FOLDER and depth < _DEEPEST:
            for name, paths in _units_below(repository, path, depth + 1).items():
                found[name] = (*found.get(name, ()), *paths)
    return found

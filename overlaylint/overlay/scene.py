"""A file or a folder at one place, made up, so that steps of a build can be tried on it.

What a step does to a place often depends on more than its words: `rm` leaves a folder, `rmdir` one
that holds something, and `find` asks for names and types. So the place is laid out as files that
are made up, and words, `find` and `xargs` are read as the build would with those.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum, auto
from fnmatch import fnmatchcase

from overlaylint.overlay.command_lines import unwrapped
from overlaylint.overlay.eapi import SAME_PLACE
from overlaylint.overlay.evaluation import symbol
from overlaylint.overlay.find import Found, MadeUpFiles, UnknownFind, expression_start, find
from overlaylint.overlay.steps import UNKNOWN, Location, Step, pattern_of
from overlaylint.overlay.xargs import UnknownXargs, xargs
from overlaylint.records import dataclass
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Unknown, Value, concatenate, join, pieces_of

# What a folder that is not empty holds: a name that no script has.
_HELD = "\ue000"

_SPECIAL = re.compile(r"[*?\[\]\\()]")


class Thing(Enum):
    """What is at a place."""

    FILE = auto()
    LINK = auto()
    EMPTY_FOLDER = auto()
    FULL_FOLDER = auto()


class UnknownEffect(Exception):
    """What a step does to a place can't be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a word names of a scene: paths of its files; not all where it is not `is_certain`."""

    paths: tuple[str, ...]
    is_certain: bool = True


class Scene:
    """A place with what is there. `path` is its path among the `files`, which steps may change."""

    def __init__(self, place: Location, files: MadeUpFiles) -> None:
        self.root = place.root
        self.path = _mounted(place)
        self.files = files

    def is_there(self) -> bool:
        """Whether there still is something at the place."""
        return self.files.exists(self.path)

    def place(self, path: str) -> Location:
        """Return the place of one of the files."""
        return Location(self.root, path.removeprefix(_mount(self.root)) or "/")

    def named(self, step: Step, word: Value) -> Named:
        """Return which of the files a word of a step names, as bash expands it.

        Folders around the place are among the files. With a slash at its end, it names folders.
        """
        named = self._named(step, word)
        if not pattern_of(word).endswith("/"):
            return named
        return replace(named, paths=tuple(filter(self.files.is_folder, named.paths)))

    def _named(self, step: Step, word: Value) -> Named:
        found = step.at(_escaped(word))
        if found is None:
            # `$(command)/usr` may be anywhere, and `usr/lib` where the folder is unknown.
            end = f"*{pattern_of(word).lstrip('./')}"
            return Named((), not any(fnmatchcase(one, end) for one in self._lineage()))
        if found.root != self.root:
            return Named(())
        path = _mounted(found)
        if UNKNOWN in path:
            pattern = path.replace("\\", "")
            return Named((), not any(fnmatchcase(one, pattern) for one in self._lineage()))
        if not _SPECIAL.search(path):
            return Named((path,) if self.files.exists(path) else ())
        try:
            return Named(self.files.glob(path, "/"))
        except Undecidable:
            return Named((), is_certain=False)

    def is_around(self, step: Step, words: Iterable[Value]) -> bool:
        """Whether the place is a folder that holds something, and a word may name that."""
        if not self.files.names(self.path):
            return False
        places = [step.at(word) for word in words]
        return any(
            place is not None
            and place.root == self.root
            and _mounted(place).startswith(f"{self.path}/")
            for place in places
        )

    def _lineage(self) -> Iterator[str]:
        """Yield the paths of all that is there."""
        waiting = [_mount(self.root) or "/"]
        while waiting:
            path = waiting.pop()
            yield path
            waiting += [posixpath.join(path, name) for name in self.files.names(path)]

    # --- what `find` and `xargs` run ---

    def found_by(self, step: Step) -> tuple[list[str], list[Step]]:
        """Return the files that a `find` deletes, and the steps that it runs for what it finds.

        Raises UnknownEffect.
        """
        found = self._find(step)
        return found.deleted, [self._inner(step, one) for one in found.commands if one]

    def fed_by(self, step: Step) -> list[Step]:
        """Return the steps that an `xargs` runs for the text that it reads. Raises UnknownEffect.

        What `find` writes into a pipe is known, where no other command is between the two.
        """
        if step.reads is not None and step.reads.name == "find":
            text = self._find(step.reads).output
        else:
            text = _shown("" if step.call.input is None else step.call.input)
        try:
            return [self._inner(step, one) for one in xargs(_all_shown(step.arguments), text)]
        except UnknownXargs as problem:
            raise UnknownEffect(f"`xargs` has {problem}") from problem

    def _find(self, step: Step) -> Found:
        """Run a `find` on the files; it finds nothing where it looks in other places."""
        at = expression_start([pattern_of(word) for word in step.arguments])
        starts: list[str] = []
        for word in step.arguments[:at] or (".",):
            if pattern_of(word).startswith("-"):
                starts.append(pattern_of(word))
                continue
            named = self.named(step, word)
            if not named.is_certain:
                raise UnknownEffect(f"`find {word}` may look anywhere")
            is_plain = isinstance(word, str) or not any(
                isinstance(part, Unknown) and part.pattern for part in word.parts
            )
            starts += [_shown(word)] if is_plain and named.paths else named.paths
        if all(text.startswith("-") for text in starts):
            return Found(())
        folder = "/" if step.folder is None else _mounted(step.folder)
        try:
            return find([*starts, *_all_shown(step.arguments[at:])], self.files, folder)
        except UnknownFind as problem:
            raise UnknownEffect(f"`find` has {problem}") from problem

    def _inner(self, step: Step, command: Sequence[str]) -> Step:
        """Return a command that a step runs, with its words as the step would have them."""
        as_written = {_shown(word): word for word in step.arguments}
        words = [as_written.get(text) or self._value(text) for text in command]
        name, arguments = unwrapped(words[0], words[1:])
        return replace(step, name=name, arguments=arguments, reads=None)

    def _value(self, text: str) -> Value:
        mount = _mount(self.root)
        if mount and f"{text}/".startswith(f"{mount}/"):
            return concatenate(symbol(self.root), text.removeprefix(mount))
        return text


def scenes(place: Location, thing: Thing) -> Iterator[Scene]:
    """Yield what may be at a place: a folder may hold files, or folders."""
    path = _mounted(place)
    if thing is Thing.FULL_FOLDER:
        for is_folder in (False, True):
            files = MadeUpFiles(())
            files.add(posixpath.join(path, _HELD), is_folder=is_folder)
            yield Scene(place, files)
        return
    files = MadeUpFiles(())
    files.add(path, is_folder=thing is Thing.EMPTY_FOLDER)
    if thing is Thing.LINK:
        files.links.add(path)
    yield Scene(place, files)


def scene_with(folder: Location, name: str) -> Scene:
    """Return a scene with a file of some name in a folder, and one deeper down."""
    place = folder.below(name)
    deeper = folder.below(f"{_HELD}/{name}")
    return Scene(place, MadeUpFiles(map(_mounted, (place, deeper))))


def _mount(root: str) -> str:
    """Return where what a path starts from is among the files; the machine's own root is `/`."""
    return f"/{root}" if root else ""


def _mounted(place: Location) -> str:
    return f"{_mount(place.root)}{place.path}".rstrip("/") or "/"


def _escaped(word: Value) -> Value:
    """Return a word with backslashes before what would be a wildcard, were it not quoted."""
    return join(
        _SPECIAL.sub(r"\\\g<0>", part) if isinstance(part, str) else part
        for part in pieces_of(word)
    )


def _all_shown(words: Iterable[Value]) -> list[str]:
    return [_shown(word) for word in words]


def _shown(word: Value) -> str:
    """Return a word as a program sees it on the files. Raises UnknownEffect."""
    texts = []
    parts = pieces_of(word)
    for before, part in zip((None, *parts), parts, strict=False):
        if isinstance(part, str):
            # Up to EAPI 6, a slash ends `${D}`.
            is_glued = isinstance(before, Unknown) and before.symbol and part[0].isalnum()
            texts.append(f"/{part}" if is_glued else part)
        elif part.symbol:
            texts.append(_mount(SAME_PLACE.get(part.symbol, part.symbol)))
        elif part.pattern and "\\" not in part.pattern:
            texts.append(part.pattern)
        else:
            raise UnknownEffect(part.reason)
    return "".join(texts)

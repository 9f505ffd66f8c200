"""What the calls of a build do to files of the sources that are not at hand: sed and patches.

Which file is edited is known, and what the edit does to a line; so a rule that knows a line of
upstream's can tell what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.filesdir import FilesDir
from overlaylint.overlay.hooks import user_patches
from overlaylint.overlay.patch import FilePatch, PatchLine, parse_patch
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.sed import SedCall, UnknownEdit, parse_call
from overlaylint.overlay.steps import (
    Location,
    Step,
    known_end,
    location,
    pattern_of,
    pattern_of_piece,
    sources,
)
from overlaylint.records import dataclass
from overlaylint.shell.values import Value
from overlaylint.tree import Kind

_USER_PATCHES = frozenset({"eapply_user", "epatch_user"})
_PATCHES = frozenset({"eapply", "epatch"})

# Other editors of files in place, and the options without which they only read.
_EDITORS = {"perl": re.compile(r"-[a-zA-Z0]*i"), "ruby": re.compile(r"-[a-zA-Z0]*i"),
            "gawk": re.compile(r"inplace"), "awk": re.compile(r"inplace"),
            "ed": re.compile(r""), "ex": re.compile(r"")}  # fmt: skip

# How many leading folders epatch takes off at most to find the file.
_MOST_STRIPPED = 4

# What of `find` and `xargs` says which files are edited.
_FIND_NAMES = frozenset({"-name", "-path", "-wholename"})


@dataclass(frozen=True, slots=True)
class SourceEdit:
    """One edit of a step. `files` are patterns of the paths that it is made in.

    `patch` is set where it is a patch's, with the place of that patch in `found_in`; `is_reversed`
    marks one that is taken back. `text` is what the file is replaced with, or what is put behind
    it where that `is_addition`. Where there is none of these, `doubt` says what is unknown; a sed
    has one where it may be made in another file.
    """

    step: Step
    files: tuple[str, ...]
    sed: SedCall | None = None
    patch: FilePatch | None = None
    text: str | None = None
    found_in: tuple[Repository, str] | None = None
    is_reversed: bool = False
    is_addition: bool = False
    doubt: str = ""

    def is_in(self, path: str) -> bool:
        """Whether it is made in the file at a path."""
        return any(fnmatchcase(path, file) for file in self.files)

    def apply(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """Return what becomes of lines of the file. Raises UnknownEdit.

        Of what a patch adds, that is all, since where lines stand is not known here.
        """
        if self.sed is not None:
            edited = tuple(one for line in lines for one in self.sed.edit(line))
            if self.doubt and edited != lines:
                raise UnknownEdit(self.doubt)
            return edited
        if self.text is not None:
            return (*(lines if self.is_addition else ()), *self.text.splitlines())
        if self.patch is None:
            raise UnknownEdit(self.doubt)
        kept = (one for line in lines for one in self.taken(line))
        return (*kept, *(line.text for line in self.added))

    @property
    def added(self) -> tuple[PatchLine, ...]:
        """The lines that a patch adds."""
        if self.patch is None:
            return ()
        return tuple(self.patch.removed if self.is_reversed else self.patch.added)

    def taken(self, line: str) -> tuple[str, ...]:
        """Return what sed or a patch leaves of a line of the file. Raises UnknownEdit."""
        if self.patch is None:
            return self.apply((line,))
        old = self.patch.added if self.is_reversed else self.patch.removed
        return () if any(one.text.strip() == line.strip() for one in old) else (line,)


def edits_of(
    ebuild: Ebuild, step: Step, folder: Location, overlay: Repository
) -> Iterator[SourceEdit]:
    """Yield the edits that a step makes in files below `folder`, as they are there.

    Files are given as paths from there. `overlay` is what has the user patches.
    """
    name, arguments = step.name, step.arguments
    if name == "sed":
        yield from _sed(step, arguments, None, folder)
    elif name in ("find", "xargs") and "sed" in arguments:
        at = arguments.index("sed")
        pairs = pairwise(arguments[:at])
        named = tuple(f"*{value}" for key, value in pairs if key in _FIND_NAMES)
        yield from _sed(step, arguments[at + 1 :], named or ("*",), folder)
    elif edits_in_place(name, arguments):
        files = _files(step, arguments, folder)
        yield SourceEdit(step, files, doubt=f"what `{name}` makes of it can't be told")
    elif name in _USER_PATCHES:
        for path in user_patches(overlay, ebuild):
            yield from _patch(step, overlay, path, (1,), False)
    elif name in _PATCHES or name == "patch":
        is_reversed = any(word in ("-R", "--reverse") for word in arguments)
        strips = _strips(step)
        for path in applied_patches(ebuild, step):
            yield from _patch(step, ebuild.repository, path, strips, is_reversed)
        if any(_is_from_elsewhere(ebuild, word) for word in _patch_words(step)):
            yield SourceEdit(step, ("*",), doubt="the patches come from elsewhere")


def edits_in_place(name: str, arguments: Sequence[Value]) -> bool:
    """Whether a command edits files in place, other than sed: what it does is not known."""
    return name in _EDITORS and any(_EDITORS[name].match(str(one)) for one in arguments)


def _sed(
    step: Step, arguments: Sequence[Value], named: tuple[str, ...] | None, folder: Location
) -> Iterator[SourceEdit]:
    try:
        sed = parse_call(arguments)
    except UnknownEdit as problem:
        words = tuple(arguments)
        if "-i" in map(str, words) or any(str(word).startswith("-i") for word in words):
            files = named or _files(step, words, folder)
            yield SourceEdit(step, files, doubt=str(problem))
        return
    if sed.is_in_place:
        files = named if named is not None else _files(step, sed.files, folder)
        yield SourceEdit(step, files, sed=sed)
        unknown = () if named is not None else tuple(_unknown_files(step, sed.files))
        if unknown:
            yield SourceEdit(step, unknown, sed=sed, doubt="which files this edits can't be told")


def _unknown_files(step: Step, words: Sequence[Value]) -> Iterator[str]:
    """Yield patterns for the words that may name any file: `$(grep -rl x .)`."""
    for word in words:
        if step.at(word) is None and known_end(word) is None:
            yield f"*{pattern_of(word).rpartition('/')[2]}"


def _files(step: Step, words: Sequence[Value], folder: Location) -> tuple[str, ...]:
    """Return the paths that words name, from a folder on; those that lie elsewhere are left out."""
    found = []
    prefix = folder.path.rstrip("/") + "/"
    for word in words:
        place = step.at(word)
        if place is None:
            end = known_end(word)
            if end is not None:
                found.append(end[1:])
        elif place.root == folder.root and place.path.startswith(prefix):
            found.append(place.path[len(prefix) :])
    return tuple(found)


def _patch(
    step: Step, repository: Repository, path: str, strips: Sequence[int], is_reversed: bool
) -> Iterator[SourceEdit]:
    for file in parse_patch(repository.tree.read(path)).files:
        names = tuple(dict.fromkeys(file.path(strip) for strip in strips))
        yield SourceEdit(
            step, names, patch=file, found_in=(repository, path), is_reversed=is_reversed
        )


def _strips(step: Step) -> tuple[int, ...]:
    """Return how many leading folders a call may take off the paths in a patch."""
    words = list(map(str, step.arguments))
    for at, word in enumerate(words):
        level = re.fullmatch(r"(?:-[A-Za-z]*p|--strip=)(\d*)", word)
        if level is None and word != "--strip":
            continue
        number = (level and level[1]) or (words[at + 1] if at + 1 < len(words) else "")
        if number.isdigit():
            return (int(number),)
    # epatch tries one after the other; eapply takes `a/` and `b/` off.
    return tuple(range(_MOST_STRIPPED + 1)) if step.name == "epatch" else (1,)


def _patch_words(step: Step) -> tuple[Value, ...]:
    """Return the words of a call that name patches."""
    if step.name != "patch":
        pairs = pairwise(("", *step.arguments))
        return tuple(
            word for before, word in pairs if before != "-p" and not str(word).startswith("-")
        )
    words = step.arguments
    inputs = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-i", "--input")]
    inputs += [one.target for one in step.call.redirections if one.operator == "<"]
    return tuple(inputs)


def _is_from_elsewhere(ebuild: Ebuild, word: Value) -> bool:
    """Whether a word may name patches that are not in the repository.

    What an eclass of a missing master may have put into PATCHES is none: eclasses patch what
    many packages have in common.
    """
    if isinstance(word, str):
        return True
    first = word.parts[0]
    if not isinstance(first, str) and not first.symbol and ebuild.evaluation.missing:
        return False
    if not _may_be_unpacked(ebuild, word):
        return False
    return isinstance(first, str) or first.symbol != "FILESDIR"


class BuildFiles(FilesDir):
    """The files of FILESDIR, and what is not beside the sources because no archive brings it."""

    def test(self, operator: str, path: Value) -> bool | None:
        """Return whether `test operator path` holds, where that is known."""
        known = super().test(operator, path)
        if known is None and not _may_be_unpacked(self.ebuild, path):
            return False
        return known


def _may_be_unpacked(ebuild: Ebuild, path: Value) -> bool:
    """Whether a build may unpack something beside the sources at a path.

    An archive has a folder of its own, so with one only there is nothing but the sources. That is
    how `${WORKDIR}/patches` is known not to be there.
    """
    place, inside = location(path), sources(ebuild)
    if place is None or place.root != "WORKDIR" or inside.root != "WORKDIR":
        return True
    if place.path == "/" or f"{place.path}/".startswith(f"{inside.path}/"):
        return True
    variable = ebuild.variable("SRC_URI")
    value = "" if variable is None or variable.value is None else variable.value
    return not isinstance(value, str) or len([one for one in value.split() if "/" in one]) > 1


def applied_patches(ebuild: Ebuild, step: Step) -> Iterator[str]:
    """Yield the files of the ebuild's repository that a call applies as patches."""
    tree = ebuild.repository.tree
    for value in _patch_words(step):
        if isinstance(value, str):
            continue
        first = value.parts[0]
        if isinstance(first, str) or first.symbol != "FILESDIR":
            continue
        rest = "".join(map(pattern_of_piece, value.parts[1:]))
        path = "/".join((ebuild.filesdir, *filter(None, rest.split("/"))))
        kind = tree.kind(path)
        if kind is Kind.FILE:
            yield path
            continue
        inside = path if kind is Kind.FOLDER else path.rpartition("/")[0]
        pattern = "*" if kind is Kind.FOLDER else path.rpartition("/")[2]
        for entry in ebuild.repository.entries(inside):
            if entry.kind is Kind.FILE and fnmatchcase(entry.name, pattern):
                yield f"{inside}/{entry.name}"

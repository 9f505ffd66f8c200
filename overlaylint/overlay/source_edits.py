"""What the calls of a build do to files of the sources that are not at hand: sed and patches.

Which file is edited is known, and what the edit does to a line; so a rule that knows a line of
upstream's can tell what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.filesdir import FilesDir
from overlaylint.overlay.find import MadeUpFiles, UnknownFind, find
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
    read_options,
    sources,
)
from overlaylint.records import dataclass
from overlaylint.shell.values import Mixed, Value
from overlaylint.tree import Kind

_USER_PATCHES = frozenset({"eapply_user", "epatch_user"})
_PATCHES = frozenset({"eapply", "epatch"})

# Other editors of files in place, and the options without which they only read.
_EDITORS = {"perl": re.compile(r"-[a-zA-Z0-9]*i"), "ruby": re.compile(r"-[a-zA-Z0-9]*i"),
            "gawk": re.compile(r"inplace"), "awk": re.compile(r"inplace"),
            "sort": re.compile(r"-[a-zA-Z]*o|--output"),
            **dict.fromkeys(("ed", "ex", "python", "python2", "python3", "sponge"),
                            re.compile(r""))}  # fmt: skip

# How many leading folders epatch takes off at most to find the file.
_MOST_STRIPPED = 4

# Options of patch and git-apply that take a word, and those with which nothing is changed.
_TAKING_WORD = frozenset(
    {"p", "strip", "i", "input", "d", "directory", "o", "output", "r", "F", "fuzz", "V", "z"}
)
_HARMLESS = frozenset({"dry-run", "check", "stat", "numstat", "summary"})


@dataclass(frozen=True, slots=True)
class SourceEdit:
    """One edit of a step. `files` are patterns of the paths that it is made in.

    `patch` is set where it is a patch's, with the place of that patch in `found_in`; `is_reversed`
    marks one that is taken back. `text` is what the file is replaced with, or what is put behind
    it where that `is_addition`. Where there is none of these, `doubt` says what is unknown; a sed
    has one where it may be made in another file. `find` are the words of the find that names the
    files, and the folder that it runs in. What patches from elsewhere make of any file
    `is_foreign`.
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
    find: tuple[tuple[str, ...], str] | None = None
    is_foreign: bool = False

    def is_in(self, path: str) -> bool:
        """Whether it is made in the file at a path."""
        if self.find is not None:
            words, folder = self.find
            try:
                found = find(words, MadeUpFiles([f"/{path}"]), folder)
            except UnknownFind:
                return True
            name = path.rpartition("/")[2]
            return any(name in one for one in (found.output, *map("".join, found.commands)))
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
        yield from _sed_of_found(step, folder)
    elif edits_in_place(name, arguments):
        files = _files(step, arguments, folder)
        yield SourceEdit(step, files, doubt=f"what `{name}` makes of it can't be told")
    elif name in _USER_PATCHES:
        for path in user_patches(overlay, ebuild):
            yield from _patched(step, overlay, path, folder)
    elif _applies_patches(step):
        for path in applied_patches(ebuild, step):
            yield from _patched(step, ebuild.repository, path, folder)
        given = step.call.input
        if isinstance(given, str) and name not in _PATCHES:
            data = given.encode("utf-8", "surrogateescape")
            yield from _patch(step, parse_patch(data).files, folder)
        words = _patch_words(step)
        if any(_is_from_elsewhere(ebuild, word) for word in words) or (
            name == "epatch" and not words
        ):
            yield SourceEdit(step, ("*",), doubt="the patches come from elsewhere", is_foreign=True)


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


def _sed_of_found(step: Step, folder: Location) -> Iterator[SourceEdit]:
    """Yield what sed does to the files that find names, by itself or through xargs."""
    words = step.arguments[step.arguments.index("sed") + 1 :]
    by = step if step.name == "find" else step.reads
    given = step.call.input
    if step.name == "xargs" and isinstance(given, str):
        yield from _sed(step, (*words, *given.split()), None, folder)
        return
    for edit in _sed(step, words, ("*",), folder):
        try:
            if by is None or by.name != "find":
                raise UnknownFind("the names come from elsewhere")  # noqa: TRY301
            named = _find_words(by, folder)
            find(named[0], MadeUpFiles(("/folder/file",)), named[1])
        except UnknownFind:
            yield replace(edit, doubt=edit.doubt or "which files this edits can't be told")
        else:
            yield replace(edit, files=(), find=named)


def _find_words(step: Step, folder: Location) -> tuple[tuple[str, ...], str]:
    """Return the words of a find, and where it runs, with `folder` as the root of all files."""
    found = [
        _below(step.at(word), folder) if isinstance(word, Mixed) else word
        for word in step.arguments
    ]
    return tuple(found), _below(step.folder, folder)


def _below(place: Location | None, folder: Location) -> str:
    """Return the path of a place with `folder` as the root. Raises UnknownFind."""
    if place is None:
        raise UnknownFind("an argument that is unknown")
    if place == folder:
        return "/"
    if not place.is_in(folder):
        return "/../elsewhere"
    return f"/{place.path[len(folder.path.rstrip('/')) + 1 :]}"


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


def _patched(
    step: Step, repository: Repository, path: str, folder: Location
) -> Iterator[SourceEdit]:
    """Yield what a patch of a repository does."""
    for edit in _patch(step, parse_patch(repository.tree.read(path)).files, folder):
        yield replace(edit, found_in=(repository, path))


def _patch(step: Step, files: Sequence[FilePatch], folder: Location) -> Iterator[SourceEdit]:
    """Yield what a patch does where the step runs; patch itself may be told another file."""
    said, words = _said(step)
    is_reversed = "R" in said or "reverse" in said
    given = said.get("d") or said.get("directory")
    inside = step.at(given) if given else step.folder
    for file in files:
        names: Iterable[str] = dict.fromkeys(file.path(strip) for strip in _strips(step, said))
        if inside is not None:
            names = _files(replace(step, folder=inside), tuple(names), folder)
        if step.name == "patch" and words:
            names = _files(step, words[:1], folder)
        yield SourceEdit(step, tuple(names), patch=file, is_reversed=is_reversed)


def _said(step: Step) -> tuple[dict[str, Value], list[Value]]:
    """Return what the options of a call say that applies patches, and its other words."""
    said, words = read_options(step.arguments, _TAKING_WORD)
    return said, words[step.name == "git" :]


def _applies_patches(step: Step) -> bool:
    is_git = step.name == "git" and step.arguments[:1] in (("apply",), ("am",))
    return (is_git or step.name == "patch" or step.name in _PATCHES) and _HARMLESS.isdisjoint(
        _said(step)[0]
    )


def _strips(step: Step, said: Mapping[str, Value]) -> tuple[int, ...]:
    """Return how many leading folders a call may take off the paths in a patch."""
    number = str(said.get("p") or said.get("strip") or "")
    if number.isdigit():
        return (int(number),)
    # epatch tries one after the other; eapply takes `a/` and `b/` off.
    return tuple(range(_MOST_STRIPPED + 1)) if step.name == "epatch" else (1,)


def _patch_words(step: Step) -> tuple[Value, ...]:
    """Return the words of a call that name patches."""
    said, words = _said(step)
    if step.name != "patch":
        return tuple(words)
    given = said.get("i") or said.get("input")
    inputs = [given] if given else words[1:2]
    inputs += [one.target for one in step.call.redirections if one.operator == "<"]
    if step.reads is not None and step.reads.name == "cat":
        inputs += step.reads.arguments
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
    """The files of FILESDIR, and what is not beside the sources because no archive brings it.

    `there` are paths of files that the sources are known to have.
    """

    def __init__(self, ebuild: Ebuild, there: Iterable[str] = ()) -> None:
        super().__init__(ebuild)
        self._there = tuple(there)

    def test(self, operator: str, path: Value) -> bool | None:
        """Return whether `test operator path` holds, where that is known."""
        known = super().test(operator, path)
        inside = sources(self.ebuild)
        place = location(path, inside)
        is_there = any(place == inside.below(path) for path in self._there)
        if is_there and operator in ("-e", "-f", "-r", "-s"):
            return True
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
        of_folder = kind is Kind.FOLDER and step.name == "eapply"
        for entry in ebuild.repository.entries(inside):
            if of_folder and not entry.name.endswith((".patch", ".diff")):
                continue
            if entry.kind is Kind.FILE and fnmatchcase(entry.name, pattern):
                yield f"{inside}/{entry.name}"

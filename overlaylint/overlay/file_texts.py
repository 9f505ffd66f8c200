"""What steps of a build put into files: which text, in which file, on which ways.

Written by redirections and `tee`, copied from FILESDIR or from another file, edited in place and
taken away again. What a file holds that steps do not name, such as upstream's, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import combinations
from posixpath import normpath

from overlaylint.overlay.command_lines import INTERPRETERS
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.install_targets import (
    COMMANDS,
    COPYING,
    TAKING_WORD,
    Write,
    appends,
    copies_folders,
    writes,
    written_to,
)
from overlaylint.overlay.removals import removes
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.sed import UNKNOWN as UNKNOWN_PART
from overlaylint.overlay.sed import UnknownEdit, parse_call
from overlaylint.overlay.source_edits import SourceEdit, edits_of
from overlaylint.overlay.steps import UNKNOWN, Location, Step, read_options, sources
from overlaylint.overlay.text import decode
from overlaylint.overlay.text_filters import FILTERS, UnknownFilter, filtered, reads_files
from overlaylint.overlay.ways import covered, is_counted_on
from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition
from overlaylint.shell.syntax import Source
from overlaylint.shell.values import (
    Mixed,
    Unknown,
    Value,
    concatenate,
    join,
    pieces_of,
    unknown,
)
from overlaylint.tree import Kind, walk

_STANDARD_INPUT = frozenset({"-", "/dev/stdin", "/dev/fd/0"})

# Programs that write nothing to their standard output.
_QUIET = (COMMANDS - {"tee"}) | {"rm", "rmdir", "chmod", "chown", "chgrp", "sleep"}

# Filters that may be asked for each line by itself.
_OF_LINES = frozenset({"cut", "egrep", "fgrep", "grep", "sed", "tr"})

_ANYWHERE = Location("", f"/{UNKNOWN}")

_NOT_AT_HAND = "its text is not at hand"

Guards = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that a step puts into a file, under `guards`: a part of it, or all of it.

    `text` has unknown pieces for what is unknown; it is empty where the file is only made.
    `writer` is the step whose words it is, which is another one where it was copied: then `source`
    is the file that it was copied from. `origin` is the file whose text is not at hand. `doubt`
    says why it may not be put there. `undone` are the ways on which it is taken away or replaced,
    each with whether that is certain there.
    """

    step: Step
    text: Value
    guards: Guards
    writer: Step
    source: Location | None = None
    origin: Location | None = None
    doubt: str = ""
    undone: tuple[tuple[Guards, bool], ...] = ()

    def fate(self) -> str | None:
        """Return why it is unknown whether it is there; empty if it is, None if it is not."""
        certain = [guards for guards, is_certain in self.undone if is_certain]
        answer = covered(certain, self.guards)
        if answer:
            return None
        if answer is None:
            return "it depends on other tests whether it is taken back"
        if covered([guards for guards, _ in self.undone], self.guards) is not False:
            return "it is unknown whether it is taken back"
        return self.doubt


@dataclass(frozen=True, slots=True)
class File:
    """What is known of a file in the end.

    It is `whole` where nothing is in it but its pieces, on the ways on which these are put there.
    `doubts` are edits of unknown effect.
    """

    pieces: tuple[Piece, ...] = ()
    is_whole: bool = False
    doubts: tuple[tuple[Step, str], ...] = ()

    def lines(self) -> Iterator[Piece]:
        """Yield each line without its end, as a piece: what is unknown is taken to be within one.

        A line that several pieces make is put there by the last of them.
        """
        begun: Piece | None = None
        for piece in self.pieces:
            one = piece if begun is None else _together(begun, piece)
            *lines, rest = _lines(one.text)
            for line in lines:
                yield replace(one, text=line)
            begun = replace(one, text=rest) if rest else None
            if begun is not None and isinstance(rest, Mixed) and not rest.tail:
                yield begun
                begun = None
        if begun is not None:
            yield begun


def file_texts(ebuild: Ebuild, of: Sequence[Step], overlay: Repository) -> Mapping[Location, File]:
    """Return what steps leave in the files that they name, by place.

    A place may have wildcards, or `?*` for what is unknown of it. `overlay` has the user patches.
    """
    texts = _Texts(ebuild, of, overlay)
    return texts.files


def source_edits(
    ebuild: Ebuild,
    of: Sequence[Step],
    folder: Location,
    overlay: Repository,
    given: Mapping[str, str] | None = None,
) -> Iterator[SourceEdit]:
    """Yield what steps edit in files below `folder`, and put in their place, in their order.

    Files are given as paths from there. `overlay` is what has the user patches. `given` is what
    matters of the text that files have before, by path.
    """
    prefix = folder.path.rstrip("/") + "/"
    placed: dict[int, list[SourceEdit]] = {}
    there = {folder.below(path): text for path, text in (given or {}).items()}
    for put in _Texts(ebuild, of, overlay, there).puts:
        place = put.place
        if not place.is_in(folder):
            continue
        if put.step.name in COPYING and place.path.endswith("*"):
            # What a folder holds is unknown, and most often has nothing to do with it.
            continue
        placed.setdefault(id(put.step), []).append(
            SourceEdit(
                put.step,
                (place.path[len(prefix) :],),
                text=put.text(),
                is_addition=not put.replaces,
                doubt="a file is put in its place",
            )
        )
    for step in of:
        yield from placed.get(id(step), ())
        yield from edits_of(ebuild, step, folder, overlay)


def completions(line: Mixed, wanted: str) -> Iterator[tuple[str, str]]:
    """Yield what an unknown piece of a line may be for `wanted` to be in it, and the line then.

    The other pieces are taken to be empty. One with a name of its own, such as a path, is none.
    """
    texts = [part if isinstance(part, str) else "\0" if part.symbol else "" for part in line.parts]
    for at, part in enumerate(line.parts):
        if isinstance(part, str) or part.symbol:
            continue
        before, after = "".join(texts[:at]), "".join(texts[at + 1 :])
        for start, end in combinations(range(len(wanted) + 1), 2):
            if before.endswith(wanted[:start]) and after.startswith(wanted[end:]):
                yield wanted[start:end], f"{before}{wanted[start:end]}{after}"


@dataclass(frozen=True, slots=True)
class _Put:
    """Text that a step puts into a place, at its end or instead of what is there."""

    step: Step
    place: Location
    pieces: tuple[Piece, ...]
    replaces: bool

    def text(self) -> str | None:
        """Return the text as a whole, if it is known and put there for certain."""
        texts = [piece.text for piece in self.pieces]
        if any(
            not isinstance(piece.text, str)
            or piece.doubt
            or piece.undone
            or piece.guards != self.step.call.guards
            for piece in self.pieces
        ):
            return None
        return "".join(map(str, texts))


class _Texts:
    """Follows the steps, with what is in which file so far."""

    def __init__(
        self,
        ebuild: Ebuild,
        of: Sequence[Step],
        overlay: Repository,
        given: Mapping[Location, str] | None = None,
    ) -> None:
        self._ebuild = ebuild
        self._overlay = overlay
        self._sources = sources(ebuild)
        self.files: dict[Location, File] = {
            place: File((self._piece(of[0], text),), is_whole=True)
            for place, text in (given.items() if given and of else ())
        }
        self.puts: list[_Put] = []
        self._outlets: dict[int, tuple[Step, Location]] = {}
        self._doubts: dict[int, str] = {}
        # what goes through pipes, and whether it was read
        self._pipes: dict[tuple[Source, int, int, int], tuple[tuple[Piece, ...], bool]] = {}
        self._edits: dict[tuple[int, Location], tuple[SourceEdit, ...]] = {}
        made: dict[int, list[Write]] = {}
        for one in writes(tuple(of)):
            made.setdefault(id(one.step), []).append(one)
        for step in of:
            self._follow(step, made.get(id(step), ()))

    def _follow(self, step: Step, made: Sequence[Write]) -> None:
        for redirect in step.call.redirections:
            place = written_to(step, redirect.target)
            if place is not None:
                self._outlets[id(redirect)] = step, place
                if step.at(redirect.target) is None:
                    self._doubts[id(redirect)] = f"it is unknown where {redirect.target} is"
        puts = [put for one in made for put in self._made(step, one)]
        self._take_away(step)
        for put in puts:
            self._put(put)
        self._edit(step)
        self._write(step)

    # --- what is put into files ---

    def _made(self, step: Step, made: Write) -> Iterator[_Put]:
        """Yield what a step puts where it writes."""
        source, place = made.source, made.location
        doubt = "" if made.is_certain else f"it is unknown whether {place} is a file"
        if source is None:
            if made.is_folder:
                return
            operators = {
                one.operator
                for one in step.call.redirections
                if written_to(step, one.target) == place
            }
            if operators:
                is_replaced = operators.isdisjoint((">>", "&>>"))
                yield _Put(step, place, (self._piece(step, "", doubt),), is_replaced)
                return
            given = self._input(step) if step.name == "tee" else (self._piece(step, ""),)
            given = tuple(replace(one, doubt=one.doubt or doubt) for one in given)
            yield _Put(step, place, given, not appends(step))
        elif step.name == "touch":
            yield _Put(step, place, (self._piece(step, "", doubt),), False)
        else:
            yield from self._copied(step, made, source, doubt)

    def _copied(self, step: Step, made: Write, source: Value, doubt: str) -> Iterator[_Put]:
        """Yield what a copy puts into a place, and below it if it is a folder's."""
        place = made.location
        if place.path.endswith("/*"):
            # The folder itself is there as well.
            return
        path = self._path(source)
        tree = self._ebuild.repository.tree
        if path is not None and tree.kind(path) is Kind.FOLDER:
            if step.name not in ("ln", "dosym") and not copies_folders(step):
                return
            for inside in walk(tree, path):
                piece = self._piece(step, decode(tree.read(inside)), doubt)
                yield _Put(step, place.below(inside[len(path) :]), (piece,), True)
            return
        if step.name == "dosym" or (step.name == "ln" and _is_symbolic(step)):
            inside_of = Location(place.root, place.path.rpartition("/")[0] or "/")
            at = None if path is not None else Step(step.call, "", (), inside_of).at(source)
            if at is not None and not at.root and at.path != "/dev/null":
                # A link's path is one in the image once it is installed.
                at = Location(place.root, at.path) if place.root == "D" else at
        else:
            at = step.at(source)
        found = False
        if at is not None and path is None:
            for other, to in self._inside(at, place):
                found = True
                pieces = self._copy(step, self._content(other, step), other, doubt)
                yield _Put(step, to, pieces, True)
        if not made.is_folder and not found and not self._is_gone(at):
            pieces = self._copy(step, self._read(step, source, at), at, doubt)
            yield _Put(step, place, pieces, True)

    def _inside(self, at: Location, place: Location) -> Iterator[tuple[Location, Location]]:
        """Yield the files below a folder, or that wildcards find, and where they come to be."""
        prefix = at.path.rstrip("/") + "/"
        for other in tuple(self.files):
            if other.root != at.root or self._is_gone(other):
                continue
            if other.path.startswith(prefix):
                yield other, place.below(other.path[len(prefix) :])
            elif "*" in at.path and fnmatchcase(other.path, at.path):
                yield other, place.below(f"../{other.path.rpartition('/')[2]}")

    def _is_gone(self, place: Location | None) -> bool:
        """Whether steps have made a file and certainly taken it away."""
        return place in self.files and all(
            piece.fate() is None for piece in self.files[place].pieces
        )

    def _copy(
        self, step: Step, pieces: Iterable[Piece], source: Location | None, doubt: str
    ) -> tuple[Piece, ...]:
        copied = tuple(
            replace(
                piece,
                step=step,
                guards=_joined(piece.guards, step.call.guards),
                source=source,
                doubt=piece.doubt or doubt,
            )
            for piece in pieces
            if piece.text
        )
        return copied or (replace(self._piece(step, "", doubt), source=source),)

    def _put(self, put: _Put) -> None:
        self.puts.append(put)
        place, guards = put.place, put.step.call.guards
        if put.replaces:
            is_certain = not any(piece.doubt for piece in put.pieces)
            for other in tuple(self.files):
                if other.root == place.root and fnmatchcase(other.path, place.path):
                    self._undo(other, guards, is_certain and other == place)
        is_new = place not in self.files
        file = self.files.get(place, File(is_whole=place.root == "T"))
        self.files[place] = replace(
            file,
            pieces=(*file.pieces, *put.pieces),
            is_whole=file.is_whole or (put.replaces and (is_new or not _open(guards))),
            doubts=() if put.replaces and not _open(guards) else file.doubts,
        )

    def _undo(self, place: Location, guards: Guards, is_certain: bool) -> None:
        file = self.files[place]
        left = []
        for piece in file.pieces:
            if is_certain and set(_open(guards)) <= set(piece.guards):
                continue
            left.append(replace(piece, undone=(*piece.undone, (guards, is_certain))))
        self.files[place] = replace(file, pieces=tuple(left))

    def _take_away(self, step: Step) -> None:
        if step.name in INTERPRETERS:
            # Of what scripts do nothing is known here.
            return
        for place in tuple(self.files):
            answer = removes(step, place)
            if answer is not False:
                self._undo(place, step.call.guards, answer is True)

    # --- edits in place ---

    def _edit(self, step: Step) -> None:
        for place in tuple(self.files):
            for edit in self._edits_of(step, place):
                self._apply(edit, place)

    def _edits_of(self, step: Step, place: Location) -> Iterator[SourceEdit]:
        folder = Location(place.root, "/")
        inside = self._sources
        if place.is_in(inside):
            folder = inside
        key = id(step), folder
        if key not in self._edits:
            self._edits[key] = tuple(edits_of(self._ebuild, step, folder, self._overlay))
        path = place.path[len(folder.path.rstrip("/")) + 1 :]
        return (edit for edit in self._edits[key] if edit.is_in(path))

    def _apply(self, edit: SourceEdit, place: Location) -> None:
        file = self.files[place]
        guards = edit.step.call.guards
        left: list[Piece] = []
        doubts = list(file.doubts)
        for piece in file.pieces:
            try:
                text = _edited(piece.text, edit)
            except UnknownEdit as problem:
                doubts.append((edit.step, str(problem)))
                left.append(replace(piece, undone=(*piece.undone, (guards, False))))
                continue
            if text == piece.text:
                left.append(piece)
                continue
            if not set(_open(guards)) <= set(piece.guards):
                left.append(replace(piece, undone=(*piece.undone, (guards, True))))
            left.append(replace(piece, text=text, guards=_joined(piece.guards, guards)))
        if edit.patch is not None and edit.added:
            doubts.append((edit.step, "a patch adds to it"))
        self.files[place] = replace(file, pieces=tuple(left), doubts=tuple(doubts))

    # --- what commands read and write ---

    def _write(self, step: Step) -> None:
        """Take note of what a step writes to its standard output."""
        call, pipe = step.call, step.call.pipe
        outlet = self._outlets.get(id(call.outlet))
        if outlet is not None:
            opening, place = outlet
            doubt = self._doubts.get(id(call.outlet), "")
            pieces = tuple(
                replace(one, step=opening, doubt=one.doubt or doubt) for one in self._output(step)
            )
            if pieces:
                self._put(_Put(step, place, pieces, False))
        elif pipe is not None and pipe.index < pipe.count - 1:
            key = pipe.source, pipe.start, pipe.end, pipe.index
            before, is_read = self._pipes.get(key, ((), True))
            self._pipes[key] = (*(() if is_read else before), *self._output(step)), False

    def _output(self, step: Step) -> tuple[Piece, ...]:
        """Return what a step writes to its standard output."""
        call, name = step.call, step.name
        if call.output is not None:
            return (self._piece(step, call.output),) if call.output else ()
        if call.is_function or call.name == ":" or name in _QUIET:
            return ()
        if name == "tee" or name in FILTERS:
            try:
                return self._filtered(step)
            except (UnknownFilter, UnknownEdit):
                pass
        return (self._piece(step, unknown(f"it is what `{name}` writes", *call.place)),)

    def _filtered(self, step: Step) -> tuple[Piece, ...]:
        """Return what a filter leaves. Raises UnknownFilter, UnknownEdit."""
        name, words = step.name, list(step.arguments)
        files: list[Value] = []
        if name == "tee":
            return self._input(step)
        sed = parse_call(words) if name == "sed" else None
        if sed is not None:
            if sed.is_in_place:
                return ()
            files = list(sed.files)
        elif name == "cat":
            files = [word for word in words if word == "-" or not str(word).startswith("-")]
            words = []
        elif reads_files(name, words):
            files = [words.pop()]
            if reads_files(name, words):
                raise UnknownFilter("several files")
        given = [p for word in files for p in self._read(step, word, step.at(word))]
        given = given if files else list(self._input(step))
        if name == "cat":
            return self._passed(step, given)
        if sed is not None:
            lefts = [_each_line(one.text, sed.edit) for one in given]
        else:
            texts = [word for word in words if isinstance(word, str)]
            if len(texts) < len(words) or (len(given) > 1 and name not in _OF_LINES):
                raise UnknownFilter("it is of several pieces, or with unknown words")
            lefts = [_left(name, texts, one.text) for one in given]
        found = zip(given, lefts, strict=True)
        return self._passed(
            step,
            [
                replace(one, text=left, writer=one.writer if isinstance(left, str) else step)
                for one, left in found
            ],
        )

    def _passed(self, step: Step, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
        guards = step.call.guards
        return tuple(
            replace(one, step=step, guards=_joined(one.guards, guards))
            for one in pieces
            if one.text
        )

    def _input(self, step: Step) -> tuple[Piece, ...]:
        """Return what a step reads from its standard input."""
        call, pipe = step.call, step.call.pipe
        given = call.input
        if isinstance(given, str) or (given is not None and _says_something(given)):
            return (self._piece(step, given),)
        for redirect in reversed(call.redirections):
            if redirect.operator == "<" and redirect.descriptor in ("", "0"):
                return self._read(step, redirect.target, step.at(redirect.target))
        if pipe is not None and pipe.index:
            key = pipe.source, pipe.start, pipe.end, pipe.index - 1
            if key in self._pipes:
                pieces = self._pipes[key][0]
                self._pipes[key] = pieces, True
                return self._passed(step, pieces)
        text = unknown("nobody knows what it reads", *call.place)
        return (replace(self._piece(step, text), origin=_ANYWHERE),)

    def _read(self, step: Step, word: Value, place: Location | None) -> tuple[Piece, ...]:
        """Return what is in the file that a word names."""
        if word == "/dev/null":
            return ()
        if word in _STANDARD_INPUT:
            return self._input(step)
        path = self._path(word)
        tree = self._ebuild.repository.tree
        if path is not None:
            if tree.kind(path) is Kind.FILE:
                return (self._piece(step, decode(tree.read(path))),)
        elif place in self.files:
            return self._content(place, step)
        return (self._not_at_hand(step, place),)

    def _not_at_hand(self, step: Step, place: Location | None) -> Piece:
        text = unknown(_NOT_AT_HAND, *step.call.place)
        return replace(self._piece(step, text), origin=place or _ANYWHERE)

    def _content(self, place: Location, step: Step) -> tuple[Piece, ...]:
        file = self.files[place]
        is_known = file.is_whole and not file.doubts
        rest = () if is_known else (self._not_at_hand(step, place),)
        return (*file.pieces, *rest)

    def _path(self, word: Value) -> str | None:
        """Return the path in the repository that a word names; None if it is none there."""
        first, *rest = pieces_of(word) or ("",)
        if isinstance(first, str) or first.symbol != "FILESDIR":
            return None
        if not all(isinstance(one, str) for one in rest):
            return None
        path = normpath(f"{self._ebuild.filesdir}/{''.join(map(str, rest))}")
        return None if path.startswith("..") else path

    def _piece(self, step: Step, text: Value, doubt: str = "") -> Piece:
        return Piece(step, text, step.call.guards, step, doubt=doubt)


def _is_symbolic(link: Step) -> bool:
    return not {"s", "symbolic"}.isdisjoint(read_options(link.arguments, TAKING_WORD)[0])


def _together(piece: Piece, other: Piece) -> Piece:
    return replace(
        other,
        text=concatenate(piece.text, other.text),
        guards=_joined(piece.guards, other.guards),
        doubt=piece.doubt or other.doubt,
        undone=(*piece.undone, *other.undone),
    )


def _joined(guards: Guards, others: Guards) -> Guards:
    return tuple(dict.fromkeys((*guards, *others)))


def _open(guards: Guards) -> Guards:
    """Return the guards without those of commands that are taken to succeed."""
    return tuple(guard for guard in guards if not is_counted_on(guard))


def _says_something(value: Mixed) -> bool:
    return len(value.parts) > 1 or bool(value.unknown.symbol)


def _lines(text: Value) -> list[Value]:
    """Return the lines of a text without their ends, and what stands behind the last end."""
    found: list[Value] = []
    line: list[str | Unknown] = []
    for part in pieces_of(text):
        if not isinstance(part, str):
            line.append(part)
            continue
        first, *others = part.split("\n")
        line.append(first)
        for other in others:
            found.append(join(line))
            line = [other]
    return [*found, join(line)]


def _each_line(text: Value, edit: Callable[[str], Iterable[str]]) -> Value:
    """Return a text with each known line edited; the others are unknown then.

    Raises UnknownEdit, also where it is not known whether the last line gets an end.
    """
    *lines, rest = _lines(text)
    found: list[Value] = []
    for line in lines:
        left = [unknown(line.unknown.reason)] if isinstance(line, Mixed) else edit(line)
        for one in left:
            found += [_with_unknowns(one) if isinstance(one, str) else one, "\n"]
    if isinstance(rest, Mixed):
        found.append(unknown(rest.unknown.reason))
    elif rest:
        last = tuple(edit(rest))
        if len(last) > 1:
            raise UnknownEdit("a line without an end becomes several")
        found += map(_with_unknowns, last)
    return concatenate(*found) if found else ""


def _with_unknowns(line: str) -> Value:
    """Return a line that sed leaves, with what is unknown of its script."""
    first, *others = line.split(UNKNOWN_PART)
    reason = "it is a part of sed's script that is unknown"
    return concatenate(first, *(one for other in others for one in (unknown(reason), other)))


def _left(name: str, words: Sequence[str], text: Value) -> Value:
    """Return what a filter leaves of a text. Raises UnknownFilter."""
    if not isinstance(text, str):
        if name not in _OF_LINES:
            raise UnknownFilter("part of what it reads is unknown")
        return _each_line(text, lambda line: filtered(name, words, f"{line}\n")[0].split("\n")[:-1])
    if text and not text.endswith("\n"):
        return filtered(name, words, f"{text}\n")[0]
    return filtered(name, words, text)[0]


def _edited(text: Value, edit: SourceEdit) -> Value:
    """Return a text after an edit in place, less what a patch adds. Raises UnknownEdit."""
    if not text:
        return text
    known = [line for line in _lines(text) if isinstance(line, str)]
    applied = {line: edit.taken(line) for line in known}
    if all(after == (line,) for line, after in applied.items()):
        return text
    return _each_line(text, applied.__getitem__)

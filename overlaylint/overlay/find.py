"""What `find` prints (find(1), POSIX and GNU), over a set of files that is given.

The files need not exist: a rule makes up those that matter to it. Tests that ask for more than a
name, a place, a type and whether anything is in it are not understood, and raise UnknownFind.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from fnmatch import fnmatchcase

from overlaylint.overlay.sed import extended
from overlaylint.overlay.ways import COUNTED_ON
from overlaylint.records import dataclass
from overlaylint.shell.patterns import compile_pattern
from overlaylint.shell.regexes import search
from overlaylint.shell.undecidable import Undecidable


class UnknownFind(Exception):
    """An expression, or a part of one, is not understood; the text says which."""


class MadeUpFiles:
    """A tree of files by absolute path, which may change; folders are those that files need.

    `links` are those files that are symbolic links. The others hold something.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._children: dict[str, dict[str, bool]] = {"/": {}}
        self.links: set[str] = set()
        for path in paths:
            self.add(path)

    def add(self, path: str, *, is_folder: bool = False) -> None:
        """Add a file, or a folder that may be empty."""
        if is_folder:
            self._children.setdefault(path, {})
        while path != "/":
            above, name = posixpath.split(path)
            there = self._children.setdefault(above, {})
            there[name] = there.get(name, False) or is_folder
            path, is_folder = above, True

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        for name in self.names(path):
            self.remove(posixpath.join(path, name))
        above, name = posixpath.split(path)
        self.links.discard(path)
        self._children.pop(path, None)
        self._children.get(above, {}).pop(name, None)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at a path."""
        return path in self._children

    def exists(self, path: str) -> bool:
        """Whether there is anything at a path."""
        above, name = posixpath.split(path)
        return path == "/" or name in self._children.get(above, {})

    def names(self, folder: str) -> tuple[str, ...]:
        """Return what a folder holds, sorted; nothing where there is no such folder."""
        return tuple(sorted(self._children.get(folder, ())))

    def below(self, path: str) -> Iterator[str]:
        """Yield every file at a path or below it."""
        if not self.is_folder(path):
            if self.exists(path):
                yield path
            return
        for name in self.names(path):
            yield from self.below(posixpath.join(path, name))

    def glob(self, pattern: str, folder: str) -> tuple[str, ...]:
        """Return the paths that match a pattern with wildcards, as bash expands it in a folder.

        Raises Undecidable.
        """
        found = [""]
        for part in pattern.split("/"):
            found = [text for one in found for text in self._matching(one, part, folder)]
        return tuple(text.removesuffix("/") or "/" for text in found)

    def _matching(self, before: str, part: str, folder: str) -> Iterator[str]:
        if part in ("", ".", ".."):
            yield f"{before}{part}/"
            return
        here = resolved(before or ".", folder)
        pattern = compile_pattern(((part, False),), extended=True)
        for name in self.names(here):
            is_hidden = name.startswith(".") and not part.startswith((".", "\\"))
            if not is_hidden and pattern.matches(name):
                yield f"{before}{name}/"


def resolved(path: str, folder: str) -> str:
    """Return the absolute path of a path that is written in a folder."""
    clean = posixpath.normpath(posixpath.join(folder, path))
    return "/" + clean.lstrip("/")


@dataclass(slots=True)
class Found:
    """What a run of find comes to.

    `starts` are the places it looks from, as absolute paths; `commands` what `-exec` would run,
    once for each path, and `deleted` what `-delete` removes, with what is in it first.
    """

    starts: tuple[str, ...]
    output: str = ""
    commands: list[tuple[str, ...]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A path that find comes by: as it is written, and where it is."""

    text: str
    path: str
    depth: int
    is_folder: bool
    children: tuple[str, ...]


@dataclass(slots=True)
class _State:
    found: Found
    is_pruned: bool = False
    has_ended: bool = False


_Test = Callable[[_Visit, _State], bool]


def expression_start(arguments: Sequence[str]) -> int:
    """Return where the expression starts, behind the options and the places to look from."""
    at = 0
    while at < len(arguments) and _is_option(arguments[at]):
        at += 1
    while at < len(arguments) and not _is_expression(arguments[at]):
        at += 1
    return at


def _is_option(word: str) -> bool:
    return word in ("-H", "-L", "-P") or word.startswith("-O")


def _is_expression(word: str) -> bool:
    return word.startswith("-") or word in ("(", "!", ",", ")")


def find(arguments: Sequence[str], files: MadeUpFiles, folder: str) -> Found:
    """Return what find does in a folder, where what `-exec` runs succeeds.

    Raises UnknownFind for what is not understood.
    """
    at = expression_start(arguments)
    starts = [word for word in arguments[:at] if not _is_option(word)] or ["."]
    words = list(arguments[at:])
    parser = _Parser(words, files.links, "-L" in arguments[:at] or "-follow" in words)
    test = parser.parse()
    found = Found(tuple(resolved(start, folder) for start in starts))
    if {"-prune", "-delete"} <= set(words) and {"-depth", "-d"}.isdisjoint(words):
        # `-delete` turns on `-depth`, with which `-prune` does nothing: it refuses to run.
        return found
    state = _State(found)
    for start, path in zip(starts, found.starts, strict=True):
        if files.exists(path):
            visit = _visit(start, path, 0, files)
            _walk(visit, files, parser, test, state)
    return found


def _visit(text: str, path: str, depth: int, files: MadeUpFiles) -> _Visit:
    children = tuple(posixpath.join(path, name) for name in files.names(path))
    return _Visit(text, path, depth, files.is_folder(path), children)


def _walk(visit: _Visit, files: MadeUpFiles, parser: _Parser, test: _Test, state: _State) -> None:
    is_seen = visit.depth >= parser.least_depth
    state.is_pruned = False
    if is_seen and not parser.is_depth_first and not state.has_ended:
        test(visit, state)
    if visit.is_folder and not state.is_pruned and visit.depth < parser.most_depth:
        for name in files.names(visit.path):
            text = f"{visit.text}{name}" if visit.text.endswith("/") else f"{visit.text}/{name}"
            path = posixpath.join(visit.path, name)
            below = _visit(text, path, visit.depth + 1, files)
            if not state.has_ended:
                _walk(below, files, parser, test, state)
    state.is_pruned = False
    if is_seen and parser.is_depth_first and not state.has_ended:
        test(visit, state)


class _Parser:
    """Reads an expression: `,` binds least, then `-o`, then `-a`, which may be left out."""

    def __init__(self, words: list[str], links: set[str], follows: bool) -> None:
        self._words = words
        self._links = links
        self._follows = follows
        self._at = 0
        self._has_action = False
        self._syntax = "emacs"
        self.least_depth = 0
        self.most_depth = 1_000_000
        self.is_depth_first = False

    def parse(self) -> _Test:
        if not self._words:
            return _print("\n")
        test = self._list()
        if self._at < len(self._words):
            raise UnknownFind(f"`{self._words[self._at]}` in its expression")
        if self._has_action:
            return test
        if "," in self._words:
            # GNU's own answer depends on how it orders the tests.
            raise UnknownFind("a list of expressions without an action")
        return _and(test, _print("\n"))

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _take(self) -> str:
        word = self._peek()
        if self._at >= len(self._words):
            raise UnknownFind("an expression that lacks its end")
        self._at += 1
        return word

    def _list(self) -> _Test:
        test = self._or()
        while self._peek() == ",":
            self._at += 1
            test = _both(test, self._or())
        return test

    def _or(self) -> _Test:
        test = self._and()
        while self._peek() in ("-o", "-or"):
            self._at += 1
            test = _or(test, self._and())
        return test

    def _and(self) -> _Test:
        test = self._not()
        while self._peek() not in ("", ")", "-o", "-or", ","):
            if self._peek() in ("-a", "-and"):
                self._at += 1
            test = _and(test, self._not())
        return test

    def _not(self) -> _Test:
        if self._peek() in ("!", "-not"):
            self._at += 1
            return _not(self._not())
        if self._peek() == "(":
            self._at += 1
            test = self._list()
            if self._take() != ")":
                raise UnknownFind("a bracket that is not closed")
            return test
        return self._primary()

    def _primary(self) -> _Test:
        word = self._take()
        if word in ("-name", "-iname"):
            return _matching(self._take(), lambda visit: _base(visit.text), word == "-iname")
        if word in ("-lname", "-ilname"):
            return self._leads_to(self._take())
        if word in ("-path", "-wholename", "-ipath", "-iwholename"):
            return _matching(self._take(), lambda visit: visit.text, word.startswith("-i"))
        if word in ("-regex", "-iregex"):
            return _regex(self._take(), self._syntax, word == "-iregex")
        if word == "-regextype":
            self._syntax = self._take()
            return _always
        if word in ("-type", "-xtype"):
            follows = self._follows != (word == "-xtype")
            return self._type(set(self._take().split(",")), follows)
        if word in ("-maxdepth", "-mindepth"):
            self._depth(word, self._take())
            return _always
        if word in ("-follow", "-true", "-noleaf", "-mount", "-xdev", "-warn", "-nowarn"):
            return _always
        if word in ("-depth", "-d"):
            self.is_depth_first = True
            return _always
        if word == "-false":
            return lambda _visit, _state: False
        if word == "-prune":
            return _prune
        if word == "-empty":
            return lambda visit, state: visit.is_folder and _is_emptied(visit, state)
        return self._action(word)

    def _action(self, word: str) -> _Test:
        if word in ("-print", "-print0"):
            self._has_action = True
            return _print("\n" if word == "-print" else "\0")
        if word == "-printf":
            self._has_action = True
            return _printf(self._take())
        if word == "-delete":
            self._has_action = self.is_depth_first = True
            return _delete
        if word == "-quit":
            return _quit
        if word in ("-exec", "-execdir", "-ok"):
            self._has_action = True
            command = []
            while (part := self._take()) not in (";", "+"):
                command.append(part)
            if part == ";" and self._peek() not in ("", ")") and _asks(command):
                raise UnknownFind(f"what follows on `{' '.join(command)}`")
            if word == "-execdir" and any(map(_may_be_name, command[1:])):
                # It runs in the folder of what is found.
                raise UnknownFind(f"`-execdir {' '.join(command)}`")
            return _execute(tuple(command))
        raise UnknownFind(f"`{word}` in its expression")

    def _type(self, kinds: set[str], follows: bool) -> _Test:
        def test(visit: _Visit, _state: _State) -> bool:
            if visit.path in self._links:
                if follows:
                    raise UnknownFind("a test of what a link leads to")
                return "l" in kinds
            return ("d" if visit.is_folder else "f") in kinds

        return test

    def _leads_to(self, pattern: str) -> _Test:
        def test(visit: _Visit, _state: _State) -> bool:
            if visit.path in self._links:
                raise UnknownFind(f"`-lname {pattern}`, and what a link leads to is unknown")
            return False

        return test

    def _depth(self, word: str, number: str) -> None:
        if not number.isdecimal():
            raise UnknownFind(f"`{word} {number}`")
        if word == "-maxdepth":
            self.most_depth = int(number)
        else:
            self.least_depth = int(number)


def _base(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2] or "/"


def _always(_visit: _Visit, _state: _State) -> bool:
    return True


def _prune(_visit: _Visit, state: _State) -> bool:
    state.is_pruned = True
    return True


def _delete(visit: _Visit, state: _State) -> bool:
    if posixpath.basename(visit.text) == ".":
        return True
    if not _is_emptied(visit, state):
        return False
    state.found.deleted.append(visit.path)
    return True


def _is_emptied(visit: _Visit, state: _State) -> bool:
    """Whether there is nothing in a place, or nothing that has not been deleted."""
    return all(child in state.found.deleted for child in visit.children)


def _asks(command: Sequence[str]) -> bool:
    """Whether a command is asked something, rather than counted on to succeed."""
    name = posixpath.basename(command[0]) if command else ""
    # A file that is found is one that `ls` finds.
    return name not in COUNTED_ON | {"echo", "ls"}


def _may_be_name(word: str) -> bool:
    """Whether a word may name a file beside the one that is found, other than by its own path."""
    return "{}" not in word and not word.startswith(("-", "/"))


def _quit(_visit: _Visit, state: _State) -> bool:
    state.has_ended = True
    return True


def _print(end: str) -> _Test:
    def test(visit: _Visit, state: _State) -> bool:
        state.found.output += visit.text + end
        return True

    return test


_ESCAPES = {"\\n": "\n", "\\0": "\0", "\\t": "\t", "\\\\": "\\", "%%": "%"}


def _printf(form: str) -> _Test:
    pieces: list[str] = []
    at = 0
    while at < len(form):
        size = 2 if form[at] in "\\%" else 1
        pieces.append(form[at : at + size])
        at += size
    known = {*_ESCAPES, "%p", "%P", "%f", "%h"}
    if any(len(piece) == 2 and piece not in known for piece in pieces):
        raise UnknownFind(f"`-printf {form}`")

    def test(visit: _Visit, state: _State) -> bool:
        # The slashes at the end belong to the last part.
        head, _, _ = visit.text.rstrip("/").rpartition("/")
        tail = visit.text[len(head) + bool(head) :] if head else visit.text
        parts = visit.text.split("/")
        rest = "/".join(parts[len(parts) - visit.depth :]) if visit.depth else ""
        named = {"%p": visit.text, "%P": rest, "%f": tail, "%h": head or ".", **_ESCAPES}
        state.found.output += "".join(named.get(piece, piece) for piece in pieces)
        return True

    return test


def _execute(command: tuple[str, ...]) -> _Test:
    def test(visit: _Visit, state: _State) -> bool:
        state.found.commands.append(tuple(one.replace("{}", visit.text) for one in command))
        return True

    return test


def _matching(pattern: str, text_of: Callable[[_Visit], str], ignore_case: bool) -> _Test:
    if "\\" in pattern:
        raise UnknownFind(f"the pattern {pattern}")

    def test(visit: _Visit, _state: _State) -> bool:
        text = text_of(visit)
        if ignore_case:
            return fnmatchcase(text.lower(), pattern.lower())
        return fnmatchcase(text, pattern)

    return test


_EXTENDED = ("posix-extended", "posix-egrep", "egrep", "posix-awk", "gnu-awk", "awk")
_BASIC = ("posix-basic", "posix-minimal-basic", "grep", "ed", "sed")


def _regex(expression: str, syntax: str, ignore_case: bool) -> _Test:
    if syntax in _EXTENDED:
        text = expression
    elif syntax in _BASIC or (syntax == "emacs" and not set("+?{") & set(expression)):
        text = extended(expression)
    else:
        raise UnknownFind(f"a regular expression of type {syntax}")

    def test(visit: _Visit, _state: _State) -> bool:
        try:
            whole = ((f"^({text})$", False),)
            return search(whole, visit.text, ignore_case=ignore_case) is not None
        except Undecidable as problem:
            raise UnknownFind(str(problem)) from problem

    return test


def _and(left: _Test, right: _Test) -> _Test:
    return lambda visit, state: left(visit, state) and right(visit, state)


def _or(left: _Test, right: _Test) -> _Test:
    return lambda visit, state: left(visit, state) or right(visit, state)


def _both(left: _Test, right: _Test) -> _Test:
    def test(visit: _Visit, state: _State) -> bool:
        left(visit, state)
        return right(visit, state)

    return test


def _not(inner: _Test) -> _Test:
    return lambda visit, state: not inner(visit, state)

"""A phase as steps: each call with the folder it runs in, and without the commands around it.

`env X=y bash scripts/tool "${D}"` is a run of `tool`, and `cd "${D}"` makes of `etc/passwd` a
path in the image. Where a word points is a `Location`: what it starts from, and the path there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import field, replace

from overlaylint.overlay.command_lines import SHELL_TEXT, unwrapped
from overlaylint.overlay.eapi import SAME_PLACE
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.trace import Trace
from overlaylint.records import dataclass
from overlaylint.shell.calls import Call
from overlaylint.shell.syntax import Function, Source, Subshell
from overlaylint.shell.values import Mixed, Unknown, Value, join

#: What stands in a pattern for text that is unknown.
UNKNOWN = "?*"


@dataclass(frozen=True, slots=True)
class Location:
    """A place: `root` names what the path starts from, without the package manager's own path.

    That is `D` for the image, `ROOT` for the system that is merged to, `WORKDIR`, `FILESDIR` and
    so on; empty for the machine's own root. `path` starts with a slash, has wildcards where words
    have them, and `?*` for what is unknown.
    """

    root: str
    path: str

    def __str__(self) -> str:
        name = f"${{{self.root}}}" if self.root else ""
        return f"{name}{self.path}" if self.path != "/" or not name else name

    def is_in(self, folder: Location) -> bool:
        """Whether it lies below a folder."""
        return self.root == folder.root and self.path.startswith(folder.path.rstrip("/") + "/")

    def below(self, path: str) -> Location:
        """Return the place that a path names from here."""
        return Location(self.root, _clean(f"{self.path}/{path}"))


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a trace: the program that is run in the end, and its arguments.

    `name` is without folders, and empty where it is unknown. `folder` is where the program runs,
    None where that is unknown. `reads` is the step whose output it reads through a pipe, if that
    is a single one. `into` are the folders that helpers install to, by the command that set them.
    """

    call: Call
    name: str
    arguments: tuple[Value, ...]
    folder: Location | None
    reads: Step | None = None
    into: Mapping[str, str] = field(default_factory=dict)

    def at(self, word: Value) -> Location | None:
        """Return where a word of the call points; None where that is unknown."""
        return location(word, self.folder)


def sources(ebuild: Ebuild) -> Location:
    """Return where the sources are that src_prepare and the next phases start in: S (PMS 9.1.4).

    Where that is unknown, since an eclass is missing, it is a root of its own.
    """
    variable = ebuild.evaluation.state.find("S")
    value = None if variable is None else variable.value
    found = location(value) if isinstance(value, str | Mixed) else None
    return found or Location("S", "/")


def known_end(word: Value) -> str | None:
    """Return the path that a word ends in, where it starts with something that is unknown.

    That is what `${S}/configure` comes to while an eclass is missing.
    """
    if isinstance(word, str) or location(word) is not None:
        return None
    rest = "".join(map(pattern_of_piece, word.parts[1:]))
    return _clean(rest) if rest.startswith("/") else None


def location(word: Value, folder: Location | None = None) -> Location | None:
    """Return where a word points, for a program that runs in `folder`; None if unknown."""
    if isinstance(word, str):
        if word.startswith("/"):
            return Location("", _clean(word))
        return None if folder is None or not word else folder.below(word)
    first = word.parts[0]
    if isinstance(first, Unknown) and first.symbol:
        rest = "".join(map(pattern_of_piece, word.parts[1:]))
        return Location(SAME_PLACE.get(first.symbol, first.symbol), _clean(f"/{rest}"))
    if isinstance(first, Unknown) and not first.pattern:
        return None
    text = pattern_of(word)
    if text.startswith("/"):
        return Location("", _clean(text))
    return None if folder is None else folder.below(text)


def pattern_of(value: Value) -> str:
    """Return a value as a pattern: what is unknown may be anything."""
    if isinstance(value, str):
        return value
    return "".join(map(pattern_of_piece, value.parts))


def pattern_of_piece(part: str | Unknown) -> str:
    """Return a piece of a value as a pattern: a word's wildcards, or `?*` for what is unknown."""
    return part if isinstance(part, str) else part.pattern or UNKNOWN


def read_options(
    words: Sequence[Value], taking: Container[str]
) -> tuple[dict[str, Value], list[Value]]:
    """Return what the options among a program's words say, and the other words (getopt(1)).

    Options are named without dashes. Those in `taking` take a word: `o` in `-o core`, `-vocore`;
    `owner` in `--owner core`, `--owner=core`. The others say nothing, or what they have after `=`.
    The last one counts where an option is given more than once.
    """
    said, others = list_options(words, taking)
    return dict(said), others


def list_options(
    words: Sequence[Value], taking: Container[str]
) -> tuple[list[tuple[str, Value]], list[Value]]:
    """Return the same as `read_options`, with options that are given more than once."""
    said: list[tuple[str, Value]] = []
    others: list[Value] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        start = word if isinstance(word, str) else word.head
        if start == word == "--":
            return said, others + rest
        if start.startswith("--"):
            name, equals, _ = start[2:].partition("=")
            value = _from(word, len(f"--{name}="))
            if name in taking and not equals:
                value = rest.pop(0) if rest else ""
            said.append((name, value))
        elif start.startswith("-") and word != "-":
            for at, name in enumerate(start[1:], 2):
                if name in taking:
                    said.append((name, _from(word, at) or (rest.pop(0) if rest else "")))
                    break
                said.append((name, ""))
        else:
            others.append(word)
    return said, others


def _from(word: Value, start: int) -> Value:
    """Return a word without its first letters, which are known."""
    if isinstance(word, str):
        return word[start:]
    return join((word.head[start:], *word.parts[1:]))


def _clean(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


def steps(trace: Trace) -> tuple[Step, ...]:
    """Return the calls of a phase as steps, in their order."""
    folders = _Folders(trace)
    found: list[Step] = []
    for call in trace:
        folders.leave(call)
        name, arguments = unwrapped(call.name, call.arguments)
        before = _before_in_pipe(call, found)
        found.append(Step(call, name, arguments, folders.current, before, folders.into))
        folders.follow(name, arguments, call)
    return tuple(found)


def _before_in_pipe(call: Call, steps: Sequence[Step]) -> Step | None:
    """Return the only step of the command before a call in its pipeline."""
    pipe = call.pipe
    if pipe is None or not pipe.index or not steps:
        return None
    last = steps[-1]
    is_single = len(steps) == 1 or steps[-2].call.pipe != last.call.pipe
    return last if is_single and last.call.pipe == replace(pipe, index=pipe.index - 1) else None


# What sets the folder that helpers install to (PMS 12.3.3).
_SETTING = frozenset({"insinto", "exeinto", "into"})


class _Folders:
    """The folders that commands run in, and install to, as `cd` and its like change them."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.current = self._first()
        self.into: Mapping[str, str] = {}
        self._stack: list[Location | None] = []
        # Where a subshell ends, what was before it holds again.
        self._subshells: list[
            tuple[Source, int, tuple[str, ...], Location | None, Mapping[str, str]]
        ] = []

    def _first(self) -> Location | None:
        """Return where a phase starts (PMS 9.1.3 and on)."""
        phase = self._trace.phase
        if phase.endswith("src_unpack"):
            return Location("WORKDIR", "/")
        if "src_" not in phase:
            return None
        return sources(self._trace.ebuild)

    def follow(self, name: str, arguments: tuple[Value, ...], call: Call) -> None:
        """Take note of what a command does to the folder."""
        if name not in ("cd", "pushd", "popd") and name not in _SETTING:
            return
        inner = self._subshell_of(call)
        if inner is not None:
            self._subshells.append((call.source, inner, call.stack, self.current, self.into))
        if name in _SETTING:
            folder = pattern_of(arguments[0]) if arguments else "/"
            self.into = {**self.into, name: folder}
            return
        words = [word for word in arguments if not str(word).startswith("-")]
        if name == "popd":
            self.current = self._stack.pop() if self._stack else None
            return
        if name == "pushd":
            self._stack.append(self.current)
        self.current = location(words[0], self.current) if words else None

    def leave(self, call: Call) -> None:
        """Undo what was done in subshells that a call stands behind."""
        while self._subshells:
            source, end, stack, before, into = self._subshells[-1]
            is_inside = call.source is source and call.stack == stack and call.start < end
            if is_inside or (len(call.stack) > len(stack) and call.stack[: len(stack)] == stack):
                return
            self.current, self.into = before, into
            self._subshells.pop()

    def _subshell_of(self, call: Call) -> int | None:
        """Return where the innermost subshell ends that a call stands in."""
        if call.source.name == SHELL_TEXT:
            return len(call.source.text)
        source, start, end = call.source.place(call.start, call.end)
        name, _, path = source.name.partition(":")
        repository = self._trace.ebuild.repository.named(name)
        if repository is None or source is not call.source:
            return None
        ends = [
            node.end
            for node in _subshells(repository.script(path).body)
            if node.start <= start and end <= node.end
        ]
        return min(ends, default=None)


def _subshells(node: object) -> Iterator[Subshell]:
    """Yield the subshells below a node of the syntax tree."""
    if isinstance(node, Function):
        # Its body is read when it is asked for, and no field.
        yield from _subshells(node.body)
        return
    if isinstance(node, Subshell):
        yield node
    for name in getattr(node, "__slots__", ()):
        value = getattr(node, name, None)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Function) or (
                hasattr(one, "__slots__") and not isinstance(one, Source)
            ):
                yield from _subshells(one)

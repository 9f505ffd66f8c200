"""The commands of a script that are met while it is evaluated, with their words and guards."""

from __future__ import annotations

from enum import IntEnum

from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition
from overlaylint.shell.syntax import Source, Word
from overlaylint.shell.values import Value, concatenate

# A status is a number, or the condition under which it is 0.
Status = int | Condition


class Failure(int):
    """A status that is not 0, and of which nothing more is known: no number is equal to it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Failure)

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, Failure)

    __hash__ = int.__hash__


FAILED = Failure(1)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection of a call, with what its target comes to."""

    descriptor: str
    operator: str
    target: Value


class Failing(IntEnum):
    """What comes of it where a command fails, as it is written around the command."""

    UNASKED = 0
    """Nothing looks at its status."""
    IGNORED = 1
    """Its status is put aside on purpose: `! command`."""
    GOES_ON = 2
    """What follows is another way to go on: `command || other`, `if command`."""
    ENDS = 3
    """What follows ends the script, or fails itself: `command || die`, `command || return 1`."""


@dataclass(frozen=True, slots=True)
class Pipe:
    """A place in a pipeline (3.2.3): the command at `index` of `count`, the first being 0.

    `source`, `start` and `end` say where the pipeline stands, which is the same for all of it.
    """

    source: Source
    start: int
    end: int
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Call:
    """A command that a script would run.

    `guards` must all hold for it to run; what is known to hold is not among them. `stack` names the
    functions that it is called through, outermost first. `input` is what it would read, where
    that is known. `is_dead` marks a call behind `if false`, which never runs. `failing` is what
    the innermost list, `if` or loop makes of its failure, be the call in a function there. `pipe`
    is the innermost pipeline that it is part of, in a function as well, if that has more commands.

    In a trace, `output` is what it writes to its standard output, None where nothing is known of
    it; what a function or a shell writes is that of the calls in it. `outlet` is the
    redirection, one of its own or around it, that leads its standard output into a file.

    A file that a compound command, an assignment or a command that is not noted is redirected from
    or to, and the one of `$(< file)`, are noted as redirections of `:`.
    """

    name: Value
    arguments: tuple[Value, ...]
    source: Source
    start: int
    end: int
    guards: tuple[Condition, ...] = ()
    stack: tuple[str, ...] = ()
    redirections: tuple[Redirect, ...] = ()
    environment: tuple[tuple[str, Value], ...] = ()
    input: Value | None = None
    is_function: bool = False
    is_dead: bool = False
    failing: Failing = Failing.UNASKED
    pipe: Pipe | None = None
    output: Value | None = None
    outlet: Redirect | None = None

    @property
    def place(self) -> tuple[Source, int, int]:
        """The file and the span of the command."""
        return self.source.place(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment among the words of `declare` and the like, with its value expanded."""

    name: str
    subscript: Word | None
    value: Value
    append: bool

    @property
    def text(self) -> Value:
        """The word that it is."""
        subscript = "" if self.subscript is None else f"[{self.subscript.raw}]"
        return concatenate(f"{self.name}{subscript}{'+' if self.append else ''}=", self.value)


@dataclass(slots=True)
class Invocation:
    """A command that is being evaluated: what a builtin gets to see.

    `operands` are its arguments with the assignments among them.
    """

    name: str
    arguments: list[Value]
    operands: list[Value | Assigned]
    source: Source
    start: int
    end: int
    input: Value | None = None
    has_environment: bool = False  # whether assignments stand before it

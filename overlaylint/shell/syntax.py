"""The syntax tree of a bash script.

Nodes are frozen dataclasses. Most can't be compared or shown: to make those methods would take
most of the time of importing this module. `start` and `end` are byte offsets into the file (`end`
is exclusive). The names follow the grammar in bash's manual (section 3.2, Shell Commands, and
3.5, Shell Expansions).

A function's body and a simple command are kept as their spans when the script is parsed, and taken
apart when somebody asks for them: most functions are never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from typing import TYPE_CHECKING

from overlaylint.records import dataclass, lazy

if TYPE_CHECKING:
    from overlaylint.shell.values import Unknown


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Where bash would refuse the script, and what it would find there."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#` to the end of its line."""

    start: int
    end: int


@dataclass(eq=False, slots=True)
class Source:
    """The text that nodes point into.

    `text` holds one character for each byte (latin-1), so that an offset into it is a byte
    offset; `decode` gives what a slice means. Text that a script makes itself (`eval`, old-style
    command substitution with escapes, here-documents) is a source of its own, whose places all
    stand for the span `origin` of `parent`.
    """

    text: str
    name: str = ""
    parent: Source | None = None
    origin: tuple[int, int] = (0, 0)
    here_documents: dict[int, HereDocument] = field(default_factory=dict)
    substitutions: dict[int, Substitution] = field(default_factory=dict)
    # whether a line is continued in the middle of a word; None until somebody looked
    is_continued: bool | None = None
    copied: int = 0
    # functions that were made for this text, for as long as somebody has it
    made: dict[tuple[object, ...], Function] | None = None
    # what is unknown of a text that a script made, by the parameters that stand in its place
    pieces: Mapping[str, Unknown] | None = None

    def place(self, start: int, end: int) -> tuple[Source, int, int]:
        """Return the file that `start` to `end` comes from, with the span there."""
        source = self
        while source.parent is not None:
            (start, end), source = source.origin, source.parent
        return source, start, end


def decode(text: str) -> str:
    """Return what a slice of a source's text means: its bytes read as UTF-8."""
    if text.isascii():
        return text
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def encode(text: str) -> str:
    """Return the text of a source for a string that a script made; undoes `decode`."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


# --- words (3.5) ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Unquoted literal text: wildcards and braces in it are active."""

    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Literal text that a quote or a backslash protects."""

    text: str


@dataclass(frozen=True, slots=True)
class DoubleQuoted:
    """`"..."`: one field, whatever its expansions come to (save `"$@"` and `"${a[@]}"`)."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tilde:
    """An unquoted `~` or `~user` at the start of a word: somebody's home directory."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` or `${...}` (3.5.3).

    `prefix` is `!` (indirection, names, keys), `#` (length) or empty. `subscript` is None, or
    the word between brackets, `@` and `*` included. `operator` is what follows the name (`:-`,
    `##`, `//`, `:` for a substring, `@Q` and the like), `first` and `second` are its operands:
    a substring's are arithmetic; `@` alone is an operator
    that bash does not know. `is_bad` marks what bash calls a bad substitution.
    `old_second` is `second` as bash up to 4.2 reads it, where that differs.
    """

    start: int
    end: int
    name: str
    prefix: str = ""
    subscript: Word | None = None
    operator: str = ""
    first: Word | None = None
    second: Word | None = None
    is_bad: bool = False
    old_second: Word | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CommandSubstitution:
    """`$(...)` or backquotes."""

    source: Source
    start: int
    end: int
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProcessSubstitution:
    """`<(...)` or `>(...)`; `direction` is the first character."""

    source: Source
    start: int
    end: int
    direction: str
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ArithmeticExpansion:
    """`$((...))` or `$[...]`."""

    start: int
    end: int
    expression: Word


@dataclass(frozen=True, slots=True)
class Piece:
    """What is unknown of the text that the word is in: a script made it."""

    unknown: Unknown


@dataclass(frozen=True, slots=True)
class Refused:
    """What bash reads in another way than we do, or not at all, for `reason`."""

    reason: str


Part = (
    Text
    | Quoted
    | DoubleQuoted
    | Tilde
    | Parameter
    | CommandSubstitution
    | ProcessSubstitution
    | ArithmeticExpansion
    | Piece
    | Refused
)


# text that means itself wherever it stands, or a string with nothing special in it
_LITERAL = re.compile(r"[A-Za-z0-9_./:=+,@%^-]++|\"([^\"\\$`]*+)\"")
_ACTIVE = re.compile(r"[*?{(]|\[[^\]]*\]")


_BRACE_LIST = re.compile(r"(?<!\$)\{[^{}]*(?:,|\.\.)")


class Context(IntEnum):
    """Where a word stands, which decides what its quotes and backslashes mean (3.1.2)."""

    COMMAND = 0  # among a command's words
    OPERAND = 1  # a subscript: blanks are text
    QUOTED_OPERAND = 2  # the same within double quotes
    UNQUOTED_OPERAND = 10  # the same in a here-document or an expression: `$'` is text
    HERE_DOCUMENT = 3  # quotes are text
    ARITHMETIC = 4  # as within double quotes, but a double quote is dropped
    REGULAR_EXPRESSION = 5  # after =~: parentheses and bars are text
    PLAIN = 6  # nothing is special at all
    ASSIGNED = 8  # the value of an assignment: a tilde counts after a colon as well
    WORD_OPERAND = 9  # as OPERAND, but a tilde counts at the start
    QUOTED_REPLACEMENT = 7  # a replacement within double quotes, to bash 4.2: quotes are text


# those of them in which quotes are quotes, and nothing follows from what is quoted
_STRING_CONTEXTS = frozenset({Context.COMMAND, Context.ASSIGNED})


@dataclass(frozen=True, eq=False, repr=False)
class Word:
    """A word. Its parts are parsed when somebody asks for them."""

    source: Source
    start: int
    end: int
    context: Context = Context.COMMAND

    @lazy
    def parts(self) -> tuple[Part, ...]:
        """What the word is made of, in order."""
        from overlaylint.shell.words import parse_parts

        return parse_parts(self)

    @lazy
    def text(self) -> str | None:
        """The word's text where no parameter or command has a part in it, else None."""
        plain = self._plain
        if plain is not None:
            return plain
        texts: list[str] = []
        for part in self.parts:
            if isinstance(part, Text | Quoted):
                texts.append(part.text)
            elif isinstance(part, DoubleQuoted) and all(isinstance(x, Quoted) for x in part.parts):
                texts.extend(x.text for x in part.parts if isinstance(x, Quoted))
            else:
                return None
        return "".join(texts)

    @lazy
    def is_active(self) -> bool:
        """Whether unquoted braces or wildcards stand in it."""
        return self.has_odd_braces or any(
            isinstance(part, Text) and _ACTIVE.search(part.text) for part in self.parts
        )

    @lazy
    def has_odd_braces(self) -> bool:
        """Whether bash may expand braces that look quoted: `"${x:-"` is a string to it then."""
        text = self.source.text
        if text.find('"', self.start, self.end) < 0 or text.find("{", self.start, self.end) < 0:
            return False
        for part in self.parts:
            if isinstance(part, DoubleQuoted):
                for inner in part.parts:
                    if isinstance(inner, Parameter) and inner.first is not None:
                        opened = text.find('"', inner.start, inner.end)
                        if opened > 0 and _BRACE_LIST.search(text, opened, self.end):
                            return True
        return False

    @lazy
    def literal(self) -> str | None:
        """The one field that the word always comes to, else None."""
        plain = self._plain
        if plain is not None:
            return plain
        return None if self.text is None or self.is_active else self.text

    @lazy
    def _plain(self) -> str | None:
        """Its text, if it means itself or is a string with nothing to expand: most are."""
        match = _LITERAL.fullmatch(self.source.text, self.start, self.end)
        if match is None:
            return None
        if match.group(1) is None:
            return match.group()
        return decode(match.group(1)) if self.context in _STRING_CONTEXTS else None

    @property
    def raw(self) -> str:
        """The word as it is written."""
        return decode(self.source.text[self.start : self.end])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Element:
    """One element of a compound array assignment: `value`, or `[key]=value`."""

    key: Word | None
    value: Word
    append: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assignment:
    """`name=value`, `name[subscript]+=value` or `name=(...)` (3.4, 6.7)."""

    start: int
    end: int
    name: str
    subscript: Word | None
    append: bool
    value: Word | tuple[Element, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HereDocument:
    """The text after `<<`: plain text if its delimiter is `quoted`, else it is expanded."""

    start: int
    end: int
    quoted: bool
    strip_tabs: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Redirection:
    """`[descriptor]operator target` (3.6). `target` of a here-document is its text."""

    start: int
    end: int
    descriptor: str
    operator: str
    target: Word


# --- commands (3.2) ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Simple:
    """A simple command (3.2.2): assignments, words and redirections."""

    source: Source
    start: int
    end: int

    @lazy
    def details(self) -> Details:
        """The command taken apart."""
        from overlaylint.shell.parser import take_apart

        return take_apart(self)

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """The assignments before the first word."""
        return self.details.assignments

    @property
    def words(self) -> tuple[Word | Assignment, ...]:
        """The command's name and arguments; an argument of `declare` may be an assignment."""
        return self.details.words

    @property
    def redirections(self) -> tuple[Redirection, ...]:
        """The redirections, in order."""
        return self.details.redirections


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Details:
    """What a simple command consists of."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word | Assignment, ...]
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pipeline:
    """Commands joined by `|` (3.2.3), or one command with `!` before it."""

    start: int
    end: int
    commands: tuple[Command, ...]
    is_negated: bool
    pipes_stderr: tuple[bool, ...] = ()
    is_timed: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AndOr:
    """Pipelines joined by `&&` and `||`: `operators[i]` stands before `commands[i + 1]`."""

    start: int
    end: int
    commands: tuple[Command, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Background:
    """A command followed by `&`."""

    start: int
    end: int
    command: Command


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class List:
    """Commands that run one after another (3.2.4)."""

    start: int
    end: int
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Group:
    """`{ list; }`."""

    start: int
    end: int
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Subshell:
    """`( list )`."""

    start: int
    end: int
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class If:
    """`if`: each branch is its condition and its body."""

    start: int
    end: int
    branches: tuple[tuple[List, List], ...]
    otherwise: List | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class While:
    """`while` or `until`."""

    start: int
    end: int
    is_until: bool
    condition: List
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class For:
    """`for name in words` (`select` too); `words` is None for the positional parameters."""

    start: int
    end: int
    name: str
    words: tuple[Word, ...] | None
    body: List
    is_select: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForArithmetic:
    """`for ((initial; condition; step))`."""

    start: int
    end: int
    initial: Word
    condition: Word
    step: Word
    body: List


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CaseArm:
    """One clause of `case`; `terminator` is `;;`, `;&` or `;;&`."""

    patterns: tuple[Word, ...]
    body: List
    terminator: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Case:
    """`case subject in arms esac`."""

    start: int
    end: int
    subject: Word
    arms: tuple[CaseArm, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Arithmetic:
    """`((expression))`."""

    start: int
    end: int
    expression: Word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Test:
    """One test inside `[[ ]]`: `operator` is `-n`, `==`, `=~` ...; unary tests have no `left`."""

    start: int
    end: int
    operator: str
    left: Word | None
    right: Word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TestNot:
    """`! test`."""

    test: TestExpression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TestBoth:
    """`left && right`, or `left || right` if `is_or`."""

    is_or: bool
    left: TestExpression
    right: TestExpression


TestExpression = Test | TestNot | TestBoth


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Conditional:
    """`[[ expression ]]`."""

    start: int
    end: int
    expression: TestExpression


@dataclass(frozen=True, eq=False, repr=False)
class Function:
    """A function definition (3.3)."""

    source: Source
    start: int
    end: int
    name: str
    body_start: int

    @lazy
    def body(self) -> Command:
        """The compound command that it runs."""
        from overlaylint.shell.parser import function_body

        return function_body(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Coprocess:
    """`coproc [name] command`."""

    start: int
    end: int
    command: Command
    name: str = "COPROC"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Redirected:
    """A compound command with redirections after it."""

    start: int
    end: int
    command: Command
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Opaque:
    """What could not be parsed, for `reason`. To evaluate it makes everything unknown.

    `is_error` tells whether bash refuses it.
    """

    start: int
    end: int
    reason: str
    is_error: bool = True


Command = (
    Simple
    | Pipeline
    | AndOr
    | Background
    | List
    | Group
    | Subshell
    | If
    | While
    | For
    | ForArithmetic
    | Case
    | Arithmetic
    | Conditional
    | Function
    | Coprocess
    | Redirected
    | Opaque
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Substitution:
    """A list between `(` and `)` inside a word, as the parser found it; `end` is past the `)`."""

    body: List
    end: int


@dataclass(frozen=True, eq=False, repr=False)
class Script:
    """A parsed file. With errors in it, `body` ends in an `Opaque` node where the first one is.

    `extended_globs` are the places of extended patterns that bash can read only with `extglob`
    on; those in command substitutions are apart, where it depends on BASH_COMPAT as well.
    """

    source: Source
    body: List
    errors: tuple[SyntaxProblem, ...]
    extended_globs: tuple[int, ...]
    inner_extended_globs: tuple[int, ...] = ()

    @lazy
    def comments(self) -> tuple[Comment, ...]:
        """The comments, in order, up to the first error."""
        from overlaylint.shell.parser import comments_of

        return comments_of(self.source)


# The fields of nodes that hold commands.
_INNER = ("body", "command", "commands", "branches", "otherwise", "condition", "arms")


def innermost_commands(script: Script) -> Iterator[Simple | Conditional | Arithmetic]:
    """Yield the commands of a script that hold no other, in no order.

    Those inside of words are left out: command substitutions are not parsed for it.
    """
    waiting: list[object] = [script.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (Simple, Conditional, Arithmetic)):
            yield node
        elif isinstance(node, tuple):
            waiting.extend(node)
        else:
            waiting.extend(getattr(node, name) for name in _INNER if hasattr(node, name))

"""From a bash script to its syntax tree, exactly as bash reads it.

A recursive descent parser over the grammar of bash's manual (section 3.2). Most of a real
script is plain words, and those are passed over by a few regular expressions; only quotes,
expansions and commands with something inside them are taken apart character by character.
What is inside a word is parsed when it is asked for (`Word.parts`), and so is the body of a
function (`Function.body`): most are never evaluated. They are passed over here all the same, and
every substitution in them, since bash refuses a script for an error in it.

What the parser accepts is what `bash -n` accepts, save that extended patterns are read as if
`extglob` was on: where that option matters, `Script.extended_globs` says.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache

from overlaylint.records import dataclass
from overlaylint.shell.syntax import (
    AndOr,
    Arithmetic,
    Assignment,
    Background,
    Case,
    CaseArm,
    Command,
    Comment,
    Conditional,
    Context,
    Coprocess,
    Details,
    Element,
    For,
    ForArithmetic,
    Function,
    Group,
    HereDocument,
    If,
    List,
    Opaque,
    Pipeline,
    Redirected,
    Redirection,
    Script,
    Simple,
    Source,
    Subshell,
    Substitution,
    SyntaxProblem,
    Test,
    TestBoth,
    TestExpression,
    TestNot,
    While,
    Word,
    decode,
    encode,
)

# Deeper nesting than this is refused. Bash itself has no limit; the deepest real script nests 12.
MAXIMUM_DEPTH = 120
# Bash has this limit.
MAXIMUM_HERE_DOCUMENTS = 16
# How many bytes may be copied to put together names and operators that lines split.
_MAXIMUM_COPIED = 1_000_000_000
# The bodies of functions that are remembered are no longer than this, in characters. In a script
# where that many were none, it does not pay to look for more.
_LONGEST_KNOWN_BODY = 1 << 15
_MOST_GUESSES = 20


class ParseError(Exception):
    """The script can't be read at `start`: bash would refuse it, or it nests too deeply."""

    def __init__(self, start: int, end: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.message = message


class Unsure(ParseError):
    """Whether bash can read the script from here on is not known."""


# --- what words are made of ----------------------------------------------------------------
# The quantifiers are possessive: these expressions hardly ever backtrack.

_PLAIN = r"[^ \t\n|&;()<>'\"`$\\]++"
_ESCAPE = r"\\."
_SINGLE = r"'[^']*+'"
_ANSI = r"\$'(?>(?:[^'\\]++|\\.)*)'"
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*+"
_NAME = rf"\${_IDENTIFIER}"
_SPECIAL = r"\$[0-9@*#?$!\-]"
_BRACED = rf"\$\{{(?>(?:[^}}'\"`$\\<>]++|\$\{{[^}}'\"`$\\<>]*+\}}|{_NAME})*)\}}"
# a dollar sign that starts nothing
_DOLLAR = r"\$(?![A-Za-z_0-9@*#?$!\-({\['\"]|\\\n)"
_QUOTED_DOLLAR = r"\$(?![A-Za-z_0-9@*#?$!\-({\[]|\\\n)"
_LOCALE = r"\$(?=\")"
_END = r"(?=[ \t\n;&|()]|[<>](?!\()|\\\n|\Z)"  # a word ends here
_KEYWORD = (
    r"(?:if|then|elif|else|fi|do|done|case|esac|in|while|until|for|select|function|time|coproc"
    rf"|\{{|\}}|!|\[\[|\]\]){_END}"
)
_EXPANDED = rf"{_NAME}|{_BRACED}|{_SPECIAL}"
# a command substitution with one simple command in it, of words that have no other in them
_SIMPLE_DOUBLE = rf"\"(?>(?:[^\"\\$`]++|{_ESCAPE}|{_EXPANDED})*)\""
_ARGUMENT = rf"(?!\#)(?>(?:{_PLAIN}|{_SIMPLE_DOUBLE}|{_SINGLE}|{_EXPANDED})+)"
_SUBSTITUTED = rf"\$\((?!{_KEYWORD})[A-Za-z_][A-Za-z0-9_.\-]*+(?>(?:[ \t]++{_ARGUMENT})*)[ \t]*+\)"
_QUOTED_INSIDE = rf"(?>(?:[^\"\\$`]++|{_ESCAPE}|{_EXPANDED}|{_QUOTED_DOLLAR}|{_SUBSTITUTED})*)"
_DOUBLE = rf"\"{_QUOTED_INSIDE}\""
_UNESCAPED = rf"{_DOUBLE}|{_EXPANDED}|{_SINGLE}|{_ANSI}|{_DOLLAR}|{_LOCALE}|{_SUBSTITUTED}"
_QUOTED = rf"{_UNESCAPED}|{_ESCAPE}"
_ATOM = rf"(?:{_PLAIN}|{_QUOTED})"
_BLANK = r"(?:[ \t]++|\\\n)"
# blanks that something of the same command follows
_GAP = r"[ \t](?>(?:[ \t]|\\\n)*)(?=&>|[^\n\#;&|()])"
# a redirection that a word follows; a number or {name} before another redirection is none
_REDIRECTED = (
    rf"(?:[<>]&-(?!\#)|(?:<<<|<[&>]?(?!<)|>[>&|]?|&>>?)(?>{_BLANK}*)"
    r"(?![ \t\n|&;()<>\#\-]|[0-9]++[<>]|\{[^ \t\n<>]*+[<>]|\Z))"
)
_RUN = rf"(?>(?:{_ATOM}|{_GAP}|{_REDIRECTED})*)"

# A reserved word; or else as much as possible of a simple command, and the end of its line.
# What starts with a number, a brace or a redirection is left to `Parser.simple_parts`.
COMMAND = re.compile(
    rf"({_KEYWORD})"
    rf"|(?![0-9{{<>&])(?>({_IDENTIFIER}(?:\+?=|\[))?){_RUN}()(?>{_BLANK}*)(\n[ \t\n]*+)?",
    re.DOTALL,
)
_IS_KEYWORD, _ASSIGNS, _COMMAND_END, _LINE_END = 1, 2, 3, 4
# Simple commands that `COMMAND` would find one by one, each with what ends it or joins it to the
# next, and the comments after them; group 1 is the last. None has a `name[` that may start an
# assignment: one with an assignment has nothing after it. Nor are there continued lines that may
# split a word.
_UNSPLIT = rf"(?:{_PLAIN}|\\[^\n]|{_UNESCAPED})"
_UNSPLIT_RUN = rf"(?>(?:{_UNSPLIT}|{_GAP}|{_REDIRECTED})+)"
_EMPTY_LINES = r"(?>(?:[ \t\n]++|\#[^\n]*+\n)*)"
_ARRAY = rf"\({_EMPTY_LINES}(?>(?:(?!\[){_ARGUMENT}(?=[ \t\n)]){_EMPTY_LINES})*)\)"
# `local` has its array written once as well: expressions take long to compile.
_LOCAL = rf"local[ \t]++(?:-[aA][ \t]++)?(?={_IDENTIFIER}\+?=\()"
_ASSIGNED = rf"(?:{_LOCAL})?{_IDENTIFIER}\+?=(?:{_ARRAY}|(?>{_UNSPLIT}*))"
_SIMPLE = (
    rf"(?!{_KEYWORD}|[ \t0-9{{<>&\#])(?>{_ASSIGNED}"
    rf"|(?!{_IDENTIFIER}(?:\+?=|\[)){_UNSPLIT_RUN})"
)
_COMMAND_FOLLOWS = rf"(?=(?>[ \t\n]*)(?!{_KEYWORD})[^ \t\n\\|&;()<>\#])"
COMMANDS = re.compile(
    rf"{_EMPTY_LINES}(?>(?:({_SIMPLE})(?>{_BLANK}*)"
    rf"(?:\n|;(?![;&])|(?:&&|\|[|&]?){_COMMAND_FOLLOWS}){_EMPTY_LINES})*)",
    re.DOTALL,
)

BLANKS = re.compile(rf"(?>{_BLANK}*)")
SPACE = re.compile(r"(?>(?:[ \t\n]++|\\\n)*)")
KEYWORD = re.compile(_KEYWORD)
IN = re.compile(rf"in{_END}")
FUNCTION = re.compile(rf"([^ \t\n|&;()<>'\"`$\\=\[]++|\[)(?>{_BLANK}*)\((?>{_BLANK}*)\)")
SUBSCRIPTED = re.compile(rf"[ \t]{_IDENTIFIER}\[")
PARENTHESES = re.compile(rf"\((?>{_BLANK}*)\)")
ASSIGNMENT = re.compile(rf"({_IDENTIFIER})(\+?=)?")
REDIRECTION = re.compile(r"&>>?|<<<|<<-|<<|<&|<>|<(?!\()|>>|>\||>&|>(?!\()")
DESCRIPTOR = re.compile(
    rf"(?:0*+[0-9]{{1,10}}|\{{{_IDENTIFIER}(?:\[[^ \t\n|&;()<>'\"`\\\]]++\])?\}})(?=[<>])"
)
TIME_OPTIONS = re.compile(rf"(?:-p{_END}(?>{_BLANK}*))?(?:--{_END}(?>{_BLANK}*))?")
TOKEN = re.compile(r"&&|\|\||;;&|;;|;&|\|&|<<<|<<-|<<|>>|<&|>&|&>|[|&;()<>]|[^ \t\n|&;()<>]+")
BINARY_TEST = re.compile(rf"(?:[=!]=|=~?|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef)){_END}")
LESS_OR_GREATER = re.compile(r"<(?![<>&(])|>(?![>&|(])")
UNARY_TEST = re.compile(rf"-[abcdefghknoprstuvwxzGLNORS]{_END}")
NOT = re.compile(rf"!{_END}")
CONDITIONAL_END = re.compile(rf"\]\]{_END}")
QUOTED_INSIDE = re.compile(_QUOTED_INSIDE, re.DOTALL)
# escapes that bash loses where it writes the elements of an array anew
_LOST = re.compile(r"""\\(?:[\s"'`;&|<>()]|\$\$?["'({])""")
BACKQUOTED = re.compile(r"`(?>(?:[^`\\]++|\\.)*)`", re.DOTALL)
SINGLE = re.compile(_SINGLE)
BRACED = re.compile(_BRACED)
ANSI = re.compile(_ANSI, re.DOTALL)
SIMPLE_DOLLAR = re.compile(rf"{_NAME}|{_SPECIAL}|{_BRACED}")
# a line of a here-document whose delimiter is not quoted; `\` and a newline don't end it
LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)
CONTINUED_TABS = re.compile(r"^\t*+((?>(?:[^\\\n]++|\\.)*)\\?+\n?)", re.DOTALL | re.MULTILINE)
ESCAPED = re.compile(r"\\.", re.DOTALL)
PROTECTED = re.compile(r"\\([\\\"$`])")
DELIMITER_QUOTE = re.compile(
    r"\$'((?>(?:[^'\\]++|\\.)*))'|'([^']*+)'|\$?\"((?>(?:[^\"\\]++|\\.)*))\"|\\(.)", re.DOTALL
)
CONTINUED_LINE = re.compile(r"(?>(?:[^\\\n]++|\\.)*)\\?+", re.DOTALL)
# a name or an operator that a continued line splits
CONTINUED = re.compile(r"\\\n(?<![ \t]\\\n)")
SPLIT_TOKEN = re.compile(
    r"(?!\#)(?:[|&;<>(]++(?>(?:\\\n)+)(?=[|&;<>(\-])(?>(?:[|&;<>(]|\\\n(?=(?>(?:\\\n)*)[|&;<>(\-]))*)"
    r"|[^ \t\n|&;()<>'\"`$\\]++(?>(?:\\\n)+)(?=[^ \t\n|&;)])(?>(?:[^ \t\n|&;()<>'\"`$\\]|\\\n)*))"
)
SPLIT_DOLLAR = re.compile(r"\$(?>(?:\\\n)+)(?=[A-Za-z_0-9@*#?$!\-({\['\"])|\$\((?>(?:\\\n)+)(?=\()")

# An assignment or a word, up to the next one: whether it is no redirection, a name, what assigns to
# it, and the end.
ARGUMENT = re.compile(
    rf"(?:(?![<>&]|[0-9]++[<>]|\{{[^ \t\n<>]*+[<>])()(?>({_IDENTIFIER})(\+?=)?)?)?+"
    rf"(?>{_ATOM}*)()(?>{_BLANK}*)",
    re.DOTALL,
)
_IS_ARGUMENT, _NAMED, _ASSIGNING, _ARGUMENT_END = 1, 2, 3, 4

CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}", "in", "]]"})
# the commands that may have arrays assigned among their arguments
DECLARATIONS = frozenset(
    {"declare", "typeset", "local", "export", "readonly", "alias", "eval", "let"}
)
# those whose arguments may be assignments; to the others they are words like any other
_DECLARES = DECLARATIONS - {"alias", "eval", "let"}
EXTENDED_GLOB = frozenset("?*+@!")

# what can be the body of a function
COMPOUND = frozenset({"{", "(", "[[", "if", "for", "select", "while", "until", "case"})

_NOTHING: frozenset[str] = frozenset()
_PARENTHESIS = frozenset({")"})
_THEN = frozenset({"then"})
_AFTER_THEN = frozenset({"elif", "else", "fi"})
_FI = frozenset({"fi"})
_DO = frozenset({"do"})
_DONE = frozenset({"done"})
_BRACE = frozenset({"}"})
_ARM = frozenset({"esac", ";;"})


@dataclass(frozen=True, slots=True)
class _Pair:
    """How bash finds the end of something between two brackets.

    `inside` passes what means nothing there. The characters in `expansions` start an expansion
    after a dollar sign, and `(` after `<` or `>` if `has_processes`; the opening bracket counts
    if `nests`.
    """

    opener: str
    closer: str
    inside: re.Pattern[str]
    expansions: str
    nests: bool
    has_processes: bool


def _pair(
    brackets: str,
    special: str,
    *,
    expansions: str = "",
    nests: bool = True,
    processes: bool = False,
) -> _Pair:
    opener, closer = brackets[0], brackets[1]
    plain = rf"[^'\"`$\\{special}{'<>' if processes else ''}]++"
    starts = re.escape(expansions + "$'")
    dollar = rf"\$(?![{starts}]|\\\n)"
    items = [plain, _ESCAPE, r"\$\$", dollar]
    if "{" in expansions:
        items.insert(2, _BRACED)
    if processes:
        items.append(r"[<>](?:[<>]|(?!\())")
    inside = re.compile(rf"(?>(?:{'|'.join(items)})*)", re.DOTALL)
    return _Pair(opener, closer, inside, expansions, nests, processes)


BRACES = _pair("{}", r"}", expansions="({[", nests=False, processes=True)
SUBSCRIPT = _pair("[]", r"\[\]", expansions="({[", processes=True)
ARITHMETIC = _pair("()", "()", expansions="(")
OLD_ARITHMETIC = _pair("[]", r"\[\]", expansions="(")
PATTERN = _pair("()", "()")


@dataclass(slots=True)
class _PendingDocument:
    """A here-document whose operator was read, and whose text comes after the line's end."""

    operator: int
    delimiter: str
    is_quoted: bool
    strip_tabs: bool
    text: Word


def parse(data: bytes, name: str = "") -> Script:
    """Parse a script. Nothing is raised: what bash would refuse is in `Script.errors`.

    Here and wherever text is parsed later on, a caller that is very deep in calls itself gets a
    RecursionError: what it could not read may not be kept for others, who can.
    """
    return parse_source(Source(data.decode("latin-1"), name))


def parse_source(source: Source) -> Script:
    """Parse the text of `source`."""
    parser = Parser(source)
    commands: list[Command] = []
    errors: tuple[SyntaxProblem, ...] = ()
    try:
        parser.commands_into(commands, _NOTHING)
    except ParseError as error:
        is_error = not isinstance(error, Unsure)
        if is_error:
            errors = (SyntaxProblem(error.start, error.end, error.message),)
        start = commands[-1].end if commands else 0
        commands.append(Opaque(start, len(source.text), error.message, is_error))
    return Script(
        source,
        List(0, len(source.text), tuple(commands)),
        errors,
        tuple(parser.extended_globs),
        tuple(parser.inner_extended_globs),
    )


_TOO_DEEP = "commands are nested too deeply to be read"


def comments_of(source: Source) -> tuple[Comment, ...]:
    """Return the comments in a script, up to its first error."""
    # what is known of `source` by now would keep it from being read whole again
    parser = Parser(Source(source.text, source.name), postpones=False)
    with suppress(ParseError):
        parser.commands_into([], _NOTHING)
    return tuple(sorted(parser.comments, key=_start))


def _start(comment: Comment) -> int:
    return comment.start


@lru_cache(maxsize=128)  # the versions of one ebuild stand beside each other
def _globs_of_body(text: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return where extended patterns are in a function's body, outside and inside substitutions.

    None if the text, which ends a line, is not just a body.
    """
    parser = Parser(Source(text))
    if parser.is_continued:
        # to put together what continued lines split changes the text
        return None
    parser.is_passing = True
    try:
        parser.body(parser.keyword())
    except ParseError:
        return None
    if parser.position != len(text) - 1 or parser.pending:
        return None
    return tuple(parser.extended_globs), tuple(parser.inner_extended_globs)


def function_body(function: Function) -> Command:
    """Return the body of a function; it was passed over before, so nothing can fail."""
    parser = Parser(function.source, function.body_start, function.end, postpones=False)
    return parser.body(parser.keyword() or "(")


class Parser:
    """The state of parsing the text of `source` from `start` to `end`: a position.

    With `postpones`, the bodies of functions are passed over until somebody asks for them.
    """

    def __init__(
        self, source: Source, start: int = 0, end: int | None = None, *, postpones: bool = True
    ) -> None:
        self.source = source
        self.text = source.text
        self.position = start
        self.end = len(source.text) if end is None else end
        self.depth = 0
        self.substitutions = 0  # how many of them the position is in
        self.finish = start  # where the last part of a simple command ended
        self.ends_in_word = False  # whether the last command did, so that `}` is a word after it
        self.postpones = postpones
        # In a body that is passed over nothing is kept but where the substitutions end: for most
        # of its commands no node is made.
        self.is_passing = False
        self.passed: dict[int, int] = {}
        self.guesses = 0  # how often a body was not what it looked like
        self.comments: list[Comment] = []
        self.extended_globs: list[int] = []
        self.inner_extended_globs: list[int] = []
        self.pending: list[_PendingDocument] = []
        if source.is_continued is None:
            source.is_continued = CONTINUED.search(source.text) is not None
        self.is_continued = source.is_continued

    # --- errors ---

    def unexpected(self) -> ParseError:
        """Return the error of a token that can't stand here."""
        if self.position >= self.end:
            return ParseError(self.position, self.position, "unexpected end of file")
        if self.text[self.position] == "\n":
            return ParseError(self.position, self.position + 1, "unexpected end of line")
        match = TOKEN.match(self.text, self.position, self.end)
        end = match.end() if match else self.position + 1
        return ParseError(self.position, end, f"unexpected `{self.text[self.position : end]}`")

    def unclosed(self, start: int, what: str, expected: str) -> ParseError:
        """Return the error of a construct at `start` that the end of the file cuts off."""
        if self.position < self.end:
            return self.unexpected()
        return ParseError(start, start + len(what), f"`{what}` is never closed by `{expected}`")

    def enter(self) -> None:
        """Go one level deeper."""
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise ParseError(self.position, self.position + 1, _TOO_DEEP)

    # --- between commands ---

    def peek(self) -> str:
        """Return the character at the position, or an empty string at the end."""
        return self.text[self.position] if self.position < self.end else ""

    def skip_blanks(self) -> str:
        """Pass blanks and continued lines; return the character that follows."""
        position = self.position
        if position < self.end and self.text[position] in " \t\\":
            match = BLANKS.match(self.text, position, self.end)
            assert match
            self.position = position = match.end()
        if self.is_continued:
            self.join_token()
            position = self.position
        return self.text[position] if position < self.end else ""

    def skip_newlines(self) -> str:
        """Pass blanks, comments and line ends, and the here-documents that a line end starts."""
        while True:
            match = (BLANKS if self.pending else SPACE).match(self.text, self.position, self.end)
            assert match
            self.position = position = match.end()
            character = self.text[position] if position < self.end else ""
            if character == "#":
                self.read_comment()
            elif character == "\n":
                self.position += 1
                self.read_here_documents()
            else:
                return self.skip_blanks() if self.is_continued else character

    def join_token(self) -> None:
        """Put together a name or an operator that continued lines split, here in the text."""
        match = SPLIT_TOKEN.match(self.text, self.position, self.end)
        if match:
            self.join(self.position, match.end())

    def join_dollar(self) -> None:
        """Put together the start of an expansion that continued lines split, here in the text."""
        while match := SPLIT_DOLLAR.match(self.text, self.position, self.end):
            self.join(self.position, match.end())

    def join(self, start: int, end: int) -> None:
        """Move the continued lines in a part of the text to before it, where they mean nothing.

        The text keeps its length, so that every other place in it stays what it is.
        """
        source = self.source
        source.copied += len(self.text)
        if source.copied > _MAXIMUM_COPIED:
            raise ParseError(start, end, "too many words are split by continued lines")
        part = self.text[start:end]
        joined = part.replace("\\\n", "")
        moved = "\\\n" * ((len(part) - len(joined)) // 2)
        source.text = self.text = self.text[:start] + moved + joined + self.text[end:]
        self.position = start + len(moved)

    def read_comment(self) -> None:
        """Pass the comment that starts here."""
        end = self.text.find("\n", self.position, self.end)
        if end < 0:
            end = self.end
        self.comments.append(Comment(self.position, end))
        self.position = end

    def read_here_documents(self) -> None:
        """Pass the texts of the here-documents of the line that just ended."""
        for document in self.pending:
            self.read_here_document(document)
        self.pending.clear()

    def read_here_document(self, document: _PendingDocument) -> None:
        """Pass the text of a here-document and the line that ends it."""
        text, end = self.text, self.end
        start = finish = self.position
        delimiter = document.delimiter
        while True:
            line_start = finish = self.position
            if line_start >= end:
                break  # bash takes the end of the file, with a warning
            if document.is_quoted:
                line_end = text.find("\n", line_start, end)
                if line_end < 0:
                    line_end = end
            else:
                match = CONTINUED_LINE.match(text, line_start, end)
                assert match
                line_end = match.end()
            self.position = min(line_end + 1, end)
            line = text[line_start:line_end]
            if not document.is_quoted and "\\\n" in line:
                line = without_continuation(line)
            if line == delimiter:
                break
            if document.strip_tabs:
                line = line.lstrip("\t")
                if line == delimiter:
                    break
            if self.substitutions and line.startswith(delimiter) and ")" in line[len(delimiter) :]:
                # within $( ), the parenthesis may follow the delimiter on its line
                self.position = line_end - len(line) + len(delimiter)
                break
        if self.is_passing:
            return
        here = HereDocument(start, finish, document.is_quoted, document.strip_tabs)
        self.source.here_documents[document.operator] = here
        # now that the text is known, the word that stands for it can be filled in
        vars(document.text).update(vars(here_document(self.source, document.operator)))

    # --- lists and pipelines ---

    def list_until(self, closers: frozenset[str], *, may_be_empty: bool = False) -> List:
        """Parse commands up to one of `closers`, which is not consumed."""
        start = self.position
        commands: list[Command] = []
        self.commands_into(commands, closers)
        if not commands and not may_be_empty:
            raise self.unexpected()
        return List(start, self.position, tuple(commands))

    def commands_into(self, commands: list[Command], closers: frozenset[str]) -> None:
        """Parse commands up to one of `closers`, adding each to `commands` once it is whole."""
        source, end = self.source, self.end
        while True:
            position = self.position
            if self.is_passing and not self.pending:
                match = COMMANDS.match(self.text, position, end)
                assert match
                is_sure = not self.substitutions or not _LOST.search(
                    self.text, position, match.end()
                )
                if is_sure:  # else each array is to be looked at
                    if match.lastindex:
                        commands.append(Simple(source, *match.span(1)))
                    self.position = position = match.end()
            character = self.text[position] if position < end else ""
            if character in " \t\n\\#" or self.is_continued:
                character = self.skip_newlines()
                position = self.position
            if not character:
                return
            match = COMMAND.match(self.text, position, end)
            if match:
                kind = match.lastindex
                if kind == _LINE_END:
                    finish = match.end(_COMMAND_END)
                    if finish > position and not self.pending and not self.has_subscript(match):
                        commands.append(Simple(source, position, finish))
                        self.position = match.end()
                        continue
                elif kind == _IS_KEYWORD:
                    keyword = match.group()
                    if keyword in CLOSERS:
                        if keyword in closers:
                            return
                        raise self.unexpected()
                elif character in ")|;":
                    if character in closers or self.at_arm_end(closers):
                        return
                    raise self.unexpected()
            command = self.and_or(match)
            character = self.skip_blanks()
            if character == "&":
                self.position += 1
                command = Background(command.start, self.position, command)
            elif character == ";":
                if not self.at_arm_end(closers):
                    if self.text.startswith(";&", self.position):
                        raise self.unexpected()
                    self.position += 1
            elif character and character not in "\n#)" and not self.at_closer(closers):
                raise self.unexpected()
            commands.append(command)

    def at_arm_end(self, closers: frozenset[str]) -> bool:
        """Tell whether `;;`, `;&` or `;;&` stands here and ends the list."""
        return ";;" in closers and self.text.startswith((";;", ";&"), self.position)

    def at_closer(self, closers: frozenset[str]) -> bool:
        """Tell whether a reserved word stands here, right after a command, that ends the list."""
        return not self.ends_in_word and self.keyword() in closers

    def keyword(self) -> str:
        """Return the reserved word that stands here, or an empty string (3.2.1)."""
        match = KEYWORD.match(self.text, self.position, self.end)
        return match.group() if match else ""

    def and_or(self, match: re.Match[str] | None = None) -> Command:
        """Parse pipelines joined by `&&` and `||`; `match` is what `COMMAND` finds here."""
        first = self.pipeline(match)
        operator = self.and_or_operator()
        if not operator:
            return first
        commands = [first]
        operators: list[str] = []
        while operator:
            operators.append(operator)
            self.position += 2
            self.skip_newlines()
            commands.append(self.pipeline())
            operator = self.and_or_operator()
        return AndOr(first.start, commands[-1].end, tuple(commands), tuple(operators))

    def and_or_operator(self) -> str:
        """Return `&&` or `||` if one stands here, else an empty string."""
        character = self.skip_blanks()
        if character and character in "&|" and self.text.startswith(character, self.position + 1):
            return character * 2
        return ""

    def pipeline(self, match: re.Match[str] | None = None) -> Command:
        """Parse commands joined by `|`, with `!` or `time` before them."""
        start = self.position
        is_negated = is_timed = False
        if match is None or match.lastindex == _IS_KEYWORD:
            while (keyword := self.keyword()) in ("!", "time"):
                match = None
                self.position += len(keyword)
                self.skip_blanks()
                if keyword == "!":
                    is_negated = not is_negated
                else:
                    is_timed = True
                    options = TIME_OPTIONS.match(self.text, self.position, self.end)
                    assert options
                    self.position = options.end()
                    self.skip_blanks()
        if (is_negated or is_timed or self.position > start) and self.peek() in (
            "",
            "\n",
            ";",
            "#",
        ):
            # `!` and `time` may stand alone
            first: Command = List(start, self.position, ())
        else:
            first = self.command(match)
        commands = [first]
        pipes_stderr: list[bool] = []
        while self.skip_blanks() == "|" and not self.text.startswith("|", self.position + 1):
            self.position += 1
            pipes_stderr.append(self.peek() == "&")
            self.position += pipes_stderr[-1]
            self.skip_newlines()
            commands.append(self.command())
        if len(commands) == 1 and not is_negated and not is_timed:
            return first
        return Pipeline(
            start, commands[-1].end, tuple(commands), is_negated, tuple(pipes_stderr), is_timed
        )

    # --- commands ---

    def command(self, match: re.Match[str] | None = None) -> Command:
        """Parse one command, simple or compound; `match` is what `COMMAND` finds here."""
        start = self.position
        if match is None:
            match = COMMAND.match(self.text, start, self.end)
        if match is None:
            # it starts with a number, a brace or a redirection
            return self.unusual(start)
        if match.lastindex == _IS_KEYWORD:
            keyword = match.group()
            if keyword == "function":
                return self.function_keyword()
            if keyword == "coproc":
                return self.coprocess()
            if keyword != "time":
                return self.with_redirections(self.compound(keyword))
            # after a pipe it is a word like any other
        elif self.has_subscript(match):
            return self.unusual(start)
        else:
            self.position = match.end(_COMMAND_END)
        if self.position == start and self.peek() == "(":
            return self.with_redirections(self.compound("("))
        finish = self.position
        character = self.skip_blanks()
        if finish > start and (
            not character
            or character in "\n;|)#"
            or (character == "&" and not self.text.startswith(">", self.position + 1))
        ):
            self.ends_in_word = True
            return Simple(self.source, start, finish)
        if character == "(":
            match = FUNCTION.match(self.text, start, self.end)
            if match:
                self.position = match.end()
                return self.function_body(start, match.group(1))
        return self.simple(start)

    def has_subscript(self, match: re.Match[str]) -> bool:
        """Tell whether `name[` may start an assignment in what `COMMAND` matched."""
        end = match.end(_ASSIGNS)
        return end >= 0 and (
            self.text[end - 1] == "["
            or SUBSCRIPTED.search(self.text, end, match.end(_COMMAND_END)) is not None
        )

    def compound(self, keyword: str) -> Command:
        """Parse the compound command that `keyword` starts here (3.2.5)."""
        self.enter()
        start = self.position
        self.position += len(keyword)
        command: Command
        if keyword == "{":
            body = self.list_until(_BRACE)
            self.expect(start, "{", "}")
            command = Group(start, self.position, body)
        elif keyword == "(":
            command = self.parenthesis(start)
        elif keyword == "if":
            command = self.if_(start)
        elif keyword in ("while", "until"):
            condition = self.list_until(_DO)
            self.expect(start, keyword, "do")
            body = self.list_until(_DONE)
            self.expect(start, keyword, "done")
            command = While(start, self.position, keyword == "until", condition, body)
        elif keyword in ("for", "select"):
            command = self.for_(start, keyword)
        elif keyword == "case":
            command = self.case(start)
        elif keyword == "[[":
            command = self.conditional(start)
        else:
            self.position = start
            raise self.unexpected()
        self.depth -= 1
        return command

    def expect(self, start: int, opener: str, closer: str) -> None:
        """Consume `closer`, which must stand here; `opener` at `start` is what it closes."""
        if closer == ")":
            if self.peek() == ")":
                self.position += 1
                return
        elif self.keyword() == closer:
            self.position += len(closer)
            return
        raise self.unclosed(start, opener, closer)

    def parenthesis(self, start: int) -> Command:
        """Parse `(list)` or `((expression))`, after the first parenthesis."""
        if self.peek() == "(":
            end = self.arithmetic_end(start)
            if end >= 0:
                self.position = end
                return Arithmetic(start, end, self.arithmetic_word(start + 2, end - 2))
        body = self.list_until(_PARENTHESIS)
        self.expect(start, "(", ")")
        return Subshell(start, self.position, body)

    def arithmetic_end(self, start: int) -> int:
        """Return where `((...))` at `start` ends, or -1 if it is something else (two subshells)."""
        self.position = start + 1
        self.pair(ARITHMETIC)
        end = self.position
        self.position = start + 1
        return end + 1 if self.text.startswith(")", end) and end < self.end else -1

    def arithmetic_word(self, start: int, end: int) -> Word:
        """Return the expression from `start` to `end`."""
        return Word(self.source, start, end, Context.ARITHMETIC)

    def if_(self, start: int) -> If:
        """Parse `if`, after the word."""
        branches: list[tuple[List, List]] = []
        otherwise: List | None = None
        while True:
            condition = self.list_until(_THEN)
            self.expect(start, "if", "then")
            branches.append((condition, self.list_until(_AFTER_THEN)))
            keyword = self.keyword()
            if keyword == "elif":
                self.position += 4
                continue
            if keyword == "else":
                self.position += 4
                otherwise = self.list_until(_FI)
            self.expect(start, "if", "fi")
            return If(start, self.position, tuple(branches), otherwise)

    def for_(self, start: int, keyword: str) -> Command:
        """Parse `for` or `select`, after the word."""
        character = self.skip_blanks()
        if keyword == "for" and self.text.startswith("((", self.position):
            return self.for_arithmetic(start)
        name = self.word()
        words: list[Word] | None = None
        character = self.skip_blanks()
        if character == ";":
            self.position += 1
            self.skip_newlines()
            is_listed = True
        else:
            is_listed = character in ("\n", "#")
            self.skip_newlines()
            if IN.match(self.text, self.position, self.end):
                self.position += 2
                words = self.words_of_for(start, keyword)
                is_listed = True
        if self.keyword() == "{" and not is_listed:
            raise self.unexpected()
        body = self.loop_body(start, keyword)
        return For(
            start,
            self.position,
            self.text[name.start : name.end],
            None if words is None else tuple(words),
            body,
            keyword == "select",
        )

    def words_of_for(self, start: int, keyword: str) -> list[Word]:
        """Parse the words after `in`, and the end of their line."""
        words: list[Word] = []
        while (character := self.skip_blanks()) and character not in ";\n#&|)":
            words.append(self.word())
        if character == ";":
            self.position += 1
        elif character and character not in "\n#":
            raise self.unexpected()
        self.skip_newlines()
        return words

    def loop_body(self, start: int, keyword: str) -> List:
        """Parse `do list done` or `{ list; }`."""
        opener, closer, closers = (
            ("{", "}", _BRACE) if self.keyword() == "{" else ("do", "done", _DONE)
        )
        self.expect(start, keyword, opener)
        body = self.list_until(closers)
        self.expect(start, keyword, closer)
        return body

    def for_arithmetic(self, start: int) -> Command:
        """Parse `for ((a; b; c))` from its first parenthesis."""
        opening = self.position
        end = self.arithmetic_end(opening)
        if end < 0:
            raise ParseError(opening, opening + 2, "`for ((` needs `))` after its expressions")
        bounds = [opening + 1]
        scanner = Parser(self.source, opening + 2, end - 2)
        while (position := scanner.find(";")) < end - 2:
            bounds.append(position)
            scanner.position = position + 1
        bounds.append(end - 2)
        if len(bounds) != 4:
            raise ParseError(
                opening, end, "`for ((` needs three expressions, with `;` between them"
            )
        initial, condition, step = (
            self.arithmetic_word(bounds[i] + 1, bounds[i + 1]) for i in range(3)
        )
        self.position = end
        if self.skip_blanks() == ";":
            self.position += 1
        self.skip_newlines()
        body = self.loop_body(start, "for")
        return ForArithmetic(start, self.position, initial, condition, step, body)

    def find(self, delimiter: str, *, is_arithmetic: bool = False) -> int:
        """Return where `delimiter` first stands unquoted, or the end.

        In arithmetic, a colon that belongs to `?` and what is in parentheses don't count.
        """
        conditionals = 0
        while self.position < self.end:
            character = self.text[self.position]
            if is_arithmetic and character == ":" and conditionals:
                conditionals -= 1
                self.position += 1
            elif character == delimiter:
                break
            elif character == "\\":
                self.position += 2
            elif character in "'\"`$":
                self.expansion()
            elif is_arithmetic and character == "(":
                self.pair(ARITHMETIC)
            elif character in "<>" and self.text.startswith("(", self.position + 1):
                self.substitution(2)
            else:
                conditionals += is_arithmetic and character == "?"
                self.position += 1
        return min(self.position, self.end)

    def case(self, start: int) -> Case:
        """Parse `case`, after the word."""
        self.skip_blanks()
        subject = self.word()
        self.skip_newlines()
        if not IN.match(self.text, self.position, self.end):
            raise self.unclosed(start, "case", "in")
        self.position += 2
        arms: list[CaseArm] = []
        while True:
            character = self.skip_newlines()
            if self.keyword() == "esac":
                break
            if not character:
                raise self.unclosed(start, "case", "esac")
            if character == "(":
                self.position += 1
                self.skip_blanks()
            patterns = [self.word()]
            while self.skip_blanks() == "|":
                self.position += 1
                self.skip_blanks()
                patterns.append(self.word())
            if self.peek() != ")":
                raise self.unclosed(start, "case", "esac")
            self.position += 1
            body = self.list_until(_ARM, may_be_empty=True)
            terminator = ""
            if self.peek() == ";":
                terminator = (
                    ";;&"
                    if self.text.startswith(";;&", self.position)
                    else self.text[self.position : self.position + 2]
                )
                self.position += len(terminator)
            arms.append(CaseArm(tuple(patterns), body, terminator or ";;"))
            if not terminator:
                break
        self.expect(start, "case", "esac")
        return Case(start, self.position, subject, tuple(arms))

    def function_keyword(self) -> Command:
        """Parse `function name ...`."""
        start = self.position
        self.position += len("function")
        self.skip_blanks()
        name = self.word()
        self.skip_blanks()
        parentheses = PARENTHESES.match(self.text, self.position, self.end)
        if parentheses:
            self.position = parentheses.end()
        return self.function_body(start, self.text[name.start : name.end])

    def function_body(self, start: int, name: str) -> Function:
        """Parse the body of a function whose header was read."""
        keyword = "(" if self.skip_newlines() == "(" else self.keyword()
        if keyword not in COMPOUND:
            raise self.unclosed(start, f"{name} ()", "{ ... }")
        body_start = self.position
        body: Command | None = None
        # a here-document that waits for the line's end, or what ends it within `$( )`, would not
        # be known to whoever parses the body by itself
        if not self.postpones or self.is_passing or self.pending or self.substitutions:
            body = self.body(keyword)
        elif not self.passes_known_body():
            self.is_passing = True
            self.body(keyword)
            self.is_passing = False
        function = Function(self.source, start, self.position, decode(name), body_start)
        if body is not None:
            vars(function)["body"] = body
        return function

    def passes_known_body(self) -> bool:
        """Pass a function's body that was passed before, as one version of an ebuild has another's.

        Where the text up to the first `}` that is a line by itself is a whole body, so it is here.
        """
        start = self.position
        if self.depth or self.guesses > _MOST_GUESSES or not self.text.startswith("{\n", start):
            return False
        end = self.text.find("\n}\n", start, min(self.end, start + _LONGEST_KNOWN_BODY))
        globs = None if end < 0 else _globs_of_body(self.text[start : end + 3])
        if globs is None:
            self.guesses += 1
            return False
        self.extended_globs += [start + at for at in globs[0]]
        self.inner_extended_globs += [start + at for at in globs[1]]
        self.position = end + 2
        self.ends_in_word = False
        return True

    def body(self, keyword: str) -> Command:
        """Parse the compound command that `keyword` starts here, and redirections after it."""
        return self.with_redirections(self.compound(keyword))

    def coprocess(self) -> Command:
        """Parse `coproc [name] command`."""
        start = self.position
        self.position += len("coproc")
        name = "COPROC"
        keyword = self.compound_keyword()
        if not keyword:
            if self.peek() in ("", "\n", "#"):
                raise self.unexpected()
            # a name is one only if a compound command follows it
            before = self.position
            is_name = self.assignment(True, True) is None
            self.word_into(may_be_empty=True)
            end = self.position
            if is_name and end > before:
                keyword = self.compound_keyword()
                name = self.text[before:end]
            if not keyword:
                self.position = before
                command = self.unusual(before)
                return Coprocess(start, self.position, command, name)
        body = self.with_redirections(self.compound(keyword))
        return Coprocess(start, self.position, body, decode(name))

    def compound_keyword(self) -> str:
        """Return what starts a compound command here; other reserved words are errors."""
        if self.skip_blanks() == "(":
            return "("
        keyword = self.keyword()
        if keyword in ("", "time"):
            return ""
        if keyword not in COMPOUND:
            raise self.unexpected()
        return keyword

    def with_redirections(self, command: Command) -> Command:
        """Parse the redirections that follow a compound command."""
        redirections: list[Redirection] = []
        while (character := self.skip_blanks()) and character in "<>&0123456789{":
            redirection = self.redirection()
            if redirection is None:
                break
            redirections.append(redirection)
        self.ends_in_word = bool(redirections)
        if not redirections:
            return command
        return Redirected(command.start, redirections[-1].end, command, tuple(redirections))

    # --- simple commands ---

    def simple(self, start: int) -> Command:
        """Pass what remains of the simple command that starts at `start`."""
        pending, globs = len(self.pending), len(self.extended_globs)
        self.ends_in_word = True
        while True:
            self.position = finish = self.atoms_end()
            character = self.skip_blanks()
            if (
                not character
                or character in "\n;|)#"
                or (character == "&" and not self.text.startswith(">", self.position + 1))
            ):
                if finish == start:
                    raise self.unexpected()
                return Simple(self.source, start, finish)
            if character in "<>&":
                if self.redirection() is None:
                    self.substitution(2)
                elif self.peek() == "#":
                    # only after `>&-`, which is no word
                    return Simple(self.source, start, self.position)
            elif character == "(":
                if finish != self.position or not self.passes_pattern(start):
                    # an array, an odd function, or an error
                    del self.pending[pending:]
                    del self.extended_globs[globs:]
                    return self.unusual(start)
            elif finish == self.position:
                self.expansion()

    def passes_pattern(self, start: int) -> bool:
        """Pass `(...)` if it belongs to an extended pattern of a word that starts at `start`."""
        text, opening = self.text, self.position
        before = opening - 1
        while before > start and text.startswith("\\\n", before - 1):
            before -= 2
        if before < start or text[before] not in EXTENDED_GLOB:
            return False
        backslash = before
        while backslash > start and text[backslash - 1] == "\\":
            backslash -= 1
        if (before - backslash) % 2:
            return False
        self.extended_globs.append(before)
        self.pair(PATTERN)
        return True

    def unusual(self, start: int) -> Command:
        """Pass the simple command, or the function of an odd name, that starts at `start`."""
        self.position = start
        details = self.parts()
        if self.peek() == "(":
            match = PARENTHESES.match(self.text, self.position, self.end)
            words = details.words
            if not match or len(words) != 1 or details.assignments or details.redirections:
                raise self.unexpected()
            name = self.text[words[0].start : words[0].end]
            self.position = match.end()
            return self.function_body(start, name)
        if self.finish == start:
            raise self.unexpected()
        self.ends_in_word = True
        return Simple(self.source, start, self.finish)

    def parts(self) -> Details:
        """Pass a simple command word by word, and return what it consists of."""
        assignments: list[Assignment] = []
        words: list[Word | Assignment] = []
        redirections: list[Redirection] = []
        # Bash reads name[...] and name=(...) as one word only before the command's name and
        # before redirections, or as arguments of a declaration.
        may_assign = True
        may_assign_array = False
        takes_assignments = declares = False
        self.finish = self.position
        while (character := self.skip_blanks()) and character not in "\n;|)#(":
            position = self.position
            if character in "<>&0123456789{":
                redirection = self.redirection()
                if redirection:
                    redirections.append(redirection)
                    may_assign_array = False
                    may_assign = may_assign and not assignments
                    self.finish = self.position
                    continue
                if character == "&":
                    break
            assignment = None
            if not words or takes_assignments:
                assignment = self.assignment(may_assign, may_assign or may_assign_array)
            if assignment is None:
                word = Word(self.source, position, self.word_end(position))
                if not words or (not takes_assignments and _is_prefix(self.text, words)):
                    name = self.text[position : self.position]
                    takes_assignments = name in DECLARATIONS
                    declares = name not in ("alias", "eval", "let")
                    may_assign_array = may_assign and takes_assignments
                may_assign = False
                words.append(word)
            elif not words:
                assignments.append(assignment)
            elif declares:
                words.append(assignment)
            else:
                is_array = isinstance(assignment.value, tuple)
                context = Context.PLAIN if is_array else Context.COMMAND
                words.append(Word(self.source, position, self.position, context))
            self.finish = self.position
        return Details(tuple(assignments), tuple(words), tuple(redirections))

    def word_end(self, start: int) -> int:
        """Pass the rest of the word that starts at `start`, and return where it ends."""
        self.word_into(may_be_empty=self.position > start)
        return self.position

    def assignment(self, reads_subscript: bool, reads_array: bool) -> Assignment | None:
        """Pass the assignment that stands here, if one does; otherwise at most a subscript.

        With `reads_subscript`, `[` after a name starts one, whatever follows; without it, the
        subscript must lie within the word. With `reads_array`, `=(` starts an array.
        """
        start = self.position
        match = ASSIGNMENT.match(self.text, start, self.end)
        if not match:
            return None
        subscript: Word | None = None
        operator = match.group(2)
        self.position = bracket = match.end()
        if not operator:
            if self.peek() != "[" or not self.passes_subscript(start, reads_subscript):
                return None
            subscript = Word(self.source, bracket + 1, self.position - 1, Context.OPERAND)
            operator = "+=" if self.text.startswith("+=", self.position) else "="
            if not self.text.startswith(operator, self.position):
                self.position = self.position if reads_subscript else start
                return None
            self.position += len(operator)
        value_start = self.position
        value: Word | tuple[Element, ...] | None = None
        after = -1
        if reads_array and self.peek() == "(":
            value = tuple(self.element(*span) for span in self.elements(reads_array))
            after = self.position
        self.word_into(may_be_empty=True)
        if value is None or self.position > after:
            value = Word(self.source, value_start, self.position, Context.ASSIGNED)
        return Assignment(start, self.position, match.group(1), subscript, operator == "+=", value)

    def passes_subscript(self, start: int, reads_subscript: bool) -> bool:
        """Pass the subscript that stands here, in the word that starts at `start`."""
        if reads_subscript:
            self.pair(SUBSCRIPT)
            return True
        bracket, end = self.position, self.end
        self.position = start
        self.word_into()
        self.end, self.position = self.position, bracket
        try:
            self.pair(SUBSCRIPT)
        except ParseError:
            self.position = start
            return False
        finally:
            self.end = end
        return True

    def elements(self, nests: bool) -> list[tuple[int, int]]:
        """Pass the elements of an array, from `(`; return the span of each."""
        opening = self.position
        self.enter()
        self.position += 1
        spans: list[tuple[int, int]] = []
        while (character := self.skip_newlines()) != ")":
            if not character:
                raise self.unclosed(opening, "(", ")")
            start = self.position
            if character == "[":
                self.pair(SUBSCRIPT)
            self.word_into(may_be_empty=self.position > start)
            if self.substitutions and _LOST.search(self.text, start, self.position):
                # from 5.2 on bash writes and reads such elements anew, without that backslash
                reason = "a backslash in an array's element in a substitution"
                raise Unsure(start, self.position, reason)
            spans.append((start, self.position))
        self.position += 1
        self.depth -= 1
        return spans

    def element(self, start: int, end: int) -> Element:
        """Return the array element from `start` to `end`."""
        if self.text[start] == "[":
            after = self.position
            self.position = start
            self.pair(SUBSCRIPT)
            key_end = self.position
            self.position = after
            for operator in ("=", "+="):
                if self.text.startswith(operator, key_end) and key_end < end:
                    return Element(
                        Word(self.source, start + 1, key_end - 1, Context.OPERAND),
                        Word(self.source, key_end + len(operator), end, Context.ASSIGNED),
                        operator == "+=",
                    )
        return Element(None, Word(self.source, start, end))

    # --- redirections ---

    def redirection(self) -> Redirection | None:
        """Pass the redirection that stands here, if one does (3.6)."""
        start = self.position
        descriptor = self.descriptor()
        self.position += len(descriptor)
        if self.is_continued:
            self.join_token()
        match = REDIRECTION.match(self.text, self.position, self.end)
        if not match:
            self.position = start
            return None
        operator = match.group()
        self.position = match.end()
        character = self.skip_blanks()
        target: Word
        if operator in ("<<", "<<-"):
            target = self.here_document(match.start(), operator == "<<-")
        elif operator in ("<&", ">&"):
            if character == "-":
                self.position += 1
                target = Word(self.source, self.position - 1, self.position)
            else:
                target = self.word(may_be_number=True)
        else:
            target = self.word()
        return Redirection(start, self.position, descriptor, operator, target)

    def descriptor(self) -> str:
        """Return the number or `{name}` here that a redirection follows, or an empty string."""
        match = DESCRIPTOR.match(self.text, self.position, self.end)
        if not match:
            return ""
        descriptor = match.group()
        # a number that is too large is a word
        return descriptor if descriptor[0] == "{" or int(descriptor) < 1 << 31 else ""

    def here_document(self, operator: int, strip_tabs: bool) -> Word:
        """Pass the delimiter of a here-document; return the word for the text that will follow."""
        delimiter = self.word()
        if operator in self.source.here_documents:
            return here_document(self.source, operator)
        if len(self.pending) >= MAXIMUM_HERE_DOCUMENTS:
            raise ParseError(operator, self.position, "more than 16 here-documents on one line")
        raw = self.text[delimiter.start : delimiter.end].replace("\\\n", "")
        is_quoted = any(character in raw for character in "'\"\\")
        if is_quoted:
            raw = unquote(raw)
        text = Word(self.source, len(self.text), len(self.text), Context.PLAIN)
        self.pending.append(_PendingDocument(operator, raw, is_quoted, strip_tabs, text))
        return text

    # --- words ---

    def word(self, *, may_be_number: bool = False) -> Word:
        """Pass one word, which must stand here."""
        start = self.position
        character = self.peek()
        if character == "#":
            raise self.unexpected()
        self.word_into()
        if character in "0123456789{" and self.peek() in ("<", ">"):
            end = self.position
            self.position = start
            descriptor = self.descriptor()
            if descriptor and not (may_be_number and character != "{"):
                raise self.unexpected()
            self.position = end
        return Word(self.source, start, self.position)

    def word_into(self, *, may_be_empty: bool = False) -> None:
        """Pass one word."""
        start = self.position
        while True:
            text = self.text
            self.position = position = self.atoms_end()
            character = text[position] if position < self.end else ""
            if not character or character in " \t\n;|)&":
                break
            if character in "<>":
                if self.is_continued:
                    self.join_token()
                if not self.text.startswith("(", self.position + 1):
                    break
                self.substitution(2)
            elif character == "(":
                if position == start or not self.passes_pattern(start):
                    break
            else:
                self.expansion()
        if self.position == start and not may_be_empty:
            raise self.unexpected()

    def atoms_end(self) -> int:
        """Return where that ends which one expression can pass of the word that stands here."""
        match = ARGUMENT.match(self.text, self.position, self.end)
        assert match
        return match.end(_ARGUMENT_END)

    def expansion(self) -> None:
        """Pass a quoted string or an expansion that the regular expressions could not."""
        character = self.text[self.position]
        if character == '"':
            self.double_quoted()
        elif character == "$":
            self.dollar(is_quoted=False)
        elif character == "`":
            self.backquoted()
        elif character == "'":
            match = SINGLE.match(self.text, self.position, self.end)
            if not match:
                raise ParseError(self.position, self.position + 1, "`'` is never closed by `'`")
            self.position = match.end()
        else:
            # a backslash with nothing after it
            self.position += 1

    def double_quoted(self) -> None:
        """Pass `"..."`."""
        start = self.position
        self.position += 1
        while True:
            match = QUOTED_INSIDE.match(self.text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == '"':
                self.position += 1
                return
            if character == "$":
                self.dollar(is_quoted=True)
            elif character == "`":
                self.backquoted()
            else:
                raise ParseError(start, start + 1, '`"` is never closed by `"`')

    def backquoted(self) -> None:
        """Pass an old-style command substitution. Bash reads its inside only to run it."""
        match = BACKQUOTED.match(self.text, self.position, self.end)
        if not match:
            raise ParseError(self.position, self.position + 1, "`` ` `` is never closed")
        self.position = match.end()

    def dollar(self, *, is_quoted: bool) -> None:
        """Pass what a dollar sign starts."""
        if self.is_continued:
            self.join_dollar()
        text, start = self.text, self.position
        following = text[start + 1] if start + 1 < self.end else ""
        if following == "(":
            self.substitution(2)
        elif following == "{":
            self.position += 1
            self.pair(BRACES)
        elif following == "[":
            self.position += 1
            self.pair(OLD_ARITHMETIC)
        elif following == "'" and not is_quoted:
            match = ANSI.match(text, start, self.end)
            if not match:
                raise ParseError(start, start + 2, "`$'` is never closed by `'`")
            self.position = match.end()
        else:
            match = SIMPLE_DOLLAR.match(text, start, self.end)
            self.position = match.end() if match else start + 1

    def substitution(self, opener: int) -> None:
        """Pass `$(list)`, `<(list)` or `>(list)`, whose opening is `opener` characters long."""
        start = self.position
        if self.text.startswith("(", start + opener):
            # Arithmetic, or a list that starts with a parenthesis. Bash reads the latter only
            # when it comes to run it, and so do we (`late_substitution`).
            self.position = start + opener - 1
            self.pair(ARITHMETIC)
            return
        known = self.source.substitutions.get(start)
        if known is None and start in self.passed:
            self.position = self.passed[start]
            return
        if known is None:
            self.enter()
            self.position += opener
            before = len(self.extended_globs)
            pending, self.pending = self.pending, []
            ends_in_word = self.ends_in_word
            self.substitutions += 1
            body = self.list_until(_PARENTHESIS, may_be_empty=True)
            self.expect(start, self.text[start : start + opener], ")")
            self.substitutions -= 1
            self.ends_in_word = ends_in_word
            self.pending += pending
            self.inner_extended_globs += self.extended_globs[before:]
            del self.extended_globs[before:]
            self.depth -= 1
            if self.is_passing:
                self.passed[start] = self.position
                return
            known = Substitution(body, self.position)
            self.source.substitutions[start] = known
        self.position = known.end

    def late_substitution(self, opener: int) -> Substitution:
        """Pass a substitution and return it, whether or not it could be parsed before."""
        start = self.position
        self.substitution(opener)
        known = self.source.substitutions.get(start)
        if known is None:
            parser = Parser(self.source, start + opener, self.position - 1)
            commands: list[Command] = []
            try:
                parser.commands_into(commands, _NOTHING)
            except ParseError as error:
                commands.append(Opaque(start, self.position, error.message))
            body = List(start + opener, self.position - 1, tuple(commands))
            known = Substitution(body, self.position)
            self.source.substitutions[start] = known
        return known

    def pair(self, kind: _Pair) -> None:
        """Pass what stands here between two brackets."""
        start = self.position
        self.enter()
        self.position += 1
        depth = 1
        inside = kind.inside
        while True:
            match = inside.match(self.text, self.position, self.end)
            assert match
            self.position = position = match.end()
            text = self.text
            character = text[position] if position < self.end else ""
            if character == kind.closer:
                self.position += 1
                depth -= 1
                if not depth:
                    self.depth -= 1
                    return
            elif character == kind.opener:
                self.position += 1
                depth += 1
            elif not character:
                raise ParseError(
                    start, start + 1, f"`{kind.opener}` is never closed by `{kind.closer}`"
                )
            elif character in "<>":
                self.substitution(2)
            elif character == "$":
                following = text[position + 1] if position + 1 < self.end else ""
                if following == "\\" or following == "'" or following in kind.expansions:
                    self.dollar(is_quoted=False)
                else:
                    self.position += 1
            else:
                self.expansion()

    # --- [[ ]] ---

    def conditional(self, start: int) -> Conditional:
        """Parse `[[ expression ]]`, after the brackets (3.2.5.2)."""
        expression = self.test_or(start)
        if not CONDITIONAL_END.match(self.text, self.position, self.end):
            raise self.unclosed(start, "[[", "]]")
        self.position += 2
        return Conditional(start, self.position, expression)

    def test_or(self, start: int) -> TestExpression:
        """Parse tests joined by `||`."""
        left = self.test_and(start)
        while self.skip_newlines() == "|" and self.text.startswith("||", self.position):
            self.position += 2
            left = TestBoth(True, left, self.test_and(start))
        return left

    def test_and(self, start: int) -> TestExpression:
        """Parse tests joined by `&&`."""
        left = self.test_term(start)
        while self.skip_newlines() == "&" and self.text.startswith("&&", self.position):
            self.position += 2
            left = TestBoth(False, left, self.test_term(start))
        return left

    def test_term(self, start: int) -> TestExpression:
        """Parse one test, or several in parentheses."""
        character = self.skip_newlines()
        if not character:
            raise self.unclosed(start, "[[", "]]")
        if character == "(":
            self.enter()
            opening = self.position
            self.position += 1
            inside = self.test_or(start)
            self.expect(opening, "(", ")")
            self.depth -= 1
            return inside
        if NOT.match(self.text, self.position, self.end):
            self.enter()
            self.position += 1
            inside = self.test_term(start)
            self.depth -= 1
            return TestNot(inside)
        begin = self.position
        unary = UNARY_TEST.match(self.text, begin, self.end)
        if unary:
            self.position = unary.end()
            operand = self.operand()
            return Test(begin, self.position, unary.group(), None, operand)
        left = self.operand()
        character = self.skip_blanks()
        match = LESS_OR_GREATER.match(self.text, self.position, self.end) or BINARY_TEST.match(
            self.text, self.position, self.end
        )
        if not match:
            if character != ")" and not (
                self.text.startswith(("&&", "||"), self.position)
                or CONDITIONAL_END.match(self.text, self.position, self.end)
            ):
                raise self.unclosed(start, "[[", "]]")
            return Test(begin, left.end, "-n", None, left)
        operator = match.group()
        self.position = match.end()
        if operator == "=~":
            right = self.regular_expression()
        else:
            before = len(self.extended_globs)
            right = self.operand()
            if operator in ("=", "==", "!="):
                # extended patterns are always on here
                del self.extended_globs[before:]
        return Test(begin, self.position, operator, left, right)

    def operand(self) -> Word:
        """Pass an operand of a test."""
        self.skip_blanks()
        if CONDITIONAL_END.match(self.text, self.position, self.end):
            raise self.unexpected()
        return self.word()

    def regular_expression(self) -> Word:
        """Pass the right side of `=~`."""
        character = self.skip_blanks()
        start = self.position
        while True:
            text = self.text
            self.position = position = self.atoms_end()
            character = text[position] if position < self.end else ""
            if character == "|":
                self.position += 1
            elif character == "(":
                self.pair(PATTERN)
            elif not character or character in " \t\n);&":
                break
            elif character in "<>":
                if not text.startswith("(", position + 1):
                    break
                self.substitution(2)
            else:
                self.expansion()
        raw = self.text[start : self.position]
        if (raw in ("", "]]") and character in ("", "\n", " ", "\t")) or raw.startswith("#"):
            self.position = start
            raise self.unexpected()
        return Word(self.source, start, self.position, Context.REGULAR_EXPRESSION)


# --- simple commands, taken apart ----------------------------------------------------------


def take_apart(command: Simple) -> Details:
    """Return what a simple command consists of; it was parsed before, so nothing can fail."""
    details = None if command.source.is_continued else _plain_details(command)
    return details or Parser(command.source, command.start, command.end).parts()


def _plain_details(command: Simple) -> Details | None:
    """Do as `Parser.parts` for assignments and words that are passed by one expression each.

    None where there is more to it: a redirection, an array, a subscript.
    """
    source, position, end = command.source, command.start, command.end
    text = source.text
    assignments: list[Assignment] = []
    words: list[Word | Assignment] = []
    declares = False
    while position < end:
        match = ARGUMENT.match(text, position, end)
        assert match
        if match.end() == position or match.start(_IS_ARGUMENT) < 0:
            return None
        name, operator = match.group(_NAMED, _ASSIGNING)
        finish = match.end(_ARGUMENT_END)
        if operator is None or (words and not declares):
            is_subscripted = name is not None and text.startswith("[", match.end(_NAMED))
            if is_subscripted and (not words or declares):
                return None
            word = Word(source, position, finish)
            if not words:
                command_name = text[position:finish]
                if command_name in ("command", "builtin"):
                    return None
                declares = command_name in _DECLARES
            words.append(word)
        else:
            value = Word(source, match.end(_ASSIGNING), finish, Context.ASSIGNED)
            assignment = Assignment(position, finish, name, None, operator == "+=", value)
            (words or assignments).append(assignment)
        position = match.end()
    return Details(tuple(assignments), tuple(words), ())


def _is_prefix(text: str, words: list[Word | Assignment]) -> bool:
    """Tell whether the words so far are only `command` or `builtin`."""
    return all(text[word.start : word.end] in ("command", "builtin") for word in words)


# --- here-documents ------------------------------------------------------------------------


def here_document(source: Source, operator: int) -> Word:
    """Return the text of the here-document whose operator stands at `operator`."""
    document = source.here_documents[operator]
    context = Context.PLAIN if document.quoted else Context.HERE_DOCUMENT
    if not document.strip_tabs:
        return Word(source, document.start, document.end, context)
    body = source.text[document.start : document.end]
    # tabs that follow a continued line stay
    tabs, kept = (LEADING_TABS, "") if document.quoted else (CONTINUED_TABS, r"\1")
    body = tabs.sub(kept, body)
    origin = document.start, document.end
    stripped = Source(body, source.name, source, origin, pieces=source.pieces)
    return Word(stripped, 0, len(body), context)


def without_continuation(text: str) -> str:
    """Return text without the ends of lines that a backslash protects."""
    return ESCAPED.sub(lambda match: "" if match.group() == "\\\n" else match.group(), text)


def unquote(raw: str) -> str:
    """Return a here-document's delimiter without its quotes (3.6.6)."""

    def replace(match: re.Match[str]) -> str:
        ansi, single, double, escaped = match.groups()
        if ansi is not None:
            from overlaylint.shell.words import decode_ansi

            return encode(decode_ansi(ansi))
        if double is not None:
            return PROTECTED.sub(r"\1", double)
        return single if single is not None else escaped

    return DELIMITER_QUOTE.sub(replace, raw)

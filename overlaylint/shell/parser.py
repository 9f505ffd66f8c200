"""From a bash script to its syntax tree, exactly as bash reads it.

A recursive descent parser over the grammar of bash's manual (section 3.2). Most of a real
script is plain words, and those are passed over by a few regular expressions; only quotes,
expansions and commands with something inside them are taken apart character by character.
What is inside a word is parsed when it is asked for (`Word.parts`), but every substitution in
it is parsed here, since bash refuses a script for an error in it.

What the parser accepts is what `bash -n` accepts with `extglob` on; where that option matters,
`Script.extended_globs` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
)

# Deeper nesting than this is refused. Bash itself has no limit; the deepest real script nests 12.
MAXIMUM_DEPTH = 120


class ParseError(Exception):
    """The script can't be read at `start`: bash would refuse it, or it nests too deeply."""

    def __init__(self, start: int, end: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.message = message


# --- what words are made of ----------------------------------------------------------------
# The quantifiers are possessive: none of these expressions ever backtracks.

_PLAIN = r"[^ \t\n|&;()<>'\"`$\\]++"
_ESCAPE = r"\\."
_SINGLE = r"'[^']*+'"
_ANSI = r"\$'(?:[^'\\]++|\\.)*+'"
_NAME = r"\$[A-Za-z_][A-Za-z0-9_]*+"
_SPECIAL = r"\$[0-9@*#?$!\-]"
_BRACED = r"\$\{[^}'\"`$\\]++\}"
_DOLLAR = r"\$(?![A-Za-z_0-9@*#?$!\-({\['\"])"  # a dollar sign that starts nothing
_QUOTED_DOLLAR = r"\$(?![A-Za-z_0-9@*#?$!\-({\[])"
_LOCALE = r"\$(?=\")"
_QUOTED_INSIDE = rf"(?:[^\"\\$`]++|{_ESCAPE}|{_NAME}|{_SPECIAL}|{_BRACED}|{_QUOTED_DOLLAR})*+"
_DOUBLE = rf"\"{_QUOTED_INSIDE}\""
_ATOMS = (
    rf"(?:{_PLAIN}|{_DOUBLE}|{_NAME}|{_BRACED}|{_SINGLE}|{_ESCAPE}|{_SPECIAL}|{_ANSI}|{_DOLLAR}|{_LOCALE})"
)
_BLANK = r"(?:[ \t]++|\\\n)"

ATOMS = re.compile(rf"{_ATOMS}*+", re.DOTALL)
RUN = re.compile(rf"{_ATOMS}*+(?:{_BLANK}*+(?!\#){_ATOMS}++)*+{_BLANK}*+", re.DOTALL)
BLANKS = re.compile(rf"{_BLANK}*+")
QUOTED_INSIDE = re.compile(_QUOTED_INSIDE, re.DOTALL)
BRACED_HEAD = re.compile(r"\$\{[!#]?(?:[A-Za-z_][A-Za-z0-9_]*+|[0-9]++|[@*#?$!\-](?!\}?[A-Za-z_0-9]))?")
BRACED_INSIDE = re.compile(rf"(?:[^}}'\"`$\\]++|{_ESCAPE}|{_NAME}|{_SPECIAL}|{_BRACED})*+", re.DOTALL)
NESTED_INSIDE = re.compile(rf"(?:[^()\[\]'\"`$\\]++|{_ESCAPE}|{_NAME}|{_SPECIAL}|{_BRACED})*+", re.DOTALL)
REGULAR_EXPRESSION = re.compile(
    rf"(?:[^ \t\n()<>&;'\"`$\\]++|{_DOUBLE}|{_NAME}|{_BRACED}|{_SINGLE}|{_ESCAPE}|{_SPECIAL}|{_ANSI}|{_DOLLAR}|{_LOCALE})*+",
    re.DOTALL,
)
BACKQUOTED = re.compile(r"`(?:[^`\\]++|\\.)*+`", re.DOTALL)
SINGLE = re.compile(_SINGLE)
ANSI = re.compile(_ANSI, re.DOTALL)
SIMPLE_DOLLAR = re.compile(rf"{_NAME}|{_SPECIAL}|{_BRACED}", re.DOTALL)
KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|do|done|case|esac|while|until|for|select|function|time|coproc|\{|\}|!|\[\[)"
    r"(?=[ \t\n;&|()<>]|\\\n|\Z)"
)
KEYWORD_STARTS = frozenset("itefdcwus{}![")
FUNCTION = re.compile(r"([^ \t\n|&;()<>'\"`$\\]++)(?<!=)[ \t]*+\([ \t]*+\)")
FUNCTION_NAME = re.compile(r"[^ \t\n|&;()<>]++")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*+)(\+?=)?")
REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<&|<>|>>|>\||>&|<|>")
DESCRIPTOR = re.compile(r"(?:[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\})(?=[<>])")
TOKEN = re.compile(r"&&|\|\||;;&|;;|;&|\|&|<<<|<<-|<<|>>|<&|>&|&>|[|&;()<>]|[^ \t\n|&;()<>]+")
BINARY_TESTS = frozenset(
    {"=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}
)
UNARY_TEST = re.compile(r"-[abcdefghknoprstuvwxzGLNORS](?=[ \t\n]|\\\n)")
COND_END = re.compile(r"\]\](?=[ \t\n;&|()<>]|\\\n|\Z)")
CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
DECLARATIONS = frozenset({"declare", "typeset", "local", "export", "readonly", "alias", "eval", "let"})
EXTENDED_GLOB = frozenset("?*+@!")

_NOTHING: frozenset[str] = frozenset()
_PARENTHESIS = frozenset({")"})
_THEN = frozenset({"then"})
_AFTER_THEN = frozenset({"elif", "else", "fi"})
_FI = frozenset({"fi"})
_DO = frozenset({"do"})
_DONE = frozenset({"done"})
_BRACE = frozenset({"}"})
_ARM = frozenset({"esac", ";;"})


@dataclass(slots=True)
class _PendingDocument:
    """A here-document whose operator was read, and whose text comes after the line's end."""

    operator: int
    delimiter: str
    is_quoted: bool
    strip_tabs: bool


def parse(data: bytes, name: str = "") -> Script:
    """Parse a script. Nothing is raised: what bash would refuse is in `Script.errors`."""
    return parse_source(Source(data.decode("latin-1"), name))


def parse_source(source: Source) -> Script:
    """Parse the text of `source`."""
    parser = Parser(source)
    commands: list[Command] = []
    errors: tuple[SyntaxProblem, ...] = ()
    try:
        parser.commands_into(commands, _NOTHING)
    except ParseError as error:
        errors = (SyntaxProblem(error.start, error.end, error.message),)
        start = commands[-1].end if commands else 0
        commands.append(Opaque(start, len(source.text), error.message))
    return Script(
        source,
        List(0, len(source.text), tuple(commands)),
        errors,
        tuple(parser.comments),
        tuple(parser.extended_globs),
        tuple(parser.inner_extended_globs),
    )


class Parser:
    """The state of parsing the text of `source` from `start` to `end`: a position."""

    def __init__(self, source: Source, start: int = 0, end: int | None = None) -> None:
        self.source = source
        self.text = source.text
        self.position = start
        self.end = len(source.text) if end is None else end
        self.depth = 0
        self.comments: list[Comment] = []
        self.extended_globs: list[int] = []
        self.inner_extended_globs: list[int] = []
        self.pending: list[_PendingDocument] = []
        self.arithmetic_ends: dict[int, int] = {}  # -1 where `((` is two subshells

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
            raise ParseError(
                self.position, self.position + 1, "commands are nested too deeply to be read"
            )

    # --- between commands ---

    def peek(self) -> str:
        """Return the character at the position, or an empty string at the end."""
        return self.text[self.position] if self.position < self.end else ""

    def skip_blanks(self) -> str:
        """Pass blanks and continued lines; return the character that follows."""
        match = BLANKS.match(self.text, self.position, self.end)
        assert match
        self.position = match.end()
        return self.peek()

    def skip_newlines(self) -> str:
        """Pass blanks, comments and line ends, and the here-documents that a line end starts."""
        while True:
            character = self.skip_blanks()
            if character == "\n":
                self.position += 1
                if self.pending:
                    self.read_here_documents()
            elif character == "#":
                self.read_comment()
            else:
                return character

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
            start = self.position
            while True:
                line_start = self.position
                if line_start >= self.end:  # bash takes the end of the file, with a warning
                    line_start = self.end
                    break
                line_end = self.text.find("\n", line_start, self.end)
                self.position = self.end if line_end < 0 else line_end + 1
                line = self.text[line_start : self.end if line_end < 0 else line_end]
                if document.strip_tabs:
                    line = line.lstrip("\t")
                if line == document.delimiter:
                    break
            self.source.here_documents[document.operator] = HereDocument(
                start, line_start, document.is_quoted, document.strip_tabs
            )
        self.pending.clear()

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
        self.enter()
        while True:
            character = self.skip_newlines()
            if not character:
                break
            if character in ")&|;":
                if character in closers or (character == ";" and ";;" in closers and self.at_arm_end()):
                    break
                raise self.unexpected()
            keyword = self.keyword()
            if keyword in CLOSERS:
                if keyword in closers:
                    break
                raise self.unexpected()
            command = self.and_or()
            character = self.skip_blanks()
            if character == "&":
                self.position += 1
                command = Background(command.start, self.position, command)
            elif character == ";":
                if not (";;" in closers and self.at_arm_end()):
                    self.position += 1
                    if self.peek() in (";", "&"):
                        raise self.unexpected()
            elif character and character not in "\n#)" and self.keyword() not in closers:
                raise self.unexpected()
            commands.append(command)
        self.depth -= 1

    def at_arm_end(self) -> bool:
        """Tell whether `;;`, `;&` or `;;&` stands here."""
        return self.text[self.position : self.position + 2] in (";;", ";&")

    def keyword(self) -> str:
        """Return the reserved word that stands here, or an empty string (3.2.1)."""
        if self.position < self.end and self.text[self.position] in KEYWORD_STARTS:
            match = KEYWORD.match(self.text, self.position, self.end)
            if match:
                return match.group()
        return ""

    def and_or(self) -> Command:
        """Parse pipelines joined by `&&` and `||`."""
        first = self.pipeline()
        text = self.text
        character = self.skip_blanks()
        if character not in ("&", "|") or text[self.position + 1 : self.position + 2] != character:
            return first
        commands = [first]
        operators: list[str] = []
        while character in ("&", "|") and text[self.position + 1 : self.position + 2] == character:
            operators.append(character * 2)
            self.position += 2
            self.skip_newlines()
            commands.append(self.pipeline())
            character = self.skip_blanks()
        return AndOr(first.start, commands[-1].end, tuple(commands), tuple(operators))

    def pipeline(self) -> Command:
        """Parse commands joined by `|`, with `!` or `time` before them."""
        start = self.position
        is_negated = False
        has_prefix = False
        while (keyword := self.keyword()) in ("!", "time"):
            self.position += len(keyword)
            has_prefix = True
            if keyword == "!":
                is_negated = not is_negated
            elif self.skip_blanks() == "-" and self.text.startswith("-p", self.position):
                self.position += 2
            self.skip_blanks()
        if has_prefix and self.peek() in ("", "\n", ";", "&", "|", ")"):
            # `!` and `time` may stand alone
            first: Command = List(start, self.position, ())
        else:
            first = self.command()
        commands = [first]
        pipes_stderr = False
        while self.skip_blanks() == "|" and self.text[self.position + 1 : self.position + 2] != "|":
            self.position += 1
            if self.peek() == "&":
                pipes_stderr = True
                self.position += 1
            self.skip_newlines()
            commands.append(self.command())
        if len(commands) == 1 and not is_negated:
            return first
        return Pipeline(start, commands[-1].end, tuple(commands), is_negated, pipes_stderr)

    # --- commands ---

    def command(self) -> Command:
        """Parse one command, simple or compound."""
        character = self.peek()
        if not character or character in "\n)|;" or character == "&" and self.text[self.position : self.position + 2] != "&>":
            raise self.unexpected()
        keyword = self.keyword()
        if keyword:
            if keyword in CLOSERS:
                raise self.unexpected()
            if keyword == "function":
                return self.function_keyword()
            if keyword == "coproc":
                return self.coprocess()
            return self.with_redirections(self.compound(keyword))
        if character == "(":
            return self.with_redirections(self.compound("("))
        match = FUNCTION.match(self.text, self.position, self.end)
        if match and match.group(1)[0] != "#":
            start = self.position
            self.position = match.end()
            return self.function_body(start, match.group(1))
        return self.simple()

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
        self.skip_blanks()
        if keyword == "for" and self.text.startswith("((", self.position):
            return self.for_arithmetic(start)
        match = FUNCTION_NAME.match(self.text, self.position, self.end)
        if not match:
            raise self.unexpected()
        name = match.group()
        self.position = match.end()
        words: list[Word] | None = None
        character = self.skip_blanks()
        if character == ";":
            self.position += 1
        character = self.skip_newlines()
        match = re.compile(r"in(?=[ \t\n;&|()<>]|\\\n|\Z)").match(self.text, self.position, self.end)
        if match:
            self.position = match.end()
            words = []
            while (character := self.skip_blanks()) and character not in ";\n#&|)":
                words.append(self.word())
            if character == "#":
                self.read_comment()
            elif character == ";":
                self.position += 1
            elif character != "\n":
                raise self.unclosed(start, keyword, "done")
            self.skip_newlines()
        if self.keyword() == "{":
            self.position += 1
            body = self.list_until(_BRACE)
            self.expect(start, keyword, "}")
        else:
            self.expect(start, keyword, "do")
            body = self.list_until(_DONE)
            self.expect(start, keyword, "done")
        return For(
            start,
            self.position,
            name,
            None if words is None else tuple(words),
            body,
            keyword == "select",
        )

    def for_arithmetic(self, start: int) -> Command:
        """Parse `for ((a; b; c))` from its first parenthesis."""
        opening = self.position
        end = self.arithmetic_end(opening)
        if end < 0:
            raise self.unclosed(start, "for ((", "))")
        bounds = [opening + 1]
        depth = 0
        for index in range(opening + 2, end - 2):
            character = self.text[index]
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
            elif character == ";" and depth == 0:
                bounds.append(index)
        bounds.append(end - 2)
        if len(bounds) != 4:
            raise ParseError(opening, end, "`for ((` needs three expressions, with `;` between them")
        initial, condition, step = (
            self.arithmetic_word(bounds[i] + 1, bounds[i + 1]) for i in range(3)
        )
        self.position = end
        if self.skip_blanks() == ";":
            self.position += 1
        self.skip_newlines()
        if self.keyword() == "{":
            self.position += 1
            body = self.list_until(_BRACE)
            self.expect(start, "for", "}")
        else:
            self.expect(start, "for", "do")
            body = self.list_until(_DONE)
            self.expect(start, "for", "done")
        return ForArithmetic(start, self.position, initial, condition, step, body)

    def case(self, start: int) -> Case:
        """Parse `case`, after the word."""
        self.skip_blanks()
        subject = self.word()
        self.skip_newlines()
        if not re.compile(r"in(?=[ \t\n;&|()<>]|\\\n|\Z)").match(self.text, self.position, self.end):
            raise self.unclosed(start, "case", "in")
        self.position += 2
        arms: list[CaseArm] = []
        while True:
            character = self.skip_newlines()
            if self.keyword() == "esac":
                break
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
                terminator = ";;&" if self.text.startswith(";;&", self.position) else self.text[self.position : self.position + 2]
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
        match = FUNCTION_NAME.match(self.text, self.position, self.end)
        if not match:
            raise self.unexpected()
        self.position = match.end()
        parentheses = re.compile(r"[ \t]*\([ \t]*\)").match(self.text, self.position, self.end)
        if parentheses:
            self.position = parentheses.end()
        return self.function_body(start, match.group())

    def function_body(self, start: int, name: str) -> Function:
        """Parse the body of a function whose header was read."""
        character = self.skip_newlines()
        keyword = self.keyword()
        if character == "(":
            keyword = "("
        if keyword not in ("{", "(", "[[", "if", "for", "select", "while", "until", "case"):
            raise self.unclosed(start, f"{name} ()", "{ ... }")
        body = self.with_redirections(self.compound(keyword))
        return Function(self.source, start, self.position, decode_name(name), body)

    def coprocess(self) -> Command:
        """Parse `coproc [name] command`."""
        start = self.position
        self.position += len("coproc")
        self.skip_blanks()
        match = NAME.match(self.text, self.position, self.end)
        if match and not self.keyword():
            # a name is one only if a compound command follows it
            after = self.position
            self.position = match.end()
            character = self.skip_blanks()
            if not (character == "(" or (self.keyword() and self.keyword() not in CLOSERS)):
                self.position = after
        return Coprocess(start, self.position, self.command())

    # --- simple commands ---

    def simple(self) -> Simple:
        """Pass a simple command."""
        start = self.position
        text, end = self.text, self.end
        run = RUN.match
        while True:
            match = run(text, self.position, end)
            assert match
            self.position = position = match.end()
            character = text[position] if position < end else ""
            if not character or character in "\n;|)#":
                break
            if character == "&":
                if text[position + 1 : position + 2] != ">":
                    break
                self.redirection()
            elif character in "<>":
                if text[position + 1 : position + 2] == "(":
                    self.substitution(2)
                else:
                    self.redirection()
            elif character == "(":
                self.parenthesis_in_word(start)
            else:
                self.expansion()
        finish = self.position
        while finish > start and text[finish - 1] in " \t" and text[finish - 2 : finish - 1] != "\\":
            finish -= 1
        return Simple(self.source, start, finish)

    def parenthesis_in_word(self, command_start: int) -> None:
        """Pass `(...)` at the end of a word: an array's elements or an extended pattern."""
        text = self.text
        start = self.position
        index = start - 1
        if index >= command_start and text[index] in EXTENDED_GLOB:
            self.extended_globs.append(index)
            self.pattern_group()
            return
        if index >= command_start and text[index] == "=":
            index -= 1
            if text[index] == "+":
                index -= 1
            while index >= command_start and (text[index].isalnum() and text[index].isascii() or text[index] == "_"):
                index -= 1
            if (
                index + 1 < start - 1
                and NAME.match(text, index + 1)
                and (index < command_start or text[index] in " \t\n)")
                and self.may_assign(command_start, index + 1)
            ):
                self.elements()
                return
        raise self.unexpected()

    def may_assign(self, command_start: int, word_start: int) -> bool:
        """Tell whether a word that starts at `word_start` may be a compound assignment."""
        details = _Dissector(self.source, command_start, word_start).run()
        if not details.words:
            return True
        first = details.words[0]
        if isinstance(first, Assignment):
            return True
        name = self.text[first.start : first.end]
        if name in ("command", "builtin") and len(details.words) > 1:
            second = details.words[1]
            name = self.text[second.start : second.end]
        return name in DECLARATIONS

    def elements(self) -> list[tuple[int, int]]:
        """Pass the elements of an array, from `(`; return the span of each."""
        start = self.position
        self.position += 1
        spans: list[tuple[int, int]] = []
        while True:
            character = self.skip_newlines()
            if character == ")":
                self.position += 1
                return spans
            if not character:
                raise self.unclosed(start, "(", ")")
            element = self.position
            if character == "[":
                self.subscript()
                if self.peek() in ("=", "+"):
                    self.word_into(may_be_empty=True)
                    spans.append((element, self.position))
                    continue
                self.position = element
            self.word_into()
            spans.append((element, self.position))

    def pattern_group(self) -> None:
        """Pass `(a|b)` of an extended pattern (3.5.8.1)."""
        start = self.position
        self.enter()
        self.position += 1
        while True:
            match = NESTED_INSIDE.match(self.text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == ")":
                self.position += 1
                self.depth -= 1
                return
            if character == "(":
                self.pattern_group()
            elif character in ("[", "]"):
                self.position += 1
            elif not character:
                raise self.unclosed(start, "(", ")")
            else:
                self.expansion()

    def subscript(self) -> None:
        """Pass `[...]`, with what is quoted or nested in it."""
        start = self.position
        self.position += 1
        depth = 1
        while True:
            match = NESTED_INSIDE.match(self.text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == "[":
                depth += 1
            elif character == "]":
                depth -= 1
                if depth == 0:
                    self.position += 1
                    return
            elif not character:
                raise self.unclosed(start, "[", "]")
            elif character not in "()":
                self.expansion()
                continue
            self.position += 1

    def redirection(self) -> Redirection:
        """Pass a redirection operator and its target."""
        start = self.position
        match = REDIRECTION.match(self.text, start, self.end)
        assert match
        operator = match.group()
        self.position = match.end()
        self.skip_blanks()
        if operator in ("<<", "<<-"):
            word_start = self.position
            self.word_into()
            raw = self.text[word_start : self.position]
            delimiter = unquote(raw)
            self.pending.append(
                _PendingDocument(start, delimiter, delimiter != raw or "'" in raw or '"' in raw, operator == "<<-")
            )
            target = Word(self.source, word_start, self.position)
        else:
            target = self.word()
        return Redirection(start, self.position, "", operator, target)

    def with_redirections(self, command: Command) -> Command:
        """Parse the redirections that follow a compound command."""
        redirections: list[Redirection] = []
        while True:
            self.skip_blanks()
            match = DESCRIPTOR.match(self.text, self.position, self.end)
            descriptor = match.group() if match else ""
            position = self.position + len(descriptor)
            if not (
                self.text[position : position + 1] in ("<", ">")
                or self.text.startswith("&>", position)
            ) or position >= self.end:
                break
            self.position = position
            found = self.redirection()
            redirections.append(Redirection(position - len(descriptor), found.end, descriptor, found.operator, found.target))
        if not redirections:
            return command
        return Redirected(command.start, self.position, command, tuple(redirections))

    # --- words ---

    def word(self) -> Word:
        """Pass one word, which must stand here."""
        start = self.position
        self.word_into()
        return Word(self.source, start, self.position)

    def word_into(self, *, may_be_empty: bool = False) -> None:
        """Pass one word."""
        start = self.position
        text, end = self.text, self.end
        while True:
            match = ATOMS.match(text, self.position, end)
            assert match
            self.position = position = match.end()
            character = text[position] if position < end else ""
            if not character or character in " \t\n;|)&":
                break
            if character == "\\" and text[position + 1 : position + 2] == "\n":
                break
            if character in "<>":
                if text[position + 1 : position + 2] != "(":
                    break
                self.substitution(2)
            elif character == "(":
                if position == start or text[position - 1] not in EXTENDED_GLOB:
                    break
                self.extended_globs.append(position - 1)
                self.pattern_group()
            else:
                self.expansion()
        if self.position == start and not may_be_empty:
            raise self.unexpected()

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
        text, start = self.text, self.position
        following = text[start + 1 : start + 2] if start + 1 < self.end else ""
        if following == "(":
            if text.startswith("((", start + 1):
                end = self.arithmetic_end(start + 1)
                if end >= 0:
                    self.position = end
                    return
            self.substitution(2)
        elif following == "{":
            match = SIMPLE_DOLLAR.match(text, start, self.end)
            if match:
                self.position = match.end()
            else:
                self.braced(is_quoted=is_quoted)
        elif following == "[":
            self.position += 1
            self.subscript()
        elif following == "'" and not is_quoted:
            match = ANSI.match(text, start, self.end)
            if not match:
                raise ParseError(start, start + 2, "`$'` is never closed by `'`")
            self.position = match.end()
        else:
            match = SIMPLE_DOLLAR.match(text, start, self.end)
            self.position = match.end() if match else start + 1

    def substitution(self, opener: int) -> Substitution:
        """Pass `$(list)`, `<(list)` or `>(list)`, whose opening is `opener` characters long."""
        start = self.position
        known = self.source.substitutions.get(start)
        if known is None:
            self.position += opener
            before = len(self.extended_globs)
            body = self.list_until(_PARENTHESIS, may_be_empty=True)
            self.expect(start, self.text[start : start + opener], ")")
            self.inner_extended_globs += self.extended_globs[before:]
            del self.extended_globs[before:]
            known = Substitution(body, self.position)
            self.source.substitutions[start] = known
        self.position = known.end
        return known

    def braced(self, *, is_quoted: bool) -> None:
        """Pass `${...}`."""
        start = self.position
        self.enter()
        text = self.text
        if text.startswith("${ ", start) or text.startswith("${|", start) or text.startswith("${\n", start):
            raise ParseError(start, start + 2, "`${ command; }` is not known to bash before 5.3")
        match = BRACED_HEAD.match(text, start, self.end)
        assert match
        self.position = match.end()
        if self.peek() == "[":
            self.subscript()
        # within double quotes, single quotes only mean something in a pattern
        has_quotes = not is_quoted or self.peek() in ("#", "%", "/", "^", ",")
        while True:
            match = BRACED_INSIDE.match(text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == "}":
                self.position += 1
                self.depth -= 1
                return
            if character == "'":
                if has_quotes:
                    self.expansion()
                else:
                    self.position += 1
            elif character == "$":
                self.dollar(is_quoted=is_quoted)
            elif character:
                self.expansion()
            else:
                raise ParseError(start, start + 2, "`${` is never closed by `}`")

    def arithmetic_end(self, start: int) -> int:
        """Return where `((...))` at `start` ends, or -1 if it is something else (two subshells)."""
        known = self.arithmetic_ends.get(start)
        if known is not None:
            return known
        saved = self.position
        self.position = start + 2
        depth = 2
        self.enter()
        end = -1
        while True:
            match = NESTED_INSIDE.match(self.text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
                if depth == 0:
                    end = self.position + 1
                    break
                if depth == 1 and self.text[self.position + 1 : self.position + 2] != ")":
                    break
            elif not character:
                break
            elif character not in "[]":
                self.expansion()
                continue
            self.position += 1
        self.depth -= 1
        self.position = saved
        self.arithmetic_ends[start] = end
        return end

    # --- [[ ]] ---

    def conditional(self, start: int) -> Conditional:
        """Parse `[[ expression ]]`, after the brackets (3.2.5.2)."""
        expression = self.test_or(start)
        if not COND_END.match(self.text, self.position, self.end):
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
        text = self.text
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
        if character == "!" and text[self.position + 1 : self.position + 2] in (" ", "\t", "\n", "("):
            self.enter()
            self.position += 1
            inside = self.test_term(start)
            self.depth -= 1
            return TestNot(inside)
        if COND_END.match(text, self.position, self.end):
            raise self.unexpected()
        begin = self.position
        unary = UNARY_TEST.match(text, begin, self.end)
        if unary:
            self.position = unary.end()
            self.skip_blanks()
            if COND_END.match(text, self.position, self.end):
                raise self.unexpected()
            operand = self.word()
            return Test(begin, self.position, unary.group(), None, operand)
        left = self.word()
        character = self.skip_blanks()
        if character in ("<", ">"):
            operator = character
            self.position += 1
        else:
            match = re.compile(r"[=!-][^ \t\n|&;()<>]*").match(text, self.position, self.end)
            if not match or match.group() not in BINARY_TESTS:
                if character and character not in ")&|\n#" and not COND_END.match(text, self.position, self.end):
                    raise self.unexpected()
                return Test(begin, self.position, "-n", None, left)
            operator = match.group()
            self.position = match.end()
        self.skip_blanks()
        if COND_END.match(text, self.position, self.end):
            raise self.unexpected()
        right = self.regular_expression() if operator == "=~" else self.pattern()
        return Test(begin, self.position, operator, left, right)

    def pattern(self) -> Word:
        """Pass the right side of a test, in which extended patterns are always on."""
        before = len(self.extended_globs)
        word = self.word()
        del self.extended_globs[before:]
        return word

    def regular_expression(self) -> Word:
        """Pass the right side of `=~`."""
        start = self.position
        while True:
            match = REGULAR_EXPRESSION.match(self.text, self.position, self.end)
            assert match
            self.position = match.end()
            character = self.peek()
            if character == "(":
                self.pattern_group()
            elif not character or character in " \t\n)<>&;":
                break
            else:
                self.expansion()
        if self.position == start:
            raise self.unexpected()
        return Word(self.source, start, self.position, Context.REGULAR_EXPRESSION)


# --- simple commands, taken apart ----------------------------------------------------------


class _Dissector(Parser):
    """Takes a simple command apart; its text was parsed before, so nothing in it can fail."""

    def run(self) -> Details:
        """Return the command's assignments, words and redirections."""
        assignments: list[Assignment] = []
        words: list[Word | Assignment] = []
        redirections: list[Redirection] = []
        text, end = self.text, self.end
        takes_assignments = declares = False
        while (character := self.skip_blanks()) and character not in "\n#;|)":
            position = self.position
            if character in "<>&" or character.isdigit() or character == "{":
                match = DESCRIPTOR.match(text, position, end)
                descriptor = match.group() if match else ""
                operator = text[position + len(descriptor) : position + len(descriptor) + 2]
                if operator[:1] in ("<", ">") and operator[1:] != "(" or operator == "&>":
                    self.position = position + len(descriptor)
                    redirections.append(self.described(descriptor))
                    continue
            if not words or takes_assignments:
                assignment = self.assignment(position)
                if assignment and words and not declares:
                    words.append(Word(self.source, position, self.position, _plain_if_compound(assignment)))
                    continue
                if assignment:
                    (words if words else assignments).append(assignment)
                    continue
                self.position = position
            word = self.word()
            if not words or (takes_assignments is False and _is_prefix(text, words)):
                name = text[word.start : word.end]
                takes_assignments, declares = name in DECLARATIONS, name not in ("alias", "eval", "let")
            words.append(word)
        return Details(tuple(assignments), tuple(words), tuple(redirections))

    def described(self, descriptor: str) -> Redirection:
        """Return the redirection that stands here, with its descriptor and here-document."""
        start = self.position
        found = self.redirection()
        target = found.target
        if found.operator in ("<<", "<<-"):
            self.pending.clear()
            target = here_document(self.source, start)
        return Redirection(start - len(descriptor), found.end, descriptor, found.operator, target)

    def assignment(self, start: int) -> Assignment | None:
        """Return the assignment that stands here, if one does."""
        text = self.text
        match = ASSIGNMENT.match(text, start, self.end)
        if not match:
            return None
        subscript: Word | None = None
        operator = match.group(2)
        self.position = match.end()
        if not operator:
            if self.peek() != "[":
                return None
            self.subscript()
            subscript = Word(self.source, match.end() + 1, self.position - 1, Context.OPERAND)
            operator = "+=" if text.startswith("+=", self.position) else "="
            if not text.startswith(operator, self.position):
                return None
            self.position += len(operator)
        value: Word | tuple[Element, ...]
        if self.peek() == "(" and subscript is None:
            value = tuple(self.element(*span) for span in self.elements())
        else:
            value_start = self.position
            self.word_into(may_be_empty=True)
            value = Word(self.source, value_start, self.position)
        return Assignment(start, self.position, match.group(1), subscript, operator == "+=", value)

    def element(self, start: int, end: int) -> Element:
        """Return the array element from `start` to `end`."""
        if self.text[start] == "[":
            after = self.position
            self.position = start
            self.subscript()
            key_end = self.position
            self.position = after
            operator = re.compile(r"\+?=").match(self.text, key_end, end)
            if operator:
                return Element(
                    Word(self.source, start + 1, key_end - 1, Context.OPERAND),
                    Word(self.source, operator.end(), end),
                    operator.group() == "+=",
                )
        return Element(None, Word(self.source, start, end))


def _plain_if_compound(assignment: Assignment) -> Context:
    """Return how an assignment after `eval` and the like is read: as a word like any other."""
    return Context.PLAIN if isinstance(assignment.value, tuple) else Context.COMMAND


def _is_prefix(text: str, words: list[Word | Assignment]) -> bool:
    """Tell whether the words so far are only `command` or `builtin`."""
    return all(text[word.start : word.end] in ("command", "builtin") for word in words)


def take_apart(command: Simple) -> Details:
    """Return what a simple command consists of."""
    return _Dissector(command.source, command.start, command.end).run()


def here_document(source: Source, operator: int) -> Word:
    """Return the text of the here-document whose operator stands at `operator`."""
    document = source.here_documents.get(operator)
    if document is None:
        # the file ends on the line of the operator
        return Word(source, len(source.text), len(source.text), Context.PLAIN)
    context = Context.PLAIN if document.quoted else Context.HERE_DOCUMENT
    if not document.strip_tabs:
        return Word(source, document.start, document.end, context)
    body = re.sub(r"(?m)^\t+", "", source.text[document.start : document.end])
    stripped = Source(body, source.name, source, (document.start, document.end))
    return Word(stripped, 0, len(body), context)


def unquote(raw: str) -> str:
    """Return a here-document's delimiter without its quotes (3.6.6)."""
    if not any(character in raw for character in "'\"\\"):
        return raw
    return re.sub(
        r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)",
        lambda m: m.group(1) or (m.group(2) and re.sub(r"\\([\\\"$`])", r"\1", m.group(2))) or m.group(3) or "",
        raw,
        flags=re.DOTALL,
    )


def decode_name(name: str) -> str:
    """Return a function's name as text."""
    from overlaylint.shell.syntax import decode

    return decode(name)

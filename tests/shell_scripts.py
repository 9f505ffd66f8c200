"""Scripts made up at random, within the language that overlaylint evaluates.

A `Maker` draws from any source of random numbers, so hypothesis can shrink what it makes. All its
loops end: their counters are names that nothing else touches, and a function calls only those
made before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_TEXTS = (
    "a", "b", "ab", "abc", "foo-1.2.3", "1", "7", "-3", "0", "x_y", "lib64", "A", "Zz", "a.b",
    "p/q", "p/q/r", "1.2.3_p4", "+x", "=", ",", "@", "%", "^", ".", "-", "_",
)  # fmt: skip
# what may stand between quotes, and means something elsewhere
_MARKS = (
    " ", "  ", "\t", ":", "::", "*", "?", "[ab]", "[", "]", "(", ")", "{a,b}", "{", "}", "#", "~",
    "&", "|", ";", "<", ">", "!", "=", "\\n", "/", "+", "-", ",",
)  # fmt: skip
_SCALARS = ("a", "b", "c", "x", "y", "z")
_ARRAYS = ("arr", "brr")
_MAPS = ("map",)
_KEYS = ("k", "k2", "a b", "x:y", "0", "$a")
_SPECIAL = ("#", "?", "@", "*", "1", "2", "3", "#")
_CLASSES = ("[[:alpha:]]", "[[:digit:]]", "[[:space:]]", "[a-c]", "[!a]", "[^b]", "[0-9.]", "[]a]")


class Maker:
    """Makes a script.

    `unknowns` are names of variables whose value is not known to overlaylint, `commands` names
    of commands whose status and output are not.
    """

    def __init__(
        self, random: Random, *, unknowns: Sequence[str] = (), commands: Sequence[str] = ()
    ) -> None:
        self.random = random
        self.unknowns = unknowns
        self.commands = commands
        self.functions: list[str] = []
        self.counters = 0
        self.depth = 0
        self.in_function = False
        self.loops = 0
        self.keeps_globs = True  # `set -f` was said, so wildcards may stand anywhere
        self.extended = False

    # --- choices ---

    def one(self, *choices: str) -> str:
        return choices[self.random.randrange(len(choices))]

    def chance(self, of: int) -> bool:
        return self.random.randrange(of) == 0

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    # --- words ---

    def text(self) -> str:
        return self.one(*_TEXTS)

    def marked(self) -> str:
        return "".join(
            self.one(*(_MARKS if self.chance(3) else _TEXTS)) for _ in range(self.number(0, 3))
        )

    def single_quoted(self) -> str:
        return "'" + self.marked() + "'"

    def ansi(self) -> str:
        # no `\\'`: bash loses its way with that in a command substitution in a here-string
        piece = self.one("\\n", "\\t", "\\x41", "\\101", "\\\\", "a", " ", "\\e")
        return f"$'{self.text()}{piece}'"

    def name(self) -> str:
        if self.unknowns and self.chance(4):
            return self.one(*self.unknowns)
        return self.one(*_SCALARS)

    def parameter(self, *, quoted: bool) -> str:
        """Return the name of a parameter, with a subscript where it is an array."""
        kind = self.number(0, 9)
        if kind < 5:
            return self.name()
        if kind == 5:
            return self.one(*_SPECIAL)
        if kind < 8:
            array = self.one(*_ARRAYS)
            return f"{array}[{self.one('0', '1', '-1', '@', '*', '@', '$#', 'n0', '1+1')}]"
        if kind == 8:
            return f"map[{self.one('@', '*', *_KEYS)}]"
        return self.one(*_ARRAYS)

    def operand(self, *, quoted: bool) -> str:
        """Return what stands after an operator."""
        pieces = []
        for _ in range(self.number(0, 2)):
            kind = self.number(0, 5)
            if kind == 0:
                pieces.append(self.text())
            elif kind == 1:
                pieces.append(self.one(" ", "a b", ":", "x"))
            elif kind == 2:
                pieces.append(f'"{self.inside_quotes()}"')
            elif kind == 3:
                pieces.append(self.expansion(quoted=quoted))
            elif kind == 4:
                pieces.append(self.ansi() if quoted else self.single_quoted())
            else:
                pieces.append(self.one("\\}", "\\ ", "x"))
        return "".join(pieces)

    def pattern(self) -> str:
        """Return a pattern."""
        pieces = []
        for _ in range(self.number(0, 3)):
            kind = self.number(0, 8)
            if kind < 2:
                pieces.append(self.one("*", "?", "*", *_CLASSES))
            elif kind < 5:
                pieces.append(self.one("a", "b", ".", "-", "1", "p", " ", "x", "ab"))
            elif kind == 5:
                pieces.append(f'"{self.one("*", "a", "$a", " ", "[ab]")}"')
            elif kind == 6:
                pieces.append("$" + self.name())
            elif kind == 7:
                pieces.append("\\" + self.one("*", "?", "a", "["))
            elif self.extended:
                inner = f"{self.one('a', 'b', '*', '?')}|{self.one('a', 'ab', '[0-9]', '')}"
                pieces.append(f"{self.one('?', '*', '+', '@', '!')}({inner})")
            else:
                pieces.append("'" + self.one("*", "a", ".", "?") + "'")
        return "".join(pieces)

    def safe_pattern(self) -> str:
        """Return a pattern in which no blank stands unquoted."""
        return self.pattern().replace(" ", "\\ ") or "''"

    def braced(self, *, quoted: bool) -> str:
        """Return `${...}`."""
        kind = self.number(0, 15)
        name = self.parameter(quoted=quoted)
        if name == "#":
            return "${#}"
        if kind < 3:
            return f"${{{name}}}"
        if kind == 3:
            return f"${{#{name}}}"
        if kind < 6:
            operator = self.one("-", ":-", "+", ":+", "-", ":-")
            return f"${{{name}{operator}{self.operand(quoted=quoted)}}}"
        if kind == 6:
            operator = self.one("=", ":=", ":=") if "[" not in name and name.isalpha() else ":-"
            return f"${{{name}{operator}{self.operand(quoted=quoted)}}}"
        if kind < 9:
            return f"${{{name}{self.one('#', '##', '%', '%%')}{self.pattern()}}}"
        if kind < 11:
            operator = self.one("/", "//", "/#", "/%")
            replacement = self.one("", "/", f"/{self.operand(quoted=False)}", "/X")
            pattern = self.one("", "", "/") + self.pattern()
            if self.number(0, 2):
                pattern = pattern.replace("/", "\\/")
            return f"${{{name}{operator}{pattern}{replacement}}}"
        if kind == 11:
            first = self.one("0", "1", "2", " -1", " -2", "n0", "1+1", "(-1)")
            second = self.one("", ":1", ":2", ":-1", ":0", ":$#")
            return f"${{{name}:{first}{second}}}"
        if kind == 12:
            return f"${{{name}{self.one('^', '^^', ',', ',,')}{self.one('', '', '[a-m]', '?')}}}"
        if kind == 13:
            return f"${{!{self.one('ref', 'ref', 'arr[@]', 'arr[*]', 'map[@]', 'x')}}}"
        if kind == 14:
            return f"${{{name}@{self.one('Q', 'U', 'L', 'u', 'E', 'a')}}}"
        return f"${{{name}:-{self.braced(quoted=quoted)}}}"

    def expansion(self, *, quoted: bool) -> str:
        """Return an expansion that starts with a dollar sign."""
        self.depth += 1
        try:
            kind = self.number(0, 9)
            if kind < 3 or self.depth > 5:
                return "$" + self.one(self.name(), self.one(*_SPECIAL), self.one(*_ARRAYS))
            if kind < 7:
                return self.braced(quoted=quoted)
            if kind == 7:
                return f"$(({self.arithmetic()}))"
            return f"$({self.writer()})"
        finally:
            self.depth -= 1

    def writer(self) -> str:
        """Return commands for a substitution."""
        kind = self.number(0, 7)
        if self.commands and kind == 0:
            return self.one(*self.commands)
        if kind < 3:
            return f"echo {self.words()}"
        if kind == 3:
            form = self.one("%s", "%s ", "[%s]", "%d", "%5s|", "%s\\n", "%b")
            return f"printf '{form}' {self.words()}"
        if kind == 4 and self.functions:
            return f"{self.one(*self.functions)} {self.words()}"
        if kind == 5:
            return f"{self.assignment()}; echo {self.words()}"
        if kind == 6:
            return f"echo {self.words()}; {self.one('exit 3', 'false', 'return 2', ':')}"
        return f'for i in {self.words()}; do echo "<$i>"; done'

    def inside_quotes(self) -> str:
        """Return what stands between double quotes."""
        pieces = []
        for _ in range(self.number(0, 3)):
            kind = self.number(0, 5)
            if kind < 3:
                pieces.append(self.expansion(quoted=True))
            elif kind == 3:
                pieces.append(self.one("\\$", '\\"', "\\\\", "\\a", "'", " "))
            else:
                mark = self.marked()
                pieces.append(mark.replace("!", "").replace("\\", ""))
        return "".join(pieces)

    def part(self) -> str:
        """Return a part of a word."""
        kind = self.number(0, 11)
        if kind < 3:
            return self.text()
        if kind == 3:
            return self.single_quoted()
        if kind < 6:
            return f'"{self.inside_quotes()}"'
        if kind < 9:
            return self.expansion(quoted=False)
        if kind == 9:
            return self.ansi()
        if kind == 10:
            return self.one("\\ ", "\\$", "\\\\", "\\*", "''", '""', "\\a")
        return self.one("{a,b}", "{1..3}", "{,x}", "{a}", "a{b,c{d,e}}", ":", "x:y", "{3..1}")

    def word(self) -> str:
        """Return one word."""
        return "".join(self.part() for _ in range(self.number(1, 2)))

    def words(self) -> str:
        """Return some words."""
        return " ".join(self.word() for _ in range(self.number(0, 3)))

    def value(self) -> str:
        """Return the value of an assignment."""
        return "".join(self.part() for _ in range(self.number(0, 2)))

    # --- arithmetic ---

    def arithmetic(self) -> str:
        """Return an arithmetic expression; division by zero and the like happen."""
        kind = self.number(0, 11)
        if kind < 3 or self.depth > 4:
            return self.one("0", "1", "2", "7", "-3", "010", "0x1f", "2#101")
        if kind < 5:
            return self.one("n0", "n1", "a", "arr[0]", "arr[1]", "$#", "${#a}", "${#arr[@]}")
        self.depth += 1
        try:
            if kind < 8:
                operator = self.one(
                    "+", "-", "*", "/", "%", "<", ">", "==", "!=", "&&", "||", "<<", "&", "|", "^",
                    "<=", ",", "**",
                )  # fmt: skip
                right = self.arithmetic() if operator not in ("<<", "**") else self.one("1", "2")
                return f"{self.arithmetic()} {operator} {right}"
            if kind == 8:
                return f"({self.arithmetic()})"
            if kind == 9:
                return f"{self.one('!', '-', '~', '+')} {self.arithmetic()}"
            if kind == 10:
                return f"{self.arithmetic()} ? {self.arithmetic()} : {self.arithmetic()}"
            name = self.one("n1", "n2", "arr[2]")
            return self.one(
                f"{name}++", f"++{name}", f"{name}--", f"{name} = {self.one('1', '5')}",
                f"{name} += {self.arithmetic()}",
            )  # fmt: skip
        finally:
            self.depth -= 1

    # --- tests ---

    def test(self) -> str:
        """Return a command that succeeds or fails."""
        kind = self.number(0, 9)
        if self.commands and kind == 0:
            return self.one(*self.commands)
        if kind < 6:
            return f"[[ {self.conditional()} ]]"
        if kind == 6:
            return f"(( {self.arithmetic()} ))"
        if kind == 7:
            operator = self.one("=", "!=", "-eq", "-lt", "==")
            return f'[ "{self.inside_quotes()}" {operator} {self.one(self.text(), "$a")} ]'
        if kind == 8:
            return f"test {self.one('-n', '-z', '!')} {self.word()}"
        return self.one("true", "false", ":", f"[ -v {self.one(*_SCALARS)} ]")

    def conditional(self) -> str:
        """Return what stands between `[[` and `]]`."""
        kind = self.number(0, 11)
        left = self.one(
            f"${self.name()}", f'"{self.inside_quotes()}"', self.expansion(quoted=False)
        )
        if kind < 5:
            return f"{left} {self.one('==', '!=', '=')} {self.safe_pattern()}"
        if kind == 5:
            return f"{self.one('-n', '-z')} {left}"
        if kind == 6:
            operator = self.one("-eq", "-ne", "-lt", "-gt")
            return f"{self.arithmetic_word()} {operator} {self.arithmetic_word()}"
        if kind == 7:
            return f"-v {self.one('a', 'x', 'arr[1]', 'arr', 'map[k]', 'arr[@]', '1')}"
        if kind == 8:
            expression = self.one(
                "a", "^a", "b$", "[0-9]+", "(a|b)", "^(a*)(b?)", "$a", '"$a"', "."
            )
            return f"{left} =~ {expression}"
        if kind == 9:
            return f"{left} {self.one('<', '>')} {self.one('abc', 'b')}"
        if self.depth > 3:
            return "a"
        self.depth += 1
        try:
            if kind == 10:
                return f"{self.conditional()} {self.one('&&', '||')} {self.conditional()}"
            return f"! ( {self.conditional()} )"
        finally:
            self.depth -= 1

    def arithmetic_word(self) -> str:
        return self.one("0", "1", "n0", "n1", "$#", "2+1", "${#a}", "arr[0]")

    # --- commands ---

    def assignment(self) -> str:
        """Return an assignment."""
        kind = self.number(0, 13)
        if kind < 5:
            return f"{self.one(*_SCALARS)}={self.value()}"
        if kind == 5:
            return f"{self.one(*_SCALARS)}+={self.value()}"
        if kind < 8:
            return f"{self.one(*_ARRAYS)}{self.one('', '+')}=({self.elements()})"
        if kind == 8:
            index = self.one("0", "1", "n0", "3", "-1", "${#arr[@]}", "n1+1")
            return f"{self.one(*_ARRAYS)}[{index}]{self.one('', '+')}={self.value()}"
        if kind == 9:
            return f"map[{self.one(*_KEYS)}]{self.one('', '+')}={self.value()}"
        if kind == 10:
            return f"map{self.one('', '+')}=([{self.one(*_KEYS)}]={self.value()} [z]=1)"
        if kind == 11:
            return f"{self.one('n1', 'n2')}={self.one('1', '5', '$#', '$((n1+1))')}"
        if kind == 12:
            return f"ref={self.one('a', 'b', 'arr[1]', 'arr[@]', 'map[k]', '1', 'x')}"
        return f"{self.one(*_SCALARS)}={self.value()} {self.one(*_SCALARS)}={self.value()}"

    def elements(self) -> str:
        pieces = []
        for _ in range(self.number(0, 3)):
            if self.chance(4):
                pieces.append(f"[{self.one('0', '2', '5', 'n0+1')}]={self.value()}")
            else:
                pieces.append(self.word())
        return " ".join(pieces)

    def declaration(self) -> str:
        """Return a command of the `declare` family."""
        kind = self.number(0, 11)
        name = self.one(*_SCALARS)
        if kind < 3 and self.in_function:
            return "local " + self.one(
                f"{name}={self.value()}", name, f"-a arr=({self.elements()})",
                f"{name} b={self.value()}", "-A map=([k]=l)",
                f"arr=({self.elements()} \"${{arr[@]}}\")", f"-i arr+=({self.elements()} 1+n0)",
                f"b=1 arr=($b {self.elements()}) brr=(${{arr[*]}})",
                "-A map=([k]=${map[k]}x [z]=${#map[@]})",
            )  # fmt: skip
        if kind == 3:
            option = self.one("-i", "-l", "-u", "-x", "-a", "+x", "+i")
            return f"declare {option} {self.one('d1', 'd2')}={self.one('1+2', 'aBc', '7', '')}"
        if kind == 4:
            return f"export {self.one(name, f'{name}={self.value()}', f'-n {name}')}"
        if kind == 5:
            return f"declare {name}={self.value()}"
        if kind == 6:
            return "unset " + self.one(name, "arr", "'arr[1]'", f"-v {name}", "'map[k]'")
        if kind == 7:
            return f"declare -g {name}={self.value()}"
        if kind == 8:
            return f"{self.one('d1', 'd2')}{self.one('', '+')}={self.one('2*3', 'XyZ', '4', '$a')}"
        if kind == 9:
            return f"declare -p {name} 2>/dev/null"
        if kind == 10:
            return f"{self.one('d1', 'd2')}=({self.elements()})"
        return f"typeset {name}"

    def reading(self) -> str:
        """Return a command that reads."""
        kind = self.number(0, 6)
        names = self.one("a", "a b", "x y z", "-a arr", "", "-r a b")
        source = self.one(f"<<< {self.word()}", f'<<< "{self.inside_quotes()}"')
        if kind == 0:
            ifs = self.one(":", ",", "''", "' :'")
            return f"IFS={ifs} read {names} {source}"
        if kind == 1:
            callback = self.one("", "", "", f"-c 1 -C {self.one(':', 'x+=y;:', *self.functions)}")
            return f"mapfile -t {callback} {self.one(*_ARRAYS)} {source}"
        if kind == 2:
            return f"echo {self.words()} | {{ read {names}; echo " + '"$a$x"; }'
        if kind == 3:
            quote = self.one("", "'")
            text = self.one("line one", "$a x", " $(echo s) ", "a\\\\b")
            return f"read {names} << {quote}END{quote}\n{text}\nEND\n"
        if kind == 4:
            text = self.one("$'p q\\nr'", self.word())
            return 'while read -r w; do x+="<$w>"; done <<< ' + text
        return f"read {names} {source}"

    def simple(self) -> str:
        """Return a simple command."""
        kind = self.number(0, 21)
        if kind < 8:
            return self.assignment()
        if kind < 11:
            return self.declaration()
        if kind == 11:
            return f"echo {self.words()}"
        if kind == 12:
            form = self.one("%s", "%s-%s", "%d", "%03d", "%q", "%x")
            return f"printf -v {self.one('a', 'b', 'arr[1]')} '{form}' {self.words()}"
        if kind == 13:
            return self.one("shift", "shift 2", f"set -- {self.words()}", 'set -- "$@" x')
        if kind == 14:
            return self.reading()
        if kind == 15:
            return f": {self.word()}"
        if kind == 16 and self.functions:
            return f"{self.one('', 'a=1 ', 'x=tmp ')}{self.one(*self.functions)} {self.words()}"
        if kind == 17:
            return self.one("IFS=:", "IFS=", "unset IFS", "IFS=$' \\t\\n'", "IFS=' :'", "IFS=,")
        if kind == 18:
            text = self.assignment().replace("'", "")
            if self.number(0, 3) == 0:
                words = self.one("", "", " p q")
                return f". /dev/stdin{words} <<< '{text}'"
            return "eval " + self.one(f"'{text}'", '"a=1"', "x=$y")
        if kind == 19 and self.commands:
            return f"{self.one(*self.commands)} {self.words()}"
        if kind == 20:
            return f"x=$?; y={self.one('$_', '$#', '${PIPESTATUS[*]}', '$?')}"
        return self.test()

    def leaving(self) -> str:
        """Return a command that leaves something, where there is something to leave."""
        choices = []
        if self.loops:
            choices += ["break", "continue", "break 2", "continue 2", "break"]
        if self.in_function:
            choices += ["return", "return 3", "return 0"]
        return self.one(*choices) if choices else ":"

    def command(self) -> str:
        """Return a command, perhaps a compound one."""
        if self.depth > 3:
            return self.simple()
        self.depth += 1
        try:
            kind = self.number(0, 23)
            if kind < 11:
                return self.simple()
            if kind < 13:
                return f"{self.test()} {self.one('&&', '||')} {self.simple()}"
            if kind == 13:
                otherwise = self.one(
                    "",
                    f"else\n{self.body()}\n",
                    f"elif {self.test()}; then\n{self.body()}\n",
                )
                return f"if {self.one('', '! ')}{self.test()}; then\n{self.body()}\n{otherwise}fi"
            if kind < 16:
                return self.loop()
            if kind == 16:
                return self.case()
            if kind == 17:
                return f"{{ {self.simple()}; {self.simple()}; }}"
            if kind == 18:
                return f"( {self.simple()}\n{self.command()}\n)"
            if kind == 19:
                return self.leaving()
            if kind == 20:
                return f"{self.test()} && {self.leaving()}"
            if kind == 21:
                return f"! {self.test()}"
            if kind == 22:
                return f"{self.simple()}; {self.simple()}; {self.simple()}"
            return f"if {self.test()}; then {self.leaving()}; fi"
        finally:
            self.depth -= 1

    def body(self) -> str:
        return "\n".join(self.command() for _ in range(self.number(1, 3)))

    def loop(self) -> str:
        """Return a loop that ends."""
        self.counters += 1
        counter = f"i{self.counters}"
        self.loops += 1
        try:
            kind = self.number(0, 4)
            if kind == 0:
                head = f"for (({counter}=0; {counter}<{self.number(0, 3)}; {counter}++))"
                return f"{head}; do\n{self.body()}\ndone"
            if kind == 1:
                head = f"{counter}=0\nwhile (( {counter}++ < {self.number(0, 3)} ))"
                return f"{head}; do\n{self.body()}\ndone"
            if kind == 2:
                head = f"{counter}=3\nuntil (( {counter}-- <= 0 )) || {self.test()}"
                return f"{head}; do\n{self.body()}\ndone"
            items = self.one(
                f"in {self.words()}", f"in {self.words()}", "", 'in "$@"', 'in "${arr[@]}"'
            )
            return f"for {self.one('i', 'j', 'x')} {items}; do\n{self.body()}\ndone"
        finally:
            self.loops -= 1

    def case(self) -> str:
        """Return a `case`."""
        arms = []
        for _ in range(self.number(1, 3)):
            pattern = self.safe_pattern()
            if self.chance(3):
                pattern += f"|{self.safe_pattern()}"
            arms.append(f"{pattern}) {self.command()} {self.one(';;', ';;', ';&', ';;&')}")
        if self.chance(2):
            arms.append(f"*) {self.simple()};;")
        joined = "\n".join(arm.replace("\nEND\n ", "\nEND\n") for arm in arms)
        return f"case {self.one('$' + self.name(), self.word())} in\n{joined}\nesac"

    def function(self) -> str:
        """Return the definition of a function, which calls only those before it."""
        name = f"f{len(self.functions)}"
        was, self.in_function = self.in_function, True
        loops, self.loops = self.loops, 0
        try:
            body = self.body()
        finally:
            self.in_function, self.loops = was, loops
        self.functions.append(name)
        return f"{name}() {{\n{body}\n}}"

    def script(self) -> str:
        """Return a whole script."""
        lines = ["set -f"] if not self.chance(8) else []
        if self.chance(2):
            lines.append("shopt -s extglob")
            self.extended = True
        if self.chance(12):
            lines.append("shopt -s nocasematch")
        lines.append("declare -A map=([k]=v)")
        lines.append("n0=1 n1=2 ref=a a='p q' b=b1 arr=(e1 'e 2' '') brr=()")
        if self.chance(2):
            lines.append(f"set -- {self.one('one', 'p q r', chr(39) + 'a b' + chr(39) + ' c')}")
        for _ in range(self.number(1, 5)):
            is_function = self.chance(4) and len(self.functions) < 3
            lines.append(self.function() if is_function else self.command())
        return "\n".join(lines) + "\n"

"""Arithmetic, held against bash."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from real_bash import bash, examples

from overlaylint.shell.arithmetic import (
    ArithmeticProblem,
    TooExpensive,
    Undecidable,
    evaluate,
)

_NAMES = ["x", "y", "z", "s", "t", "u"]
_START = {"x": "3", "y": "-7", "z": "0", "s": "x+1", "t": "s * 2", "u": "", "a": ["5", "x", "2"]}
_BODY = """
unset ${!x@} ${!y@} ${!z@} ${!s@} ${!t@} ${!u@} ${!a@} ${!m@}
x=3 y=-7 z=0 s='x+1' t='s * 2' u= a=(5 x 2)
declare -A m=([k]=4)
r=failed
(( r = e ))
printf '%s\\0' "$r" "$x" "$y" "$z" "$s" "$t" "$u" "${a[*]}" "${m[k]}"
"""


class _Variables:
    """Variables as the body above has them."""

    def __init__(self) -> None:
        self.scalars = {name: str(_START[name]) for name in _NAMES}
        self.array = {0: "5", 1: "x", 2: "2"}
        self.map = {"k": "4"}

    def get(self, name: str, subscript: str | None) -> str:
        if name == "m":
            return self.map.get(subscript or "0", "")
        if name == "a":
            return self.array.get(evaluate(subscript or "0", self), "")
        return self.scalars.get(name, "")

    def set(self, name: str, subscript: str | None, value: int) -> None:
        if name == "m":
            self.map[subscript or "0"] = str(value)
        elif name == "a":
            self.array[evaluate(subscript or "0", self)] = str(value)
        else:
            self.scalars[name] = str(value)

    def shown(self) -> list[str]:
        array = " ".join(value for _, value in sorted(self.array.items()))
        return [*(self.scalars[name] for name in _NAMES), array, self.map["k"]]


def _compare(expression: str) -> bool:
    """Compare with bash; return whether it was decided."""
    variables = _Variables()
    try:
        result = str(evaluate(expression, variables))
    except ArithmeticProblem as problem:
        if problem.is_late:  # what was assigned before the fault is not decided
            assert bash("e", _BODY).ask(expression)[0] == "failed"
            return True
        result = "failed"
    except Undecidable:
        return False
    assert [result, *variables.shown()] == bash("e", _BODY).ask(expression)
    return True


@pytest.mark.parametrize(
    "expression",
    [
        "", " ", "1", "007", "08", "0x1F", "0X", "16#fF", "2#101", "64#@_", "36#Zz", "37#Z", "1#0",
        "65#1", "10#08", "16#", "010#5", "0x1#2", "99999999999999999999", "9223372036854775808",
        "-9223372036854775808", "x", "-x", "s", "t", "u", "nothing", "a", "a[1]", "a[x-2]", "m[k]",
        "x+y*z", "x-y-1", "2**3**2", "-2**2", "2**-1", "2**0", "7/2", "-7/2", "7%-3", "-7%3", "1/0",
        "1%0", "x++", "x++ + x", "++x", "--x--", "x---y", "x- --y", "5--3", "5--x", "(x)++", "x=5",
        "x=y=4", "x+=2", "x-=y", "x<<=2", "y>>=1", "x**=2", "1+x=3", "(x)=3", "-x=3", "x=1,y=2",
        "x?y:z", "z?y:x", "z?1/0:2", "1?2:1/0", "1?2", "1?:2", "x?y=1:2", "x?y:z=1", "0&&(x=9)",
        "1||(x=9)", "0&&1/0", "0&&2**-1", "1||2**-1", "1&&0||2", "!x", "~x", "!!z", "- -x", "-+-x",
        "x==3", "x!=3", "x<y", "x<=3", "x>=4", "1<2<3", "x&1", "x|4", "x^1", "1<<64", "1<<-1",
        "-1>>70", "1<<63", "x,", ",x", "()", "(x", "x)", "x y", "1 2", "1 +", "* 1", "x=", "=x",
        "a[0]=7", "a[1]++", "a[x++]", "a[x++]++", "a[5]=1", "m[k]++", "m[k]+=3", "x=1 +", "#",
        "x.y", "1.5", "x$y", "\t1\n", "9223372036854775807+1", "-9223372036854775807-2",
        "9223372036854775807*3", "(-9223372036854775807-1)/-1", "(-9223372036854775807-1)%-1",
        "3+(4*(5-2))", "x > 2 && y < 0", "z || u", "x++==3", "x=x++", "a[0]+a[1]+a[2]", "x=s,x",
        "0 ? 08 : 1", "y**2", "5%3*2", "x=0,x/x", "~0", "1?2?3:4:5", "0?1:0?2:3", "x&&y&&z",
        "1,2,3", "x = = 2", "x += ", "++ x", "x ++", "+ +x", "++5", "--5++", "x+++y", "x+++++y",
    ],
)  # fmt: skip
def test_expressions(expression: str) -> None:
    """One of each kind."""
    undecided = ("a[x++]++", "--x--", "x+++++y", "--x++")
    assert _compare(expression) or expression in undecided


def _words(text: str) -> list[str]:
    return text.split()


_operand = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "7",
        "010",
        "0x1f",
        "9223372036854775807",
        "x",
        "y",
        "z",
        "s",
        "t",
        "a[1]",
        "m[k]",
    ]
)
_tree = st.recursive(
    _operand,
    lambda inner: st.one_of(
        st.builds(
            "{} {} {}".format,
            inner,
            st.sampled_from(_words("+ - * / % ** << >> & | ^ < > <= >= == != && || ,")),
            inner,
        ),
        st.builds("{}({})".format, st.sampled_from(["", "-", "!", "~", "+", "- "]), inner),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
        st.builds(
            "({} {} {})".format,
            st.sampled_from(["x", "y", "z", "u", "a[0]", "m[k]"]),
            st.sampled_from(_words("= += -= *= /= %= <<= >>= &= ^= |=")),
            inner,
        ),
        st.sampled_from(["x++", "y--", "++z", "--u", "a[2]++", "++m[k]"]),
    ),
    max_leaves=8,
)
_tokens = st.lists(
    st.one_of(
        _operand,
        st.sampled_from(
            _words("+ - * / % ** << >> & | ^ < > = == != && || , ? : ( ) ! ~ ++ -- += 3 16#f # [ ]")
        ),
        st.just(" "),
    ),
    max_size=7,
).map("".join)


@examples(600)
@given(_tree)
@example("x ? y : z")
def test_generated_expressions(expression: str) -> None:
    """What bash accepts, mostly."""
    _compare(expression)


@examples(600)
@given(_tokens)
def test_generated_tokens(expression: str) -> None:
    """What bash refuses, mostly."""
    _compare(expression)


class _UnknownError(Exception):
    """What a caller may raise."""


class _Refusing(_Variables):
    def get(self, name: str, subscript: str | None) -> str:
        raise _UnknownError


@pytest.mark.parametrize("expression", ["0 && x", "1 || x", "1 ? 2 : x", "0 ? x++ : 2", "x = 5"])
def test_what_is_passed_over_is_not_looked_up(expression: str) -> None:
    """The caller's exception comes only for a variable that counts."""
    evaluate(expression, _Refusing())


@pytest.mark.parametrize("expression", ["x", "1 && x", "0 || x", "x ? 1 : 2", "x++", "x += 1"])
def test_the_callers_exception_passes(expression: str) -> None:
    """An unknown value ends the evaluation."""
    with pytest.raises(_UnknownError):
        evaluate(expression, _Refusing())


class _Endless(_Variables):
    def get(self, name: str, subscript: str | None) -> str:
        if subscript is not None:
            return str(evaluate(subscript, self))
        return {"p": "p", "q": "r+r", "r": "q+q", "w": "a[w]"}[name]


@pytest.mark.parametrize(
    "expression",
    ["p", "q", "w", "(" * 5000, "-" * 5000 + "1", "1?" * 5000, "x=" * 5000, "a[" * 5000,
     "2**" * 5000 + "1", "1," * 60000],
)  # fmt: skip
def test_hostile_expressions_end(expression: str) -> None:
    """All of these are too much."""
    with pytest.raises(TooExpensive):
        evaluate(expression, _Endless())


def test_a_long_chain_is_right_or_too_much() -> None:
    """How deep the evaluation may go depends on who calls it."""
    try:
        value = evaluate("1" + "+1" * 5000, _Endless())
    except TooExpensive:
        return
    assert value == 5001


def test_values_are_expressions() -> None:
    """A message says what bash would."""
    with pytest.raises(ArithmeticProblem, match="division by 0"):
        evaluate("x / z", _Variables())
    with pytest.raises(ArithmeticProblem) as raised:
        evaluate("x = 1, y = 2 +* 1", _Variables())
    assert raised.value.is_late

"""Scripts that are broken at random: bytes flipped, parts cut, doubled, swapped and nested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

_TOKEN = re.compile(rb"[A-Za-z0-9_]+|\s+|[^\sA-Za-z0-9_]")
_NASTY = (
    b"$(", b"${", b"$((", b"((", b"[[", b"]]", b"`", b'"', b"'", b"$'", b"<<EOF\n", b"<<-'E'\n",
    b"<<<", b"<(", b"{1..99999999}", b"{a,b}{a,b}{a,b}", b";;", b";&", b"case x in ", b"esac",
    b"if ", b"fi", b"do ", b"done", b"while :; do ", b"for x in ", b"f() { f; }; f;", b"eval ",
    b"\\", b"\\\n", b"\0", b"\xff", b"\xc3", b"\r\n", b"\x1b[31m", b"!", b"|", b"||", b"&", b"&&",
    b")", b"}", b"]", b"=~ ", b"@(", b"*(", b"+(a|+(a))", b"[[:alpha:]", b"[", b"*", b"**", b"?",
    b"~", b"#", b"inherit ", b"local -n ", b"declare -A ", b"printf -v x %99999999s ", b"read ",
    b"mapfile ", b"unset ", b"shift ", b"set -- ", b"exec ", b"trap ", b"return ", b"break 9 ",
    b"exit ", b"IFS=", b"EAPI=", b"source /etc/passwd\n", b"$(< /etc/passwd)",
    b"9223372036854775808", b"-1", b"%s", b"die ", b"select x in a; do ", b"coproc ", b"time ",
    b"function ", b"unset IFS;", b"set -e;", b"set -u;",
)  # fmt: skip
_PAIRS = (
    (b"$(", b")"), (b'"$(', b')"'), (b"${x:-", b"}"), (b'"${x:-', b'}"'), (b"$((", b"))"),
    (b"( ", b" )"), (b"{ ", b"; }"), (b"[[ ( ", b" ) ]]"), (b"if ", b"; then :; fi"),
    (b"case a in a) ", b";; esac"), (b"while ", b"; do break; done"), (b"f() { ", b"; }; f"),
    (b"`", b"`"), (b"'", b"'"), (b"@(", b")"), (b"{a,", b"}"), (b"x[", b"]"), (b"eval '", b"'"),
    (b"for i in a b; do ", b"; done"), (b"! ", b""), (b"x=(", b")"), (b"[[ $u ]] && ", b""),
)  # fmt: skip


def mutate(random: Random, script: bytes, others: Sequence[bytes]) -> bytes:
    """Return a script that differs in one to five places; `others` lend parts."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
        script = _mutate_once(random, script, others)
    return script


def _mutate_once(random: Random, script: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _part(random, script)
    kind = random.randrange(11)
    if kind == 0 and script:
        flipped = bytearray(script)
        for _ in range(random.choice((1, 1, 8))):
            flipped[random.randrange(len(script))] ^= 1 << random.randrange(8)
        return bytes(flipped)
    if kind == 1:
        return script[:start] + script[end:]
    if kind == 2:
        return script[:end] + script[start:end] * random.choice((1, 2, 40)) + script[end:]
    if kind in (3, 4, 5):
        return script[:start] + random.choice(_NASTY) + script[start:]
    if kind == 6:
        other = random.choice(others)
        first, last = _part(random, other)
        return script[:start] + other[first:last] + script[random.choice((start, end)) :]
    if kind == 7:
        other = _part(random, script)
        (a, b), (c, d) = sorted(((start, end), other))
        if b > c:
            return script
        return script[:a] + script[c:d] + script[b:c] + script[a:b] + script[d:]
    if kind == 8:
        return script[:start]
    opening, closing = random.choice(_PAIRS)
    number = random.choice((1, 1, 2, 3, 30, 300))
    return script[:start] + opening * number + script[start:end] + closing * number + script[end:]


def _part(random: Random, script: bytes) -> tuple[int, int]:
    """Return where a token starts, and where it or one of the next ones ends."""
    if not script:
        return 0, 0
    near = random.randrange(len(script))
    tokens = [match.span() for match in _TOKEN.finditer(script, max(0, near - 40), near + 200)]
    if not tokens:
        return near, near
    first = random.randrange(len(tokens))
    last = min(len(tokens) - 1, first + random.choice((0, 0, 1, 3, 12)))
    return tokens[first][0], tokens[last][1]

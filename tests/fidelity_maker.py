"""Eclasses and ebuilds made up at random, out of what real ones do and what they could do.

Nothing here recurses without end: an eclass inherits earlier ones only, and a function calls
later ones only.
"""

# ruff: noqa: E501 (a script is best read on one line)

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

_WORDS = ("a", "b c", "x-1.2", "", "ab", "*", "2", "b  a", "A_b", "${PN}", "-n", "a,b")
_VARIABLES = ("V", "W", "XA", "XB", "_GUARD", "PN_EXTRA")
_KEYS = (
    "IUSE", "DEPEND", "RDEPEND", "PDEPEND", "BDEPEND", "IDEPEND", "REQUIRED_USE", "PROPERTIES",
    "RESTRICT", "LICENSE", "HOMEPAGE", "KEYWORDS", "SRC_URI", "SLOT",
)  # fmt: skip
_FUNCTIONS = ("f", "g", "h")
_PHASES = ("pkg_setup", "src_compile", "src_install", "pkg_pretend")

#: `<v>` is a variable, `<n>` one that is assigned, `<k>` a key, `<w>` a word, `<a>` an array, `<m>`
#: an associative one, `<f>` a function, `<p>` a phase, `<e>` an eclass.
_COMMON = (
    '<n>="<w>"', '<n>+="<w>"', '<k>="<w>"', '<k>+=" <w>"', '<k>="${<v>} <w>"', '<n>="${<k>}"',
    '<n>=${<v>:-<w>}', ': "${<v>:=<w>}"', ': ${<v>=<w>}', '<n>=${<v>/a/<w>}', '<n>=${<v>#*b}',
    '<n>=${<v>%%-*}', '<n>=${#<v>}', '<n>=${<v>^^}', '<n>=${<v>:1:2}', '<k>="${!<v>}"',
    "unset <v>", "unset <k>", "export <n>", 'export <n>="<w>"', "readonly <v>", "declare -g <n>=<v>",
    "<a>=( <w> <v> )", '<a>+=( "<w>" )', "<a>[2]=<w>", '<k>="${<a>[*]}"', "<n>=${#<a>[@]}",
    'for x in "${<a>[@]}"; do <k>+=" ${x}"; done', 'for x in ${<v>} q; do <n>+="${x}."; done',
    'AA+=( q ); <k>="${AA[@]/#/p-}"', "unset '<a>[0]'", "declare -A <m>; <m>[<v>]=<v>; <m>[k]=1",
    'declare -gA <m>=([one]=1 [two]="<w>" [three]=3)', '<k>="${<m>[*]}"', '<k>="${!<m>[*]}"',
    'if [[ ${<v>} == a* ]]; then <n>=yes; else <n>=no; <k>="<w>"; fi',
    "if [[ -n ${<v>} ]]; then <n>=1; fi", "[[ -z ${<v>+x} ]] && <n>=unset; :",
    'case ${<v>} in a*|"") <n>=first ;; *b) <n>=second ;& *) <n>+=third ;; esac',
    'case ${EAPI} in [0-6]) <k>+=" old" ;; 7) <n>=seven ;; *) <n>=new; <k>+=" new" ;; esac',
    "[[ ${<v>} =~ ([a-z]+)-([0-9]) ]] && <n>=${BASH_REMATCH[1]}; :",
    '<f>() { local V=in; <n>+="$1 ${FUNCNAME[0]} $#"; }', '<f>() { <k>+=" ${1:-none}"; }',
    '<f>() { echo "${V}-$1"; return 1; }', "<f>() { local <v>; <n>=${V-unset}; unset <v>; }",
    "f() { g \"$@\"; <n>=$?; }", "g() { local W=dyn; h x; }", "<f> <w> || :", '<n>=$(<f> "<w>") || :',
    '<k>="$(<f> z)"; :', "unset -f <f>", "<p>() { :; }", "unset -f <p>",
    "declare -f <f> >/dev/null && <n>=is; :", "declare -F <p> >/dev/null || <n>=not; :",
    "type -t <f> >/dev/null || <n>=nothing", "declare -p <v> >/dev/null 2>&1 || <n>=undeclared",
    '<n>="${!XB@}"', '<n>="${!XB*}"', "[[ -v <v> ]] && <n>=v; :", "shopt -s nullglob", "shopt -s extglob",
    "shopt -q extglob && <n>=ext; :", "shopt -u extglob nullglob", "set -f", "[[ -o noglob ]] && <n>=f; :",
    "set -- <w> y", '<n>="$#:${*:2}"', '<n>="${1}"', "shift", "IFS=,", "unset IFS", 'IFS=$\' \\t\\n\'',
    '<n>="${<a>[*]}"', "read -r <n> <<<'<w>'", "read -r <n> V <<<\"<w>\"", "printf -v <n> '%s.' <w> <v>",
    "false", "<n>=$?", "true; <n>=$?", "<n>=$(false); W=$?", "local <n>=loc", "local <k>=loc", "declare <n>=dec",
    "<n>=${ECLASS}", "<n>=${ECLASS_DEPTH}", '<n>="${INHERITED}"', "has one ${INHERITED} && <n>=has; :",
    '<n>="${FUNCNAME[*]}"', "has a ${<v>} && <n>=in; :", "<n>=$((${#<v>} + 2))", "(( n++ )); <n>=${n}",
    "for ((i = 0; i < 3; i++)); do <n>+=${i}; done", "until [[ $((++n)) -ge 3 ]]; do <n>+=zz; done",
    "( <n>=sub; <p>() { :; } )", "{ <n>=grp; } >/dev/null", "echo x | read <n> || :", "eval '<n>=\"<w>\"'",
    "declare -n R=<n>; R=ref; unset -n R", "<n>={a,b}{1..2}", "X=( {a,b}{1..2} ); <k>=${X[*]}",
    "local -a L=( x y ); <n>=${L[1]}", "<n>=pre <f> y || :", "<n>=${<v>@Q}", "<n>=${PV%%.*}",
    '<n>="${CATEGORY}/${PF}"', "[[ ${PN} == one ]] && <n>=p; :", '<n>="${DESCRIPTION}"', '<n>="${SLOT:-0}"',
)  # fmt: skip
_WITH_VERSIONS = (
    "<n>=$(ver_cut 1-2)", "ver_test -ge 1.5 && <k>+=' big'; :", "<n>=$(ver_rs 1- _)",
    "<n>=$(ver_cut 2- ${PVR})", "if ver_test 2 -lt ${PV}; then <n>=more; fi",
)  # fmt: skip
_INHERIT = ("inherit <e>", "inherit <e> <e>", "if [[ ${<v>} ]]; then inherit <e>; fi")
_ECLASS_ONLY = (
    'if [[ -z ${_GUARD} ]]; then _GUARD=1; <n>="<w>"; <f>() { echo guarded; }; fi',
    "if [[ ! ${_<own>} ]]; then\n_<own>=1\n<k>+=' <w>'\nfi",
    "<own>_<p>() { :; }\nEXPORT_FUNCTIONS <p>", "return 0",
    "case ${EAPI:-0} in 6|7|8) ;; *) die \"EAPI ${EAPI} is not supported\" ;; esac",
    "declare -f g >/dev/null && unset -f g; :",
)  # fmt: skip
_EBUILD_ONLY = ('KEYWORDS="~amd64 x86"', "S=${WORKDIR}/${P}", "inherit", "has b a b && <n>=b; :")


@dataclass(frozen=True)
class Made:
    """The eclasses and the ebuilds of one overlay, by name and by `package/version`."""

    eclasses: Mapping[str, str]
    ebuilds: Mapping[tuple[str, str], str]


@st.composite
def overlays(draw: Draw, *, most_ebuilds: int = 5, most_lines: int = 6) -> Made:
    """Return a strategy for overlays."""
    names = ["one", "two", "three", "four"][: draw(st.integers(1, 4))]
    eclasses = {}
    for number, name in enumerate(names):
        lines = _lines(draw, names[:number], most_lines, _ECLASS_ONLY, name)
        eclasses[name] = "\n".join(lines)
    ebuilds = {}
    for number in range(draw(st.integers(2, most_ebuilds))):
        package = draw(st.sampled_from(("one", "two")))
        version = draw(st.sampled_from(("1", "1.6-r1", "2_beta", "3")))
        eapi = draw(st.sampled_from("0567788"))
        lines = _lines(draw, names, most_lines, _EBUILD_ONLY, "own", eapi=eapi)
        inherit = f"inherit {draw(st.sampled_from(names))}"
        lines.insert(draw(st.integers(0, len(lines))), inherit)
        ebuilds[package, f"{number}.{version}"] = "\n".join(
            (f"EAPI={eapi}", "DESCRIPTION=d", "SLOT=0", *lines)
        )
    return Made(eclasses, ebuilds)


def _lines(
    draw: Draw,
    eclasses: list[str],
    most: int,
    more: tuple[str, ...],
    own: str,
    eapi: str = "",
) -> list[str]:
    templates = [*_COMMON, *more, *more, *(_INHERIT * 4 if eclasses else ())]
    if eapi >= "7":
        templates += _WITH_VERSIONS
    pools: dict[str, tuple[str, ...]] = {
        "v": _VARIABLES, "n": _VARIABLES, "k": _KEYS, "w": _WORDS, "a": ("AA", "AB"),
        "m": ("M",), "f": _FUNCTIONS, "p": _PHASES, "e": tuple(eclasses), "own": (own,),
    }  # fmt: skip

    def fill(match: re.Match[str]) -> str:
        return str(draw(st.sampled_from(pools[match[1]])))

    lines = [
        re.sub(r"<([a-z]+)>", fill, draw(st.sampled_from(templates)))
        for _ in range(draw(st.integers(1, most)))
    ]
    # Most ebuilds and eclasses end well; a status that is not 0 there is an error to Portage.
    return [*lines, ":"] if draw(st.integers(0, 9)) else lines

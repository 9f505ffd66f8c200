"""Ebuilds and eclasses that ask for each thing that sourcing them can depend on.

Every case is one ebuild, with the eclasses that only it uses (`§` in a text stands for a name of
the case's own, so that `inherit §one` means its eclass `one`). What they come to is not written
here: Portage says that.
"""

# ruff: noqa: E501 (a script is best read on one line)

from __future__ import annotations

from dataclasses import dataclass, field

from overlaylint.overlay.metadata import KEYS


@dataclass(frozen=True)
class Case:
    """One ebuild. `unknown` are the keys that may be unknown here; no others may."""

    text: str
    eclasses: dict[str, str] = field(default_factory=dict)
    version: str = "1.2.3-r4"
    unknown: frozenset[str] = frozenset()
    is_unsourceable: bool = False
    """Whether Portage has no metadata for it, which is then to be seen here as well."""
    data: bytes | None = None
    """The ebuild where it is no UTF-8 text."""


def ebuild(eapi: str, body: str, **eclasses: str) -> Case:
    return Case(f"EAPI={eapi}\nDESCRIPTION=d\nSLOT=0\n{body}\n", eclasses)


def partly(unknown: str, body: str, *, is_unsourceable: bool = False) -> Case:
    """An ebuild of EAPI 8 in which some keys may be unknown; `*` means all of them."""
    keys = frozenset(KEYS if unknown == "*" else unknown.split())
    text = f"EAPI=8\nDESCRIPTION=d\nSLOT=0\n{body}\n"
    return Case(text, unknown=keys, is_unsourceable=is_unsourceable)


def broken(eapi: str, body: str, **eclasses: str) -> Case:
    text = f"EAPI={eapi}\nDESCRIPTION=d\nSLOT=0\n{body}\n"
    return Case(text, eclasses, is_unsourceable=True)


ACCUMULATED = (
    "IUSE", "REQUIRED_USE", "DEPEND", "RDEPEND", "PDEPEND", "BDEPEND", "IDEPEND", "PROPERTIES",
    "RESTRICT",
)  # fmt: skip
_SET_ALL = "".join(f'{name}="{name.lower()}/{{}}"\n' for name in ACCUMULATED)
_PHASES = (
    "pkg_pretend", "pkg_setup", "src_unpack", "src_prepare", "src_configure", "src_compile",
    "src_test", "src_install", "pkg_preinst", "pkg_postinst", "pkg_prerm", "pkg_postrm",
    "pkg_config", "pkg_info", "pkg_nofetch",
)  # fmt: skip
_VERSIONS = """
A=$(ver_cut 1) B=$(ver_cut 1-2) C=$(ver_cut 2-) D=$(ver_cut 0-1 r1.2_beta3a) E=$(ver_rs 1 -)
F=$(ver_rs 1-2 _ 3 '' 1.2.3.4) G=$(ver_cut 5) H=$(ver_rs 2- x 1a2b3)
ver_test -gt 1.2 && I=gt; ver_test 1.0 -eq 1 && J=eq || J=ne; ver_test 1_rc1 -lt 1 && K=lt
DESCRIPTION="$A|$B|$C|$D|$E|$F|$G|$H|$I|$J|$K|$(ver_cut 1-3 ${PVR})"
"""

CASES: dict[str, Case] = {}

for eapi in "012345678":
    CASES |= {
        f"plain-eapi{eapi}": ebuild(eapi, 'IUSE="a"\nDEPEND="a/b"\nKEYWORDS="~amd64"'),
        f"no-depend-eapi{eapi}": ebuild(eapi, 'RDEPEND=""\nDEPEND="a/b"'),
        f"all-keys-eapi{eapi}": ebuild(eapi, _SET_ALL.format(*["own"] * len(ACCUMULATED))),
        f"accumulated-eapi{eapi}": ebuild(
            eapi,
            "inherit §one §two\n" + _SET_ALL.format(*["own"] * len(ACCUMULATED)),
            one=_SET_ALL.format(*["one"] * len(ACCUMULATED)),
            two="inherit §three\n" + _SET_ALL.format(*["two"] * len(ACCUMULATED)),
            three=_SET_ALL.format(*["three"] * len(ACCUMULATED)),
        ),
        f"seen-by-eclass-eapi{eapi}": ebuild(
            eapi,
            _SET_ALL.format(*["own"] * len(ACCUMULATED))
            + 'inherit §one\nDESCRIPTION="${SEEN} ${DEPEND} ${RESTRICT}"',
            one='SEEN="${IUSE}+${DEPEND}+${PROPERTIES}+${BDEPEND}"\nDEPEND+=" one/one"\n',
        ),
        f"phases-eapi{eapi}": ebuild(eapi, "".join(f"{name}() {{ :; }}\n" for name in _PHASES)),
        f"exported-eapi{eapi}": ebuild(
            eapi,
            "inherit §one",
            one="".join(f"§one_{name}() {{ :; }}\n" for name in _PHASES)
            + f"EXPORT_FUNCTIONS {' '.join(_PHASES)}\n",
        ),
        f"rdepend-of-eclass-eapi{eapi}": ebuild(
            eapi, 'inherit §one\nDEPEND="a/b"', one='RDEPEND="r/e"\nDEPEND="d/e"\n'
        ),
        f"rdepend-unset-eapi{eapi}": ebuild(
            eapi, 'RDEPEND="x/y"\nDEPEND="a/b"\nunset RDEPEND\ninherit §one', one="IUSE=i\n"
        ),
        # the files around are not looked at, so what matches a wildcard is unknown
        f"failglob-eapi{eapi}": Case(
            f"EAPI={eapi}\nDESCRIPTION=d\nSLOT=0\nX=(no-such-*-file)\nDESCRIPTION=${{X[0]}}\n",
            unknown=frozenset({"DESCRIPTION"}),
        ),
        f"version-functions-eapi{eapi}": Case(
            f"EAPI={eapi}\nDESCRIPTION=d\nSLOT=0\n{_VERSIONS}", is_unsourceable=eapi < "7"
        ),
        f"has-eapi{eapi}": ebuild(
            eapi, "has b a b c && DESCRIPTION=yes\nhas d a b || DESCRIPTION+=no"
        ),
        f"hasv-eapi{eapi}": Case(
            f"EAPI={eapi}\nDESCRIPTION=d\nSLOT=0\nDESCRIPTION=$(hasv b a b)\nhasq x x\n",
            is_unsourceable=eapi == "8",
        ),
        f"patsub-eapi{eapi}": ebuild(eapi, "X=abc\nDESCRIPTION=${X/b/[&]}"),
        f"bash-compat-eapi{eapi}": ebuild(eapi, 'X=("a b" c)\nDESCRIPTION="${X[@]/#/-} ${X[*]@Q}"')
        if eapi >= "6"
        else ebuild(eapi, 'X=("a b" c)\nDESCRIPTION="${X[@]/#/-}"'),
    }

for key in ("use", "useq", "usev", "usex", "use_with", "use_enable", "in_iuse", "get_libdir"):
    CASES[f"{key}-in-global-scope"] = broken("7", f"{key} x && DESCRIPTION=x")
for key in ("has_version", "best_version", "insopts", "docompress", "addwrite", "diropts"):
    CASES[f"{key}-in-global-scope"] = broken("8", f"{key} x")

CASES |= {
    "quoted-eapi": Case('# c\n\n EAPI="7" # c\nDESCRIPTION=d\nSLOT=0\n'),
    "no-eapi": Case("DESCRIPTION=d\nSLOT=0\nDEPEND=a/b\n"),
    "late-eapi": Case("DESCRIPTION=d\nEAPI=7\nSLOT=0\nDEPEND=a/b\n", is_unsourceable=True),
    "eapi-twice": Case("EAPI=7\nDESCRIPTION=d\nSLOT=0\nEAPI=8\n", is_unsourceable=True),
    "unknown-eapi": Case("EAPI=99\nDESCRIPTION=d\nSLOT=0\n", is_unsourceable=True),
    "eapi-by-expansion": Case("X=7\nEAPI=${X}\nDESCRIPTION=d\nSLOT=0\n", is_unsourceable=True),
    "names": Case(
        'EAPI=8\nSLOT=0\nDESCRIPTION="${CATEGORY} ${PN} ${PV} ${PR} ${PVR} ${P} ${PF}"\n'
    ),
    "revision-zero": Case('EAPI=8\nSLOT=0\nDESCRIPTION="${PR} ${PVR} ${PF}"\n', version="1-r0"),
    "odd-version": Case(
        'EAPI=8\nSLOT="$(ver_cut 1)/${PV}"\nDESCRIPTION="${PV%_*} ${PV##*_} ${PV/_p/-}"\n',
        version="01.02b_alpha_p20200101-r012",
    ),
    "white-space": ebuild(
        "8", 'DEPEND="\n\ta/b   c/d\n\n\n  e/f\t"\nIUSE="  x \\\n y"\nHOMEPAGE=$\'a\\tb\\n c\''
    ),
    "line-ends-in-value": partly("*", "DESCRIPTION=$'a\\rb'", is_unsourceable=True),
    "line-ends-in-key": partly("*", "LICENSE=$'a\\rIUSE=b'"),
    "form-feed": partly("*", "DESCRIPTION=$'a\\fb'", is_unsourceable=True),
    "line-separator": partly("*", 'DESCRIPTION="a\u2028b"', is_unsourceable=True),
    "echo-options": ebuild("8", 'DESCRIPTION="-n -ne a"\nHOMEPAGE="-x -n"\nKEYWORDS="-* x"\nIUSE=-E'),
    "echo-escapes": partly("DESCRIPTION", 'DESCRIPTION="-e a\\\\tb"'),
    "backslashes": ebuild("8", "DESCRIPTION='a\\nb\\\\c'"),
    "ifs-in-the-end": partly("*", "inherit\nIFS=,\nDEPEND=a,b"),
    "ifs-unset": ebuild("8", "unset IFS\nDEPEND='a  b'"),
    "noglob-before-inherit": ebuild("8", "set -f\ninherit §one", one="[[ -o noglob ]] && LICENSE=f || LICENSE=n\n"),
    "inherited-names": ebuild(
        "8",
        "inherit §one §two\nhas §two ${INHERITED} && HOMEPAGE=yes",
        one="inherit §three\n", two='LICENSE="${INHERITED}"\n', three=":\n",
    ),
    "inherit-empty-name": ebuild("8", "inherit §one '' §none", one="LICENSE=x\n"),
    "no-break-space": ebuild("8", 'DESCRIPTION="a\u00a0b \u2003 c \u3000d"'),
    "hash-in-values": ebuild(
        "8", 'SRC_URI="https://h/a#b -> c" # no\nHOMEPAGE=h#x\nDESCRIPTION="a # b"\nLICENSE=a\\ #b'
    ),
    "equals-in-values": ebuild("8", 'HOMEPAGE="https://h/?a=b&c=d"\nSRC_URI="=x=y"'),
    "unicode": partly("HOMEPAGE", 'DESCRIPTION="für Größe, 日本"\nHOMEPAGE="${DESCRIPTION:4:6}"'),
    "unicode-lengths": partly("DESCRIPTION", "X=größe\nDESCRIPTION=\"${#X} ${X^^} ${X:2:1} ${X%?}\""),
    "not-utf-8": Case("", data=b'EAPI=8\nSLOT=0\nDESCRIPTION="caf\xe9 \xff"\n'),
    "escape-in-value": ebuild("8", "DESCRIPTION=$'a\\e[31mb\\x01c'"),
    "carriage-returns": Case(
        'EAPI=8\r\nDESCRIPTION="d"\r\nSLOT="0"\r\n', unknown=frozenset(KEYS)
    ),
    "no-newline-at-end": Case("EAPI=8\nDESCRIPTION=d\nSLOT=0\nIUSE=x"),
    "array-values": ebuild(
        "8",
        'SRC_URI=(a b c)\nIUSE=( one two )\nDEPEND=()\nKEYWORDS=([2]=x [5]=y)\nLICENSE=([0]=z)',
    ),
    "associative-value": ebuild("8", "declare -A LICENSE=([x]=1 [0]=zero)"),
    "array-and-text": ebuild("8", "SRC_URI=(a b)\nSRC_URI+=c\nLICENSE=x\nLICENSE+=(y)"),
    "appended": ebuild("8", 'IUSE="a"\nIUSE+=" b"\nDEPEND+="c/d"'),
    "unset-key": ebuild("8", 'HOMEPAGE=x\nunset HOMEPAGE LICENSE\nLICENSE+="y"'),
    "empty-key": ebuild("8", 'HOMEPAGE=""\nLICENSE=" "\nIUSE=$\'\\n\''),
    "integer": ebuild("8", "declare -i N=2+3\nN+=4\nLICENSE=$N\ndeclare -u U=up\nHOMEPAGE=$U"),
    "exported": ebuild("8", "export LICENSE=x\nexport HOMEPAGE\nHOMEPAGE=y"),
    "readonly-value": ebuild("8", "readonly LICENSE=x\nHOMEPAGE=y"),
    "assign-readonly": ebuild("8", "readonly X=1\nX=2\nLICENSE=$X"),
    "assign-readonly-in-function": ebuild("8", "f() { readonly Y=1; Y=2; LICENSE=no; }\nf\n:"),
    "set-package-name": ebuild("8", "PN=other\nHOMEPAGE=$PN"),
    "temporary-assignment": ebuild(
        "8", "f() { LICENSE=$X; }\nX=before\nX=during f\nHOMEPAGE=$X\nX=y :"
    ),
    "no-inherit": ebuild("8", "inherit"),
    "inherit-twice": ebuild("8", "inherit §one §one\ninherit §one", one='IUSE+=" x"\nN+=1\n'),
    "inherit-order": ebuild(
        "8",
        "inherit §two §one §three\nDESCRIPTION=$X",
        one="X+=1\n", two="inherit §three\nX+=2\n", three="X+=3\n",
    ),
    "inherit-in-branch": ebuild(
        "8",
        "if [[ ${PV} == 9999 ]]; then inherit §one; else inherit §two; fi",
        one="IUSE=live\n", two="IUSE=stable\n",
    ),
    "inherit-in-function": ebuild(
        "8", "f() { local X=in; inherit §one; }\nf\nHOMEPAGE=$X", one="X+=one\nIUSE=$X\n"
    ),
    "inherit-in-loop": ebuild(
        "8", "for e in one two; do inherit §$e; done", one="IUSE=one\n", two="IUSE=two\n"
    ),
    "guarded-recursion": ebuild(
        "8",
        "inherit §one",
        one='if [[ -z ${_ONE} ]]; then\n_ONE=1\ninherit §two\nIUSE="one"\nfi\n',
        two='if [[ -z ${_TWO} ]]; then\n_TWO=1\ninherit §one\nIUSE="two"\nfi\n',
    ),
    "guard-variable": ebuild(
        "8",
        "inherit §one §two §one",
        one="if [[ ! ${_ONE} ]]; then\n_ONE=1\nIUSE=once\nfi\nLICENSE+=again\n",
        two="inherit §one\n",
    ),
    "missing-eclass": broken("8", "inherit §none"),
    "missing-nested-eclass": broken("8", "inherit §one", one="inherit §none\n"),
    "eclass-dies": broken("8", "inherit §one", one="die no\n"),
    "eclass-dies-by-eapi": ebuild(
        "8", "inherit §one", one="case ${EAPI} in 7|8) ;; *) die \"${ECLASS}: ${EAPI}\" ;; esac\n"
    ),
    "eclass-refuses-eapi": broken(
        "5", "inherit §one", one="case ${EAPI} in 7|8) ;; *) die \"${ECLASS}: ${EAPI}\" ;; esac\n"
    ),
    "eclass-fails-at-end": broken("8", "inherit §one", one="IUSE=x\nfalse\n"),
    "eclass-ends-in-test": broken("8", "inherit §one", one="IUSE=x\n[[ -n ${NOPE} ]] && IUSE=y\n"),
    "eclass-returns": ebuild("8", "inherit §one\n:", one="IUSE=x\nreturn 0\nIUSE=y\n"),
    "eclass-returns-failure": broken("8", "inherit §one\n:", one="IUSE=x\nreturn 1\n"),
    "eclass-syntax-error": broken("8", "inherit §one\n:", one="IUSE=x\nif true; then\n"),
    "eclass-name-and-depth": ebuild(
        "8",
        "inherit §one\nDESCRIPTION+=\" ${ECLASS:-none} ${INHERITED}\"",
        one="DESCRIPTION=${ECLASS}-${ECLASS_DEPTH}\ninherit §two\nDESCRIPTION+=${ECLASS}\n",
        two="DESCRIPTION+=${ECLASS}-${ECLASS_DEPTH}\n",
    ),
    "eclass-local": ebuild(
        "8",
        "inherit §one §two\nHOMEPAGE=${L:-unset}",
        one="local L=one\nLICENSE=$L\n", two='LICENSE+=" ${L:-none}"\n',
    ),
    "eclass-declare": ebuild(
        "8",
        "inherit §one\nHOMEPAGE=\"${M[k]:-unset} ${G[k]}\"",
        one="declare -A M=([k]=v)\ndeclare -gA G=([k]=w)\nLICENSE=${M[k]}\n",
    ),
    "eclass-local-key": ebuild("8", "inherit §one", one="local IUSE=x LICENSE=y\n"),
    "eclass-declares-key": ebuild("8", "inherit §one", one="declare IUSE=x\ndeclare -g LICENSE=y\n"),
    "eclass-array-key": ebuild("8", "IUSE=own\ninherit §one", one="IUSE=( a b )\n"),
    "eclass-unsets-key": ebuild("8", "IUSE=own\nLICENSE=x\ninherit §one", one="unset IUSE LICENSE\n"),
    "eclass-exports-key": ebuild("8", "inherit §one", one="export DEPEND=a/b\nexport LICENSE=x\n"),
    "eclass-readonly-key": ebuild("8", "inherit §one", one="readonly LICENSE=x\n"),
    "eclass-positional": ebuild(
        "8", "set -- x y\ninherit §one §two\nHOMEPAGE=$*", one='LICENSE="$#"\n', two=":\n"
    ),
    "eclass-options": ebuild(
        "8",
        "inherit §one\nX=ab\nif [[ $X == +([a-z]) ]]; then LICENSE=on; fi\nshopt -q nullglob && IUSE=n",
        one="shopt -s extglob nullglob\n",
    ),
    "eclass-ifs": ebuild(
        "8", "inherit §one\nX=a,b\nset -- $X\nLICENSE=$#\nunset IFS", one="IFS=,\n"
    ),
    "eclass-function-names": ebuild(
        "8", "inherit §one", one='f() { LICENSE="${FUNCNAME[*]}"; }\nf\nHOMEPAGE=${FUNCNAME[0]}\n'
    ),
    "eclass-status": ebuild("8", "false\ninherit §one\nHOMEPAGE=$?", one="LICENSE=$?\n"),
    "eclass-reads-function": ebuild(
        "8",
        "f() { echo own; }\ninherit §one",
        one='if declare -f f >/dev/null; then LICENSE=$(f); else LICENSE=none; fi\n',
    ),
    "eclass-overrides-function": ebuild(
        "8", "f() { echo own; }\ninherit §one\nLICENSE=$(f)", one="f() { echo eclass; }\n"
    ),
    "eclass-names-by-prefix": ebuild("8", "AB=1 AC=2\ninherit §one", one='LICENSE="${!A[@]} ${!AB*}"\n'),
    "function-names": ebuild("8", 'f() { LICENSE="${FUNCNAME[*]}"; }\nf\nHOMEPAGE="${FUNCNAME[*]}"'),
    "indirect-number": partly("LICENSE", "V=0\nLICENSE=${!V}"),
    "lastpipe": partly("*", "shopt -s lastpipe\necho x | read LICENSE\n:"),
    "master-before-own": ebuild("8", "inherit only-in-master in-both"),
    "exports-in-order": ebuild(
        "8",
        "inherit §one §two",
        one="§one_src_compile() { :; }\n§one_src_test() { :; }\nEXPORT_FUNCTIONS src_compile src_test\n",
        two="EXPORT_FUNCTIONS src_compile pkg_setup\n§two_src_compile() { :; }\n§two_pkg_setup() { :; }\n",
    ),
    "export-of-nothing": broken("8", "inherit §one", one="EXPORT_FUNCTIONS src_compile\n"),
    "export-outside-eclass": broken("8", "EXPORT_FUNCTIONS src_compile"),
    "export-no-phase": ebuild(
        "8", "inherit §one", one="§one_other() { :; }\nEXPORT_FUNCTIONS other\n"
    ),
    "phase-unset": ebuild("8", "src_compile() { :; }\nunset -f src_compile\nsrc_test() { :; }"),
    "phase-in-function": ebuild("8", "f() { src_compile() { :; }; }\nf"),
    "phase-in-subshell": ebuild("8", "( src_compile() { :; } )\nX=$(src_test() { :; })"),
    "phase-by-eval": ebuild("8", 'eval "src_compile() { :; }"'),
    "die": broken("8", "die"),
    "die-in-function": broken("8", "f() { die no; }\nf"),
    "die-in-substitution": broken("8", "X=$(die no)"),
    "die-in-subshell": broken("8", "( die no )\n:"),
    "die-not-reached": ebuild("8", "[[ ${PV} == 9 ]] && die\nfalse || true || die"),
    "die-redefined": ebuild("8", "die() { LICENSE=dead; }\ndie no"),
    "nonfatal-die": ebuild("8", "nonfatal die -n no\n:"),
    "exit": broken("8", "exit 0"),
    "exit-in-subshell": ebuild("8", "( exit 3 )\nLICENSE=$?"),
    "last-command-fails": broken("8", "false"),
    "last-test-fails": broken("8", "[[ -n ${NOPE} ]] && LICENSE=x"),
    "last-is-case": ebuild("8", "case x in y) false ;; esac"),
    "last-is-function": ebuild("8", "false\nsrc_compile() { :; }"),
    "last-if-without-else": ebuild("8", "if false; then :; fi"),
    "return-in-ebuild": ebuild("8", "LICENSE=x\nreturn 0\nLICENSE=y"),
    "return-failure": broken("8", "return 3"),
    "external-command": broken("8", "LICENSE=$(date)"),
    "external-in-test": broken("8", "if ls; then :; fi"),
    "external-in-pipeline": broken("8", "LICENSE=$(echo x | tr x y)"),
    "external-guarded": broken("8", "uname >/dev/null 2>&1 || LICENSE=x"),
    "intercepted-command": ebuild("8", "LICENSE=$(sed s/x/y/ <<<x)\nX=$(grep x y)\n:"),
    "command-by-path": partly("LICENSE", "/bin/true\n/nonexistent/x 2>/dev/null\nLICENSE=$?"),
    "command-v": ebuild("8", "command -v sed >/dev/null || LICENSE=none\ntype -t has >/dev/null && IUSE=f"),
    "syntax-error": broken("8", "if true; then"),
    "syntax-error-late": broken("8", "LICENSE=x\n)"),
    "syntax-error-in-function": broken("8", "f() { if; }"),
    "bad-substitution": ebuild("8", "LICENSE=${X!}\nHOMEPAGE=x"),
    "unbound-with-message": broken("8", "LICENSE=${NOPE:?missing}\nHOMEPAGE=x"),
    "nounset": partly("*", "set -u\nLICENSE=${NOPE}\nHOMEPAGE=x", is_unsourceable=True),
    "division-by-zero": ebuild("8", "LICENSE=$((1/0))\nHOMEPAGE=x"),
    "errexit": partly("*", "set -e\nfalse\nLICENSE=x"),
    "arithmetic": ebuild("8", "((N = 2**10 % 7 + 0x1f))\nLICENSE=$N.$((N>3?1:2)).$((-7/2)).$((8#17))"),
    "bad-octal": ebuild("8", "LICENSE=$((08))\nHOMEPAGE=x\n:"),
    "c-style-for": ebuild("8", "for ((i=0; i<4; i++)); do LICENSE+=$i; done"),
    "while-until": ebuild("8", "i=0\nwhile ((i<3)); do ((++i)); done\nuntil [[ $i -ge 9 ]]; do i=$((i+2)); done\nLICENSE=$i"),
    "break-continue": ebuild("8", "for a in 1 2 3; do for b in x y; do [[ $a$b == 2x ]] && continue 2; [[ $a == 3 ]] && break 2; LICENSE+=$a$b; done; done"),
    "select-case-fallthrough": ebuild("8", "case abc in a*) LICENSE+=1 ;& x) LICENSE+=2 ;;& *c) LICENSE+=3 ;; *) LICENSE+=4 ;; esac"),
    "braces": ebuild("8", "X=( {a,b{1..3},c}-{x,y} {01..03} {e..a..2} {1..1} a{,} )\nLICENSE=\"${X[*]}\""),
    "brace-in-quotes": ebuild("8", "LICENSE=\"{a,b}\"\nHOMEPAGE={a,b}\nX=({a,'b c'}\"d\")\nIUSE=${X[1]}"),
    "tilde": ebuild("8", "X=~root\nX='~'\nLICENSE=$X"),
    "glob-no-match-quoted": partly("IUSE", "X='*.none'\nLICENSE=\"$X\"\n[[ -e $X ]] || IUSE=n"),
    "pathname-test": partly("LICENSE", "[[ -e /nonexistent-dir/x ]] && LICENSE=y || LICENSE=n", ),
    "noglob": ebuild("8", "set -f\nX=( *.none )\nset +f\nLICENSE=${X[0]}"),
    "nullglob": partly("LICENSE", "shopt -s nullglob\nX=( *.none )\nLICENSE=${#X[@]}"),
    "extglob": ebuild("8", "shopt -s extglob\nX=foobarfoo\nLICENSE=\"${X%%+(o)} ${X//@(foo|x)/-} ${X##!(*r)}\""),
    "extglob-in-test": ebuild("8", "X=ab\n[[ $X == @(ab|cd) ]] && LICENSE=y\n[[ $X == !(ab) ]] || IUSE=n"),
    "patterns": ebuild("8", "X=a.b.c\nLICENSE=\"${X%.*}|${X%%.*}|${X#*.}|${X##*.}|${X/./_}|${X//./_}|${X/#a/z}|${X/%c/z}|${X/b}\""),
    "pattern-classes": ebuild("8", "X='aB 3_'\nLICENSE=\"${X//[[:upper:]]/u}|${X//[!a-z]/.}|${X//[^[:alnum:]]}\""),
    "substrings": ebuild("8", "X=abcdef\nLICENSE=\"${X:2}|${X: -2}|${X:1:3}|${X:1:-1}|${X:9}|${X:0:0}\""),
    "defaults": ebuild("8", "E=\nLICENSE=\"${E:-a}|${E-b}|${N-c}|${N:+d}|${E+e}|${N:=f}|$N\""),
    "indirect": ebuild("8", "X=Y\nY=v\nLICENSE=\"${!X}|${!NOPE}\"\nA=(1 2)\nR='A[1]'\nHOMEPAGE=${!R}\n:"),
    "nameref": ebuild("8", "declare -n R=LICENSE\nR=x\nf() { local -n O=$1; O+=y; }\nf LICENSE"),
    "transformations": partly("LICENSE", "X=\"a'b c\"\nLICENSE=\"${X@Q} ${X@U} ${X@u} ${X@L} ${X@A}\"\nHOMEPAGE=${X@E}"),
    "array-operations": ebuild("8", "A=(a b c d)\nunset 'A[1]'\nA[9]=z\nLICENSE=\"${A[*]}|${!A[*]}|${#A[@]}|${A[@]:1:2}|${A[-1]}|${A[*]:0:1}\""),
    "array-patterns": ebuild("8", "A=(x.a y.b)\nLICENSE=\"${A[*]%.*} ${A[*]/#/p-} ${A[@]^^}\""),
    "associative-order": ebuild("8", "declare -A M=([one]=1 [two]=2 [three]=3 [four]=4 [five]=5)\nLICENSE=\"${!M[*]} ${M[*]}\""),
    "joined": ebuild("8", "A=(a b c)\nIFS=,\nLICENSE=\"${A[*]}\"\nHOMEPAGE=${A[*]}\nunset IFS\nX=\"${A[*]}\"\nIUSE=$X"),
    "splitting": ebuild("8", "X='a  b:c::d'\nIFS=:\nset -- $X\nLICENSE=$#\nIFS=' :'\nset -- $X\nHOMEPAGE=$#\nunset IFS"),
    "here-document": ebuild("8", "read -r -d '' X <<EOF\na ${PN}\n\tb \\$x\nEOF\nLICENSE=$X\n:"),
    "here-string": ebuild("8", "read -r A B <<<'x y z'\nLICENSE=\"$B-$A\""),
    "read-array": ebuild("8", "IFS=. read -r -a V <<<${PV}\nLICENSE=${V[1]}\nmapfile -t L <<<$'a\\nb'\nHOMEPAGE=${L[1]}"),
    "read-loop": ebuild("8", "while read -r a b; do LICENSE+=\"$b \"; done <<<$'1 x\\n2 y'"),
    "process-substitution": ebuild("8", "while read -r x; do LICENSE+=$x; done < <(printf '%s\\n' a b)\n:"),
    "printf": ebuild("8", "printf -v LICENSE '%s-%03d-%x' a 7 255\nprintf -v 'A[2]' %s x\nHOMEPAGE=$(printf '%s,' a b c)"),
    "substitution-status": ebuild("8", "X=$(false)\nLICENSE=$?\nlocal_x() { local Y=$(false); LICENSE+=$?; }\nlocal_x"),
    "substitution-newlines": ebuild("8", "X=$(printf 'a\\n\\nb\\n\\n')\nLICENSE=${#X}"),
    "backquotes": ebuild("8", "LICENSE=`echo \\`echo x\\``-`echo \"a b\"`"),
    "nested-functions": ebuild("8", "f() { local X=$1; g; echo $X; }\ng() { X+=g; }\nLICENSE=$(f a)${X}"),
    "dynamic-scope": ebuild("8", "f() { local V=f; g; }\ng() { LICENSE=$V; V=g; }\nV=top\nf\nHOMEPAGE=$V"),
    "recursion": ebuild("8", "f() { (($1 <= 1)) && echo 1 || echo $(($1 * $(f $(($1 - 1))))); }\nLICENSE=$(f 6)"),
    "unset-local": ebuild("8", "f() { local V=f; unset V; LICENSE=${V-unset}; }\nV=top\nf\nHOMEPAGE=$V"),
    "function-arguments": ebuild("8", "f() { shift; LICENSE=\"$# $1 ${@: -1} ${*:1:1}\"; }\nf a 'b c' d"),
    "set-positional": ebuild("8", "set -- a b c\nshift 2\nLICENSE=$1$#"),
    "getopts": partly("LICENSE", "f() { local o OPTIND=1; while getopts ab: o; do LICENSE+=\"$o$OPTARG \"; done; }\nf -a -b x"),
    "eval": ebuild("8", "X='LICENSE=\"a b\"'\neval \"$X\"\neval IUSE=\\$PN"),
    "alias": partly("*", "shopt -s expand_aliases\nalias x='LICENSE=aliased'\nx\n:", ),
    "test-command": ebuild("8", "[ \"$PN\" = x -o 1 -lt 2 ] && LICENSE=y\ntest -z '' -a -n x && HOMEPAGE=z"),
    "regular-expression": ebuild("8", "[[ ${PVR} =~ ^([0-9]+)\\.([0-9]+) ]] && LICENSE=\"${BASH_REMATCH[2]}/${BASH_REMATCH[0]}\""),
    "pipe-status": ebuild("8", "true | false | true\nLICENSE=\"${PIPESTATUS[*]}\""),
    "negation": ebuild("8", "! false\nLICENSE=$?\n! true && : || HOMEPAGE=x"),
    "pipeline-assigns-nothing": ebuild("8", "echo x | read LICENSE\nHOMEPAGE=${LICENSE:-none}"),
    "group-redirected": ebuild("8", "{ LICENSE=x; echo y; } >/dev/null"),
    "background": ebuild("8", "LICENSE=x &\nwait\nHOMEPAGE=${LICENSE:-none}"),
    "trap-on-exit": partly("*", "trap 'LICENSE=x' EXIT\nHOMEPAGE=y"),
    "declare-p": ebuild("8", "A=1\ndeclare -p A >/dev/null 2>&1 && LICENSE=y\ndeclare -p NOPE >/dev/null 2>&1 || HOMEPAGE=n\nX=$(declare -p A)\nIUSE=${X#*=}"),
    "is-set": ebuild("8", "E=\n[[ -v E ]] && LICENSE=e\n[[ -v NOPE ]] || HOMEPAGE=n\n[[ ${E+x} ]] && IUSE=x"),
    "comparison": ebuild("8", "[[ a < b && ! b < a ]] && LICENSE=y\n[[ 010 -eq 8 ]] && HOMEPAGE=o\n[[ x == [a-z] ]] && IUSE=r"),
    "comment-places": ebuild("8", "LICENSE=a#b # c\nHOMEPAGE=$(echo x # y)\n)\n: # '\"(\nIUSE=${#LICENSE}"),
    "quotes": ebuild("8", "LICENSE='a'\"b\"c\\ d$'\\x65'\nHOMEPAGE=\"a\\\"b\\$c\\d\""),
    "semicolons": ebuild("8", "LICENSE=a;HOMEPAGE=b;{ IUSE=c;};if :;then :;fi"),
    "src-uri-of-arrays": ebuild("8", "MIRRORS=(https://a https://b)\nF=${P/_/-}.tar.gz\nfor m in \"${MIRRORS[@]}\"; do SRC_URI+=\"${m}/${F} \"; done\nSRC_URI+=\"x? ( ${MIRRORS[0]}/x -> ${P}-x )\""),
    "versions-in-bash": ebuild(
        "5",
        "inherit §one\nLICENSE=$(parts 1.2_beta3-r4)\nHOMEPAGE=$(range 1-2)",
        one="""
parts() {
	local v=$1 out= c
	while [[ -n ${v} ]]; do
		case ${v} in
			[0-9]*) c=${v%%[!0-9]*} ;;
			[-._]*) c=${v:0:1} ;;
			*) c=${v%%[-._0-9]*} ;;
		esac
		out+="${out:+ }${c}"
		v=${v#"${c}"}
	done
	echo "${out}"
}
range() {
	local all=( ${PV//./ } ) first=${1%-*} last=${1#*-} i out=()
	for (( i = first; i <= last; i++ )); do out+=( "${all[i-1]}" ); done
	( IFS=.; echo "${out[*]}" )
}
""",
    ),
    "flags-by-loop": ebuild(
        "7",
        "inherit §one",
        one="""
_set() {
	local flags=() f
	for f in one two three; do
		flags+=( "targets_${f}" )
		DEPEND+=" targets_${f}? ( dev/${f}:= )"
	done
	IUSE=${flags[*]}
	REQUIRED_USE="|| ( ${flags[*]/#/} )"
	local optional=${flags[@]/%/?}
	optional=${optional// /,}
	RDEPEND="x/y[${optional}]"
}
_set
unset -f _set
""",
    ),
    "environment": ebuild("8", "[[ -n ${WORKDIR} ]] && LICENSE=x\nHOMEPAGE=h\n:"),
    "environment-in-key": Case(
        'EAPI=8\nDESCRIPTION=d\nSLOT=0\nS="${WORKDIR}/x"\nHOMEPAGE=x\n'
    ),
    "umask-and-ulimit": ebuild("8", "umask 022\nLICENSE=x\n:"),
    "let": ebuild("8", "let 'X=3*4' Y=X+1\nLICENSE=$Y"),
    "coprocess": ebuild("8", "LICENSE=x\n:"),
    "shopt-status": partly("IUSE", "shopt -q failglob && LICENSE=f\nshopt -q extglob || HOMEPAGE=e\n[[ $- == *h* ]] && IUSE=h\n:"),
    "options-on-a-stack": ebuild(
        "6",
        "inherit §one\nA=$(words 'x y')\nLICENSE=\"${A} ${#LIST[@]}\"\nIUSE=$(echo {a,b}) HOMEPAGE=$(shopt -q extglob; echo $?)",
        one="""
STACK=()
push() {
	if [[ $1 == -[su] ]]; then
		STACK+=( "$(shopt -p)" )
		shopt "$@" || die
	else
		STACK+=( $- )
		set "$@" || die
	fi
}
pop() {
	local s=${STACK[-1]}
	unset "STACK[-1]"
	if [[ ${s} == "shopt -"* ]]; then
		eval "${s}" || die "${s}"
	else
		set +$- || die "$-"
		set -${s} || die "${s}"
	fi
}
words() {
	push -f
	local w
	for w in $1 *; do echo "<${w}>"; done
	pop
}
push -s extglob
X=aab; DESCRIPTION=${X##+(a)}
pop
push -o noglob
LIST=( * )
pop
""",
    ),
    "unquoted-element": ebuild("5", 'A=(x y z)\nunset A[1]\nLICENSE="${A[*]} ${#A[@]}"'),
    "unquoted-element-without-files": partly("*", 'A=(x y z)\nunset A[1]\nLICENSE="${A[*]} ${#A[@]}"'),
    "hashing-and-braces": ebuild(
        "7", "S=$-\nset +hB\nA=$(echo {a,b})\nset -${S}\nLICENSE=\"${A} $(echo {c,d})\"\nset +B\nT=$-\nset +$T\nset -$S\nIUSE=$(echo {a,b})"
    ),
    "assign-in-arithmetic": ebuild("8", "A=(1 2 3)\n(( A[1] += 5, n = ${#A[@]} ))\nLICENSE=\"${A[*]} $n\""),
    "einfo": ebuild("8", "einfo x\newarn y 2>/dev/null\nelog z\neqawarn q\nLICENSE=x"),
    "debug-print": ebuild("8", "debug-print x\ndebug-print-function f a\nLICENSE=x"),
    "assert": broken("8", "false | true\nassert no"),
    "default-function": broken("8", "default"),
    "econf": broken("8", "econf"),
    "eapply": broken("8", "eapply x"),
    "unpack": broken("8", "unpack x"),
    "keepdir": broken("8", "keepdir /x"),
    "line-continuation": ebuild("8", "LICEN\\\nSE=a\\\nb\nHOMEPAGE='a\\\nb'\nIUSE=\"x\\\ny\""),
    "length-of-variable-for-builds": partly("LICENSE", "LICENSE=${#A[@]}"),
    "replaced-unset": ebuild("8", "LICENSE=\"x${V/#/p-}${B[@]/%/-s}\""),
    "case-change": ebuild("8", "X='foo Bar'\nLICENSE=\"${X^}|${X^^}|${X,,}|${X^^[fo]}|${X~~}\""),
}  # fmt: skip

"""Traces: the calls of a phase, in order, each with what must hold for it to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.trace import ScriptTracer, Trace
from overlaylint.tree import DirectoryTree

HEAD = 'EAPI=7\nDESCRIPTION="Traced"\nSLOT="0"\nIUSE="a b c"\n'


def ebuild(folder: Path, text: str, files: Mapping[str, str] | None = None) -> Ebuild:
    path = "app-misc/traced/traced-1.2.ebuild"
    root = overlay(folder, {path: HEAD + text, **(files or {})})
    found = Repository(DirectoryTree(root)).ebuild_at(path)
    assert found is not None
    return found


def shown(trace: Trace) -> list[str]:
    """Each call as one line: its words, and its guards after `if`."""
    return [
        " ".join(map(str, (call.name, *call.arguments)))
        + (" if " + " & ".join(map(str, call.guards)) if call.guards else "")
        for call in trace
        if not call.is_function
    ]


def install(folder: Path, body: str, rest: str = "") -> list[str]:
    return shown(ebuild(folder, f"src_install() {{\n{body}\n}}\n{rest}").trace("src_install"))


CASES = {
    "words are expanded, and paths stay symbols": (
        'doins "${FILESDIR}"/${PN}.conf; dodir /usr/{bin,lib}',
        ["doins ${FILESDIR}/traced.conf", "dodir /usr/bin /usr/lib"],
    ),
    "both ways of a condition": (
        "if use a; then dobin a; else dobin other; fi; dobin last",
        ["dobin a if use a", "dobin other if not (use a)", "dobin last"],
    ),
    "text that is evaluated, with unknown words in it": (
        'local o; eval o=\\""${CFLAGS}"\\"; dobin "${o}"; eval dobin x ${MAKEOPTS}; dobin y',
        ["dobin ${CFLAGS}", "dobin x ${MAKEOPTS}", "dobin y"],
    ),
    "a command that is evaluated, and nobody knows which": (
        "f() { :; }; eval ${MAKEOPTS} x; f; dobin y",
        ["f", "dobin y"],
    ),
    "text that is sourced": (
        """source /dev/stdin <<< "dobin ${PN} ${CFLAGS}"; . <(echo "dobin b; return; dobin no")
        . "${S}"/other.sh; dobin last""",
        [
            "source /dev/stdin",
            "dobin traced ${CFLAGS}",
            "echo dobin b; return; dobin no",
            ". ${<(115)}",
            "dobin b",
            ". ${WORKDIR}/traced-1.2/other.sh",
            "dobin last",
        ],
    ),
    "commands of a trap": (
        "trap 'dobin a' EXIT; trap 'dobin b' INT; trap - TERM; dobin c",
        [
            "trap dobin a EXIT",
            "dobin a",
            "trap dobin b INT",
            "dobin b if trap dobin b INT",
            "trap - TERM",
            "dobin c",
        ],
    ),
    "what mapfile runs for its lines": (
        """f() { dobin "$2"; }; mapfile -t -c 1 -C f x <<< $'a\\nb'
        mapfile -t -C f x < file; dobin c""",
        ["dobin a", "dobin b", ":", "dobin ${?} if mapfile -t -C f x", "dobin c"],
    ),
    "filters of text that is known": (
        """local p=patch; eval $(alias patch 2>/dev/null | sed 's:^alias ::'); ${p} -p1
        x=$(tr - _ <<< "${PN}-${PV}" | cut -d_ -f2); dobin $(basename /a/b-${x}.c .c)
        if grep -q ^1 <<< "${PV}"; then dobin one; else dobin other; fi""",
        [
            "alias patch",
            "sed s:^alias ::",
            "patch -p1",
            "tr - _",
            "cut -d_ -f2",
            "basename /a/b-1.2.c .c",
            "dobin b-1.2",
            "grep -q ^1",
            "dobin one",
        ],
    ),
    "filters of what is not known": (
        """dobin $(sed s/a/b/ file); dobin $(cat <<< ${MAKEOPTS}); dobin $(sort <<< 'b
a'); dobin $(tr c t <<< caf\u00e9); dobin $(cat)""",
        [
            "sed s/a/b/ file",
            "dobin ${?}",
            "cat",
            "dobin ${MAKEOPTS}",
            "sort",
            "dobin ${?}",
            "tr c t",
            "dobin ${?}",
            "cat",
            "dobin ${?}",
        ],
    ),
    "a filter reads what is left of the input": (
        "while read -r x; do dobin ${x} $(cat); done <<< $'a\\nb\\nc'",
        ["cat", "dobin a b c"],
    ),
    "paths that are partly known, and patterns": (
        """f() { while [[ $# -gt 0 ]]; do case $1 in -*) ;; *) break ;; esac; shift; done; dobin $#
        }
        f "${FILESDIR}"/a; case ${CFLAGS}.tar.gz in *.zip) dobin z ;; *.t*) dobin t ;; esac
        case ${S} in -*) dobin s ;; esac; case ${CFLAGS} in -*) dobin c ;; esac""",
        ["dobin 1", "dobin t", "dobin c if case ${CFLAGS} == -*"],
    ),
    "quotes around what is unknown in evaluated text": (
        "x=1; eval \"x='${MAKEOPTS}'\"; dobin ${x}",
        ["dobin ${MAKEOPTS}"],
    ),
    "text that is evaluated within such text": (
        r"""local a b v="${CFLAGS} ${LDFLAGS}"
        eval "eval \"a='\$v'\"; b=\${!_*}; dobin ${MAKEOPTS}"; dobin "${a}" "${b}" """,
        ["dobin ${MAKEOPTS}", "dobin ${CFLAGS} ${LDFLAGS} "],
    ),
    "a function that is defined by text with unknown words in it": (
        'eval "f() { echo ${D}; }"; dobin "$(f)"; eval "g() { dobin ${MAKEOPTS}; }"; dobin x',
        ["echo ${D}", "dobin ${D}", "dobin x"],
    ),
    "a here-document in text with unknown words in it": (
        r"""eval "bash <<'E'
dobin ${D}/x '${D}/y' \"${D}/z\"
E
" """,
        ["bash", "dobin ${D}/x ${D}/y ${D}/z"],
    ),
    "what can't stand for unknown words": (
        r"""x=1; eval "x=\\${D}"; dobin "${x}"; x=1; eval "x=\$${D}"; dobin "${x}"
        x=1; eval "x=\${${D}}"; dobin "${x}"; x=1; eval "cat <<${D}"; dobin "${x}" """,
        ["dobin ${?}"] * 4,
    ),
    "a local variable whose name is partly unknown": (
        'f() { :; }; local A_x=1 B_x=2; local A_"${ABI}"=3; f; dobin "${A_x}" "${A_y}" "${B_x}"',
        ["dobin ${?} ${?} 2"],
    ),
    "an exported variable whose name is partly unknown": (
        """f() { local A_x=0; export A_${ABI}="${CHOST}"; dobin "${A_x}" "${A_y}" "${B_x}"; A_z=4; }
        A_x=1 A_z=2 B_x=3; g() { :; }; f; g; dobin "${A_x}" "${A_y}" "${A_z}" "${C}" ${!A_@}""",
        ["dobin ${?} ${?} 3", "dobin ${?} ${?} 4  ${?}"],
    ),
    "it is exported in one round of a loop or more": (
        """B=2; for x in ${MAKEOPTS}; do export A_${ABI}=1; done; dobin "${A_x}" "${B}" """,
        ["dobin ${?} 2"],
    ),
    "characters are replaced in what is known of a text": (
        """x="a-b-${CHOST}-c"; dobin "${x//-/_}" "${x//-}" "${x//b-/_}" "${x//[-]/_}"
        y=${CHOST//-/_}
        [[ ${y} == "${CHOST}" ]] && dobin same""",
        [
            "dobin a_b_${?}_c ab${?}c ${?} ${?}",
            "dobin same if [[ ${?} == ${CHOST}",
        ],
    ),
    "what declare -p writes of a value is not the value": (
        """x=a; use a && x='b$'; dobin "$(declare -p x)" "$(y=${D}; declare -p y)" """,
        ["dobin declare -- x=${?} declare -- y=${?}"],
    ),
    "a status that is not 0 is no number": (
        """tool || dobin a$?; if use x; then (return 3); else (return 4); fi; dobin b$?
        f() { other || return; }; f || dobin c$?; use x && (exit 3) || dobin d$? ${PIPESTATUS}
        (exit 5) || dobin e$?""",
        [
            "tool",
            "dobin a${?} if not (tool)",
            "dobin b${?}",
            "other",
            "dobin c${?} if not (the way that is taken: it depends on `not (other)`)",
            "exit 3 if use x",
            "dobin d${?} ${?}",
            "exit 5",
            "dobin e5",
        ],
    ),
    "options that a function may put back": (
        """t() { [[ -o noglob ]] && dobin $1; }
        f() { if use x; then local -; shopt -s nullglob; fi; t 1; }; f; t 2
        g() { use x && { local -; set -f; }; t 3; }; g; t 4; set +f
        h() { use x && local -; set -f; t 5; }; h; t 6; set +f; t 7
        i() { local -; dobin "$-"; set -f; t 8; }; i; t 9""",
        [
            "dobin 3 if test -o noglob",
            "dobin 4 if test -o noglob",
            "dobin 5",
            "dobin 6 if test -o noglob",
            "dobin ${?}",
            "dobin 8",
        ],
    ),
    "a filter that is given files leaves the input alone": (
        """while read -r l; do sed -i s/a/b/ file; sort -o y z; grep x f; dobin ${l}
        done <<< $'a\\nb'
        while read -r l; do sed -n 2p; dobin "${l}"; done <<< $'c\\nd'""",
        [
            "sed -i s/a/b/ file",
            "sort -o y z",
            "grep x f",
            "dobin a",
            "sed -i s/a/b/ file",
            "sort -o y z",
            "grep x f",
            "dobin b",
            "sed -n 2p",
            "dobin c",
            "sed -n 2p if read -r l",
            "dobin ${?} if read -r l",
        ],
    ),
    "a variable that is new while a local one may have its name": (
        """g() { local A_${ABI}=3; A_y=4; }; g; dobin "${A_y-u}" "${A_z-u}" """,
        ["dobin ${?} u"],
    ),
    "a name that a status is part of": (
        """x0=1; tool; eval "x$?=5"; dobin "${x0}" """,
        ["tool", "dobin ${?}"],
    ),
    "a program in the shell's place writes what nobody knows": (
        'dobin "$(exec tool)"',
        ["exec tool", "dobin ${?}"],
    ),
    "a name that is one of two, or nothing": (
        """local c=; use a && c=nice; x=0; f() { x=1; }; ${c} f; dobin ${x}; X=1 ${CHOST}-gcc <<< in
        if false; then ${CHOST}-never; fi""",
        ["nice f if use a", "dobin ${?}", "${CHOST}-gcc"],
    ),
    "a word that is one of two, beside others": (
        """local c=one d=; use a && c=two d=x; dobin "$(echo a $c)" "$(echo a $d)"; set -- a $c
        dobin $# "$2"; set -- a $d; dobin $# """,
        [
            "echo a ${?}",
            "echo a ${?}",
            "dobin a ${?} a${?}",
            "dobin 2 ${?}",
            "dobin ${?}",
        ],
    ),
    "a list that an array is made of, or what it is without one": (
        """local l=(a b); f() { local -a l=("${l[@]}" c); dobin "${l[@]}"; }; f
        g() { dobin $#; }; g "${MAKEOPTS:-${l[@]}}" """,
        ["dobin a b c", "dobin ${?}"],
    ),
    "a value with any number of words may export others": (
        """B=2; g() { :; }; export A_${ABI}=${MAKEOPTS}; g; dobin "${B}" """,
        ["g", "dobin ${?}"],
    ),
    "printf assigns to a variable whose name is partly unknown": (
        """B=2 A_x=1; printf -v A_${ABI} %s 3; dobin "${A_x}" "${A_y}" "${B}" """,
        ["printf -v A_${ABI} %s 3", "dobin ${?} ${?} 2"],
    ),
    "a local variable whose name is partly unknown, when its function was left": (
        """f() { local A_"${ABI}"=3; dobin "${A_x}" "${A_y}" "${A_z}"; A_z=4; }
        A_x=1 A_z=2; f; dobin "${A_x}" "${A_y}" "${A_z}" """,
        ["dobin ${?} ${?} ${?}", "dobin 1  ${?}"],
    ),
    "parameters that are set to unknown words": (
        'f() { :; }; x=1; set ${MAKEOPTS}; f; dobin "${x}"',
        ["dobin 1"],
    ),
    "a short form": (
        "use a && dobin a; use b || dobin b",
        ["dobin a if use a", "dobin b if not (use b)"],
    ),
    "what is nested has all the guards": (
        "if use a; then if use b; then dobin ab; fi; dobin a; fi",
        ["dobin ab if use a & use b", "dobin a if use a"],
    ),
    "negation and conjunction": (
        "if use a && ! use b; then dobin x; fi",
        ["dobin x if use a & not (use b)"],
    ),
    "after an early return the rest has its opposite": (
        "use a && return; dobin rest",
        ["dobin rest if not (use a)"],
    ),
    "a nested early return": (
        "if use a; then use b && return; dobin a; fi; dobin rest",
        ["dobin a if use a & not (use b)", "dobin rest if not (use a and use b)"],
    ),
    "a return ends at its function": (
        "f; dobin after\n}\nf() {\n use a && return; dobin f",
        ["dobin f if not (use a)", "dobin after"],
    ),
    "a failing command that dies leaves no guard": (
        "emake install || die; dobin after",
        ["emake install", "die if not (emake install)", "dobin after"],
    ),
    "loops over known lists are unrolled": (
        "for x in a b; do dobin ${x}; done",
        ["dobin a", "dobin b"],
    ),
    "a loop over files keeps the pattern": (
        'for x in "${S}"/bin/*; do dobin "${x}"; done',
        ["dobin ${WORKDIR}/traced-1.2/bin/* if for x in ${WORKDIR}/traced-1.2/bin/*"],
    ),
    "a continue under a condition": (
        "for x in a b; do [[ ${x} == a ]] && use c && continue; dobin ${x}; done",
        ["dobin a if not (use c)", "dobin b"],
    ),
    "a break under a condition": (
        "for x in a b; do use c && break; dobin ${x}; done; dobin after",
        ["dobin a if not (use c)", "dobin b if not (use c)", "dobin after"],
    ),
    "an array's elements": (
        'local l=( one "two three" ); doins "${l[@]}"',
        ["doins one two three"],
    ),
    "an argument that depends on a flag": (
        "local x=off; use a && x=on; econf --x=${x}",
        ["econf --x=${?}"],
    ),
    "a value that both ways agree on": (
        "local x; if use a; then x=1; else x=1; fi; econf --x=${x}",
        ["econf --x=1"],
    ),
    "usex and use_enable on a flag that is open": (
        "econf $(use_enable a) --b=$(usex b 1 0)",
        ["econf ${?} --b=${?}"],
    ),
    "helpers with the same outcome either way": (
        "econf --b=$(usex b 1 1)",
        ["econf --b=1"],
    ),
    "what can't be reached is left out": (
        "if false; then dobin never; fi; true || dobin nor; return 0; dobin this",
        [],
    ),
    "a case on something unknown": (
        "case ${ARCH} in amd64) dobin x;; *) dobin y;; esac",
        [
            "dobin x if case ${ARCH} == amd64",
            "dobin y if not (case ${ARCH} == amd64)",
        ],
    ),
    "a pipeline": (
        "echo x | tee y",
        ["echo x", "tee y"],
    ),
    "a command whose name is one of two": (
        "local c=dobin; use a && c=dosbin; ${c} x",
        ["dosbin x if use a", "dobin x if not (use a)"],
    ),
    "functions with arguments": (
        'put /etc conf\n}\nput() {\n insinto "$1"; shift; doins "$@"',
        ["insinto /etc", "doins conf"],
    ),
    "a subshell keeps what it changes to itself": (
        "( x=1; cd /; dobin in ); dobin out${x}",
        ["cd /", "dobin in", "dobin out"],
    ),
    "a function that calls itself an unknown number of times": (
        'f() { dobin "$1"; [[ -d "$1" ]] && f sub; }; f top; dobin after',
        [
            "dobin top",
            "dobin sub if test -d top",
            "dobin after",
        ],
    ),
    "a builtin that can't fail never dies": (
        'echo hello > "${ED}"/etc/greeting || die',
        ["echo hello"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_calls(tmp_path: Path, name: str) -> None:
    body, expected = CASES[name]
    assert install(tmp_path, body) == expected


def test_a_recursion_is_not_followed_for_ever(tmp_path: Path) -> None:
    trace = ebuild(
        tmp_path, 'src_install() { f 1; dobin "${X}"; }\nf() { X=$1; use a && f "$1$1"; }\n'
    ).trace("src_install")
    assert trace.unknown is None
    # what it assigns is unknown afterwards
    assert shown(trace) == ["dobin ${?}"]


def test_flags_can_be_assumed(tmp_path: Path) -> None:
    found = ebuild(tmp_path, "src_install() { local x=off; use a && x=on; econf --x=${x}; }\n")
    assert shown(found.trace("src_install", use={"a": True})) == ["econf --x=on"]
    assert shown(found.trace("src_install", use={"a": False})) == ["econf --x=off"]


def test_a_trace_under_flags_leaves_out_what_they_exclude(tmp_path: Path) -> None:
    trace = ebuild(
        tmp_path, "src_install() { use a && dobin a; use b && dobin b; dobin c; }\n"
    ).trace("src_install")
    assert shown(trace.under({"a": False})) == ["dobin b if use b", "dobin c"]


def test_phases_run_one_after_another(tmp_path: Path) -> None:
    found = ebuild(
        tmp_path, 'pkg_setup() { MINE=set; }\nsrc_install() { dobin "${MINE}" ${EBUILD_PHASE}; }\n'
    )
    assert shown(found.trace("src_install")) == ["dobin set install"]


def test_eclass_functions_are_followed_with_their_stack(tmp_path: Path) -> None:
    eclass = (
        "foo_src_install() { foo_put x; }\nfoo_put() { doins $1; }\nEXPORT_FUNCTIONS src_install\n"
    )
    trace = ebuild(tmp_path, "inherit foo\n", {"eclass/foo.eclass": eclass}).trace("src_install")
    call = next(trace.named("doins"))
    assert call.stack == ("src_install", "foo_src_install", "foo_put")
    assert trace.span(call).path == "eclass/foo.eclass"


WRITING = {
    "of its own": ("echo a > f; printf '%s-' 1 2 >> g", {"f": "a\n", "g": "1-2-"}),
    "around it": ("{ echo a; x=$(echo b); printf %s ${x} | cat; } > f", {"f": "a\nb"}),
    "around a function": (
        "w() { echo $1; echo no >&2; }; w a > f; w b > g",
        {"f": "a\n", "g": "b\n"},
    ),
    "an inner one counts": ("{ echo a > f; echo b; } > g", {"f": "a\n", "g": "b\n"}),
    "the last of a pipeline": ("echo a b | sed s/a/c/ | tee h > f", {"f": "c b\n"}),
    "by descriptors": ("{ echo a >&3; echo b; } 3> f > g", {"f": "a\n", "g": "b\n"}),
    "standard error": ("{ echo a >&2; echo b; } 2> f", {"f": "a\n"}),
    "both": ("echo a &> f; echo b >& g", {"f": "a\n", "g": "b\n"}),
    "nowhere, or on": ("{ echo a > /dev/null; echo b > /dev/stdout; } > f", {"f": "b\n"}),
    "of what is not noted": ("{ ver_cut 1; } > f", {"f": "1\n"}),
    "escapes": ("echo 'a\\nb' > f; echo -e 'a\\nb' > g", {"f": "a\\nb\n", "g": "a\nb\n"}),
    "in part": (
        'echo "a ${CHOST} b" > f; cat > g <<< "${CHOST}"',
        {"f": "a ${?} b\n", "g": "${?}\n"},
    ),
}


@pytest.mark.parametrize("name", WRITING)
def test_what_calls_write_and_where_that_goes(tmp_path: Path, name: str) -> None:
    body, expected = WRITING[name]
    trace = ebuild(tmp_path, f"src_install() {{\n{body}\n}}\n").trace("src_install")
    found: dict[str, str] = {}
    for call in trace:
        if call.outlet is not None and call.output is not None:
            target = str(call.outlet.target)
            found[target] = found.get(target, "") + str(call.output).replace("${CHOST}", "${?}")
    assert found == expected


def test_a_phase_that_is_not_defined_does_what_the_eapi_says(tmp_path: Path) -> None:
    found = ebuild(tmp_path, 'PATCHES=( "${FILESDIR}"/a.patch )\n')
    assert shown(found.trace("src_prepare")) == ["eapply ${FILESDIR}/a.patch", "eapply_user"]
    assert not found.trace("src_prepare").is_defined
    assert shown(found.trace("src_install")) == ["emake DESTDIR=${D} install", "einstalldocs"]


def test_dead_calls_are_marked(tmp_path: Path) -> None:
    trace = ebuild(tmp_path, "src_install() { if false; then dobin x; fi; dobin y; }\n").trace(
        "src_install"
    )
    assert shown(trace) == ["dobin y"]
    assert [str(call.arguments[0]) for call in trace.dead] == ["x"]


def test_redirections_and_input(tmp_path: Path) -> None:
    trace = ebuild(
        tmp_path, 'src_install() {\ncat > "${ED}"/etc/x <<-EOF\n\tline ${PV}\n\tEOF\n}\n'
    ).trace("src_install")
    (call,) = trace.calls
    assert [(item.operator, str(item.target)) for item in call.redirections] == [
        (">", "${ED}/etc/x"),
        ("<<-", "line 1.2\n"),
    ]
    assert call.input == "line 1.2\n"


def test_a_hook_is_traced_without_an_ebuild(tmp_path: Path) -> None:
    root = overlay(
        tmp_path,
        {
            "coreos/config/env/app-misc/x": (
                "cros_post_src_install_units() {\n  use a && systemctl enable ${PN}.service\n}\n"
            )
        },
    )
    tracer = ScriptTracer(Repository(DirectoryTree(root)), "coreos/config/env/app-misc/x")
    (call,) = tracer.function("cros_post_src_install_units")
    assert [str(word) for word in call.arguments] == ["enable", "${PN}.service"]
    assert [str(guard) for guard in call.guards] == ["use a"]
    assert tracer.span(call).path == "coreos/config/env/app-misc/x"


FAILING = {
    "cp a b": ["cp UNASKED"],
    "cp a b || true": ["cp GOES_ON"],
    "cp a b || die": ["cp ENDS", "die UNASKED"],
    "cp a b && : || die": ["cp ENDS", "die UNASKED"],
    "cp a b || { ewarn no; return 1; }": ["cp ENDS", "ewarn UNASKED"],
    "cp a b || return": ["cp ENDS"],
    "cp a b || return 0": ["cp GOES_ON"],
    "cp a b || mv c b || die": ["cp GOES_ON", "mv ENDS", "die UNASKED"],
    "cp a b && mv c b": ["cp UNASKED", "mv UNASKED"],
    "{ cp a b || true; } || die": ["cp GOES_ON"],
    "! cp a b": ["cp IGNORED"],
    "if ! cp a b; then die; fi": ["cp ENDS", "die UNASKED"],
    "if cp a b; then mv c d; fi": ["cp GOES_ON", "mv UNASKED"],
    "if cp a b; then :; elif mv a b; then :; else die; fi": [
        "cp GOES_ON",
        "mv ENDS",
        "die UNASKED",
    ],
    "while cp a b; do sleep 1; done": ["cp GOES_ON", "sleep UNASKED", "cp GOES_ON"],
    "f || true\n}\nf() { cp a b; mv c d": ["cp GOES_ON", "mv GOES_ON"],
    "f || true\n}\nf() { cp a b || die": ["cp ENDS", "die UNASKED"],
    "nonfatal doins a": ["nonfatal UNASKED", "doins IGNORED"],
    "nonfatal doins a || die": ["nonfatal ENDS", "doins ENDS", "die UNASKED"],
}


@pytest.mark.parametrize("body", FAILING)
def test_what_comes_of_a_failure(tmp_path: Path, body: str) -> None:
    trace = ebuild(tmp_path, f"src_install() {{\n{body}\n}}\n").trace("src_install")
    found = [f"{call.name} {call.failing.name}" for call in trace if not call.is_function]
    assert found == FAILING[body]


def test_files_of_what_is_no_call(tmp_path: Path) -> None:
    body = """
    while read -r x; do dobin "${x}"; done < list
    { echo a; } > "${ED}"/etc/b 2>/dev/null
    : > "${ED}"/etc/c
    > "${ED}"/etc/d
    x=$(< e)
    [[ ${x} ]] && true >&2 < <(cat f)
    """
    trace = ebuild(tmp_path, f"src_install() {{\n{body}\n}}\n").trace("src_install")
    files = [
        f"{one.operator}{one.target}" for call in trace.named(":") for one in call.redirections
    ]
    assert files == ["<list", ">${ED}/etc/b", ">${ED}/etc/c", ">${ED}/etc/d", "<e"]


def test_the_pipeline_of_a_call(tmp_path: Path) -> None:
    body = """first() { one; "$(sub)"; two | three; }; { first; four; } | five > >(six) |& seven
    eight
    shopt -s lastpipe; nine | ten; eleven"""
    traced = ebuild(tmp_path, f"src_install() {{\n{body}\n}}\n").trace("src_install")
    found = {str(call.name): call.pipe for call in traced}
    places = {name: pipe and (pipe.index, pipe.count) for name, pipe in found.items()}
    assert places == {
        "first": (0, 3), "one": (0, 3), "sub": None, "${?}": (0, 3), "two": (0, 2),
        "three": (1, 2), "four": (0, 3), "five": (1, 3), "six": None, "seven": (2, 3),
        "eight": None, "nine": (0, 2), "ten": (1, 2), "eleven": None,
    }  # fmt: skip
    four, seven = found["four"], found["seven"]
    assert four is not None
    assert seven is not None
    assert (four.start, four.end) == (seven.start, seven.end)
    text = four.source.text[four.start : four.end]
    assert text == "{ first; four; } | five > >(six) |& seven"

"""What an ebuild's code may run by its syntax alone: all that evaluation finds, and little else."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import overlay

from overlaylint.overlay.command_lines import base_name
from overlaylint.overlay.ebuild import PACKAGE_MANAGER, Ebuild
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.own_code import own_traces
from overlaylint.overlay.steps import steps
from overlaylint.overlay.written_commands import WrittenCode, hook_code, written_code

PATH = "app-misc/hello/hello-1.ebuild"
HOOK = "coreos/config/env/app-misc/hello"


def ebuild(folder: Path, body: str, files: dict[str, str] | None = None) -> Ebuild:
    text = f'EAPI=7\nSLOT="0"\n{body}\n'
    found = find_repositories(overlay(folder, {PATH: text, **(files or {})})).overlay
    one = found.ebuild_at(PATH)
    assert one is not None
    return one


def is_start(name: str) -> bool:
    return name == "src_install" or name.startswith("cros_")


def code_of(one: Ebuild) -> WrittenCode | None:
    return written_code(one, one.repository, is_start)


def programs(code: WrittenCode) -> set[str]:
    return {program for command in code.commands for program in command.programs}


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        ("ln -s a b", {"ln"}),
        ("/bin/ln -s a b # rm c", {"ln"}),
        ('"${ROOT}/usr/bin/ln" -s a b', {"ln"}),
        ('l"n" -s a b', {"ln"}),
        ("( ! ln -s a b ) && { time rm c | tac & }", {"ln", "rm", "tac"}),
        ("x=$(ln -s a b) y=( `rm c` ) z=$((1 + $(tac)))", {"ln", "rm", "tac"}),
        ('echo "${x:-"$(ln)"}" <(rm) > >(tac)', {"echo", "ln", "rm", "tac"}),
        ("cat <<EOF\n$(ln)\nEOF", {"cat", "ln"}),
        ("cat <<'EOF'\n$(ln)\nEOF", {"cat"}),
        ("for i in $(ln); do [[ $(rm) ]] || case $(tac) in *) cat;; esac; done", {
            "ln", "rm", "tac", "cat",
        }),
        ("env A=b nonfatal ln", {"env", "A=b", "nonfatal", "ln"}),
        ("helper", {"helper", "ln"}),
        ("nonfatal helper", {"nonfatal", "helper", "ln"}),
        ("inner() { ln; }", {"ln"}),
        (": unused; elog 'ln'", {":", "elog"}),
        ('"${tool}" a', None),
        ('"${tool}"n a', None),
        ("l{n,s} a", None),
        ('"${A[@]}/ln" a', None),
        ('"${A:-"$@"}/ln" a', None),
        ("${A}/ln a", None),
        ('"${A}/ln" a', {"ln"}),
        ("./l* a", None),
        ("echo $(${tool})", None),
        ('env "$@"', None),
        ("env -S 'ln a'", None),
        ("eval 'ln a'", None),
        ("nonfatal sh -c 'ln a'", None),
    ],
)  # fmt: skip
def test_the_programs_that_commands_may_run(
    tmp_path: Path, commands: str, found: set[str] | None
) -> None:
    body = f"helper() {{ ln; }}\nunused() {{ rm; }}\nsrc_install() {{\n{commands}\n}}"
    code = code_of(ebuild(tmp_path, body))
    assert (None if code is None else programs(code)) == found


@pytest.mark.parametrize(
    ("words", "literals", "ends"),
    [
        ("a 'b c' d\\ e", ("a", "b c", "d e"), ("a", "b c", "d e")),
        ('"${D}"/b "$c" $d.e', (None, None, None), ("/b", "", "")),
        ('{a,b}c *.d "${e}"{f,g}', (None, None, None), ("", "", "")),
    ],
)
def test_what_of_the_arguments_is_written_out(
    tmp_path: Path, words: str, literals: tuple[str | None, ...], ends: tuple[str, ...]
) -> None:
    code = code_of(ebuild(tmp_path, f"src_install() {{ ln {words}; }}"))
    assert code is not None
    assert [(one.words, one.ends) for one in code.commands] == [(literals, ends)]


@pytest.mark.parametrize(
    ("commands", "is_fed"),
    [
        ("cat a", False),
        ("cat < a > b", True),
        ("cat < /dev/null > /dev/null 2>&1 >&-", False),
        ("cat <<EOF\nEOF", True),
        ("cat <<< a", True),
        ("echo a | cat", True),
        ("{ cat; } <<EOF\nEOF", True),
        ("helper", True),
    ],
)
def test_whether_something_is_given_a_text(tmp_path: Path, commands: str, is_fed: bool) -> None:
    body = f"helper() {{ cat <<< a; }}\nsrc_install() {{\n{commands}\n}}"
    code = code_of(ebuild(tmp_path, body))
    assert code is not None
    assert code.is_fed is is_fed


def test_functions_that_another_phase_defines(tmp_path: Path) -> None:
    body = "src_prepare() { x=(); inner() { ln; }; }\nsrc_install() { inner; }"
    code = code_of(ebuild(tmp_path, body))
    assert code is not None
    assert "ln" in programs(code)
    body = 'src_prepare() { eval "inner() { ln; }"; }\nsrc_install() { inner; }'
    assert code_of(ebuild(tmp_path, body)) is None


def test_hooks_and_eclasses_count(tmp_path: Path) -> None:
    files = {
        "eclass/a.eclass": "a_src_install() { ln; }\na_unused() { rm; }\n",
        HOOK: "cros_post_src_install_x() { tac; }\n",
    }
    one = ebuild(tmp_path, "inherit a\nsrc_install() { a_src_install; }", files)
    code = code_of(one)
    assert code is not None
    assert programs(code) == {"a_src_install", "ln", "tac"}
    hook = hook_code(one.repository, HOOK, is_start)
    assert hook is not None
    assert programs(hook) == {"tac"}


@pytest.mark.parametrize("body", ["die no", 'eval "${x}$(y)"', "source /nowhere"])
def test_nobody_knows_the_code_of_what_can_not_be_sourced(tmp_path: Path, body: str) -> None:
    assert code_of(ebuild(tmp_path, f"{body}\nsrc_install() {{ ln; }}")) is None


# --- against evaluation ---

NAMES = st.sampled_from(["ln", "rm", "one", "two", "t'w'o", "/bin/ln", "./${b}/rm"])
AROUND = st.sampled_from(["env ", "nonfatal ", "env A=b ", "command ", "nice -n 5 exec "])
ARGUMENT = st.sampled_from(
    ["a", "two", '"${c}"', "$(ln b)", "{d,e}", "<(rm c)", "$((1 + $(tac)))", "${c:-`two`}"]
)
SIMPLE = st.builds("{} {}".format, NAMES, ARGUMENT) | st.builds("{}{} a".format, AROUND, NAMES)
COMMAND = st.recursive(
    SIMPLE | st.sampled_from(["b=n", "three() { tac; }", "three", "three <<< a"]),
    lambda inner: (
        st.builds("if {}; then {}; fi".format, inner, inner)
        | st.builds("( {} )".format, inner)
        | st.builds("{} && {} | {}".format, SIMPLE, inner, SIMPLE)
        | st.builds('for a in x ln; do {}; done'.format, inner)
        | st.builds('x=$({})'.format, inner)
        | st.builds('case $({}) in *) {};; esac'.format, inner, inner)
        | st.builds("cat <<-EOF\n$({})\nEOF\n{}".format, inner, inner)
    ),
    max_leaves=6,
)  # fmt: skip
BODY = st.lists(COMMAND, min_size=1, max_size=3).map("\n".join)


@given(BODY, BODY, BODY, BODY)
def test_all_that_evaluation_finds_is_written(
    one: str, two: str, prepare: str, install: str
) -> None:
    functions = {"one": one, "two": two, "src_prepare": prepare, "src_install": install}
    body = "\n".join(f"{name}() {{\n{text}\n}}" for name, text in functions.items())
    with TemporaryDirectory() as folder:
        there = ebuild(Path(folder), body)
        code = code_of(there)
        if code is None:
            return
        traces = [one for one in own_traces(there) if one.phase == "src_install"]
    known = programs(code)
    for step in steps(traces[0]):
        # A redirection by itself runs no program, and what the package manager does is not written.
        if step.call.name != ":" and step.call.source.name != f"{PACKAGE_MANAGER}:default":
            assert step.name in known or base_name(step.call.name) in known, body

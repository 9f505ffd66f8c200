"""Steps of a phase, where they write, what they edit in the sources, and on which ways."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.built import built_ebuilds, has_at_least
from overlaylint.overlay.command_lines import unwrapped
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.file_texts import source_edits
from overlaylint.overlay.install_targets import writes
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.steps import Step, read_options, sources, steps
from overlaylint.overlay.tmpfiles import root_calls
from overlaylint.overlay.ways import Event, covered, stands
from overlaylint.shell.conditions import Check, Condition, UseFlag, both, negate

PATH = "app-misc/hello/hello-1.ebuild"


def ebuild(folder: Path, body: str, files: dict[str, str] | None = None) -> Ebuild:
    text = 'EAPI=7\nSLOT="0"\nIUSE="a b"\n' + body
    found = find_repositories(overlay(folder, {PATH: text, **(files or {})})).overlay
    one = found.ebuild_at(PATH)
    assert one is not None
    return one


def of_phase(folder: Path, commands: str, phase: str = "src_install") -> tuple[Step, ...]:
    one = ebuild(folder, f"{phase}() {{\n{commands}\n}}\n")
    return steps(one.trace(phase))


@pytest.mark.parametrize(
    ("command", "name", "arguments"),
    [
        ("mkdir x", "mkdir", ["x"]),
        ('"${S}"/scripts/tool "${D}"', "tool", ["${D}"]),
        ('bash -e "scripts/tool" a', "tool", ["a"]),
        ("env -u HOME LC_ALL=C nonfatal sh tool a b", "tool", ["a", "b"]),
        ("timeout -k 5 10 tool a", "tool", ["a"]),
        ("command -p /usr/bin/tool", "tool", []),
        ("nice -n 5 tool", "tool", []),
        ("bash", "bash", []),
    ],
)
def test_the_program_that_runs_in_the_end(
    tmp_path: Path, command: str, name: str, arguments: list[str]
) -> None:
    (step,) = of_phase(tmp_path, command)
    assert (step.name, [str(word) for word in step.arguments]) == (name, arguments)


@pytest.mark.parametrize(
    ("words", "said", "others"),
    [
        ("a -v b", {"v": ""}, "a b"),
        ("-vo core a", {"v": "", "o": "core"}, "a"),
        ("-vocore a -o", {"v": "", "o": ""}, "a"),
        ('-o"${D}"/x - --owner="${D}"/y', {"o": "${D}/x", "owner": "${D}/y"}, "-"),
        ("--owner core --mode=1 --plain a", {"owner": "core", "mode": "1", "plain": ""}, "a"),
        ("-o -- -- -v a", {"o": "--"}, "-v a"),
        ('"${D}"/-o "$(x)-v"', {}, "${D}/-o ${?}-v"),
    ],
)
def test_options_of_a_program(
    tmp_path: Path, words: str, said: dict[str, str], others: str
) -> None:
    step = of_phase(tmp_path, f"tool {words}")[-1]
    options, rest = read_options(step.arguments, ("o", "owner"))
    assert {name: str(word) for name, word in options.items()} == said
    assert " ".join(map(str, rest)) == others


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("bash -c 'tool a'", ["tool a"]),
        ('sh -ec "cd /; tool ${D}/a | other"', ["cd /", "tool ${D}/a", "other"]),
        ("""sh -c "tool '${D}'/a" """, ["tool ${D}/a"]),
        ("sh -c 'tool ${D} ${local} ${PN}'", ["tool ${D} hello"]),
        ("bash -o pipefail -c 'tool $0 $2' a b c", ["tool ${?} c"]),
        ("chroot \"${D}\" /bin/sh -c 'tool a'", ["tool a"]),
        ("echo tool a | env -i sh", ["echo tool a", "tool a"]),
        ("bash -s a <<-EOF\n\ttool \\$1 ${D}\n\tEOF", ["tool a ${D}"]),
        ("sh <<< 'tool a'", ["tool a"]),
        ("bash -c '# tool a'", []),
        ("bash -c 'f() { tool a; }'", []),
        ("f() { tool a; }; bash -c f", ["f"]),
        ("bash script -c 'tool a'", []),
        ("bash script <<< 'tool a'", []),
        ("bash -c 'tool ('", []),
    ],
)
def test_what_a_shell_is_given_as_text(tmp_path: Path, command: str, expected: list[str]) -> None:
    found = of_phase(tmp_path, f"local local=x\n{command}")
    calls = [one.call for one in found if one.name not in ("bash", "sh", "script")]
    assert [" ".join(map(str, (call.name, *call.arguments))) for call in calls] == expected


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ("sh -c \"cd '${D}'; touch a\"; touch b", ["${D}/a", "${WORKDIR}/hello-1/b"]),
        ('touch "${D}/etc/passwd"', ["${D}/etc/passwd"]),
        ('touch "${ED%/}"//etc/../etc/passwd', ["${D}/etc/passwd"]),
        ('cd "${D}"; touch etc/passwd', ["${D}/etc/passwd"]),
        ('( cd "${D}"; touch a ); touch b', ["${D}/a", "${WORKDIR}/hello-1/b"]),
        ('pushd "${D}"; touch a; popd; touch b', ["${D}/a", "${WORKDIR}/hello-1/b"]),
        ('cd "$(mktemp -d)"; touch a', []),
        ("echo x > a", ["${WORKDIR}/hello-1/a"]),
        ("echo x 2> a >&2", []),
        ('echo x > "$(y)/a/b"', ["${WORKDIR}/hello-1/?*/a/b?"]),
        ('echo x > "$(y)"; touch "$(y)/b"', ["${WORKDIR}/hello-1/?*/b?"]),
        ("echo x | tee -a /a", ["/a"]),
        ('cp a b "${D}/c"', ["${D}/c/a", "${D}/c/b"]),
        ('cp -t "${D}/c" a', ["${D}/c/a"]),
        ('install -m 0644 a "${D}/b"', ["${D}/b?", "${D}/b/a?"]),
        ('install -m 0644 a "${D}/b/"', ["${D}/b/a"]),
        ('install -D a "${D}/b"; cp -T c "${D}/d"', ["${D}/b", "${D}/d"]),
        ('cp a.c "${D}/b.c"; mv x y/Makefile', ["${D}/b.c", "${WORKDIR}/hello-1/y/Makefile"]),
        (
            "cp foo.sh foo; cp x a.d; cp -r x b.d",
            [
                "${WORKDIR}/hello-1/foo",
                "${WORKDIR}/hello-1/a.d/x",
                "${WORKDIR}/hello-1/b.d?",
                "${WORKDIR}/hello-1/b.d/x?",
                "${WORKDIR}/hello-1/b.d/x/*?",
            ],
        ),
        ('cp a "${D}/b"; dodir b', ["${D}/b/a", "${D}/b"]),
        ('cp a "${D}/b"; echo > "${D}/b/c"', ["${D}/b/a", "${D}/b/c"]),
        ('echo > "${D}/b"; cp a "${D}/b"', ["${D}/b", "${D}/b"]),
        ('cd "${D}/b"; ln -s ../a; cp --parents x/y /t', ["${D}/b/a", "/t/x/y"]),
        ('cp -r a/. "${D}/b"', ["${D}/b", "${D}/b/*"]),
        ('install -dm0755 "${D}/b" "${D}/c"', ["${D}/b", "${D}/c"]),
        ("insinto /x; doins a/b; newins - c", ["${D}/x/b", "${D}/x/c"]),
        ("dodir /x y", ["${D}/x", "${D}/y"]),
        ('newtmpfiles "${T}/x" y.conf', ["${D}/usr/lib/tmpfiles.d/y.conf"]),
    ],
)
def test_where_steps_write(tmp_path: Path, commands: str, expected: list[str]) -> None:
    found = writes(of_phase(tmp_path, commands))
    assert [f"{one.location}{'' if one.is_certain else '?'}" for one in found] == expected


def test_functions_called_in_a_subshell_run_where_it_is(tmp_path: Path) -> None:
    body = 'inner() { touch a; }\nsrc_install() { ( cd "${D}"; inner ); inner; }\n'
    found = writes(steps(ebuild(tmp_path, body).trace("src_install")))
    assert [str(one.location) for one in found] == ["${D}/a", "${WORKDIR}/hello-1/a"]


@pytest.mark.parametrize(
    ("command", "roots"),
    [
        ('systemd-tmpfiles --root="${D}" --create', ["${D}"]),
        ('systemd-tmpfiles --create --root "${ED}/"', ["${D}"]),
        ("systemd-tmpfiles --create", []),
        ('systemd-tmpfiles --root="${D}"', []),
        ('systemd-tmpfiles --root=/x --root="${D}" --create', ["${D}"]),
        ("systemd-tmpfiles --root= --create", []),
        ('systemd-tmpfiles --root="${D}" --create --help', []),
        ('systemd-tmpfiles --root="$(pwd)" --create', ["None"]),
        ('systemd-tmpfiles --root="${D}" ${OPTIONS}', ["${D}"]),
    ],
)
def test_calls_of_tmpfiles(tmp_path: Path, command: str, roots: list[str]) -> None:
    found = root_calls(of_phase(tmp_path, f"OPTIONS=$(cat x); {command}"))
    assert [str(one.root) for one in found] == roots


A, B = UseFlag("a"), UseFlag("b")
TEST = Check(("test", "-f", "x"), None, 1, 2)
MADE = Check(("mkdir", "x"), None, 3, 4)


@pytest.mark.parametrize(
    ("ways", "under", "expected"),
    [
        ([], (), False),
        ([()], (), True),
        ([(A,)], (), False),
        ([(A,)], (A,), True),
        ([(A,), (negate(A),)], (), True),
        ([(A,)], (negate(A),), False),
        ([(A,)], (A, TEST), True),
        ([(TEST,)], (), None),
        ([(TEST,), (negate(TEST),)], (), True),
        ([(A, TEST)], (), False),
        ([(MADE,)], (), True),
        ([(negate(MADE),)], (), False),
        ([(A,), (B,)], (negate(both(negate(A), negate(B))),), True),
        ([(UseFlag(str(n)),) for n in range(11)], (), None),
    ],
)
def test_ways_that_are_covered(
    ways: list[tuple[Condition, ...]], under: tuple[Condition, ...], expected: bool | None
) -> None:
    assert covered(ways, under) is expected


def edited(folder: Path, commands: str, line: str, files: dict[str, str] | None = None) -> str:
    """Return what the edits of src_prepare make of a line of `conf/x`."""
    one = ebuild(folder, f"src_prepare() {{\n{commands}\n}}\n", files)
    found = steps(one.trace("src_prepare"))
    lines: tuple[str, ...] = (line,)
    for edit in source_edits(one, found, sources(one), one.repository):
        if edit.is_in("conf/x"):
            lines = edit.apply(lines)
    return "|".join(lines)


PATCH = "--- a/conf/x\n+++ b/conf/x\n@@ -1,1 +1,1 @@\n-old\n+new\n"


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ("sed -i s/old/new/ conf/x", "new"),
        ("sed -i s/old/new/ ./conf//x conf/y", "new"),
        ('sed -i s/old/new/ "${S}"/conf/x', "new"),
        ("cd conf; sed -i s/old/new/ x", "new"),
        ("sed -i s/old/new/ x", "old"),
        ("sed -i s/old/new/ other/conf/x", "old"),
        ('sed -i s/old/new/ "${D}"/conf/x', "old"),
        ("sed s/old/new/ conf/x", "old"),
        ("sed -i s/old/new/ conf/*", "new"),
        ("find . -name x -exec sed -i s/old/new/ {} +", "new"),
        ("find . -name y -exec sed -i s/old/new/ {} +", "old"),
        ("find . -type f | xargs sed -i s/old/new/", "new"),
        ('eapply "${FILESDIR}/p.patch"', "new"),
        ('eapply -R "${FILESDIR}/p.patch"', "old|old"),
        ('patch -p1 -i "${FILESDIR}/p.patch"', "new"),
        ('patch -p1 < "${FILESDIR}/p.patch"', "new"),
        ('eapply "${FILESDIR}"', "new"),
        ("eapply_user", "user"),
        ("default", "user"),
    ],
)
def test_edits_of_the_sources(tmp_path: Path, commands: str, expected: str) -> None:
    files = {
        "app-misc/hello/files/p.patch": PATCH,
        "coreos/user-patches/app-misc/hello/u.patch": PATCH.replace("+new", "+user"),
    }
    assert edited(tmp_path, commands, "old", files) == expected


def repository(folder: Path, *paths: str) -> Repository:
    files = dict.fromkeys(paths, 'EAPI=7\nSLOT="0"\n')
    return find_repositories(overlay(folder / "overlay", {PATH: "EAPI=7\n", **files})).overlay


def test_what_is_built(tmp_path: Path) -> None:
    one = repository(tmp_path, "a/b/b-9999.ebuild", "a/b/b-2.ebuild", "a/c/c-9999.ebuild")
    assert [str(found.path) for found in built_ebuilds(one, "a/b")] == ["a/b/b-2.ebuild"]
    assert [str(found.path) for found in built_ebuilds(one, "a/c")] == ["a/c/c-9999.ebuild"]
    assert built_ebuilds(one, "a/d") == ()
    assert has_at_least(built_ebuilds(one, "a/b"), "2") is True
    assert has_at_least(built_ebuilds(one, "a/b"), "3") is False
    assert has_at_least(built_ebuilds(one, "a/c"), "3") is None


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("bash -o errexit lib/x.sh a", "x.sh a"),
        ("bash --rcfile rc x.sh", "x.sh"),
        ("bash -e -- s.sh -x", "s.sh -x"),
        ("bash -e", "bash -e"),
        ("bash -c text", "bash -c text"),
        ("timeout --signal KILL 5 make", "make"),
        ("timeout -k 3 5 make all", "make all"),
        ("env --unset X make", "make"),
        ("env -- X=1 make", "make"),
        ("env -S 'make all' b", "make all b"),
        ("env --split-string='make all'", "make all"),
        ("env -u X A=b bash -e scripts/t.sh z", "t.sh z"),
        ("nice -n 5 env make -j2", "make -j2"),
        ("env", "env"),
    ],
)
def test_what_runs_in_the_end(line: str, program: str) -> None:
    name, *arguments = shlex.split(line)
    found, words = unwrapped(name, arguments)
    assert " ".join([found, *map(str, words)]) == program


@pytest.mark.parametrize(
    ("made", "undoing", "under", "expected"),
    [
        ([], [], (), False),
        ([Event(1, ())], [], (), True),
        ([Event(1, ())], [Event(0, ())], (), True),
        ([Event(1, ())], [Event(2, ())], (), False),
        ([Event(1, ()), Event(3, ())], [Event(2, ())], (), True),
        ([Event(1, ())], [Event(2, (A,))], (), False),
        ([Event(1, ())], [Event(2, (A,))], (negate(A),), True),
        ([Event(1, ())], [Event(2, (TEST,))], (), None),
        ([Event(1, (), is_certain=False)], [], (), None),
        ([Event(1, ())], [Event(2, (), is_certain=False)], (), None),
        ([Event(1, (), is_certain=False)], [Event(2, ())], (), False),
        ([Event(1, (A,))], [], (), False),
        ([Event(1, (A,)), Event(2, (negate(A),))], [], (), True),
        ([Event(1, (A,)), Event(2, (negate(A),), is_certain=False)], [], (), None),
    ],
)
def test_what_stands(
    made: list[Event],
    undoing: list[Event],
    under: tuple[Condition, ...],
    expected: bool | None,
) -> None:
    assert stands(made, undoing, under) is expected


@pytest.mark.parametrize(
    ("words", "may"),
    [
        ("--create", True),
        ("--create --boot", True),
        ("--clean --remove", False),
        ("--create home.conf", True),
        ('--create "${D}"/usr/lib/tmpfiles.d/home.conf', True),
        ("--create other.conf", False),
        ("--create other.conf home.conf", True),
        ("--create $(< x)", True),
        ("--create -", True),
        ("--create --prefix=/home", True),
        ("--create --prefix /home/core/x", True),
        ("--create --prefix=/var --prefix=/", True),
        ("--create --prefix=/var", False),
        ("--create --exclude-prefix=/home", False),
        ("--create --exclude-prefix /home/core/x", True),
        ("--create --exclude-prefix=/homes", True),
    ],
)
def test_what_a_call_of_systemd_tmpfiles_may_make(tmp_path: Path, words: str, may: bool) -> None:
    (call,) = root_calls(of_phase(tmp_path, f'systemd-tmpfiles --root="${{D}}" {words}'))
    assert call.may_make("home.conf", "/home/core") is may

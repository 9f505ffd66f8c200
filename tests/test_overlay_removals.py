"""What steps take away: held to what bash and the real programs do on a folder."""

from __future__ import annotations

import itertools
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import overlay

from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.removals import removes
from overlaylint.overlay.scene import Thing
from overlaylint.overlay.steps import Location, Step, steps
from overlaylint.overlay.xargs import UnknownXargs, xargs

PATH = "app-misc/hello/hello-1.ebuild"
PLACE = Location("D", "/home/core")

needs_programs = pytest.mark.skipif(
    sys.platform != "linux", reason="GNU's programs are what it is held to"
)


def run(folder: Path, commands: str) -> tuple[Step, ...]:
    text = f"EAPI=8\nshopt -s extglob\nsrc_install() {{\n{commands}\n}}\n"
    ebuild = find_repositories(overlay(folder, {PATH: text})).overlay.ebuild_at(PATH)
    assert ebuild is not None
    trace = ebuild.trace("src_install")
    assert trace.is_defined
    return steps(trace)


def best(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


def told(folder: Path, commands: str, thing: Thing) -> bool | None:
    return best(removes(step, PLACE, thing) for step in run(folder, f'cd "${{D}}"\n{commands}'))


def lay_out(image: Path, thing: Thing, holds_folder: bool = False) -> Path:
    place = image / "home" / "core"
    subprocess.run(["rm", "-rf", str(image)], check=True)
    place.parent.mkdir(parents=True)
    (image / "other").mkdir()
    if thing is Thing.FILE:
        place.write_text("text")
    elif thing is Thing.LINK:
        place.symlink_to("elsewhere")
    else:
        place.mkdir()
    if thing is Thing.FULL_FOLDER:
        held = place / "held"
        held.mkdir() if holds_folder else held.write_text("text")
    return place


def really(folder: Path, commands: str, thing: Thing) -> set[bool]:
    """Return whether the place is gone, for each thing that a full folder may hold."""
    answers = set()
    for holds_folder in (False, True):
        place = lay_out(folder / "image", thing, holds_folder)
        subprocess.run(
            ["bash", "-O", "extglob", "-c", f'cd "${{D}}"\n{commands}'],
            env={"D": str(folder / "image"), "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=False,
        )
        answers.add(not (place.exists() or place.is_symlink()))
    return answers


WORDS = (
    '"${D}"/home/core', "home/core", '"${D}/home"', '"${D}"/home/c*', '"${D}/home/c*"',
    "home/*/", '"${D}"/*', "home/[a-c]ore", "home/!(core)", "home/{x,core}", "other",
    '"${D}"/other/../home/core', "home/core/held",
)  # fmt: skip

COMMANDS = (
    "rm", "rm -f", "rm -r", "rm -Rf", "rm --recursive", "rm -d", "rm -rf --", "rmdir",
    "rmdir -p", "rmdir --ignore-fail-on-non-empty", "unlink", "env rm -r", "xargs rm -r <<<",
)  # fmt: skip

OTHERS = (
    'mv home/core other', 'mv -t other "${D}"/home/*', 'mv home other', 'mv other home/core',
    'mv --target-directory=other home/core', "mv -n home/core other",
    "rm -rf .", "cd home && rm -rf ./*", "cd home && rm -rf ./", "cd home/core && rmdir .",
    "pushd home; rm -r core; popd", "(cd home; rm -r core)", "echo rm -r home/core",
    "for one in core x; do rm -r home/${one}; done",
    "find home -name core | xargs rm -r", "find home -print0 | xargs -0 rm -rf",
    "find . -name core | xargs -n1 rm -r", "find home -mindepth 1 | xargs -I{} rm -rf {}",
    "find other -name core | xargs rm -rf", "find home -type l | xargs -r rm -f",
    'echo "${D}/home/core" | xargs rm -r', "printf '%s\\n' home/x home/core | xargs rmdir",
    "ls home | xargs rm -r", "xargs rm -r < /dev/null", "echo core | xargs -I@ rm -r home/@",
)  # fmt: skip


def check(folder: Path, commands: str, thing: Thing) -> bool | None:
    answer = told(folder / "overlay", commands, thing)
    expected = really(folder, commands, thing)
    assert answer is None or expected == {answer}, (commands, thing)
    return answer


@needs_programs
def test_what_is_gone_is_what_the_real_programs_remove(tmp_path: Path) -> None:
    both = itertools.product(COMMANDS, WORDS)
    lines = [*(f"{command} {word}" for command, word in both), *OTHERS]
    unknown = []
    for at, (line, thing) in enumerate(itertools.product(lines, Thing)):
        if check(tmp_path / str(at), line, thing) is None:
            unknown.append(line)
    assert set(unknown) <= {
        # The name of what a folder holds is not known, nor what `ls` writes, nor a time.
        "rmdir -p home/core/held", "ls home | xargs rm -r", "mv -n home/core other",
    }, sorted(set(unknown))  # fmt: skip


TESTS = st.sampled_from(
    ["-name core", "-name 'c*'", "-type d", "-type f", "-type l", "-path '*/home/*'", "-empty",
     "-iname CORE", "-true", "-false", "-prune", "-path './home'", "! -name home"]
)  # fmt: skip

EXPRESSIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("! {}".format, inner),
        st.builds(r"\( {} -o {} \)".format, inner, inner),
        st.builds("{} {}".format, inner, inner),
    ),
    max_leaves=4,
)


@needs_programs
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    start=st.sampled_from(["", "home", '"${D}"', '"${D}"/home/*', "./home other", "home/core"]),
    depth=st.sampled_from(["", "-mindepth 1", "-maxdepth 1", "-mindepth 2 -maxdepth 3"]),
    expression=st.one_of(st.just(""), EXPRESSIONS),
    action=st.sampled_from(
        ["-delete", r"-exec rm {} \;", "-exec rm -rf {} +", r"-exec rmdir {} \;", "-print",
         "-exec chmod 755 {} +", "-print0 | xargs -0 rm -rf", r"-exec mv -t other {} \;"]
    ),
    thing=st.sampled_from(Thing),
)  # fmt: skip
def test_find_removes_what_the_real_one_does(
    tmp_path_factory: pytest.TempPathFactory,
    start: str,
    depth: str,
    expression: str,
    action: str,
    thing: Thing,
) -> None:
    line = f"find {start} {depth} {expression} {action}"
    answer = check(tmp_path_factory.mktemp("case"), line, thing)
    # What a full folder holds decides where it is asked for by its type or name.
    assert answer is not None or thing is Thing.FULL_FOLDER, line


OPTIONS = st.lists(
    st.sampled_from(
        ["-0", "-r", "-t", "-n1", "-n 2", "-I{}", "-i", "-d,", "-d '\\n'", "--null",
         "--max-args=2", "--no-run-if-empty", "--replace", "--delimiter=,", "-P 1", "-x"]
    ),
    max_size=2,
)  # fmt: skip


@needs_programs
@settings(deadline=None)
@given(
    options=OPTIONS,
    command=st.sampled_from([[], ["printf", "<%s>"], ["printf", "<%s>", "a", "{}b"]]),
    text=st.text("ab ,\n\t\0", max_size=12),
)
def test_xargs_runs_what_the_real_one_does(
    options: list[str], command: list[str], text: str
) -> None:
    arguments = [*shlex.split(" ".join(options)), *command]
    try:
        expected = list(xargs(arguments, text))
    except UnknownXargs:
        return
    printed = "".join(
        " ".join(one[1:]) + "\n"
        if one[0] == "echo"
        else "".join(f"<{word}>" for word in one[2:]) or "<>"
        for one in expected
    )
    ran = subprocess.run(
        ["xargs", *arguments],
        input=text.encode(),
        capture_output=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    if b"\0" in text.encode() and b"WARNING" in ran.stderr:
        # A text with such characters is cut off at them, and xargs says so.
        return
    assert ran.stdout.decode() == printed, (arguments, text)


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        ("find ${D}home -name core | xargs rm -r", True),
        ("find ${D}other -newer x -delete", False),
        ("rm -r ${D}home", True),
        ("rm -r $(cat list)", None),
        ('rm -r "$(cat list)/core"', None),
        ('rm -r "$(cat list)/x"', False),
        ('rm -r "${D}/$(cat list)"', None),
        ('rm -r "${T}/home/core"', False),
        ("find . -newer x -delete", None),
        ("find other -newer x -delete", False),
        ("find . -newer x", False),
        ("find . -name x -prune -o -delete", False),
        ("find . -depth -name x -prune -o -delete", True),
        (r"find home -execdir rm -r core \;", None),
        (r"find home -execdir rm -r {} \;", True),
        ("find . -lname core -delete", False),
        (r"find . -exec grep -q x {} \; -delete", None),
        ("cat list | xargs rm -r", None),
        ("rsync -a --delete x/ home/", None),
        ("rsync -a x/ home/", False),
        ("git -C home clean -fd", None),
        ("gzip home/core", None),
        ("gzip home/x", False),
        ("shred -uz home/core", None),
        ("shred --remove=wipe home/core", None),
        ("shred -z home/core", False),
        ("zip -qm x.zip home/core", None),
        ("zip -q x.zip home/core", False),
        ("zstd --rm home/core", None),
        ("zstd home/core", False),
        ("tar --remove-files -cf x.tar home", None),
        ("tar -cf x.tar home", False),
        ("rename core kern home/core", None),
        ("install-info --delete home/core dir", False),
        ("perl -e 'unlink @ARGV' home/core", None),
        ("bash -c 'rm -r home/core'", True),
        ("mv -u home/core other", None),
        (r"find . -newer x -exec chown 500 {} \;", False),
        (r"find . -exec sh -c 'chown 500 \"$1\"' _ {} \;", False),
        (r"find . -exec sh -c 'rm -r \"$1\"' _ {} \;", None),
    ],
)
def test_what_can_not_be_told(tmp_path: Path, commands: str, answer: bool | None) -> None:
    assert told(tmp_path, commands, Thing.EMPTY_FOLDER) is answer


def test_what_a_link_leads_to_is_unknown(tmp_path: Path) -> None:
    assert told(tmp_path / "named", "find . -name core -delete", Thing.LINK) is True
    assert told(tmp_path / "led", "find . -lname core -delete", Thing.LINK) is None

"""Lists of files: find, and the filters behind it, held to the real programs; what is copied."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overlaylint.overlay.find import MadeUpFiles, UnknownFind, find, resolved
from overlaylint.overlay.listing import Lister
from overlaylint.overlay.text_filters import UnknownFilter, filtered
from overlaylint.shell.parser import parse
from overlaylint.shell.state import State
from overlaylint.shell.syntax import Function

PATHS = ("s/a/x", "s/a/arm/y", "s/arm64/z", "s/dt/arm/q", "s/.h/b", "s/f.c")

needs_programs = pytest.mark.skipif(
    sys.platform != "linux", reason="GNU's programs are what it is held to"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files")
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text")
    return root


def real(command: list[str], folder: Path | None = None, text: str = "") -> tuple[str, int]:
    ran = subprocess.run(
        command,
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    return ran.stdout, ran.returncode


# --- find ---

TESTS = st.sampled_from(
    [
        ["-name", "arm"],
        ["-name", "a*"],
        ["-path", "s/a"],
        ["-path", "*/arm/*"],
        ["-type", "d"],
        ["-type", "f"],
        ["-prune"],
        ["-print"],
        ["-true"],
        ["-false"],
        ["-printf", "%P %f %h %p\\n"],
        ["-regextype", "posix-extended", "-regex", ".*/(arm|a)(/.*)?"],
        ["-iname", "ARM*"],
    ]
)
EXPRESSIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(lambda one: ["!", *one], inner),
        st.builds(lambda one: ["(", *one, ")"], inner),
        st.builds(lambda left, right: [*left, *right], inner, inner),
        st.builds(lambda left, right: [*left, "-o", *right], inner, inner),
        st.builds(lambda left, right: [*left, ",", *right], inner, inner),
    ),
    max_leaves=6,
)


@needs_programs
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    starts=st.sampled_from([[], ["s"], ["./s/"], ["s/a", "s/dt"], ["."], ["none"]]),
    depth=st.sampled_from([[], ["-mindepth", "1"], ["-maxdepth", "1"], ["-depth"]]),
    expression=st.one_of(st.just([]), EXPRESSIONS),
)
def test_find_names_what_find_names(
    folder: Path, starts: list[str], depth: list[str], expression: list[str]
) -> None:
    arguments = [*starts, *depth, *expression]
    expected, _ = real(["find", *arguments], folder)
    files = MadeUpFiles(f"/{path}" for path in PATHS)
    try:
        output = find(arguments, files, "/").output
    except UnknownFind:
        assert "," in expression
        return
    # The order in a folder is the file system's.
    assert sorted(output.split("\n")) == sorted(expected.split("\n"))


def test_find_tells_what_it_would_run_and_delete() -> None:
    files = MadeUpFiles(f"/{path}" for path in PATHS)
    found = find(["s", "-name", "arm", "-exec", "cp", "-r", "{}", "to", ";"], files, "/")
    assert found.commands == [("cp", "-r", "s/a/arm", "to"), ("cp", "-r", "s/dt/arm", "to")]
    assert find(["/s", "-name", "f.c", "-delete"], files, "/x").deleted == ["/s/f.c"]


@pytest.mark.parametrize(
    "arguments",
    [["-newer", "x"], ["(", "-name", "x"], ["-name"], ["-regex", "a+"], ["-printf", "%s"]],
)
def test_a_test_that_is_not_understood(arguments: list[str]) -> None:
    with pytest.raises(UnknownFind):
        find(arguments, MadeUpFiles(["/a"]), "/")


def test_files_that_are_made_up() -> None:
    files = MadeUpFiles(["/a/b/c", "/a/d"])
    assert files.names("/a") == ("b", "d")
    assert files.glob("/a/*", "/") == ("/a/b", "/a/d")
    assert files.glob("*/*", "/a") == ("b/c",)
    # As bash has it, and not fnmatch(3) alone.
    assert files.glob("/a/[^b]", "/") == ("/a/d",)
    assert files.glob("@(b|d)", "/a") == ("b", "d")
    assert files.glob(r"\b/*", "/a") == ("b/c",)
    assert files.glob(r"\*", "/a") == ()
    assert list(files.below("/a")) == ["/a/b/c", "/a/d"]
    files.remove("/a/b")
    assert not files.exists("/a/b/c")
    assert files.exists("/a/d")
    assert resolved("../x//./y", "/a/b") == "/a/x/y"


# --- filters ---

TEXT = (
    "source/scripts/arm/a\nsource/arm64/b\nsource/dt-bindings/arm/x\nsource/x.y\n\na b c\nARM\n"
    "/arm\narm/\na|b\n"
)

COMMANDS = [
    ["grep", "-v", "arm"],
    ["grep", "-Evw", "arm|arc"],
    ["grep", "-vw", "-e", "arm", "-e", "x"],
    ["grep", "-vF", "x.y"],
    ["grep", "-vwF", "arm\nx"],
    ["grep", "-v", "arm\\|x"],
    ["grep", "-v", "a|b"],
    ["grep", "-Evw", ""],
    ["grep", "-Evw", "|arm"],
    ["grep", "-Evw", "arm|"],
    ["grep", "-v", ""],
    ["grep", "-iv", "arm"],
    ["grep", "--invert-match", "--word-regexp", "arm"],
    ["grep", "-vx", "source/x.y"],
    ["grep", "-q", "nothing"],
    ["grep", "-E", "-v", "arm(64)?/", "-"],
    ["egrep", "-v", "/(arm|x)(/|$)"],
    ["fgrep", "-v", "."],
    ["sed", "-e", "/arm/d"],
    ["sed", "s/ //g"],
    ["sed", "/arm\\(64\\)\\?\\//d"],
    ["tr", "-d", "[:space:]"],
    ["tr", "\\n", "|"],
    ["tr", "a-c", "x"],
    ["tr", "-s", "a"],
    ["sort", "-u"],
    ["sort", "-r"],
    ["uniq"],
    ["cat", "-"],
    ["paste", "-sd|", "-"],
    ["paste", "-s", "-d", "|"],
    ["cut", "-d/", "-f2"],
    ["cut", "-d", "/", "-f", "2-"],
    ["basename", "/a/b.c", ".c"],
    ["basename", "-a", "x/y", "z/"],
    ["dirname", "/a/b", "c"],
]


@needs_programs
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_filters_leave_what_the_programs_leave(command: list[str]) -> None:
    assert filtered(command[0], command[1:], TEXT) == real(command, text=TEXT)


PATTERNS = st.text(alphabet="arm64/.*|()[^]$x-", max_size=8)


@needs_programs
@settings(deadline=None, max_examples=60)
@given(pattern=PATTERNS, options=st.sets(st.sampled_from("vwxiEF"), max_size=3))
def test_grep_with_any_pattern(pattern: str, options: set[str]) -> None:
    arguments = [*(f"-{letter}" for letter in sorted(options)), "-e", pattern]
    try:
        found = filtered("grep", arguments, TEXT)
    except UnknownFilter:
        return
    expected = real(["grep", *arguments], text=TEXT)
    if expected[1] < 2:
        assert found == expected


@pytest.mark.parametrize(
    "command",
    [
        ["grep", "-P", "x"],
        ["grep", "x", "file"],
        ["grep"],
        ["sed", "-i", "s/a/b/", "file"],
        ["tr", "a"],
        ["sort", "-k2"],
        ["cut", "-c1"],
        ["cat", "file"],
        ["paste"],
        ["paste", "-s", "-", "-"],
        ["paste", "-sd", "\\"],
        ["cut", "-d:", "-f1", "-f2"],
        ["cut", "-d", "\n", "-f1"],
        ["grep", "--color=always", "a"],
        ["grep", "-w", "[a"],
        ["tr", "abc", "[x*]"],
        ["tr", "[:space:]", "xy"],
        ["tr", "-d", "\\t-b"],
        ["tr", "z-a", "x"],
        ["tr", "a", "b", "c"],
        ["tr", "-sd", "a"],
        ["basename", ""],
        ["basename", "-a"],
        ["dirname"],
        ["dirname", "//a"],
    ],
    ids=" ".join,
)
def test_a_filter_that_is_not_understood(command: list[str]) -> None:
    with pytest.raises(UnknownFilter):
        filtered(command[0], command[1:], "text\n")


@pytest.mark.parametrize(
    ("command", "text"),
    [(["sed", "s/a/b/"], "a"), (["grep", "-v", "c"], "a\0b\n"), (["sed", "s/a/b"], "")],
)
def test_text_that_a_filter_is_not_asked_about(command: list[str], text: str) -> None:
    with pytest.raises(UnknownFilter):
        filtered(command[0], command[1:], text)


# --- what is copied ---

FILES = ("/workdir/s/a/1", "/workdir/s/b/2", "/workdir/s/b/c/3", "/image/old/4")


def copied(body: str) -> tuple[list[str], list[str]]:
    """Return what a function copies, by the last part of its name, and what is doubtful."""
    script = parse(f"f() {{\n{body}\n}}\n".encode(), "test")
    (function,) = (node for node in script.body.commands if isinstance(node, Function))
    lister = Lister(State(), FILES, {"D": "/image"}, {}, {}, "7", "/image")
    lister.run("f", function)
    names = sorted(path.rpartition("/")[2] for path in lister.listing.copied)
    return names, [reason for reason, _ in lister.listing.doubts]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('find s | cpio -pd "${D}"', ["1", "2", "3"]),
        ('find s | grep -v /b/ | cpio -pd "${D}"', ["1"]),
        ("find s | cpio -pd /elsewhere", []),
        ("find s | grep -vwf <(printf '%s\\n' a c) | cpio -pd \"${D}\"", ["2"]),
        ('( cd s && find b ) | ( cd s && cpio -pd "${D}" )', ["2", "3"]),
        ('pushd s; find a | cpio -p "${D}"; popd; find s/b | cpio -p "${D}"', ["1", "2", "3"]),
        ('find s -type f -exec cp {} "${D}" \\;', ["1", "2", "3"]),
        ('find s -name "[12]" -print0 | xargs -0 cp -t "${D}"', ["1", "2"]),
        ('find s -type f | xargs -I% cp % "${D}/x"', ["1", "2", "3"]),
        ('find s | while read -r one; do cp "${one}" "${D}"; done', ["1", "2", "3"]),
        ('find s -type f | while read -r one; do doins "${one}"; done', ["1", "2", "3"]),
        ("for one in $(find s -maxdepth 1); do doins -r $one; done", ["1", "2", "3"]),
        ('find s -type f -exec newins {} x ";"', ["1", "2", "3"]),
        ('for one in s/*; do cp -r "${one}" "${D}"; done', ["1", "2", "3"]),
        ('find s/b -maxdepth 0 | tar -c -T - | tar -x -C "${D}"', ["2", "3"]),
        ('find s/b -maxdepth 0 | tar -c --no-recursion -T - | tar -x -C "${D}"', []),
        ('find s/b | rsync -a --files-from=- . "${D}"', ["2", "3"]),
        ('find s | cpio -o | ( cd "${D}" && cpio -id )', ["1", "2", "3"]),
        ('find s | cpio -pd "${D}"; rm -r "${D}/s/b"', ["1"]),
        ('find s | cpio -pd "${D}"; rm -r "${D}"/s/*', []),
        ('find s | cpio -pd "${D}"; find "${D}" -name 3 -delete', ["1", "2"]),
        ('find s | cpio -pd "${D}"; rm -r s', ["1", "2", "3"]),
        ('ls s | sed s,^,s/, | xargs -I% find % -name 1 | cpio -p "${D}"', ["1"]),
    ],
)
def test_what_is_copied(body: str, names: list[str]) -> None:
    assert copied(body) == (names, [])


@pytest.mark.parametrize(
    "body",
    [
        'find s | awk 1 | cpio -pd "${D}"',
        'find s -newer x | cpio -pd "${D}"',
        'find s | cpio -pd "${D}"; if unknown; then rm -r "${D}/s"; fi',
        'find s > list; cpio -pd "${D}" < list',
        'find "$(unknown)" | grep -v x | cpio -p "${D}"',
    ],
)
def test_what_is_not_known_to_be_copied(body: str) -> None:
    assert copied(body)[1]

"""What steps put into files: compared with what real bash and the real programs leave there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import overlay

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.file_texts import File, completions, file_texts
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.steps import Location, steps
from overlaylint.shell.values import Mixed

PATH = "app-misc/hello/hello-1.ebuild"
FILES = {
    "unit.in": "[Unit]\nDescription=x\n[Install]\nAlso=@also@\n",
    "deep/one.txt": "one\n",
    "deep/er/two.txt": "two\nlines\n",
}
SOURCES = "/hello-1/"


def ebuild(folder: Path, body: str) -> Ebuild:
    files = {f"app-misc/hello/files/{name}": text for name, text in FILES.items()}
    text = f'EAPI=7\nSLOT="0"\nIUSE="a b"\n{body}'
    one = find_repositories(overlay(folder, {PATH: text, **files})).overlay.ebuild_at(PATH)
    assert one is not None
    return one


def texts_of(folder: Path, commands: str) -> dict[str, File]:
    """Return what a phase that runs some commands leaves in files of the sources."""
    one = ebuild(folder, f"src_prepare() {{\n{commands}\n}}\n")
    found = file_texts(one, steps(one.trace("src_prepare")), one.repository)
    return {
        place.path[len(SOURCES) :]: file
        for place, file in found.items()
        if place == Location("WORKDIR", place.path) and place.path.startswith(SOURCES)
    }


def known_text(file: File) -> str | None:
    """Return the text of a file where that is known, and the file is certainly there."""
    if not file.is_whole or file.doubts:
        return None
    text = ""
    for piece in file.pieces:
        if piece.fate() is None:
            continue
        if piece.fate() or piece.guards or isinstance(piece.text, Mixed):
            return None
        text += piece.text
    return text


def shown(file: File) -> list[str]:
    """Each line that may be there, with its guards after `if` and its doubt after `?`."""
    return [
        str(line.text)
        + (f" if {' & '.join(map(str, line.guards))}" if line.guards else "")
        + (" ?" if line.fate() else "")
        for line in file.lines()
        if line.fate() is not None and line.text
    ]


def real_texts(folder: Path, commands: str) -> dict[str, str]:
    """Return what real bash leaves, with the overlay's files as FILESDIR."""
    work, filesdir, temporary = folder / "work", folder / "files", folder / "t"
    work.mkdir()
    temporary.mkdir()
    for name, text in FILES.items():
        (filesdir / name).parent.mkdir(parents=True, exist_ok=True)
        (filesdir / name).write_text(text)
    subprocess.run(
        ["bash", "-c", commands],
        cwd=work,
        env={"PATH": "/usr/bin:/bin", "FILESDIR": str(filesdir), "T": str(temporary)},
        check=False,
        capture_output=True,
        timeout=20,
    )
    return {str(one.relative_to(work)): one.read_text() for one in work.rglob("*") if one.is_file()}


def compare(folder: Path, commands: str) -> int:
    """Compare ours with the real thing; return how many files' texts are known."""
    ours = {
        name: known_text(file)
        for name, file in texts_of(folder, commands).items()
        if any(one.fate() is not None for one in file.pieces) and not set("*?") & set(name)
    }
    real = real_texts(folder, commands)
    known = {name: text for name, text in ours.items() if text is not None}
    assert known == {name: real.get(name) for name in known}, commands
    assert real.keys() <= ours.keys(), commands
    return len(known)


# Each script, and how many files' texts are known of those that it leaves.
SCRIPTS = {
    "echo a > x; echo b >> x; echo c > y": 2,
    "printf '%s-%s\\n' a b c > x": 1,
    "echo -n a > x; echo 'b\\nc' >> x; echo -e 'd\\te' >> x": 1,
    "echo a > x; cat x > y; cat x >> y; cp -T x z; mv -T x w": 3,
    "echo a > x; echo b > y; cat x y > z; cat z x y > w": 4,
    "cat > x <<EOF\na\nb\nEOF\nsed s/a/c/ x > y; sed -i s/b/d/ x; sed -n /c/p < y > z": 3,
    "echo a | tee x y > z; echo b | tee -a x | sed s/b/c/ >> y": 3,
    "{ echo a; echo b >&2; printf c; } > x 2> y": 1,
    "f() { echo $1; cat; }; f a <<< b > x; f c <<< d >> x": 1,
    "> x; for i in 1 2 3; do echo $i >> x; echo $i > y; done": 2,
    "for i in 1 2 3; do echo $i; done > x": 1,
    "> x; for i in 1 2; do { echo a$i; } >> x; done": 1,
    "( mkdir d; cd d; echo a > x ); echo b > x": 2,
    "mkdir d; pushd d > /dev/null; echo a > x; popd > /dev/null; cp d/x .; cp -T d/x d/y": 3,
    "mkdir -p d; echo a > x; cp x d; cp x d/; cp x d/y.txt; cp -t d/ x; mv -T d/x d/z": 3,
    "mkdir d; echo a > d/x; echo b > d/y; cp -rT d e; mv -T d f; rm f/y": 3,
    "mkdir d e; echo a > d/x; echo b > d/y; cp -r d e; cp -r d/. e/": 6,
    "mkdir d; echo a > a.c; echo b > b.c; cp *.c d; mv d/a.c d/b.txt": 4,
    'cp "${FILESDIR}"/unit.in x.service; sed -i -e "s/@also@/y.socket/" x.service': 1,
    'sed s/@also@/y.socket/ "${FILESDIR}"/unit.in > x.service': 1,
    'cat "${FILESDIR}"/unit.in | sed -e s/@also@/y/ -e /Desc/d | tee x.service > y': 2,
    'cp -r "${FILESDIR}"/deep/. .; cp -r "${FILESDIR}"/deep x.d': 2,
    'cat "${FILESDIR}"/deep/*.txt "${FILESDIR}"/../files/unit.in > x': 1,
    'install -D -m644 "${FILESDIR}"/deep/one.txt a/b/c.txt; install -d e; install a/b/c.txt e': 2,
    "echo a > x; rm x; echo b > y; rm -f y; touch y z": 1,
    "echo a > x; : > x; > y; echo b >> y": 2,
    "echo a > x; echo b > y; mv x y; cp y x.c; echo c >> x.c": 2,
    "echo a | cat - > y; cat < y > z; cat <<< b - > w": 3,
    "echo 'a b' | while read -r p q; do echo $q $p; done > x": 1,
    "printf 'b\\na\\n' | sort > x; printf 'a\\na\\n' | uniq > y; echo ab | tr a c > z": 3,
    "printf 'a\\nb\\n' > x; grep -v a x > y; grep a x | grep -c b > z; head -1 x > w": 2,
    'x=$(echo a; echo b > y); echo "${x}" > z': 2,
    "echo a > x && echo b > y || echo c > z": 2,
    "echo 'a' > x; ln -T x y; ln -sT x z; cat z > w": 4,
    "bash -c 'echo a > x; echo b' > y": 2,
    "shopt -s xpg_echo; echo 'a\\nb' > x": 1,
    "echo a > x; sed -i '$a b' x; echo c > y; sed -i '1i d' y; sed -i 2d y": 0,
    "echo a > x; sed -i s/a/b/ x; find . -name x -delete; echo c > y": 1,
    "echo a > ${T}/x; cp -T ${T}/x y; cat ${T}/x ${T}/x > z; mv ${T}/x .": 3,
    "echo a > x 2>&1; echo b &> y; echo c >& z; echo d 1> w": 4,
    "eval 'echo a > x'; command echo b > y; env LC_ALL=C sed s/a/b/ < x > z": 3,
    "printf -v x '%s' a; echo $x > x; declare -p x > y; printf '%q' 'a b' > z": 3,
    "echo a > x; paste -sd, x > y; cut -d' ' -f1 x > z; dirname /a/b > w": 3,
    "tee x <<< a > /dev/null; tee -a x y <<EOF\nb\nEOF": 1,
    "mkdir d; echo a > d/x; cp -rT d/x e; mkdir e3; cp --parents d/x e3": 3,
}


@pytest.mark.parametrize("commands", SCRIPTS)
def test_what_real_programs_leave(tmp_path: Path, commands: str) -> None:
    assert compare(tmp_path, commands) == SCRIPTS[commands]


NAMES = st.sampled_from(["a", "b.txt", "c.txt", "d/e.txt", "d/f.txt", "g/h.txt"])
WORDS = st.sampled_from(["one", "two\\n", "'x y'", "-n", "-e 'p\\nq'", "'p\\nq'", "$v", '"$w z"'])
FOLDERS = st.sampled_from([".", "d/", "./g/."])


@st.composite
def commands(draw: st.DrawFn) -> str:
    """Return one command, or a few, that do something to files."""
    one, other = draw(NAMES), draw(NAMES)
    text = " ".join(draw(st.lists(WORDS, min_size=1, max_size=3)))
    to = draw(st.sampled_from([">", ">>", ">|", "1>", "&>"]))
    sed = draw(st.sampled_from(["s/o/0/", "/x/d", "-n /p/p", "-e s/y/z/ -e s/q/rr/"]))
    simple = [
        f"echo {text} {to} {one}",
        f"printf '%s,' {text} {to} {one}",
        f"cat {one} {other} > {draw(NAMES)}.new",
        f": >> {one}; cat < {one} > {other}.new",
        f"cat >> {one} <<EOF\n{text}\nEOF\n",
        f"echo {text} | tee -a {one} | sed {sed} {to} {other}.new",
        f"echo {text} | tee {one} > /dev/null",
        f"sed {sed} {one} > {other}.new",
        f"sed {sed} -i {one}",
        f"mv {one} {other}.old",
        f"cp {one} {other}.old",
        f"cp {one} {draw(FOLDERS)}",
        f"rm -f {one}",
        f"touch {one}",
        f": > {one}",
        "cp -r d/. g/",
        "rm -r d/*",
        f"( cd d; echo {text} {to} x )",
        f"{{ echo {text}; cat {one}; }} > {other}.new",
        f"f {text} {to} {one}",
        f"v={draw(WORDS)}",
        f"for w in {text}; do echo $w; done {to} {one}",
        f"for w in {text}; do echo $w >> {one}; done",
        f': >> {one}; while read -r w; do echo "<$w>"; done < {one} > {other}.new',
    ]
    return draw(st.sampled_from(simple))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(commands(), min_size=1, max_size=6))
def test_any_commands_leave_what_is_known(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    script = 'v=1; w=2\nf() { echo "f $1"; }\nmkdir -p d g\necho start > a\necho h > g/h.txt\n'
    compare(tmp_path_factory.mktemp("texts"), script + "\n".join(parts))


@pytest.mark.parametrize(
    ("commands", "name", "expected"),
    [
        ("use a && echo one > x; cat x > y", "y", ["one if use a"]),
        ("echo one > x; use a && echo two > x", "x", ["one", "two if use a"]),
        ("echo one > x; use a && rm x; use a || rm x", "x", []),
        ("echo one > x; [[ -e z ]] && rm x", "x", ["one ?"]),
        ("echo one > x; use a && sed -i s/one/two/ x", "x", ["one", "two if use a"]),
        ("if use a; then echo 1; else echo 2; fi > x", "x", ["1 if use a", "2 if not (use a)"]),
        ('cp "${FILESDIR}"/deep/one.txt x', "x", ["one ?"]),
        ("echo a > x; cp x \"$(y)\"/z.txt", "x", ["a"]),
        ("echo a >> \"$(y)\"/z", "?*/z", ["a ?"]),
        ("./tool > x; sed -e s/a/b/ x > y", "y", ["${?}"]),
        ("cat > x <<EOF\na\n$(b) c\nd\nEOF\nsed -i s/a/e/ x", "x", ["e", "${?}", "d"]),
        ('sed "s/@also@/${CHOST}$(b)/" "${FILESDIR}"/unit.in | tail -n 1 > x', "x", ["${?}"]),
        ('sed -e /D/d -e "s/@also@/$(b)/" "${FILESDIR}"/unit.in > x', "x", [
            "[Unit]", "[Install]", "Also=${?}",
        ]),
        ("echo a > x; truncate -s 0 x", "x", []),
        ("printf 'b\na\n' > x; sort -o x x", "x", ["b ?", "a ?"]),
        ("printf 'b\na\n' > x; sort x > y", "x", ["b", "a"]),
        ("echo a > x; tool | sponge x", "x", ["a ?"]),
        ("echo a > x; echo b | tee -ai x", "x", ["a", "b"]),
        ("echo a > x; echo b | tee -i x", "x", ["b"]),
        ("echo -n a > x; echo -n b >> x; echo c >> x", "x", ["abc"]),
        ("printf '%s\\n' a > x; perl -pi -e s/a/b/ x", "x", ["a ?"]),
        ("printf '%s\\n' a > x; perl -0777pi -e s/a/b/ x", "x", ["a ?"]),
        ("printf '%s\\n' a > x; gzip x", "x", ["a ?"]),
        ("printf '%s\\n' a > x; perl tool x", "x", ["a"]),
    ],
)  # fmt: skip
def test_what_depends_and_what_is_unknown(
    tmp_path: Path, commands: str, name: str, expected: list[str]
) -> None:
    assert shown(texts_of(tmp_path, commands)[name]) == expected


def test_folders_are_left_out_of_a_copy_of_files(tmp_path: Path) -> None:
    assert set(texts_of(tmp_path / "files", 'cp "${FILESDIR}"/deep/* .')) == {"one.txt"}
    found = texts_of(tmp_path / "all", 'cp -R "${FILESDIR}"/deep/* .')
    assert set(found) == {"one.txt", "er/two.txt"}


@pytest.mark.parametrize(
    ("line", "wanted", "expected"),
    [
        ("a $(x).o", "b.o", {"a b.o", "a b.o.o"}),
        ("a_$(x)", "a_b", {"a_b", "a_a_b"}),
        ("a ${D} b", "c", set()),
        ("$(x)", "ab", {"ab"}),
    ],
)
def test_what_completes_a_line(tmp_path: Path, line: str, wanted: str, expected: set[str]) -> None:
    (found,) = texts_of(tmp_path, f'echo "{line}" > x')["x"].lines()
    assert isinstance(found.text, Mixed)
    full = {completed for _, completed in completions(found.text, wanted) if wanted in completed}
    assert full == expected

"""FILESDIR: what wildcards find there, what tests say of it, and which of its files are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.file_uses import file_uses, name_pattern
from overlaylint.overlay.filesdir import FilesDir
from overlaylint.overlay.masters import find_repositories
from overlaylint.shell.values import Mixed, Unknown, Value, join

PATH = "app-misc/hello/hello-1.ebuild"
FILES = "app-misc/hello/files"


def ebuild(folder: Path, text: str, files: tuple[str, ...] = (), **links: str) -> Ebuild:
    contents = {PATH: f"EAPI=8\n{text}\n", **dict.fromkeys((f"{FILES}/{f}" for f in files), "x")}
    root = overlay(folder, contents, {f"{FILES}/{name}": to for name, to in links.items()})
    found = find_repositories(root).overlay.ebuild_at(PATH)
    assert found is not None
    return found


def used(found: Ebuild) -> list[str]:
    return [str(use.path).removeprefix("${FILESDIR}") for use in file_uses(found)]


def below(text: str) -> Value:
    return join((Unknown("", symbol="FILESDIR", is_word=True), text))


TREE = ("b.patch", "a.patch", ".hidden.patch", "sub/c.patch", "sub/d.txt", "other/c.patch", "x[1]")


@pytest.mark.parametrize(
    ("options", "word", "expected"),
    [
        ("", '"${FILESDIR}"/*.patch', ["/a.patch", "/b.patch"]),
        ("", '"${FILESDIR}"/*/c.patch', ["/other/c.patch", "/sub/c.patch"]),
        ("", '"${FILESDIR}"/sub/*', ["/sub/c.patch", "/sub/d.txt"]),
        ("", '"${FILESDIR}"/[ab].patch', ["/a.patch", "/b.patch"]),
        ("", '"${FILESDIR}"/.*.patch', ["/.hidden.patch"]),
        ("shopt -s dotglob", '"${FILESDIR}"/*.patch', ["/.hidden.patch", "/a.patch", "/b.patch"]),
        ("", '"${FILESDIR}"/"*".patch', ["/*.patch"]),
        ("", '"${FILESDIR}"/x\\[*', ["/x[1]"]),
        ("", '"${FILESDIR}"/no-*', ["/no-*"]),
        ("shopt -s nullglob", '"${FILESDIR}"/no-*', []),
        ("set -f", '"${FILESDIR}"/*.patch', ["/*.patch"]),
        ("", '"${FILESDIR}"/{a,no-*}.patch', ["/a.patch", "/no-*.patch"]),
    ],
)
def test_wildcards(tmp_path: Path, options: str, word: str, expected: list[str]) -> None:
    text = f"src_install() {{\n{options or ':'}\ndoins {word}\n}}"
    assert used(ebuild(tmp_path, text, TREE)) == expected


def test_extended_wildcards(tmp_path: Path) -> None:
    files = FilesDir(ebuild(tmp_path, "", TREE))
    pattern = below("/@(a|z).patch")
    assert files.matching(pattern, extended=True, hidden=False) == [below("/a.patch")]
    assert files.matching(pattern, extended=False, hidden=False) == []


def test_wildcards_elsewhere_stay_unknown(tmp_path: Path) -> None:
    found = ebuild(tmp_path, 'src_install() { doins "${S}"/*.x "${FILESDIR}"/${ARCH}*; }', TREE)
    (call,) = found.trace("src_install").named("doins")
    assert [str(word) for word in call.arguments] == [
        "${WORKDIR}/hello-1/*.x",
        "${FILESDIR}/${ARCH}*",
    ]


@pytest.mark.parametrize(
    ("operator", "name", "expected"),
    [
        ("-e", "/b.patch", True),
        ("-f", "/b.patch", True),
        ("-d", "/b.patch", False),
        ("-d", "/sub", True),
        ("-d", "", True),
        ("-f", "/sub", False),
        ("-s", "/b.patch", True),
        ("-e", "/none", False),
        ("-h", "/none", False),
        ("-e", "/link", True),
        ("-e", "/dangling", False),
        ("-L", "/dangling", None),
        ("-e", "/outward", None),
        ("-x", "/b.patch", None),
        ("-x", "/none", False),
    ],
)
def test_tests(tmp_path: Path, operator: str, name: str, expected: bool | None) -> None:
    found = ebuild(
        tmp_path, "", TREE, link="b.patch", dangling="none", outward="../../../../elsewhere"
    )
    assert FilesDir(found).test(operator, below(name)) is expected


def test_nothing_is_said_of_other_files(tmp_path: Path) -> None:
    files = FilesDir(ebuild(tmp_path, "", TREE))
    assert files.test("-e", "/etc/passwd") is None
    assert files.test("-e", below("-suffix")) is None
    assert files.matching("/etc/*", extended=False, hidden=False) is None


def test_names(tmp_path: Path) -> None:
    found = ebuild(tmp_path, "", ("a", "b/c/d"))
    assert FilesDir(found).names == ("a", "b", "b/c", "b/c/d")
    assert FilesDir(ebuild(tmp_path / "empty", "")).names == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('src_install() { doins "${FILESDIR}"/a; }', ["/a"]),
        ('src_install() { doins "${FILESDIR}"; }', [""]),
        ('src_install() { doins "${FILESDIR}-more"; }', []),
        ('src_install() { emake X="${FILESDIR}/a" -f"${FILESDIR}/b"; }', ["/a", "/b"]),
        ('src_install() { X=${FILESDIR}/a emake; }', ["/a"]),
        ('src_install() { sed "s:a:${FILESDIR}/b:" x; }', []),
        ('src_install() { sed "/x/r ${FILESDIR}/b" x; }', ["/b"]),
        ('src_install() { cat < "${FILESDIR}"/a > "${FILESDIR}"/b; }', ["/a"]),
        ('src_install() { cp "${FILESDIR}"/a "${FILESDIR}"/b; }', ["/a"]),
        ('src_install() { cp -t . "${FILESDIR}"/a "${FILESDIR}"/b; }', ["/a", "/b"]),
        ('src_install() { cat "${FILESDIR}"/a | tee x; }', ["/a"]),
        ('src_install() { x="$(cat "${FILESDIR}"/a)"; }', ["/a"]),
        ('src_install() { doins ${FILESDIR}/{a,b}; }', ["/a", "/b"]),
        ('src_install() { doins "${FILESDIR}/$(usex x a b)"; }', ["/a", "/b"]),
        ('src_install() { elog "${FILESDIR}/a"; }', []),
        ('src_install() { "${FILESDIR}"/a.sh; }', ["/a.sh"]),
        ('put() { doins "$1"; }\nsrc_install() { put "${FILESDIR}/a"; }', ["/a"]),
        ('PATCHES=( "${FILESDIR}"/a "${FILESDIR}"/b )', ["/a", "/b"]),
        ('PATCHES="${FILESDIR}/a ${FILESDIR}/b"', ["/a", "/b"]),
        ('src_prepare() { PATCHES+=( "${FILESDIR}"/a ); default; }', ["/a"]),
        ('src_prepare() { use x && PATCHES+=( "${FILESDIR}"/a ); default; }', ["/a"]),
        ('OTHER=( "${FILESDIR}"/a )', []),
    ],
)  # fmt: skip
def test_uses(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert used(ebuild(tmp_path, text)) == expected


def test_a_list_that_may_be_used(tmp_path: Path) -> None:
    text = 'src_install() { local l=( x ); use x && l+=( "${FILESDIR}"/a ); doins "${l[@]}"; }'
    (use,) = file_uses(ebuild(tmp_path, text))
    assert (use.variable, use.is_certain) == ("l", False)


@pytest.mark.parametrize(
    ("parts", "text", "is_unknown"),
    [
        (("/a.b",), r"/a\.b", False),
        ((Unknown("", pattern="/*.[ch]"),), r"/[^/]*\.[^/]", False),
        (("/", Unknown("", symbol="ARCH"), "-x"), r"/.*\-x", True),
    ],
)
def test_name_pattern(parts: tuple[str | Unknown, ...], text: str, is_unknown: bool) -> None:
    assert name_pattern(Mixed((Unknown("", symbol="FILESDIR"), *parts))) == (text, is_unknown)

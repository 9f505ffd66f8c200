"""`overlaylint metadata`: what it prints and writes, and where it does not write."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support import HELLO, overlay, overlaylint, write

from overlaylint.overlay.files import LARGEST_SCRIPT

EBUILD = (
    'EAPI=8\ninherit greet\nDESCRIPTION="Says  hello"\nSLOT=0\nIUSE="b"\nsrc_compile() { :; }\n'
)
ECLASS = 'IUSE="a"\nRDEPEND="dev-libs/x"\n'
FILES: dict[str, str | bytes] = {HELLO: EBUILD, "eclass/greet.eclass": ECLASS}
UNKNOWN = 'EAPI=8\nDESCRIPTION=d\nSLOT=0\nKEYWORDS="${ARCH}"\n'


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


ENTRY = (
    "DEFINED_PHASES=compile\nDESCRIPTION=Says hello\nEAPI=8\nINHERIT=greet\nIUSE=b a\n"
    f"RDEPEND=dev-libs/x\nSLOT=0\n_eclasses_=greet\t{md5(ECLASS)}\n_md5_={md5(EBUILD)}\n"
)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_printed(tmp_path: Path) -> None:
    ran = overlaylint(["metadata", overlay(tmp_path, FILES)])
    lines = "".join(f"  {line}\n" for line in ENTRY.splitlines())
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"app-misc/hello-1::overlay\n{lines}"


def test_written_and_nothing_else(tmp_path: Path) -> None:
    root = overlay(tmp_path / "tree", FILES)
    before = files_in(tmp_path / "tree")
    ran = overlaylint(["metadata", root, "--output-dir", tmp_path / "cache"])
    assert (ran.status, ran.err) == (0, "")
    assert files_in(tmp_path / "cache") == {"app-misc/hello-1": ENTRY.encode()}
    assert files_in(tmp_path / "tree") == before


def test_a_file_that_is_up_to_date_stays(tmp_path: Path) -> None:
    root = overlay(tmp_path, FILES)
    overlaylint(["metadata", root, "--output-dir", tmp_path / "cache"])
    file = tmp_path / "cache/app-misc/hello-1"
    number = file.stat().st_ino
    assert (
        "0 files written" in overlaylint(["metadata", root, "--output-dir", file.parent.parent]).out
    )
    assert file.stat().st_ino == number
    file.write_text("old")
    assert (
        "1 files written" in overlaylint(["metadata", root, "--output-dir", file.parent.parent]).out
    )
    assert file.read_text() == ENTRY


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("", {"hello-1", "hello-2", "other-1"}),
        ("app-misc", {"hello-1", "hello-2", "other-1"}),
        ("app-misc/hello", {"hello-1", "hello-2"}),
        ("app-misc/hello/hello-2.ebuild", {"hello-2"}),
    ],
)
def test_selection(path: str, wanted: set[str], tmp_path: Path) -> None:
    files = {
        **FILES,
        "app-misc/hello/hello-2.ebuild": EBUILD,
        "app-misc/other/other-1.ebuild": EBUILD,
    }
    root = overlay(tmp_path, files)
    overlaylint(["metadata", root / path, "--output-dir", tmp_path / "cache"])
    assert {path.name for path in (tmp_path / "cache").glob("*/*")} == wanted


def test_nothing_there(tmp_path: Path) -> None:
    root = overlay(tmp_path, FILES)
    ran = overlaylint(["metadata", root / "eclass"])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("overlaylint: there is no ebuild in ")


def test_unknown_value(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: UNKNOWN})
    ran = overlaylint(["metadata", root, "--output-dir", tmp_path / "cache"])
    assert ran.status == 1
    assert ran.err == (
        "overlaylint: app-misc/hello-1::overlay: KEYWORDS is unknown:"
        f" $ARCH is set by the package manager ({HELLO}:4:1)\n"
    )
    text = (tmp_path / "cache/app-misc/hello-1").read_text()
    # Without _md5_, Portage sources the ebuild itself.
    assert text == "DEFINED_PHASES=-\nDESCRIPTION=d\nEAPI=8\nSLOT=0\n"


def test_unknown_value_has_a_place(tmp_path: Path) -> None:
    text = "EAPI=8\nDESCRIPTION=d\nSLOT=0\nLICENSE=x${RANDOM}\n"
    ran = overlaylint(["metadata", overlay(tmp_path, {HELLO: text})])
    assert ran.status == 1
    assert f"LICENSE is unknown: $RANDOM differs from run to run ({HELLO}:4:" in ran.err
    assert "LICENSE" not in ran.out


def test_can_not_be_sourced(tmp_path: Path) -> None:
    files = {HELLO: "EAPI=8\nSLOT=0\ndie no\n", "app-misc/other/other-1.ebuild": UNKNOWN}
    root = overlay(tmp_path, files)
    ran = overlaylint(["metadata", root, "--output-dir", tmp_path / "cache"])
    assert ran.status == 1
    assert "app-misc/hello-1::overlay: it can't be sourced: no" in ran.err
    assert {path.name for path in (tmp_path / "cache").glob("*/*")} == {"other-1"}


def test_syntax_error_has_its_place(tmp_path: Path) -> None:
    ran = overlaylint(["metadata", overlay(tmp_path, {HELLO: "EAPI=8\nSLOT=0\n)\n"})])
    assert (ran.status, ran.out) == (1, "")
    assert f"({HELLO}:3:1)" in ran.err


def test_missing_master_is_told(tmp_path: Path) -> None:
    files = {HELLO: EBUILD, "metadata/layout.conf": "masters = gentoo\n"}
    ran = overlaylint(["metadata", overlay(tmp_path, files)])
    assert ran.status == 1
    assert "overlaylint: master gentoo is missing: " in ran.err
    assert "greet.eclass is in a master that is missing" in ran.err


def test_given_master(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {HELLO: EBUILD, "gentoo::eclass/greet.eclass": ECLASS}
    root = overlay(tmp_path / "a", files)
    (tmp_path / "a/gentoo").rename(tmp_path / "gentoo")
    ran = overlaylint(["metadata", root, "--master", f"gentoo={tmp_path / 'gentoo'}"])
    assert (ran.status, ran.err) == (0, "")
    assert "IUSE=b a" in ran.out


def test_too_large_to_be_parsed(tmp_path: Path) -> None:
    large = b"IUSE=x\n#" + b"x" * LARGEST_SCRIPT
    files = {**FILES, "eclass/greet.eclass": large, "app-misc/large/large-1.ebuild": large}
    ran = overlaylint(["metadata", overlay(tmp_path, files)])
    assert ran.status == 1
    assert "IUSE, KEYWORDS" in ran.err
    assert "it is larger than 2 MiB (eclass/greet.eclass)" in ran.err
    assert "it is larger than 2 MiB (app-misc/large/large-1.ebuild)" in ran.err


def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    text = "EAPI=8\nSLOT=0\nDESCRIPTION=$'\\e[31mred'\n"
    out = overlaylint(["metadata", overlay(tmp_path, {HELLO: text})]).out
    assert "DESCRIPTION=\\x1b[31mred" in out
    assert "\x1b" not in out


# Where it writes


def refused(root: Path, folder: Path) -> str:
    ran = overlaylint(["metadata", root, "--output-dir", folder])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    return ran.err


@pytest.mark.parametrize("folder", ["", "app-misc", "new", "metadata", "metadata/md5-cache/x"])
def test_the_overlay_is_not_written_to(folder: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, FILES)
    before = files_in(root)
    assert "nothing is written into the overlay itself" in refused(root, root / folder)
    assert files_in(root) == before


def test_its_cache_is_where_asked_for(tmp_path: Path) -> None:
    root = overlay(tmp_path, FILES)
    assert overlaylint(["metadata", root, "--output-dir", root / "metadata/md5-cache"]).status == 0
    assert (root / "metadata/md5-cache/app-misc/hello-1").read_text() == ENTRY


def test_a_link_to_the_overlay_is_seen_through(tmp_path: Path) -> None:
    root = overlay(tmp_path, FILES)
    (tmp_path / "link").symlink_to(root)
    assert "nothing is written" in refused(root, tmp_path / "link")


def test_a_cache_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    root = overlay(tmp_path / "a", FILES)
    (tmp_path / "elsewhere").mkdir()
    (root / "metadata/md5-cache").symlink_to(tmp_path / "elsewhere")
    assert "is a link in the checked tree" in refused(root, root / "metadata/md5-cache")
    assert files_in(tmp_path / "elsewhere") == {}


def test_links_in_a_cache_are_not_followed(tmp_path: Path) -> None:
    root = overlay(tmp_path / "a", FILES)
    cache = root / "metadata/md5-cache"
    secret = write(tmp_path, "secret", "keep")
    (cache / "app-misc").mkdir(parents=True)
    (cache / "app-misc/hello-1").symlink_to(secret)
    assert overlaylint(["metadata", root, "--output-dir", cache]).status == 0
    assert secret.read_text() == "keep"
    assert not (cache / "app-misc/hello-1").is_symlink()


def test_a_category_that_is_a_link_is_refused(tmp_path: Path) -> None:
    root = overlay(tmp_path / "a", FILES)
    cache = root / "metadata/md5-cache"
    cache.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (cache / "app-misc").symlink_to(tmp_path / "elsewhere")
    assert "is a link, which is not followed" in refused(root, cache)
    assert files_in(tmp_path / "elsewhere") == {}


def test_not_allowed(without_root: Path) -> None:
    root = overlay(without_root / "a", FILES)
    (without_root / "cache").mkdir(mode=0o500)
    assert "can't be written: Permission denied" in refused(root, without_root / "cache")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    root = overlay(tmp_path / "a", FILES)
    write(tmp_path, "cache/app-misc", "a file")
    assert "can't be written" in refused(root, tmp_path / "cache")


def test_under_a_profile(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        HELLO: UNKNOWN,
        "profiles/some/make.defaults": "ARCH=amd64\n",
    }
    root = overlay(tmp_path, files)
    ran = overlaylint(["metadata", root])
    assert ran.status == 1
    assert "KEYWORDS is unknown: $ARCH is set by the package manager" in ran.err
    ran = overlaylint(["metadata", root, "--profile", "some"])
    assert (ran.status, ran.err) == (0, "")
    assert "KEYWORDS=amd64\n" in ran.out
    ran = overlaylint(["metadata", root, "--profile", "overlay:some"])
    assert ran.status == 0
    ran = overlaylint(["metadata", root, "--profile", "other"])
    assert ran.status == 2
    assert "--profile other: no such profile" in ran.err

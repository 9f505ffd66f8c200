"""What a rule is told of an ebuild's variables."""

from __future__ import annotations

from pathlib import Path

from support import overlay

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.masters import find_repositories

PATH = "app-misc/hello/hello-1.ebuild"


def ebuild(folder: Path, text: str, masters: str = "") -> Ebuild:
    files = {PATH: f"EAPI=8\nSLOT=0\n{text}", "metadata/layout.conf": f"masters = {masters}\n"}
    found = find_repositories(overlay(folder, files), {}).overlay.ebuild_at(PATH)
    assert found is not None
    return found


def test_what_nothing_sets_is_not_there(tmp_path: Path) -> None:
    assert ebuild(tmp_path, "").variable("HOMEPAGE") is None
    assert ebuild(tmp_path, "", masters="gentoo").variable("HOMEPAGE") is None


def test_a_missing_eclass_may_have_set_anything(tmp_path: Path) -> None:
    found = ebuild(tmp_path, "inherit away\nLICENSE=MIT\n", masters="gentoo")
    homepage = found.variable("HOMEPAGE")
    assert homepage is not None
    assert homepage.text is None
    assert homepage.unknown is not None
    assert homepage.unknown.reason == "away.eclass is in a master that is missing"
    text = found.read()
    assert text[homepage.span.start : homepage.span.end] == b"inherit away"
    # What the ebuild sets after it is known all the same.
    after = found.variable("LICENSE")
    assert after is not None
    assert after.text == "MIT"


def test_a_failure_is_told(tmp_path: Path) -> None:
    failed = ebuild(tmp_path, "HOMEPAGE=x\ndie 'not today'\n").evaluation
    assert failed.failure is not None
    assert "not today" in failed.failure.reason

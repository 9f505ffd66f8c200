"""What the policies of one package stand on: flags and their lines, masks, an ebuild's own code."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.assignments import assignments, written_word
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.flag_setting import FlagSetting, flag_settings
from overlaylint.overlay.install_mask import is_masked, masks_path
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.own_code import own_evaluation, own_functions, own_traces

PATH = "app-misc/hello/hello-1.ebuild"
EBUILD = 'EAPI=7\nIUSE="daemon"\nSLOT="0"\n'


def ebuild(folder: Path, files: dict[str, str]) -> Ebuild:
    repositories = find_repositories(overlay(folder, {PATH: EBUILD, **files}))
    found = repositories.overlay.ebuild_at(PATH)
    assert found is not None
    return found


def setting(folder: Path, files: dict[str, str]) -> FlagSetting:
    (found,) = flag_settings(ebuild(folder, files), "daemon")
    return found


# --- flags ---


@pytest.mark.parametrize(
    ("files", "is_on", "kind", "text"),
    [
        ({}, False, None, None),
        ({"make.defaults": 'USE="daemon"'}, True, "make.defaults", "daemon"),
        (
            {"make.defaults": 'USE="daemon"', "package.use": "app-misc/hello -daemon"},
            False,
            "package.use",
            "-daemon",
        ),
        (
            {"package.use": "app-misc/hello -daemon", "use.force": "daemon"},
            True,
            "use.force",
            "daemon",
        ),
        (
            {"use.force": "daemon", "package.use.force": "app-misc/hello -daemon"},
            False,
            None,
            None,
        ),
        (
            {"use.force": "daemon", "package.use.mask": "app-misc/hello daemon"},
            False,
            "package.use.mask",
            "daemon",
        ),
        ({"package.use": "app-misc/other daemon"}, False, None, None),
    ],
)
def test_which_line_decides(
    tmp_path: Path, files: dict[str, str], is_on: bool, kind: str | None, text: str | None
) -> None:
    inside = {f"profiles/main/{name}": f"{content}\n" for name, content in files.items()}
    found = setting(tmp_path, {"profiles/main/eapi": "7\n", **inside})
    source = found.decided_by
    assert found.is_on is is_on
    assert (source.kind if source else None, source.text if source else None) == (kind, text)
    assert found.is_set is (source is not None)
    assert found.missing is None
    if source is not None:
        data = inside[source.span.path].encode()
        assert data[source.span.start : source.span.end].decode().endswith(text or "")


def test_a_default_in_iuse_is_no_setting(tmp_path: Path) -> None:
    found = setting(
        tmp_path, {PATH: EBUILD.replace("daemon", "+daemon"), "profiles/main/eapi": "7\n"}
    )
    assert found.is_on
    assert not found.is_set


@pytest.mark.parametrize(
    ("parents", "line", "is_open"),
    [
        ("missing:base\n", "app-misc/hello -daemon\n", False),
        ("missing:base\n", "app-misc/other -daemon\n", True),
        ("missing:base\n:own\n", "", False),
        (":own\nmissing:base\n", "", True),
    ],
)
def test_a_missing_parent_counts_where_it_comes_last(
    tmp_path: Path, parents: str, line: str, is_open: bool
) -> None:
    files = {
        "metadata/layout.conf": "masters = missing\nprofile-formats = portage-2\n",
        "profiles/main/eapi": "7\n",
        "profiles/main/parent": parents,
        "profiles/main/package.use": line,
        "profiles/own/eapi": "7\n",
        "profiles/own/package.use": "app-misc/hello -daemon\n",
        "profiles/profiles.desc": "amd64 main dev\n",
    }
    assert (setting(tmp_path, files).missing is not None) is is_open


# --- masks ---


@pytest.mark.parametrize(
    ("words", "path", "answer"),
    [
        ("/etc/portage", "etc/portage/savedconfig/a", True),
        ("/etc/portage/", "etc/portage/savedconfig/a", True),
        ("/etc/port", "etc/portage/savedconfig/a", False),
        ("/etc/*", "etc/portage/savedconfig/a", True),
        ("*.la", "usr/lib/x.la", True),
        ("*.la", "usr/x.la/y", False),
        ("/etc -/etc/portage", "etc/portage/a", False),
        ("-/etc/portage /etc", "etc/portage/a", True),
        ("", "etc/portage/a", False),
    ],
)
def test_masks(words: str, path: str, answer: bool) -> None:
    assert is_masked(words.split(), path) is answer


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ('INSTALL_MASK+=" /etc/saved"\n', True),
        ('mask=/etc/sav; INSTALL_MASK+=" ${mask}ed"\n', True),
        ('# INSTALL_MASK+=" /etc/saved"\n', False),
        ('cros_pre_pkg_setup_x() { INSTALL_MASK+=" /etc/saved"; }\n', False),
        ('[[ $(where) == here ]] && INSTALL_MASK+=" /etc/saved"\n', None),
        ('INSTALL_MASK="\n', None),
    ],
)
def test_hooks_mask_as_well(tmp_path: Path, hook: str, answer: bool | None) -> None:
    found = ebuild(tmp_path, {"coreos/config/env/app-misc/hello": hook})
    assert masks_path(found, "etc/saved/file") is answer


def test_the_profile_masks(tmp_path: Path) -> None:
    found = ebuild(
        tmp_path,
        {
            "profiles/main/make.defaults": 'A="/etc"\nINSTALL_MASK="/var ${A}/saved"\n',
            "coreos/config/env/app-misc/hello": 'INSTALL_MASK+=" -/etc/saved/kept"\n',
        },
    )
    profile = found.repository.profiles["main"]
    assert masks_path(found, "etc/saved/file", profile) is True
    assert masks_path(found, "etc/saved/kept", profile) is False


# --- an ebuild's own code ---

OWN = """EAPI=7
inherit build lib
SLOT="0"
helper() { dobin "$1"; }
src_install() { lib_install; helper hello; }
build_src_install_all() { use daemon && keepdir /var; dodoc README; }
build_like() { dodoc NEVER; }
other_src_install() { dodoc NEVER; }
"""


def calls(found: Ebuild, use: dict[str, bool] | None = None) -> dict[str, list[str]]:
    return {
        trace.phase: [" ".join(map(str, (call.name, *call.arguments))) for call in trace]
        for trace in own_traces(found, use)
        if trace.phase.endswith(("install", "install_all", "_mine"))
    }


@pytest.mark.parametrize("has_master", [True, False])
def test_own_code_is_the_same_with_and_without_masters(tmp_path: Path, has_master: bool) -> None:
    files = {
        PATH: OWN,
        "metadata/layout.conf": "masters = base\n",
        "eclass/lib.eclass": "lib_install() { insinto /lib; master_install; }\n",
        "coreos/config/env/app-misc/hello": "cros_post_src_install_mine() { dodoc HOOK; }\n",
    }
    if has_master:
        files["base::eclass/build.eclass"] = (
            "master_install() { dobin never; }\n"
            "build_src_install() { build_src_install_all; }\nEXPORT_FUNCTIONS src_install\n"
        )
    found = ebuild(tmp_path, files)
    assert calls(found, {"daemon": False}) == {
        "src_install": [
            "lib_install",
            "insinto /lib",
            "master_install",
            "helper hello",
            "dobin hello",
        ],
        "build_src_install_all": ["dodoc README"],
        "cros_post_src_install_mine": ["dodoc HOOK"],
    }
    assert "keepdir /var" in calls(found)["build_src_install_all"]
    assert "lib_install" in own_functions(found)
    assert "master_install" not in own_functions(found)


# --- assignments ---


def test_every_assignment_has_its_place(tmp_path: Path) -> None:
    text = 'EAPI=7\nIUSE="+one"\nf() { IUSE+=" two\n\tthree"; }\nf\nOTHER="four"\nSLOT="0"\n'
    found = ebuild(tmp_path, {PATH: text})
    places = assignments(found, "IUSE")
    assert [text[place.start : place.end] for place in places] == [
        'IUSE="+one"',
        'IUSE+=" two\n\tthree"',
    ]
    for word in ("+one", "three"):
        place = written_word(found, places, word)
        assert place is not None
        assert text[place.start : place.end] == word
    assert written_word(found, places, "four") is None
    assert written_word(found, places, "one") is None


def test_missing_eclasses_leave_the_overlays_own_variables_alone(tmp_path: Path) -> None:
    found = ebuild(
        tmp_path,
        {
            PATH: "EAPI=7\nSOURCES=-r1\ninherit own\n",
            "eclass/own.eclass": "inherit lost also-lost\nDEPEND==a/b-1${SOURCES}\n",
            "metadata/layout.conf": "masters = gone\n",
        },
    )
    variable = found.variable("DEPEND")
    assert variable is not None
    assert variable.text is None
    evaluation = own_evaluation(found)
    variable = evaluation.variable("DEPEND")
    assert variable is not None
    assert variable.text == "=a/b-1-r1"
    assert not evaluation.missing


def test_a_live_ebuild_with_links_is_built_as_they_are_called(tmp_path: Path) -> None:
    root = overlay(
        tmp_path,
        {"app-misc/hello/hello-9999.ebuild": EBUILD, "app-misc/other/other-9999.ebuild": EBUILD},
        {"app-misc/hello/hello-1.ebuild": "hello-9999.ebuild"},
    )
    packages = find_repositories(root).overlay.packages
    built = {one.PF: one.is_built_as_links_only for one in packages["app-misc/hello"].ebuilds}
    assert built == {"hello-1": False, "hello-9999": True}
    assert not packages["app-misc/other"].ebuilds[0].is_built_as_links_only

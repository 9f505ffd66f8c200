"""`overlaylint packages`: what a profile sees, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import Ran, overlay, overlaylint


def ebuild(body: str = "", keywords: str = "amd64") -> str:
    return f'EAPI=8\nDESCRIPTION=d\nSLOT=0\nLICENSE=MIT\nKEYWORDS="{keywords}"\n{body}\n'


UNKNOWN = "app-misc/unknown/unknown-1.ebuild"
FILES: dict[str, str | bytes] = {
    "profiles/arch.list": "amd64\n",
    "profiles/license_groups": "EULA bad\n",
    "profiles/top/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\nUSE="acl"\n',
    "profiles/top/package.mask": "# An old comment.\n\n# It does not build.\n=app-misc/masked-1\n",
    "profiles/top/use.force": "forced\n",
    "profiles/top/use.mask": "masked\n",
    "app-misc/hello/hello-1.ebuild": ebuild("inherit flags"),
    "app-misc/hello/hello-2.ebuild": ebuild(keywords="~amd64"),
    "app-misc/hello/hello-3.ebuild": ebuild("SLOT=3/4", keywords=""),
    "app-misc/masked/masked-1.ebuild": ebuild(),
    "app-misc/bad/bad-1.ebuild": ebuild("LICENSE=bad"),
    "app-misc/broken/broken-1.ebuild": ebuild("die no"),
    UNKNOWN: ebuild("KEYWORDS=${RANDOM}"),
    "eclass/flags.eclass": 'IUSE="acl +on off forced masked"\n',
    "gentoo::app-misc/hello/hello-1.ebuild": ebuild(),
    "gentoo::profiles/base/make.defaults": 'ARCH="arm64"\nACCEPT_KEYWORDS="~arm64"\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return overlay(tmp_path, FILES)


def asked(root: Path, *arguments: str, profile: str = "top") -> Ran:
    return overlaylint(["packages", *arguments, "--overlay", root, "--profile", profile])


def answer(root: Path, *arguments: str, profile: str = "top") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        asked(root, *arguments, "--output-format", "json", profile=profile).out
    )
    return found


def test_json(root: Path) -> None:
    assert answer(root, "=app-misc/hello-1", "--use") == {
        "profile": "top",
        "packages": {
            "app-misc/hello-1::overlay": {
                "visible": True,
                "reasons": [],
                "use": {
                    "on": ["acl", "forced", "on"],
                    "off": ["masked", "off"],
                    "forced": ["forced"],
                    "masked": ["masked"],
                },
            },
            "app-misc/hello-1::gentoo": {
                "visible": True,
                "reasons": [],
                "use": {"on": [], "off": [], "forced": [], "masked": []},
            },
        },
    }


def test_all_packages_and_why_not(root: Path) -> None:
    packages = answer(root)["packages"]
    assert {name: one["reasons"] for name, one in packages.items()} == {
        "app-misc/bad-1::overlay": ["bad license(s)"],
        "app-misc/broken-1::overlay": ["corruption"],
        "app-misc/hello-1::overlay": [],
        "app-misc/hello-2::overlay": ["~amd64 keyword"],
        "app-misc/hello-3::overlay": ["missing keyword"],
        "app-misc/masked-1::overlay": ["package.mask"],
        "app-misc/unknown-1::overlay": [
            f"KEYWORDS is unknown: $RANDOM differs from run to run ({UNKNOWN}:6:1)"
        ],
        "app-misc/hello-1::gentoo": [],
    }
    assert packages["app-misc/unknown-1::overlay"]["visible"] is None
    assert packages["app-misc/masked-1::overlay"]["mask"] == {
        "repository": "overlay",
        "path": "profiles/top/package.mask",
        "line": 4,
        "comment": "It does not build.",
    }


def test_text(root: Path) -> None:
    ran = asked(root, "app-misc/masked", "app-misc/hello-2", "app-misc/broken")
    assert ran.status == 0
    assert ran.out == (
        "app-misc/masked-1::overlay: hidden: package.mask\n"
        "  profiles/top/package.mask:4:1\n"
        "    It does not build.\n"
        "app-misc/hello-2::overlay: hidden: ~amd64 keyword\n"
        "app-misc/broken-1::overlay: hidden: corruption\n"
        "  it can't be sourced: no (app-misc/broken/broken-1.ebuild)\n"
    )


def test_text_with_flags(root: Path) -> None:
    assert asked(root, "app-misc/hello-1::overlay", "--use").out == (
        "app-misc/hello-1::overlay: visible\n"
        "  on: acl forced on\n  off: masked off\n  forced: forced\n  masked: masked\n"
    )


def test_unknown_decides_the_status(root: Path) -> None:
    ran = asked(root, "app-misc/unknown")
    assert ran.status == 1
    assert ran.out.startswith("app-misc/unknown-1::overlay: unknown: KEYWORDS is unknown: ")


@pytest.mark.parametrize(
    ("atom", "wanted"),
    [
        ("app-misc/hello:3", {"app-misc/hello-3::overlay"}),
        ("<app-misc/hello-2", {"app-misc/hello-1::overlay", "app-misc/hello-1::gentoo"}),
        ("app-misc/hello::gentoo", {"app-misc/hello-1::gentoo"}),
    ],
)
def test_atoms(atom: str, wanted: set[str], root: Path) -> None:
    assert set(answer(root, atom)["packages"]) == wanted


def test_a_masters_profile(root: Path) -> None:
    found = answer(root, "app-misc/hello-1", profile="gentoo:base")
    assert found["packages"]["app-misc/hello-1::gentoo"]["reasons"] == ["missing keyword"]


@pytest.mark.parametrize(
    ("arguments", "profile", "message"),
    [
        (("app-misc/hello",), "tpo", "no such profile; did you mean top?"),
        (("app-misc/hello",), "nowhere:base", "no repository here is called nowhere"),
        (("app-misc/hello",), "../../etc", "no such profile"),
        (("app-misc/helo",), "top", "no ebuild matches app-misc/helo"),
        (("hello",), "top", "hello is no package"),
        (("!app-misc/hello",), "top", "without `!`"),
    ],
)
def test_what_is_not_there(
    arguments: tuple[str, ...], profile: str, message: str, root: Path
) -> None:
    ran = asked(root, *arguments, profile=profile)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_hostile_comment(tmp_path: Path) -> None:
    files = {**FILES, "profiles/top/package.mask": "# \x1b[31m\napp-misc/masked\n"}
    out = asked(overlay(tmp_path, files), "app-misc/masked").out
    assert "\\x1b[31m" in out
    assert "\x1b" not in out

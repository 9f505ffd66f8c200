"""The smaller models: kernel configs, systemd units, Manifests, env hooks and user patches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlaylint.overlay.ebuild import Package
from overlaylint.overlay.hooks import env_hooks, has_traces, user_patches
from overlaylint.overlay.kernel_config import (
    config_arches,
    config_paths,
    edited_config,
    kernel_config_for,
    kernel_configs,
    parse_kernel_config,
)
from overlaylint.overlay.manifest import parse_manifest
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.systemd_unit import parse_unit
from overlaylint.tree import DirectoryTree


def repository(root: Path, files: Mapping[str, str]) -> Repository:
    for path, text in (
        {"profiles/repo_name": "r", "profiles/categories": "cat\n"} | dict(files)
    ).items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return Repository(DirectoryTree(root))


# Kernel configs


def kernel(root: Path, files: Mapping[str, str]) -> Package:
    prefixed = {f"cat/kernel/{path}": text for path, text in files.items()}
    return repository(root, prefixed).packages["cat/kernel"]


def test_the_lines_of_a_configuration() -> None:
    text = (
        '# Automatically generated\nCONFIG_A=y\r\n# CONFIG_B is not set\nCONFIG_C="x y"\n'
        " CONFIG_D=y\n# CONFIG_E=y\nCONFIG_F=n\nCONFIG_A=m\n"
    )
    options = parse_kernel_config(text.encode(), "c")
    assert [(option.symbol, option.value, option.is_on) for option in options] == [
        ("A", "y", True),
        ("B", None, False),
        ("C", '"x y"', True),
        ("F", "n", False),
        ("A", "m", True),
    ]
    places = [text[option.span.start : option.span.end] for option in options]
    assert places[:2] == ["CONFIG_A=y", "# CONFIG_B is not set"]


def test_the_common_part_overrules_the_architectures(tmp_path: Path) -> None:
    """As `cat archconfig commonconfig` in the ebuild: Kconfig takes the last line."""
    package = kernel(
        tmp_path,
        {
            "kernel-5.8.11.ebuild": "",
            "files/amd64_defconfig-5.8": "CONFIG_A=y\nCONFIG_B=m\n",
            "files/arm64_defconfig-5.8": "CONFIG_A=m\n",
            "files/commonconfig-5.8": "# CONFIG_A is not set\nCONFIG_C=y\n",
            "files/sort_config.sh": "CONFIG_A=y\n",
        },
    )
    amd64, arm64 = kernel_configs(package)
    assert (amd64.version, amd64.arch, arm64.arch) == ("5.8", "amd64", "arm64")
    assert [amd64.value(symbol) for symbol in "ABCD"] == [None, "m", "y", None]
    assert amd64.options["A"].span.path == "cat/kernel/files/commonconfig-5.8"
    assert [option.symbol for option in amd64.lines] == ["A", "B", "A", "C"]
    assert amd64.kernel_version is not None


@pytest.mark.parametrize(
    ("phase", "value"),
    [
        ("sed -i 's/CONFIG_A=y/CONFIG_A=m/' build/.config", "m"),
        ("sed -i '/CONFIG_A=/d' build/.config", None),
        ("sed 's/CONFIG_A=y/CONFIG_A=m/' build/.config", "y"),
        ("sed -i 's/CONFIG_A=y/CONFIG_A=m/' Makefile", "y"),
        ("echo CONFIG_A=m >> build/.config", "m"),
        ("printf '# CONFIG_A is not set\\n' >> .config", None),
        ("cat >> .config <<-EOF\nCONFIG_A=m\nEOF", "m"),
        ("echo CONFIG_A=m", "y"),
        ("source/scripts/config --file .config -d A --module B", None),
        ("./scripts/config --set-val A 7 -e B", "7"),
        ("use arm64 && echo CONFIG_A=m >> .config", "y"),
        ("use amd64 && echo CONFIG_A=m >> .config", "m"),
    ],
)
def test_what_a_phase_does_to_a_configuration(
    tmp_path: Path, phase: str, value: str | None
) -> None:
    package = kernel(
        tmp_path,
        {
            "kernel-5.10.4.ebuild": f"EAPI=7\nsrc_prepare() {{\n{phase}\n}}\n",
            "files/amd64_defconfig-5.10": "CONFIG_A=y\nCONFIG_C=y\n",
        },
    )
    (config,) = kernel_configs(package)
    edited = edited_config(package.ebuilds[0], config, ("A",))
    assert (edited.config.value("A"), edited.config.value("C")) == (value, "y")
    assert not edited.doubts


def test_what_a_phase_may_do_to_a_configuration(tmp_path: Path) -> None:
    phase = "use fast && echo CONFIG_A=m >> .config\nsed -i -f CONFIG_A .config"
    package = kernel(
        tmp_path,
        {
            "kernel-5.10.4.ebuild": f"EAPI=7\nsrc_prepare() {{\n{phase}\n}}\n",
            "files/amd64_defconfig-5.10": "CONFIG_A=y\n",
        },
    )
    (config,) = kernel_configs(package)
    reasons = [reason for _, reason in edited_config(package.ebuilds[0], config, ("A",)).doubts]
    assert reasons == [
        "it depends on `use fast`",
        "it is unknown what sed does: the option -f",
    ]


def test_a_patch_release_takes_the_file_of_its_series(tmp_path: Path) -> None:
    """As find_config of coreos-kernel.eclass tries them: PVR, PV, PV up to its last part."""
    package = kernel(
        tmp_path,
        {
            "kernel-5.10.4-r1.ebuild": "",
            "files/amd64_defconfig-5.10": "CONFIG_A=y\n",
            "files/commonconfig-5.10": "CONFIG_B=y\n",
            "files/commonconfig-5.10.4": "CONFIG_B=m\n",
        },
    )
    (ebuild,) = package.ebuilds
    built = kernel_config_for(ebuild, package, "amd64")
    assert built is not None
    assert (built.version, built.value("A"), built.value("B")) == ("5.10.4-r1", "y", "m")
    assert {config.version: config.value("B") for config in kernel_configs(package)} == {
        "5.10": "y",
        "5.10.4": "m",
    }
    assert config_arches(package) == ("amd64",)
    assert len(config_paths(package)) == 3


def test_a_version_without_a_file_of_its_own_takes_the_one_for_all(tmp_path: Path) -> None:
    package = kernel(
        tmp_path,
        {
            "kernel-4.15.0-r1.ebuild": "",
            "files/amd64_defconfig": "CONFIG_A=y\n",
            "files/amd64_defconfig-4.14": "CONFIG_A=m\n",
            "files/commonconfig-4.15": "CONFIG_B=y\n",
        },
    )
    found = {(config.version, config.arch): config.paths for config in kernel_configs(package)}
    assert found == {
        ("", "amd64"): ("cat/kernel/files/amd64_defconfig",),
        ("4.14", "amd64"): ("cat/kernel/files/amd64_defconfig-4.14",),
        ("4.15", "amd64"): (
            "cat/kernel/files/amd64_defconfig",
            "cat/kernel/files/commonconfig-4.15",
        ),
    }


@pytest.mark.parametrize(
    ("files", "path"),
    [
        (["-5.8.11-r1", "-5.8.11", "-5.8", ""], "-5.8.11-r1"),
        (["-5.8.11", "-5.8", ""], "-5.8.11"),
        (["-5.8", "-5.9", ""], "-5.8"),
        (["-5.9", ""], ""),
        (["-5.9"], None),
    ],
)
def test_an_ebuild_finds_its_file_as_the_eclass_does(
    tmp_path: Path, files: list[str], path: str | None
) -> None:
    names = {f"files/amd64_defconfig{suffix}": "CONFIG_A=y\n" for suffix in files}
    package = kernel(tmp_path, {"kernel-5.8.11-r1.ebuild": ""} | names)
    found = kernel_config_for(package.ebuilds[0], package, "amd64")
    assert (found and found.paths) == (
        None if path is None else (f"cat/kernel/files/amd64_defconfig{path}",)
    )


# systemd units


UNIT = b"""# comment
[Unit]
Description=a \\
; a comment in between
  b
After=one.service two.service
After=
After=three.service "four five.service"

[Service]
ExecStart=/bin/x --key=value
stray
[Install]
WantedBy=multi-user.target
WantedBy=other.target
Also=\xc3\xa9.socket \\
  x.service
"""


def test_a_unit() -> None:
    unit = parse_unit(UNIT, "x.service")
    assert unit.value("Service", "ExecStart") == "/bin/x --key=value"
    assert unit.value("Service", "WantedBy") is None
    assert (unit.value("Unit", "Description") or "").split() == ["a", "b"]
    assert [word.text for word in unit.words("Unit", "After")] == [
        "three.service",
        "four five.service",
    ]
    assert len(unit.all("Unit", "After")) == 3
    assert [word.text for word in unit.words("Install", "WantedBy")] == [
        "multi-user.target",
        "other.target",
    ]
    assert [(UNIT[p.start : p.end], p.message) for p in unit.problems] == [
        (b"stray", "this is no `Key=value`")
    ]


def test_words_stand_where_they_say() -> None:
    unit = parse_unit(UNIT)
    words = [UNIT[word.start : word.end].decode() for word in unit.words("Install", "Also")]
    assert words == ["é.socket", "x.service"]
    (setting,) = unit.all("Install", "Also")
    assert UNIT[setting.start : setting.end].startswith(b"Also=")
    assert UNIT[setting.start : setting.end].endswith(b"x.service")


def test_drop_ins_come_after_the_unit_and_may_take_back() -> None:
    unit = parse_unit(b"[Install]\nWantedBy=a.target\n[Service]\nType=simple\n", "x.service")
    drop_ins = [
        parse_unit(b"[Install]\nWantedBy=\nWantedBy=b.target\n", "x.service.d/10.conf"),
        parse_unit(b"[Service]\nType=notify\n", "x.service.d/20.conf"),
    ]
    whole = unit.with_drop_ins(drop_ins)
    assert [word.text for word in whole.words("Install", "WantedBy")] == ["b.target"]
    assert whole.value("Service", "Type") == "notify"
    assert whole.list("Install", "WantedBy")[0].path == "x.service.d/10.conf"


@given(st.binary(max_size=120))
def test_any_bytes_are_some_unit(data: bytes) -> None:
    unit = parse_unit(b"[Install]\n" + data)
    for setting in unit.settings:
        assert all(setting.start <= word.start < word.end <= setting.end for word in setting.words)


def test_quotes_that_are_never_closed_come_to_an_end() -> None:
    unit = parse_unit(b"[Install]\nAlso=" + b'"\\" ' * 200_000 + b"\n")
    assert unit.words("Install", "Also")


# Manifest


def test_a_manifest() -> None:
    data = b"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

DIST a.tar.gz 123 BLAKE2B aa SHA512 bb
DIST a.tar.gz 124 BLAKE2B cc
AUX x.patch 1 SHA256 dd
TIMESTAMP 2020-01-01T00:00:00Z
NOPE x 1
DIST x
DIST x y SHA256 dd
DIST x 1 SHA256
-----BEGIN PGP SIGNATURE-----
abc
-----END PGP SIGNATURE-----
"""
    manifest = parse_manifest(data)
    assert [(entry.type, entry.name, entry.size) for entry in manifest.entries] == [
        ("DIST", "a.tar.gz", 123),
        ("DIST", "a.tar.gz", 124),
        ("AUX", "x.patch", 1),
    ]
    assert manifest.entries[0].checksums == {"BLAKE2B": "aa", "SHA512": "bb"}
    assert manifest.distfiles["a.tar.gz"].size == 124
    assert [data[problem.start : problem.end] for problem in manifest.problems] == [
        b"NOPE x 1",
        b"DIST x",
        b"DIST x y SHA256 dd",
        b"DIST x 1 SHA256",
    ]


# Hooks and patches


def test_hooks_are_found_in_the_order_of_the_profile_bashrc(tmp_path: Path) -> None:
    folder = "coreos/config/env/cat"
    names = ("foo", "foo-1", "foo-1-r0", "foo-2", "bar")
    found = repository(
        tmp_path, {"cat/foo/foo-1.ebuild": ""} | {f"{folder}/{name}": "" for name in names}
    )
    ebuild = next(found.ebuilds)
    assert env_hooks(found, ebuild) == (f"{folder}/foo", f"{folder}/foo-1", f"{folder}/foo-1-r0")


def test_user_patches_are_applied_as_eapply_user_does(tmp_path: Path) -> None:
    folder = "coreos/user-patches/cat"
    found = repository(
        tmp_path,
        {
            "cat/foo/foo-1-r2.ebuild": "",
            f"{folder}/foo/b.patch": "b",
            f"{folder}/foo/a.diff": "a",
            f"{folder}/foo/gone.patch": "x",
            f"{folder}/foo/Z.patch": "x",
            f"{folder}/foo/README.md": "x",
            f"{folder}/foo:2/slot.patch": "x",
            f"{folder}/foo:3/other.patch": "x",
            f"{folder}/foo-1/b.patch": "better",
            f"{folder}/foo-1-r2/gone.patch": "",
            f"{folder}/foo-2/later.patch": "x",
        },
    )
    ebuild = next(found.ebuilds)
    assert user_patches(found, ebuild, "2/5") == (
        f"{folder}/foo/Z.patch",
        f"{folder}/foo/a.diff",
        f"{folder}/foo-1/b.patch",
        f"{folder}/foo:2/slot.patch",
    )


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("coreos/config/env/cat/foo", True),
        ("coreos/config/env/cat/foo-1.2", True),
        ("coreos/user-patches/cat/foo/a.patch", True),
        ("coreos/user-patches/cat/foo:2/a.patch", True),
        ("coreos/user-patches/cat/foo-bar/a.patch", False),
        ("coreos/config/env/dog/foo", False),
    ],
)
def test_a_package_that_has_left_may_leave_traces(
    tmp_path: Path, path: str, is_there: bool
) -> None:
    assert has_traces(repository(tmp_path, {path: ""}), "cat", "foo") is is_there

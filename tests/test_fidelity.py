"""Ebuilds that Portage sources, and overlaylint evaluates: the metadata must be the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from fidelity_cases import CASES, Case
from fidelity_maker import Made, overlays
from hypothesis import Phase, event, given, settings
from portage_metadata import egencache, sourced_by_portage
from real_bash import examples

from overlaylint.overlay.evaluation import evaluate
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.metadata import KEYS, cache_entry, metadata
from overlaylint.overlay.profile_environment import profile_environment

needs_portage = pytest.mark.skipif(egencache() is None, reason="Portage is not installed")


def test_portage_is_there_to_be_asked() -> None:
    """Tests that ask it are passed over only where it can't be installed: not on Linux."""
    is_there = egencache() is not None and find_spec("portage") is not None
    assert sys.platform != "linux" or is_there


LAYOUT = "masters ={}\ncache-formats = md5-dict\nthin-manifests = true\n"
MASTER = {
    "only-in-master": "IUSE=only\n",
    "in-both": "IUSE=master\n",
}


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def repository(folder: Path, files: dict[str, str | bytes], masters: str = "") -> Path:
    """Write a repository that is called as its folder."""
    write(folder / "profiles/repo_name", f"{folder.name}\n")
    write(folder / "profiles/categories", "cat\n")
    write(folder / "metadata/layout.conf", LAYOUT.format(masters))
    for path, content in files.items():
        write(folder / path, content)
    return folder


def package(name: str, case: Case) -> dict[str, str | bytes]:
    """Return the files of a case."""
    own = f"{name}--"
    text = case.text.replace("§", own) if case.data is None else case.data
    files: dict[str, str | bytes] = {f"cat/{name}/{name}-{case.version}.ebuild": text}
    for eclass, content in case.eclasses.items():
        files[f"eclass/{own}{eclass}.eclass"] = content.replace("§", own)
    return files


def differences(
    overlay: Path, answers: dict[str, dict[str, str]], cases: dict[str, Case]
) -> Iterator[str]:
    """Yield where overlaylint says something else than Portage, or too little."""
    for ebuild in find_repositories(overlay).overlay.ebuilds:
        case = cases.get(ebuild.PN)
        evaluation = evaluate(ebuild)
        found = metadata(evaluation)
        theirs = answers.get(ebuild.cpv)
        failed = evaluation.failure is not None
        if case is not None and (theirs is None) != case.is_unsourceable:
            yield f"{ebuild.PN}: Portage {'fails' if theirs is None else 'does not fail'}"
        if theirs is None:
            if not found.unknown:
                yield f"{ebuild.PN}: known, but Portage can't source it"
            elif case is not None and not failed and not case.unknown:
                yield f"{ebuild.PN}: unknown, but Portage can't source it: {found.unknown['SLOT']}"
            continue
        if failed:
            assert evaluation.failure is not None
            yield f"{ebuild.PN}: fails here: {evaluation.failure.reason}"
            continue
        for key in KEYS:
            if key in found.unknown:
                if case is not None and key not in case.unknown:
                    yield f"{ebuild.PN} {key}: unknown: {found.unknown[key].reason}"
            elif found.values.get(key, "") != theirs.get(key, ""):
                yield f"{ebuild.PN} {key}: {found.values.get(key)!r}, Portage {theirs.get(key)!r}"
        if not found.unknown:
            cached = overlay / "metadata/md5-cache" / ebuild.category / ebuild.PF
            entry = cache_entry(evaluation, found).encode("utf-8", "surrogateescape")
            if entry != cached.read_bytes():
                yield f"{ebuild.PN}: the file is {entry!r}, Portage's {cached.read_bytes()!r}"


def compared(tmp_path: Path, cases: dict[str, Case]) -> list[str]:
    """Have Portage and overlaylint look at the cases; return where they differ."""
    master = repository(tmp_path / "master", {f"eclass/{k}.eclass": v for k, v in MASTER.items()})
    files = {
        path: text for name, case in cases.items() for path, text in package(name, case).items()
    }
    files["eclass/in-both.eclass"] = "IUSE=own\n"
    overlay = repository(tmp_path / "overlay", files, " master")
    answers = sourced_by_portage(overlay, [master], tmp_path / "work")
    return list(differences(overlay, answers, cases))


@needs_portage
def test_written_by_hand(tmp_path: Path) -> None:
    assert "\n".join(compared(tmp_path, CASES)) == ""


PROFILES: dict[str, str | bytes] = {
    "profiles/profiles.desc": "amd64 leaf stable\n",
    "profiles/base/make.defaults": (
        'ARCH="amd64"\nCHOST="x86_64-pc-linux-gnu"\nDEFAULT_ABI=amd64\nMULTILIB_ABIS="amd64 x86"\n'
        'CHOST_x86="i686-pc-linux-gnu"\nCFLAGS="-O2"\nUSE="flag"\nUSE_EXPAND="CARDS ELIBC"\n'
        'CARDS="one two"\nELIBC=glibc\nEMPTY=""\nSLOT=5\nUSERLAND=BSD\nACCEPT_KEYWORDS=amd64\n'
        'CONFIG_PROTECT="/etc"\nIUSE_IMPLICIT="x"\n'
    ),
    "profiles/leaf/parent": "../base\n",
    "profiles/leaf/make.defaults": (
        'CHOST="x86_64-cros-linux-gnu"\nCARDS="three"\nOWN="${CHOST_x86} own"\nP=other\n'
        'EDITOR=ed\nBASH_ENV=/nowhere\nIFS=:\nOPTIND=3\nFEATURES="-xattr"\nGZIP=-9\n'
    ),
}
READ = (
    "ABI", "ACCEPT_KEYWORDS", "ARCH", "BASH_ENV", "CARDS", "CBUILD", "CFLAGS", "CHOST",
    "CHOST_x86", "CONFIG_PROTECT", "CTARGET", "DEFAULT_ABI", "EDITOR", "ELIBC", "EMPTY",
    "FEATURES", "GZIP", "IFS", "IUSE_IMPLICIT", "KERNEL", "MULTILIB_ABIS", "OPTIND", "OWN", "P",
    "SLOT", "USE", "USERLAND", "USE_EXPAND", "XARGS",
)  # fmt: skip
#: What depends on more than the profile, or is Portage's own.
ALSO_OF_OTHERS = {
    "ABI", "CARDS", "CFLAGS", "ELIBC", "FEATURES", "IUSE_IMPLICIT", "KERNEL", "USE", "USERLAND",
    "USE_EXPAND", "XARGS",
}  # fmt: skip


@needs_portage
def test_under_a_profile(tmp_path: Path) -> None:
    """What the profile sets is as in Portage, and what is not known without it is known with it."""
    files = dict(PROFILES)
    for name in READ:
        files[f"cat/{name}/{name}-1.ebuild"] = (
            f'EAPI=8\nDESCRIPTION="<${{{name}-unset}}>"\nSLOT=0\n'
        )
    files["cat/dies/dies-1.ebuild"] = (
        'EAPI=8\ncase ${CHOST} in *-cros-*) SLOT=0 ;; *) die "no such host" ;; esac\n'
    )
    overlay = repository(tmp_path / "overlay", files)
    answers = sourced_by_portage(
        overlay, [], tmp_path / "work", parent=overlay / "profiles" / "leaf"
    )
    assert answers["cat/dies-1"]["SLOT"] == "0"
    found = find_repositories(overlay).overlay
    environment = profile_environment(found.profiles["leaf"])
    unknown = set()
    for ebuild in found.ebuilds:
        evaluation = evaluate(ebuild, environment)
        assert evaluation.failure is None
        values = metadata(evaluation)
        if values.unknown:
            unknown.add(ebuild.PN)
        for key, value in answers[ebuild.cpv].items():
            if key in KEYS and key not in values.unknown:
                assert values.values.get(key, "") == value, ebuild
    assert unknown == ALSO_OF_OTHERS


def made_up(folder: Path, made: Made) -> list[str]:
    """Have both look at an overlay that was made up; return where they differ."""
    files: dict[str, str | bytes] = {
        f"eclass/{name}.eclass": text for name, text in made.eclasses.items()
    }
    for (name, version), text in made.ebuilds.items():
        files[f"cat/{name}/{name}-{version}.ebuild"] = text
    overlay = repository(folder / "overlay", files)
    answers = sourced_by_portage(overlay, [], folder / "work")
    event(f"{10 * len(answers) // len(made.ebuilds) * 10} % can be sourced")
    return list(differences(overlay, answers, {}))


@needs_portage
@given(made=overlays(most_ebuilds=40))
@settings(examples(4), phases=[Phase.generate])
def test_made_up(tmp_path_factory: pytest.TempPathFactory, made: Made) -> None:
    # Not reduced to a smaller one where it fails: that would ask Portage hundreds of times.
    assert "\n".join(made_up(tmp_path_factory.mktemp("made"), made)) == ""

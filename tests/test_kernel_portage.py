"""kernel-revision-mismatch on made-up overlays, beside what Portage finds for each state of flags.

A kernel's dependencies are missing something if there are flags that profile and REQUIRED_USE let
be, with which real Portage has no sources for what is left of them. The seeds are fixed;
`OVERLAYLINT_SEEDS=1000` tries more of them.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from portage_metadata import asked_of_portage

from overlaylint.engine.packs import load_catalog
from overlaylint.finding import Finding, Undecided
from overlaylint.overlay.masters import find_repositories

pytest.importorskip("portage")

SEEDS = int(os.environ.get("OVERLAYLINT_SEEDS", "120"))
FLAGS = ("a", "b", "c", "d")
SOURCES = "sys-kernel/coreos-sources"
KERNEL = "sys-kernel/coreos-kernel"

# Prints, for each overlay that standard input names, "refused", "bad" or "good".
ORACLE = """
import itertools, json, os, sys
from _emerge.Package import Package
from portage.dbapi.porttree import portdbapi
from portage.dep import Atom, check_required_use, use_reduce
from portage.exception import InvalidDependString
from portage.package.ebuild.config import config
from portage.versions import _pkg_str

KEYS = list(Package.metadata_keys)
CPV = "sys-kernel/coreos-kernel-5.8.14"

def answer(root):
    repos = f"[DEFAULT]\\nmain-repo = coreos\\n[coreos]\\nlocation = {root}\\nauto-sync = no\\n"
    settings = config(
        config_root=root, target_root=root + "/", eprefix="",
        config_profile_path=root + "/profiles/top",
        env={"PORTAGE_REPOSITORIES": repos, "PATH": os.environ["PATH"]},
    )
    settings.lock()
    ports = portdbapi(mysettings=settings)
    asked = config(clone=settings)
    values = dict(zip(KEYS, ports.aux_get(CPV, KEYS)))
    asked.setcpv(_pkg_str(CPV, metadata=values, settings=asked, db=ports), mydb=ports)
    iuse = values["IUSE"].split()
    implicit = set(asked["PORTAGE_USE"].split()).difference(iuse)
    options = dict(
        is_valid_flag=lambda flag: flag in iuse or bool(settings._iuse_effective_match(flag)),
        token_class=Atom, eapi=values["EAPI"],
    )

    def is_there(atom):
        for cpv in ports.xmatch("match-all", atom.without_use):
            # As where no make.conf may change flags: what the profile masks and forces counts.
            settings_of = ports.settings
            settings_of.local_config, settings_of._parent_stable = False, True
            metadata = dict(zip(KEYS, ports.aux_get(cpv, KEYS)))
            is_one = atom.unevaluated_atom.use is None or ports._match_use(atom, cpv, metadata)
            settings_of.local_config = True
            if is_one:
                return True
        return False

    def is_met(left):
        if not isinstance(left, list):
            return is_there(left)
        return any(map(is_met, left[1:])) if left[:1] == ["||"] else all(map(is_met, left))

    try:
        use_reduce(values["DEPEND"], matchall=True, flat=True, **options)
    except InvalidDependString:
        return "refused"
    answers = set()
    for states in itertools.product((False, True), repeat=len(iuse)):
        on = {flag for flag, is_on in zip(iuse, states) if is_on}
        masked = asked.usemask.intersection(iuse)
        forced = asked.useforce.intersection(iuse) - masked
        if on & masked or forced - on:
            continue
        use = on | implicit
        required = values["REQUIRED_USE"]
        valid = options["is_valid_flag"]
        if required and not check_required_use(required, use, valid, eapi=values["EAPI"]):
            continue
        answers.add(is_met(use_reduce(values["DEPEND"], uselist=use, opconvert=True, **options)))
    ports.close_caches()
    return "refused" if not answers else "bad" if False in answers else "good"

json.dump([answer(json.loads(line)) for line in sys.stdin], sys.stdout)
"""

MAKE_DEFAULTS = """ARCH="amd64"
ACCEPT_KEYWORDS="amd64"
USE_EXPAND_UNPREFIXED="ARCH"
USE_EXPAND_IMPLICIT="ARCH"
USE_EXPAND_VALUES_ARCH="amd64 arm64"
"""


class Maker:
    """Makes up an overlay with a kernel, some revisions of its sources, and a profile."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, str] = {}

    def tree(self, word: Callable[[], str], heads: tuple[str, ...], depth: int = 0) -> str:
        found = []
        for _ in range(self.random.randint(1, 2)):
            if depth < 3 and self.random.random() < 0.5:
                head = self.random.choice(heads)
                found.append(f"{head} ( {self.tree(word, heads, depth + 1)} )".strip())
            else:
                found.append(word())
        return " ".join(found)

    def atom(self) -> str:
        choose = self.random.choice
        slot, brackets = choose(("", "", "", ":0", ":1")), ""
        if self.random.random() < 0.35:
            flag = choose((*FLAGS, "amd64", "nowhere")) + choose(("", "(+)", "(-)"))
            brackets = f"[{choose(('{}', '-{}', '{}?', '!{}?', '{}='))}]".format(flag)
        version = choose(("5.8.14", "5.8.14-r1", "5.8.14-r2"))
        form = choose(
            (
                "",
                f"={{}}-{version}",
                f"={{}}-{version}",
                "~{}-5.8.14",
                f">={{}}-{version}",
                "={}-5*",
            )
        )
        return (form or "{}").format(SOURCES) + slot + brackets

    def some(self, least: int, most: int) -> list[str]:
        return self.random.sample(FLAGS, self.random.randint(least, most))

    def lines(self) -> str:
        return "".join(
            f"{self.random.choice((SOURCES, KERNEL))} {self.random.choice(('', '-'))}{flag}\n"
            for flag in self.some(0, 2)
        )

    def ebuild(self, path: str, values: Mapping[str, str]) -> None:
        text = "".join(
            f"{key}={value}\n" if key == "EAPI" else f'{key}="{value}"\n'
            for key, value in values.items()
        )
        self.files[path] = text
        category, _, name = path.removesuffix(".ebuild").split("/")
        lines = [f"{key}={value}\n" for key, value in sorted(values.items()) if value]
        lines.append(f"_md5_={hashlib.md5(text.encode()).hexdigest()}\n")
        self.files[f"metadata/md5-cache/{category}/{name}"] = "".join(lines)

    def overlay(self, root: Path) -> None:
        common = {"KEYWORDS": "amd64", "DESCRIPTION": "made up", "DEFINED_PHASES": "-"}
        self.files = {
            "profiles/repo_name": "coreos\n",
            "profiles/categories": "sys-kernel\n",
            "profiles/arch.list": "amd64\narm64\n",
            "profiles/profiles.desc": "amd64 top stable\n",
            "profiles/top/eapi": "5\n",
            "profiles/top/make.defaults": f'{MAKE_DEFAULTS}USE="{self.some(1, 1)[0]}"\n',
            "profiles/top/use.mask": "".join(f"{flag}\n" for flag in self.some(0, 1)),
            "profiles/top/package.use.force": self.lines(),
            "profiles/top/package.use.mask": self.lines(),
            "metadata/layout.conf": (
                "masters =\nprofile-formats = portage-2\ncache-formats = md5-dict\n"
            ),
        }
        for revision in self.random.sample(("", "-r1", "-r2"), self.random.randint(1, 3)):
            slot = self.random.choice(("0", "0", "1"))
            self.ebuild(
                f"{SOURCES}/coreos-sources-5.8.14{revision}.ebuild",
                {"EAPI": "7", "SLOT": slot, "IUSE": " ".join(self.some(0, 3)), **common},
            )
        iuse = self.some(2, 4)
        conditions = tuple(f"{sign}{flag}?" for flag in FLAGS for sign in ("", "!"))
        own = tuple(f"{sign}{flag}" for flag in iuse for sign in ("", "!"))
        heads = ("", "||", "^^", "??", *(f"{flag}?" for flag in own))
        required = self.tree(lambda: self.random.choice(own), heads)
        self.ebuild(
            f"{KERNEL}/coreos-kernel-5.8.14.ebuild",
            {
                # From EAPI 7 on, a choice of nothing is unmet, and not for want of sources.
                "EAPI": self.random.choice(("5", "6")),
                "SLOT": "0",
                "IUSE": " ".join(iuse),
                "REQUIRED_USE": required if self.random.random() < 0.6 else "",
                "DEPEND": self.tree(self.atom, ("", "||", "||", *conditions)),
                **common,
            },
        )
        for path, content in self.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)


def said(root: Path) -> str:
    rule = load_catalog().rules["kernel-revision-mismatch"]
    ebuild = find_repositories(root).overlay.ebuild_at(f"{KERNEL}/coreos-kernel-5.8.14.ebuild")
    assert rule.options is not None
    outcomes = list(rule.check(ebuild, rule.options()))
    if any(isinstance(one, Finding) for one in outcomes):
        return "bad"
    return "undecided" if any(isinstance(one, Undecided) for one in outcomes) else "good"


def test_sources_are_missing_where_portage_misses_them(tmp_path: Path) -> None:
    roots = [tmp_path / str(seed) / "overlay" for seed in range(SEEDS)]
    for seed, root in enumerate(roots):
        Maker(seed).overlay(root)
    theirs = dict(zip(roots, asked_of_portage(ORACLE, roots), strict=True))
    # What Portage refuses has no flags: then it is unknown, or the same for all.
    judged = {root: one for root, one in theirs.items() if one != "refused"}
    assert {root: said(root) for root in judged} == judged
    assert set(judged.values()) == {"good", "bad"}

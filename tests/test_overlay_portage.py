"""Small overlays, made up at random, asked of overlaylint and of real Portage alike.

Each overlay has a master, profiles in both that use every file profiles may have, and some
packages with made-up metadata. Portage reads the metadata from an md5-cache, so nothing is
sourced. The seeds are fixed; `OVERLAYLINT_SEEDS=1000` tries more of them.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from portage_metadata import asked_of_portage

from overlaylint.overlay.atom import parse_atom
from overlaylint.overlay.available import Available
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.profile import Profile

pytest.importorskip("portage")

SEEDS = int(os.environ.get("OVERLAYLINT_SEEDS", "40"))

# Asks Portage about each overlay that standard input names.
ORACLE = """
import json, os, sys
import portage
from portage.package.ebuild.config import config
from portage.dbapi.porttree import portdbapi
from portage.dep import Atom
from _emerge.Package import Package
from _emerge.RootConfig import RootConfig

class Trees(dict):
    pass

answers = []
for line in sys.stdin:
    root = json.loads(line)
    repos = "[DEFAULT]\\nmain-repo = master\\n"
    for name in ("master", "overlay"):
        repos += f"[{name}]\\nlocation = {root}/{name}\\nauto-sync = no\\n"
    settings = config(
        config_root=root, target_root=root + "/", eprefix="",
        config_profile_path=root + "/overlay/profiles/top",
        env={"PORTAGE_REPOSITORIES": repos, "PATH": os.environ["PATH"]},
    )
    settings.lock()
    ports = portdbapi(mysettings=settings)
    trees = Trees(porttree=type("tree", (), {"dbapi": ports, "settings": settings})())
    trees["vartree"] = trees["bintree"] = trees["porttree"]
    roots = RootConfig(settings, trees, None)
    asked = config(clone=settings)
    answer = {"nodes": [], "packages": {}}
    for node in settings.profiles:
        answer["nodes"].append(os.path.relpath(node, root))
    answer["provided"] = sorted(sum(settings.pprovideddict.values(), []))
    answer["system"] = sorted(str(atom) for atom in settings.packages)
    for name in ("ARCH", "ACCEPT_KEYWORDS", "USE_EXPAND", "PLAIN"):
        answer[name] = settings.get(name, "")
    for repo in ("master", "overlay"):
        where = ports.repositories[repo].location
        for cp in sorted(ports.cp_all(trees=[where])):
            for cpv in ports.cp_list(cp, mytree=where):
                values = ports.aux_get(cpv, Package.metadata_keys, myrepo=repo)
                metadata = dict(zip(Package.metadata_keys, values), repository=repo)
                package = Package(built=False, cpv=cpv, installed=False, metadata=metadata,
                                  root_config=roots, type_name="ebuild")
                asked.setcpv(package)
                iuse = {flag.lstrip("+-") for flag in metadata["IUSE"].split()}
                use = set(asked["PORTAGE_USE"].split())
                # Asked with the package and not with its name, RESTRICT and PROPERTIES are
                # looked at with the package's flags, as emerge does.
                reasons = portage.getmaskingstatus(package, settings=asked, portdb=ports)
                answer["packages"][f"{cpv}::{repo}"] = {
                    "reasons": [
                        str(reason).replace("( ", "").replace(") ", "") for reason in reasons
                    ],
                    "on": sorted(use & iuse),
                    "enabled": sorted(use),
                    "forced": sorted(asked.useforce & iuse),
                    "masked": sorted(asked.usemask & iuse),
                    "stable": bool(asked._isStable(package.cpv)),
                }
    answer["matches"] = {}
    with open(root + "/atoms") as file:
        lines = [line.rstrip() for line in file]
    for line in lines:
        text, _, use = line.partition(" ")
        atom = Atom(text, allow_repo=True).evaluate_conditionals(use.split())
        found = answer["matches"][line] = []
        for cpv in ports.xmatch("match-all", Atom(text.partition("[")[0], allow_repo=True)):
            name = f"{cpv}::{cpv.repo}"
            # As where no make.conf may change flags: what the profile masks and forces counts.
            ports.settings.local_config = False
            ports.settings._parent_stable = answer["packages"][name]["stable"]
            values = ports.aux_get(cpv, Package.metadata_keys, myrepo=cpv.repo)
            metadata = dict(zip(Package.metadata_keys, values))
            if atom.unevaluated_atom.use is None or ports._match_use(atom, cpv, metadata):
                found.append(name)
            ports.settings.local_config = True
        found.sort()
    answers.append(answer)
    ports.close_caches()
json.dump(answers, sys.stdout)
"""

FLAGS = ("alpha", "beta", "gamma", "delta")
EXPANDED = ("targets_one", "targets_two", "targets_three")
PACKAGES = ("cat/foo", "cat/bar", "dog/foo")
VERSIONS = ("1", "1-r1", "1.0", "1.2", "1.10", "2_rc1", "2", "10", "9999")
KEYWORDS = ("amd64", "~amd64", "arm64", "~arm64", "-*", "*", "~*", "-amd64")
SLOTS = ("0", "0/1", "1", "2/3")
LICENSES = ("GPL-2", "EULA", "|| ( EULA MIT )", "alpha? ( EULA ) MIT", "( EULA ) BSD", "")
NODE_EAPIS = ("1", "5", "6", "7", "8")
ACCEPTED = ("amd64", "~amd64", "arm64", "-amd64", "-*", "**", "~*")
PACKAGE_ACCEPTED = ("amd64", "~amd64", "**", "-~amd64", "~arm64")
PACKAGE_KEYWORDS = ("amd64", "~amd64", "-amd64", "-*")
ACCEPTED_LICENSES = ("*", "-*", "@FREE", "-@EULA", "EULA", "MIT", "-MIT", "@ALL")
FORMATS = ("portage-2", "portage-2 profile-default-eapi", "portage-1 portage-2")
FLAG_FILES = ("use.mask", "use.force", "use.stable.mask", "use.stable.force", "use.stable")
PACKAGE_FLAG_FILES = (
    "package.use",
    "package.use.mask",
    "package.use.force",
    "package.use.stable",
    "package.use.stable.mask",
    "package.use.stable.force",
)
GROUPS = "FREE GPL-2 MIT BSD\nEULA EULA\nALL @FREE @EULA @ALL\n"
BASE = """USE_EXPAND="TARGETS"
USE_EXPAND_UNPREFIXED="ARCH"
USE_EXPAND_IMPLICIT="ARCH ELIBC"
USE_EXPAND_VALUES_ARCH="amd64 arm64"
USE_EXPAND_HIDDEN="ELIBC"
IUSE_IMPLICIT="prefix"
"""
RESTRICTS = ("", "", "mirror", "!alpha? ( bindist )", "test", "alpha? ( fetch )")


class Maker:
    """Makes up the files of one overlay and of its master."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, str] = {}
        self.metadata: dict[str, dict[str, str]] = {}

    def choose(self, choices: tuple[str, ...], most: int = 3, least: int = 0) -> list[str]:
        return [self.random.choice(choices) for _ in range(self.random.randint(least, most))]

    def maybe(self, likelihood: float) -> bool:
        return self.random.random() < likelihood

    def signed(self, text: str, likelihood: float = 0.35) -> str:
        return f"-{text}" if self.maybe(likelihood) else text

    def flag(self) -> str:
        return self.signed(self.random.choice((*FLAGS, *EXPANDED)))

    def flags(self, most: int = 3, least: int = 0) -> str:
        return " ".join(self.flag() for _ in range(self.random.randint(least, most)))

    def atom(self, eapi: str) -> str:
        package = self.random.choice(PACKAGES)
        operator = self.random.choice(("", "", "=", "~", "=*", ">=", "<", ">", "<="))
        slot = f":{self.random.choice(('0', '1', '2/3', '2'))}" if self.maybe(0.25) else ""
        if eapi == "0" or (eapi in "1234" and "/" in slot):
            slot = ""
        if not operator:
            return package + slot
        version = self.random.choice(VERSIONS)
        if operator == "~":
            version = version.partition("-")[0]
        glob = "*" if operator == "=*" else ""
        return f"{operator.removesuffix('*')}{package}-{version}{glob}{slot}"

    def mask(self, eapi: str) -> str:
        # A few atoms that come again and again, so that a minus meets its line.
        atom = self.random.choice(("cat/foo", "=cat/bar-1.2", ">=dog/foo-1", self.atom(eapi)))
        return self.signed(atom)

    def system(self, eapi: str) -> str:
        return self.signed(("*" if self.maybe(0.5) else "") + self.atom(eapi))

    def provided(self) -> str:
        return self.signed(f"{self.random.choice(PACKAGES)}-{self.random.choice(VERSIONS)}")

    def keywords(self, eapi: str, words: tuple[str, ...]) -> str:
        return f"{self.atom(eapi)} {' '.join(self.choose(words, 2))}"

    def lines(self, line: Callable[[], str]) -> str:
        found = [line() for _ in range(self.random.randint(0, 4))]
        if self.maybe(0.3):
            found.insert(0, "# a comment")
        if self.maybe(0.2):
            found.append("  ")
        return "".join(f"{text}{' # why' if self.maybe(0.1) else ''}\n" for text in found)

    def put(self, likelihood: float, path: str, line: Callable[[], str]) -> None:
        if not self.maybe(likelihood):
            return
        if self.maybe(0.25):
            self.files[f"{path}/10-first"] = self.lines(line)
            self.files[f"{path}/20-second"] = self.lines(line)
            self.files[f"{path}/.hidden"] = "cat/foo -alpha beta\n"
            self.files[f"{path}/30-backup~"] = "cat/foo -alpha beta\n"
        else:
            self.files[path] = self.lines(line)

    def make_defaults(self, *, is_top: bool) -> str:
        found = []
        if self.maybe(0.6):
            found.append(
                f'USE="{self.signed("*", 0.9) if self.maybe(0.1) else ""} {self.flags(4)}"'
            )
        if self.maybe(0.5):
            values = [self.signed(value) for value in self.choose(("one", "two", "three"))]
            found.append(f"TARGETS='{'-* ' if self.maybe(0.1) else ''}{' '.join(values)}'")
        # Of a repository's own make.defaults, overlaylint looks at flags only.
        for name, choices in (
            ()
            if is_top
            else (
                ("ACCEPT_KEYWORDS", ACCEPTED),
                ("ACCEPT_LICENSE", ACCEPTED_LICENSES),
                ("ACCEPT_RESTRICT", ("*", "-bindist", "-fetch", "-*")),
                ("FEATURES", ("test", "-test", "", "", "", "")),
                ("PLAIN", ("${PLAIN} $TARGETS\\\n x", "plain")),
                ("USE", ("${USE} ${PLAIN}beta",)),
            )
        ):
            if self.maybe(0.25):
                found.append(f'{name}="{" ".join(self.choose(choices, 2))}"')
        self.random.shuffle(found)
        return "".join(f"{'export ' if self.maybe(0.1) else ''}{line}\n" for line in found)

    def node(self, path: str, eapi: str, *, is_top: bool = False) -> None:
        for name in FLAG_FILES:
            self.put(0.3, f"{path}/{name}", self.flag)
        for name in PACKAGE_FLAG_FILES:
            self.put(0.3, f"{path}/{name}", lambda: f"{self.atom(eapi)} {self.flags(3, 1)}")
        for name in ("package.mask", "package.unmask"):
            self.put(0.4, f"{path}/{name}", lambda: self.mask(eapi))
        if self.maybe(0.4):
            self.files[f"{path}/make.defaults"] = self.make_defaults(is_top=is_top)
        if is_top:
            return
        for name, words in (
            ("package.accept_keywords", PACKAGE_ACCEPTED),
            ("package.keywords", PACKAGE_KEYWORDS),
        ):
            self.put(0.3, f"{path}/{name}", partial(self.keywords, eapi, words))
        self.put(0.3, f"{path}/package.provided", self.provided)
        if self.maybe(0.3):
            self.files[f"{path}/packages"] = self.lines(lambda: self.system(eapi))

    def ebuild(self, repository: str, package: str, version: str) -> None:
        eapi = "nope" if self.maybe(0.05) else self.random.choice(("0", "4", "5", "7", "8"))
        path = f"{package}/{package.partition('/')[2]}-{version}.ebuild"
        iuse = self.choose((*FLAGS, *EXPANDED, "test"), 5)
        metadata = {
            "EAPI": eapi,
            "SLOT": self.random.choice(("0", "1") if eapi in "04" else SLOTS),
            "IUSE": " ".join(self.random.choice(("", "", "+", "-")) + flag for flag in iuse),
            "KEYWORDS": " ".join(self.choose(KEYWORDS)),
            "LICENSE": self.random.choice(LICENSES),
            "RESTRICT": self.random.choice(RESTRICTS),
            "PROPERTIES": self.random.choice(("", "live")),
            "DESCRIPTION": "made up",
            "DEFINED_PHASES": "-",
        }
        self.metadata[f"{package}-{version}::{repository}"] = metadata
        text = f"EAPI={eapi}\n" + "".join(
            f'{key}="{value}"\n' for key, value in metadata.items() if key != "EAPI"
        )
        self.files[f"{repository}/{path}"] = text
        lines = [f"{key}={value}\n" for key, value in sorted(metadata.items()) if value]
        lines.append(f"_md5_={hashlib.md5(text.encode()).hexdigest()}\n")
        self.files[f"{repository}/metadata/md5-cache/{package}-{version}"] = "".join(lines)

    def repository(self, name: str, masters: str, nodes: tuple[str, ...]) -> None:
        top = f"{name}/profiles"
        formats = self.random.choice(FORMATS)
        default = "5" if "default-eapi" in formats else "0"
        self.files[f"{top}/repo_name"] = f"{name}\n"
        self.files[f"{name}/metadata/layout.conf"] = (
            f"# layout\nmasters = {masters}\nprofile-formats = {formats}\n"
            "cache-formats = md5-dict\nprofile_eapi_when_unspecified = 5\n"
        )
        for node in ("", *nodes):
            path = f"{top}/{node}".rstrip("/")
            eapi = default
            self.files[f"{path}/README"] = "A folder without files would not be written.\n"
            if self.maybe(0.5):
                eapi = self.random.choice(NODE_EAPIS)
                self.files[f"{path}/eapi"] = f"{eapi}\n"
            self.node(path, eapi, is_top=not node)
        for package in PACKAGES:
            for version in dict.fromkeys(self.choose(VERSIONS, 3, 1)):
                self.ebuild(name, package, version)

    def question(self) -> str:
        """Return an atom with flags in brackets, and the flags of the ebuild that asks."""
        flags: dict[str, str] = {}
        for _ in range(self.random.randint(0, 2)):
            flag = self.random.choice((*FLAGS, *EXPANDED, "amd64", "arm64", "prefix", "nowhere"))
            default = self.random.choice(("", "", "(+)", "(-)"))
            form = self.random.choice(("{}", "{}", "-{}", "{}?", "!{}?", "{}=", "!{}="))
            flags[flag] = form.format(flag + default)
        brackets = f"[{','.join(flags.values())}]" if flags else ""
        repository = self.random.choice(("", "", "::overlay", "::master", "::elsewhere"))
        use = self.choose((*FLAGS, *EXPANDED), 4)
        return f"{self.atom('8')}{repository}{brackets} {' '.join(dict.fromkeys(use))}"

    def overlay(self) -> None:
        self.files["atoms"] = "".join(f"{self.question()}\n" for _ in range(40))
        self.repository("master", "", ("base", "arch", "feature"))
        self.repository("overlay", "master", ("common", "top"))
        self.prepend("master/profiles/base/make.defaults", BASE)
        self.prepend(
            "master/profiles/arch/make.defaults", 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\n'
        )
        parents = "../common\n" + ("master:feature\n" if self.maybe(0.3) else "")
        self.files |= {
            "master/profiles/categories": "cat\ndog\n",
            "master/profiles/arch.list": "amd64\narm64\n",
            "master/profiles/license_groups": GROUPS,
            "master/profiles/arch/parent": "../base\n",
            "overlay/profiles/common/parent": "master:arch\nmaster:feature\n",
            "overlay/profiles/top/parent": parents,
        }

    def prepend(self, path: str, text: str) -> None:
        self.files[path] = text + self.files.get(path, "")

    def write(self, root: Path) -> None:
        for path, content in self.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)


def ask_overlaylint(root: Path, metadata: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    overlay = find_repositories(root / "overlay").overlay
    profile = overlay.profiles["top"]
    answer: dict[str, Any] = {
        "nodes": [f"{node.repository.name}/{node.path}" for node in profile.nodes],
        "provided": sorted(line.name for line in profile.provided),
        "system": sorted(line.text for line in profile.packages),
        "packages": {},
    }
    for name in ("ARCH", "PLAIN"):
        variable = profile.variable(name)
        answer[name] = "" if variable is None else variable.text
    for name in ("ACCEPT_KEYWORDS", "USE_EXPAND"):
        answer[name] = " ".join(sorted(profile.words(name)))
    for repository in overlay.family:
        for ebuild in repository.ebuilds:
            answer["packages"][str(ebuild)] = of_package(profile, ebuild, metadata[str(ebuild)])
    answer["matches"] = {
        line: matches(Available(profile), line)
        for line in map(str.rstrip, (root / "atoms").read_text(encoding="utf-8").splitlines())
    }
    return answer


def matches(offers: Available, line: str) -> list[str]:
    text, _, use = line.partition(" ")
    atom = parse_atom(text)
    return sorted(
        str(ebuild)
        for ebuild in offers.candidates(atom.cp)
        if not ebuild.metadata.unknown and offers.matches(ebuild, atom, use.split())
    )


def of_package(profile: Profile, ebuild: Any, metadata: Mapping[str, str]) -> dict[str, Any]:
    use = profile.use(ebuild, metadata)
    return {
        # Asked with a package, Portage has taken conditions off a licence, and with them
        # their parentheses.
        "reasons": [
            reason.text.replace("( ", "").replace(") ", "")
            for reason in profile.visibility(ebuild, metadata).reasons
        ],
        "on": sorted(use.on),
        "enabled": sorted(use.enabled),
        "forced": sorted(use.forced),
        "masked": sorted(use.masked),
        "stable": use.is_stable,
    }


def differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], metadata: Mapping[str, dict[str, str]]
) -> Iterator[str]:
    for key, value in ours.items():
        if key not in ("packages", "matches") and value != theirs[key]:
            yield f"{key}: {value!r}, Portage {theirs[key]!r}"
    for line, found in ours["matches"].items():
        # What has an EAPI that is not supported is no candidate here.
        wanted = [one for one in theirs["matches"][line] if metadata[one]["EAPI"] != "nope"]
        if found != wanted:
            yield f"{line}: {found!r}, Portage {wanted!r}"
    for name, package in ours["packages"].items():
        # Portage does not work flags out properly for an EAPI that it does not know.
        is_known = metadata[name]["EAPI"] != "nope"
        for key, value in package.items():
            wanted = theirs["packages"][name][key]
            if value != wanted and (is_known or key == "reasons"):
                yield f"{name} {key}: {value!r}, Portage {wanted!r}"


def test_random_overlays_are_seen_as_portage_sees_them(tmp_path: Path) -> None:
    makers = {tmp_path / str(seed): Maker(seed) for seed in range(SEEDS)}
    for root, maker in makers.items():
        maker.overlay()
        maker.write(root)
    answers = asked_of_portage(ORACLE, makers)
    found = [
        f"seed {root.name}: {difference}"
        for (root, maker), theirs in zip(makers.items(), answers, strict=True)
        for difference in differences(ask_overlaylint(root, maker.metadata), theirs, maker.metadata)
    ]
    assert not found

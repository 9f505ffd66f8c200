"""Compare overlaylint's metadata of real ebuilds with the md5-cache that Portage made of them.

    python tests/real_metadata.py TREE ORACLE [NAME=MASTER ...]

TREE is a repository, ORACLE an md5-cache of it made by `egencache`, each MASTER the folder
of a master. `make fidelity TREE=... ORACLE=... MASTERS="NAME=PATH ..."` runs this.

Every key of every ebuild is compared, and each file of the cache as a whole. Prints the values
that differ; those that overlaylint takes for unknown, counted by reason and place; and the ebuilds
that only one of the two can source. Exits with 1 if a value that overlaylint takes for known
differs, or an ebuild is known that Portage could not source.

The oracle's profile sets nothing but ARCH and CHOST. An ebuild of which not all is known without
them is evaluated again under that profile, and counted apart: Portage sources it under others
as well, with what may be another result.

An ebuild whose EAPI asks for a newer bash than Portage was run with has no metadata in ORACLE:
these are told apart, since Portage did not look at what they come to.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import evaluate
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.metadata import KEYS, cache_entry, metadata
from overlaylint.report.places import Places

#: EAPIs that need a bash which few machines have yet.
_NEWEST = ("9",)
_SHOWN = 200
#: What the profile sets that the oracle's caches are made under.
_PROFILE = {"ARCH": "amd64", "CHOST": "x86_64-pc-linux-gnu", "CBUILD": "x86_64-pc-linux-gnu"}


@dataclass
class Comparison:
    """What comparing one ebuild after another came to."""

    ebuilds: int = 0
    known: int = 0
    of_profile: int = 0
    values: int = 0
    differences: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    failed_in_both: int = 0
    not_asked: int = 0

    def add(self, ebuild: Ebuild, oracle: Path, places: Places) -> None:
        """Compare one ebuild with its file below `oracle`."""
        self.ebuilds += 1
        evaluation = evaluate(ebuild)
        found = metadata(evaluation)
        if found.unknown and evaluation.failure is None:
            evaluation = evaluate(ebuild, _PROFILE)
            found = metadata(evaluation)
            self.of_profile += not found.unknown
        place = oracle / ebuild.category / ebuild.PF
        failed = evaluation.failure is not None
        if not place.is_file():
            if failed:
                self.failed_in_both += 1
            elif evaluation.eapi in _NEWEST:
                self.not_asked += 1
            elif not found.unknown:
                self.differences.append(f"{ebuild}: known, but Portage could not source it")
            else:
                self._count(ebuild, found.unknown, places)
            return
        if failed:
            assert evaluation.failure is not None
            self.differences.append(
                f"{ebuild}: Portage can source it; here it fails: {evaluation.failure.reason}"
                f" ({places.text(evaluation.failure.span)})"
            )
            return
        text = place.read_bytes().decode("utf-8", "surrogateescape")
        theirs = dict(line.split("=", 1) for line in text.splitlines())
        for key in KEYS:
            if key in found.unknown:
                continue
            self.values += 1
            ours = found.values.get(key, "")
            if ours != theirs.get(key, ""):
                self.differences.append(
                    f"{ebuild} {key}\n  ours:      {ours}\n  Portage's: {theirs.get(key, '')}"
                )
        if found.unknown:
            self._count(ebuild, found.unknown, places)
            return
        self.known += 1
        entry = cache_entry(evaluation, found)
        if entry != text and all(found.values.get(key, "") == theirs.get(key, "") for key in KEYS):
            self.differences.append(f"{ebuild}: the file differs\n{entry}\nPortage's:\n{text}")

    def _count(self, ebuild: Ebuild, unknown: object, places: Places) -> None:
        assert isinstance(unknown, dict)
        for reason in {places.of(one): one for one in unknown.values()}.values():
            text = f"{reason.reason} ({places.of(reason)})"
            self.unknown[text] += 1
            self.examples.setdefault(text, str(ebuild))

    def report(self) -> str:
        """Return the figures, the differences and the reasons for what is unknown."""
        answered = self.ebuilds - self.not_asked - self.failed_in_both
        share = 100 * self.known / answered if answered else 100
        lines = self.differences[:_SHOWN]
        if len(self.differences) > _SHOWN:
            lines.append(f"... and {len(self.differences) - _SHOWN} more")
        lines += [
            f"unknown, {count} ebuilds, such as {self.examples[text]}: {text}"
            for text, count in self.unknown.most_common()
        ]
        lines.append(
            f"{self.ebuilds} ebuilds: {self.known} known in every key ({share:.2f} %),"
            f" {self.of_profile} of them only under the oracle's profile;"
            f" {self.values} values compared, {len(self.differences)} differences;"
            f" {self.failed_in_both} can't be sourced, as in Portage;"
            f" {self.not_asked} of an EAPI that Portage's bash was too old for"
        )
        return "\n".join(lines)


def main(tree: str, oracle: str, *masters: str) -> int:
    given = dict(one.split("=", 1) for one in masters)
    found = find_repositories(Path(tree), {name: Path(path) for name, path in given.items()})
    if found.missing:
        print(*(f"master {name}: {reason}" for name, reason in found.missing.items()), sep="\n")
        return 2
    if not Path(oracle).is_dir():
        print(f"{oracle}: no such folder")
        return 2
    places = Places(found.overlay)
    comparison = Comparison()
    start = time.perf_counter()
    for ebuild in found.overlay.ebuilds:
        comparison.add(ebuild, Path(oracle), places)
    print(comparison.report())
    print(f"{time.perf_counter() - start:.1f} s")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Compare what overlaylint says of a real overlay's profiles with what Portage says.

    python tests/real_profiles.py OVERLAY NAME=MASTER METADATA[:METADATA] ANSWERS

METADATA are md5-caches that Portage made, one for each repository, the overlay's first. With
`-`, overlaylint evaluates the ebuilds itself, and both halves are held to Portage at once.
ANSWERS is a folder with two files for each profile, its name with `_` for `/`:
`coreos_amd64_generic.visible.json` holds `{"category/pf::repository": [reasons]}`, as
portage.getmaskingstatus gives them, and `coreos_amd64_generic.use.json` holds
`{"category/pf::repository": {"on": [], "off": [], "forced": [], "masked": []}}`.

Prints each difference, and exits with 1 if there are any. Portage asks for RESTRICT and
PROPERTIES without USE flags when it is given a name, and with them when it builds; where
only that makes the difference, it is counted and not held against us.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from overlaylint.overlay.available import NEEDED
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import evaluate
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.metadata import metadata as metadata_of
from overlaylint.overlay.profile import Profile
from overlaylint.overlay.visibility import Mask, visibility

Known = tuple[Ebuild, dict[str, str]]


def cached(place: Path) -> dict[str, str] | None:
    if not place.is_file():
        return None
    return dict(line.split("=", 1) for line in place.read_text().splitlines() if "=" in line)


def evaluated(ebuild: Ebuild) -> dict[str, str] | None:
    """Return overlaylint's own metadata, None where some that is needed here is unknown."""
    found = metadata_of(evaluate(ebuild))
    return None if any(key in found.unknown for key in NEEDED) else dict(found.values)


def without_flags(profile: Profile, ebuild: Ebuild, metadata: Mapping[str, str]) -> list[str]:
    """Return the reasons as Portage finds them if RESTRICT and PROPERTIES have no flags."""
    by_flags = (Mask.RESTRICT, Mask.PROPERTIES)
    found = list(visibility(profile, ebuild, metadata).reasons)
    bare = visibility(profile, ebuild, {**metadata, "IUSE": ""}).reasons
    keywords = [reason for reason in found if reason.mask is Mask.KEYWORDS]
    others = [r for r in found if r not in keywords and r.mask not in by_flags]
    asked = [reason for reason in bare if reason.mask in by_flags]
    return [str(reason) for reason in (*others, *asked, *keywords)]


def compare(profile: Profile, known: list[Known], answers: Path) -> Iterator[str]:
    name = profile.name.replace("/", "_")
    visible: dict[str, Any] = json.loads((answers / f"{name}.visible.json").read_text())
    use: dict[str, Any] = json.loads((answers / f"{name}.use.json").read_text())
    unanswered = [str(ebuild) for ebuild, _ in known if str(ebuild) not in use]
    if unanswered:
        print(f"{profile.name}: Portage could not source {len(unanswered)}: {unanswered[:3]} ...")
    known = [(ebuild, metadata) for ebuild, metadata in known if str(ebuild) in use]
    start = time.perf_counter()
    asked_alike = 0
    for ebuild, metadata in known:
        ours = [str(reason) for reason in profile.visibility(ebuild, metadata).reasons]
        theirs = visible[str(ebuild)]
        if ours != theirs:
            if without_flags(profile, ebuild, metadata) == theirs:
                asked_alike += 1
            else:
                yield f"{profile.name} {ebuild}: {ours}, Portage {theirs}"
        state = profile.use(ebuild, metadata)
        for kind in ("on", "off", "forced", "masked"):
            flags = sorted(getattr(state, kind))
            if flags != use[str(ebuild)][kind]:
                yield f"{profile.name} {ebuild} {kind}: {flags}, Portage {use[str(ebuild)][kind]}"
    took = 1000 * (time.perf_counter() - start)
    note = f", {asked_alike} by asking without flags" if asked_alike else ""
    print(f"{profile.name}: {len(known)} ebuilds in {took:.0f} ms{note}")


def main(overlay: str, master: str, caches_given: str, answers: str) -> int:
    name, _, place = master.partition("=")
    repository = find_repositories(Path(overlay), {name: Path(place)}).overlay
    known: list[Known] = []
    is_own = caches_given == "-"
    caches = [""] * len(repository.family) if is_own else caches_given.split(":")
    for one, cache in zip(repository.family, caches, strict=True):
        for ebuild in one.ebuilds:
            place = Path(cache) / ebuild.category / ebuild.PF
            found = cached(place) if cache else evaluated(ebuild)
            if found is None:
                print(f"no metadata: {ebuild}")
            else:
                known.append((ebuild, found))
    differences = [
        difference
        for profile in repository.profiles
        for difference in compare(profile, known, Path(answers))
    ]
    print(*differences, f"{len(differences)} differences", sep="\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

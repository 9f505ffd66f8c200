"""What a repository's profiles make of one USE flag of an ebuild, and which line decides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.metadata import metadata
from overlaylint.overlay.profile import DEEPEST, Profile, ProfileProblem
from overlaylint.overlay.profile_node import ProfileNode
from overlaylint.overlay.use import FlagSource
from overlaylint.records import dataclass

IUSE = "IUSE"


@dataclass(frozen=True, slots=True)
class FlagSetting:
    """A flag under one profile.

    `decided_by` is the line that has the last word, None where no line speaks of the flag.
    `missing` is a parent that is not there and may overrule that, or say something where no
    line does. A missing parent may still force or mask the flag: that is not reckoned with
    where a line of the ebuild's own repository decides.
    """

    profile: Profile
    is_on: bool
    decided_by: FlagSource | None
    missing: ProfileProblem | None = None

    @property
    def is_set(self) -> bool:
        """Whether a profile sets the flag, on or off; an IUSE default is no setting."""
        return self.decided_by is not None and self.decided_by.kind != IUSE


def flag_settings(
    ebuild: Ebuild, flag: str, profiles: Iterable[Profile] | None = None
) -> tuple[FlagSetting, ...]:
    """Return what each profile of the ebuild's repository, or each given, makes of a flag."""
    values = metadata(ebuild.evaluation).values
    if profiles is None:
        profiles = ebuild.repository.profiles
    return tuple(_setting(profile, ebuild, values, flag) for profile in profiles)


def _setting(profile: Profile, ebuild: Ebuild, values: Mapping[str, str], flag: str) -> FlagSetting:
    state: FlagSource | None = None
    forced: FlagSource | None = None
    masked: FlagSource | None = None
    for source in profile.explain_flag(ebuild, values, flag):
        if source.kind.endswith(".force"):
            forced = source if source.turns_on else None
        elif source.kind.endswith(".mask"):
            masked = source if source.turns_on else None
        else:
            state = source
    decided_by = masked or forced or state
    is_on = not masked and (forced is not None or (state is not None and state.turns_on))
    return FlagSetting(profile, is_on, decided_by, _overruling(profile, decided_by))


def _overruling(profile: Profile, decided_by: FlagSource | None) -> ProfileProblem | None:
    """Return a missing parent that is stacked above the line that decides."""
    if not profile.problems:
        return None
    stack = list(_with_gaps(profile.nodes[-1], 0)) if profile.nodes else []
    last = len(stack)
    if decided_by is not None:
        folder = decided_by.span.path.rpartition("/")[0]
        own = [
            at
            for at, one in enumerate(stack)
            if isinstance(one, ProfileNode)
            and (folder == one.path or folder.startswith(f"{one.path}/package."))
            and decided_by.span.repository in ("", one.repository.name)
        ]
        last = own[-1] if own else -1
    gaps = [at for at, one in enumerate(stack) if one is None]
    is_overruled = decided_by is None or any(at > last for at in gaps)
    return profile.problems[0] if is_overruled else None


def _with_gaps(node: ProfileNode, depth: int) -> Iterator[ProfileNode | None]:
    """Yield the nodes of a stack, parents first, and None for each parent that is not there."""
    for parent in node.parents:
        if parent.repository is None or parent.path is None or depth >= DEEPEST:
            yield None
        else:
            yield from _with_gaps(parent.repository.profile_node(parent.path), depth + 1)
    yield node

"""Which files are kept out of the image: INSTALL_MASK (make.conf(5)) and Flatcar's env hooks.

What an ebuild or an eclass sets keeps nothing out, in global scope or in a phase, exported or not:
Portage leaves the variable out of the environment that it keeps from one phase to the next
(`save-ebuild-env.sh`), and asks the profile and profile.bashrc when it merges (`preinst_mask`).
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import env_hooks
from overlaylint.overlay.profile import Profile
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.trace import ScriptTracer

INSTALL_MASK = "INSTALL_MASK"


def is_masked(words: Iterable[str], path: str) -> bool:
    """Whether INSTALL_MASK keeps a file out; `path` is relative to the image.

    As portage.util.install_mask has it: a word with a leading `/` is a path or a folder, any
    other a file name, both with wildcards; `-` takes back, and the last word that matches counts.
    """
    answer = False
    for word in words:
        pattern = word.removeprefix("-")
        if pattern.startswith("/"):
            anchored = pattern[1:].rstrip("/")
            is_match = fnmatchcase(path, anchored) or fnmatchcase(path, f"{anchored}/*")
        else:
            is_match = fnmatchcase(path.rpartition("/")[2], pattern)
        if is_match:
            answer = not word.startswith("-")
    return answer


def masks_path(
    ebuild: Ebuild,
    path: str,
    profile: Profile | None = None,
    hooks_of: Repository | None = None,
) -> bool | None:
    """Whether a file of an ebuild is kept out of the image under a profile; None if unknown.

    What profile.bashrc sources for the package adds to the profile's make.defaults; it comes
    from `hooks_of`, where that is given, as a master has no hooks of its own.
    """
    variable = None if profile is None else profile.variable(INSTALL_MASK)
    words = [] if variable is None else variable.text.split()
    is_certain = True
    overlay = hooks_of or ebuild.repository
    for hook in env_hooks(overlay, ebuild):
        tracer = ScriptTracer(overlay, hook)
        found = tracer.state.find(INSTALL_MASK)
        value = None if found is None else found.value
        if tracer.unknown is not None or isinstance(value, dict):
            is_certain = False
        elif value is not None:
            # Of a value that is known in part, a word that is whole is certain.
            words += str(value).split()
            is_certain &= isinstance(value, str)
    answer = is_masked(words, path)
    return answer if answer or is_certain else None


def is_masked_everywhere(ebuild: Ebuild, path: str) -> bool | None:
    """Whether a file of an ebuild is kept out under each profile of its overlay; None if unknown.

    See `masks_path`. Without profiles, hooks alone can do that.
    """
    profiles = tuple(ebuild.repository.profiles) or (None,)
    answers = {masks_path(ebuild, path, profile) for profile in profiles}
    if False in answers:
        return False
    return None if None in answers else True

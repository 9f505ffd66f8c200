"""What is added to a package from outside its folder: env hooks and user patches.

Flatcar's profile.bashrc sources files of coreos/config/env, and its coreos/user-patches is
linked to /etc/portage/patches, which `eapply_user` of Portage reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.repository import Repository

ENV_FOLDER = "coreos/config/env"
USER_PATCHES_FOLDER = "coreos/user-patches"


def env_hooks(repository: Repository, ebuild: Ebuild, folder: str = ENV_FOLDER) -> tuple[str, ...]:
    """Return the files that profile.bashrc sources for an ebuild, in its order.

    `repository` is the overlay that has the hooks; the ebuild may be a master's.
    """
    names = (ebuild.PN, f"{ebuild.PN}-{ebuild.PV}", f"{ebuild.PN}-{ebuild.PV}-{ebuild.PR}")
    paths = (f"{folder}/{ebuild.category}/{name}" for name in names)
    return tuple(path for path in paths if repository.tree.kind(path) is Kind.FILE)


def user_patches(
    repository: Repository,
    ebuild: Ebuild,
    slot: str | None = None,
    folder: str = USER_PATCHES_FOLDER,
) -> tuple[str, ...]:
    """Return the patches that `eapply_user` applies to an ebuild, in its order.

    A patch in a folder for one version overrules that of the same name in the package's
    folder, and an empty one takes it away. The names are sorted byte by byte. The slot is the
    ebuild's own where none is given.
    """
    if slot is None:
        variable = ebuild.variable("SLOT")
        slot = "" if variable is None else str(variable.value)
    found: dict[str, str] = {}
    main_slot = slot.partition("/")[0]
    for name in (ebuild.PN, ebuild.P, f"{ebuild.P}-{ebuild.PR}"):
        for place in (name, f"{name}:{main_slot}"):
            path = f"{folder}/{ebuild.category}/{place}"
            for entry in repository.entries(path):
                if not entry.name.endswith((".patch", ".diff")) or entry.kind is not Kind.FILE:
                    continue
                if repository.tree.read(f"{path}/{entry.name}"):
                    found[entry.name] = f"{path}/{entry.name}"
                else:
                    found.pop(entry.name, None)
    return tuple(found[name] for name in sorted(found))


def has_traces(repository: Repository, category: str, package: str) -> bool:
    """Whether the overlay has hooks or patches for a package that it may not have itself."""
    for folder in (ENV_FOLDER, USER_PATCHES_FOLDER):
        for entry in repository.entries(f"{folder}/{category}"):
            name = entry.name.partition(":")[0]
            if name == package or _is_version_of(name, package):
                return True
    return False


def _is_version_of(name: str, package: str) -> bool:
    from overlaylint.overlay.version import parse_version

    return name.startswith(f"{package}-") and parse_version(name[len(package) + 1 :]) is not None

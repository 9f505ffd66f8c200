"""What a profile's make.defaults puts into the environment in which Portage sources ebuilds.

Metadata must not depend on the profile (PMS 7.1), and hardly any does. Portage hands the profile's
variables to the ebuild all the same (`config.environ()` filters them in every phase but
`depend`), so that an ebuild may well read CHOST, and may refuse to be sourced for some values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from overlaylint.overlay.evaluation import SET_BY_PORTAGE, SET_BY_USERS, symbol
from overlaylint.overlay.profile import INCREMENTALS

if TYPE_CHECKING:
    from overlaylint.overlay.profile import Profile
    from overlaylint.shell.values import Value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: What never enters from a profile, or is not handed on (env_blacklist and environ_filter in
#: portage/package/ebuild/_config/special_env_vars.py, of Portage 3.0.83).
_WITHHELD = frozenset(
    {
        "A", "AA", "ACCEPT_CHOSTS", "ACCEPT_KEYWORDS", "ACCEPT_PROPERTIES", "ACCEPT_RESTRICT",
        "AUTOCLEAN", "BDEPEND", "BINPKG_COMPRESS", "BINPKG_COMPRESS_FLAGS", "BROOT", "CATEGORY",
        "CLEAN_DELAY", "COLLISION_IGNORE", "CONFIG_PROTECT", "CONFIG_PROTECT_MASK", "DEPEND",
        "DESCRIPTION", "DOCS", "EAPI", "EBUILD_FORCE_TEST", "EBUILD_PHASE", "EBUILD_PHASE_FUNC",
        "EBUILD_SKIP_MANIFEST", "ED", "EGENCACHE_DEFAULT_OPTS", "EMERGE_DEFAULT_OPTS",
        "EMERGE_FROM", "EMERGE_LOG_DIR", "EMERGE_WARNING_DELAY", "EPREFIX", "EROOT",
        "FETCHCOMMAND", "FETCHCOMMAND_FTP", "FETCHCOMMAND_HTTP", "FETCHCOMMAND_HTTPS",
        "FETCHCOMMAND_RSYNC", "FETCHCOMMAND_SFTP", "FETCHCOMMAND_SSH", "FETCH_WRAPPER",
        "GENTOO_MIRRORS", "GLOBSORT", "GREP_OPTIONS", "HISTFILE", "HOMEPAGE", "IDEPEND",
        "INFOPATH", "INHERITED", "IUSE", "IUSE_EFFECTIVE", "KEYWORDS", "LICENSE", "MANPATH",
        "MERGE_TYPE", "NOCONFMEM", "O", "PDEPEND", "PF", "PKGUSE", "POSIXLY_CORRECT", "PROPERTIES",
        "PYTHONUTF8", "QUICKPKG_DEFAULT_OPTS", "RDEPEND", "REPOMAN_DEFAULT_OPTS", "REPOSITORY",
        "REQUIRED_USE", "RESTRICT", "RESUMECOMMAND", "RESUMECOMMAND_FTP", "RESUMECOMMAND_HTTP",
        "RESUMECOMMAND_HTTPS", "RESUMECOMMAND_RSYNC", "RESUMECOMMAND_SFTP", "RESUMECOMMAND_SSH",
        "ROOT", "SANDBOX_LOG", "SLOT", "SRC_URI", "SYNC", "UNINSTALL_IGNORE", "USER",
        "USE_EXPAND_HIDDEN", "USE_ORDER", "_",
    }
)  # fmt: skip
#: What bash or Portage unsets, or gives another meaning, before it sources the ebuild.
_OF_BASH = frozenset(
    {
        "BASH_ENV", "BZIP", "BZIP2", "CDPATH", "ENV", "GLOBIGNORE", "GREP_COLOR", "GZIP", "IFS",
        "LINENO", "OPTIND", "POSIXLY_CORRECT", "RANDOM", "SECONDS", "SHELLOPTS",
    }
)  # fmt: skip


#: What Portage sets, and takes from the profile.
_OF_PROFILES = frozenset(
    {"ABI", "ARCH", "CBUILD", "CHOST", "CTARGET", "DEFAULT_ABI", "MULTILIB_ABIS"}
)


def profile_environment(profile: Profile) -> Mapping[str, Value]:
    """Return what Portage sets for ebuilds under a profile, where no make.conf changes it.

    What depends on the package, its flags or the machine as well is unknown.
    Raises TreeError where a file of the profile can't be read.
    """
    expanded = {*profile.words("USE_EXPAND"), *profile.words("USE_EXPAND_UNPREFIXED")} - {"ARCH"}
    computed = INCREMENTALS | expanded | SET_BY_USERS | (SET_BY_PORTAGE - _OF_PROFILES)
    found: dict[str, Value] = {}
    for name in {name for layer in profile.layers for name in layer.variables}:
        variable = profile.variable(name)
        if variable is None or not _NAME.fullmatch(name) or name in _WITHHELD | _OF_BASH:
            continue
        if name.startswith(("PORTAGE_", "BASH_", "__")) or name in computed:
            found[name] = symbol(name)
        else:
            found[name] = variable.text
    if "CHOST" in found:
        found.setdefault("CBUILD", found["CHOST"])
    return found

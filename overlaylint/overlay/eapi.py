"""What each EAPI changes in the evaluation of an ebuild (PMS, "Differences between EAPIs").

The answers follow Portage, which takes any EAPI it does not know as it takes the newest ones.
"""

from __future__ import annotations

import re

_FIRST_LINE = re.compile(r"(?:[ \t\r\f\v]*(?:#[^\n]*)?\n)*([^\n]*)")
_LINE = re.compile(r"[ \t]*EAPI=(['\"]?)([A-Za-z0-9+_.-]*)\1[ \t]*([ \t]#.*)?\Z")

KNOWN = frozenset("0123456789")

# Two names for one place, as long as no prefix is set (PMS 11.1).
SAME_PLACE = {"ED": "D", "EROOT": "ROOT"}

_PHASES = (
    "src_compile", "pkg_config", "src_configure", "pkg_info", "src_install", "pkg_nofetch",
    "pkg_postinst", "pkg_postrm", "pkg_preinst", "src_prepare", "pkg_prerm", "pkg_pretend",
    "pkg_setup", "src_test", "src_unpack",
)  # fmt: skip


def parsed_eapi(text: str) -> tuple[str, int, int] | None:
    """Return the EAPI that an ebuild's first line of code assigns, with its place (PMS 7.3.1).

    Before any code is run the EAPI is read by this rule alone: blank lines and comments may
    precede the assignment, and nothing else. None where that line assigns no EAPI. `text` is as
    in a source: one character for each byte.
    """
    match = _FIRST_LINE.match(text)
    if match is None:
        return None
    start = match.start(1)
    assignment = _LINE.match(text, start, match.end(1))
    if assignment is None:
        return None
    return assignment.group(2), text.index("EAPI=", start), start + len(match.group(1).rstrip())


def phases(eapi: str) -> tuple[str, ...]:
    """Return the phase functions (PMS 9.1), in the order in which Portage lists them."""
    missing: set[str] = set()
    if eapi in ("0", "1"):
        missing = {"src_configure", "src_prepare", "pkg_pretend"}
    elif eapi in ("2", "3"):
        missing = {"pkg_pretend"}
    return tuple(phase for phase in _PHASES if phase not in missing)


def accumulated(eapi: str) -> tuple[str, ...]:
    """Return the variables whose values eclasses and the ebuild add up to (PMS 10.2)."""
    names = ("IUSE", "REQUIRED_USE", "DEPEND", "RDEPEND", "PDEPEND", "BDEPEND", "IDEPEND")
    return (
        names
        if eapi in ("0", "1", "2", "3", "4", "5", "6", "7")
        else (*names, "PROPERTIES", "RESTRICT")
    )


def has_version_functions(eapi: str) -> bool:
    """Whether `ver_cut`, `ver_rs` and `ver_test` exist (PMS 12.3.14)."""
    return eapi not in ("0", "1", "2", "3", "4", "5", "6")


def has_bdepend(eapi: str) -> bool:
    """Whether BDEPEND exists (PMS 8.1)."""
    return eapi not in ("0", "1", "2", "3", "4", "5", "6")


def has_idepend(eapi: str) -> bool:
    """Whether IDEPEND exists (PMS 8.1)."""
    return eapi not in ("0", "1", "2", "3", "4", "5", "6", "7")


def rdepend_falls_back(eapi: str) -> bool:
    """Whether RDEPEND is DEPEND where the ebuild does not set it (PMS 7.3.7)."""
    return eapi in ("0", "1", "2", "3")


def has_hasv(eapi: str) -> bool:
    """Whether `hasv`, `hasq` and `useq` exist (PMS 12.3.15)."""
    return eapi in KNOWN and int(eapi) <= 7


def has_failglob(eapi: str) -> bool:
    """Whether an unmatched wildcard in global scope is an error (PMS 6)."""
    return eapi not in ("0", "1", "2", "3", "4", "5")


def bash_compatibility(eapi: str) -> int:
    """Return the version of bash that an EAPI promises (PMS 6), as BASH_COMPAT without its dot."""
    if eapi in ("0", "1", "2", "3", "4", "5"):
        return 32
    if eapi in ("6", "7"):
        return 42
    return 50 if eapi == "8" else 53


def helpers_die(eapi: str) -> bool:
    """Whether a helper that fails ends the build, but under `nonfatal` (PMS 12.3.3)."""
    return eapi not in ("0", "1", "2", "3")


def usev_takes_text(eapi: str) -> bool:
    """Whether `usev flag text` prints a text of its own (PMS 12.3.9)."""
    return eapi not in ("0", "1", "2", "3", "4", "5", "6", "7")

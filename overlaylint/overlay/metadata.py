"""The metadata of an ebuild as Portage caches it (PMS 14.3, the `md5-dict` format)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.evaluation import Evaluation
from overlaylint.records import dataclass
from overlaylint.shell.values import Mixed, Unknown, Value

KEYS = (
    "BDEPEND", "DEFINED_PHASES", "DEPEND", "DESCRIPTION", "EAPI", "HOMEPAGE", "IDEPEND",
    "INHERIT", "IUSE", "KEYWORDS", "LICENSE", "PDEPEND", "PROPERTIES", "RDEPEND", "REQUIRED_USE",
    "RESTRICT", "SLOT", "SRC_URI",
)  # fmt: skip


_ECHO_OPTION = re.compile("-[neE]+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The values of an ebuild's metadata keys, those that are set and not empty.

    `unknown` has the keys whose value can't be told, each with the reason. `failure` says why
    sourcing fails in any Portage: then there is no metadata, and the ebuild is not taken.
    """

    values: Mapping[str, str]
    unknown: Mapping[str, Unknown]
    failure: str | None = None


def metadata(evaluation: Evaluation) -> Metadata:
    """Return an ebuild's metadata; all keys are unknown where sourcing fails or may fail."""
    if evaluation.failure is not None:
        reason = Unknown(f"sourcing the ebuild fails: {evaluation.failure.reason}")
        always = None if evaluation.failure.is_refusal else reason.reason
        return Metadata({}, dict.fromkeys(KEYS, reason), always)
    if evaluation.possible_failures:
        first = evaluation.possible_failures[0]
        reason = replace(first, reason=f"sourcing the ebuild may fail: {first.reason}")
        return Metadata({}, dict.fromkeys(KEYS, reason))
    separators = evaluation.state.find("IFS")
    # that what is unknown leaves IFS changed is not assumed
    is_lost = separators is not None and isinstance(separators.value, Mixed)
    if separators is not None and separators.value not in (None, " \t\n") and not is_lost:
        # bash would take the values apart by it
        text = "IFS is not as it was when the ebuild ends"
        reason = Unknown(text, separators.source, separators.start, separators.end)
        return Metadata({}, dict.fromkeys(KEYS, reason))
    values: dict[str, str] = {}
    unknown: dict[str, Unknown] = {}
    for key in KEYS:
        value = _value(evaluation, key)
        if isinstance(value, Mixed):
            unknown[key] = _placed(evaluation, key, value.unknown)
            continue
        normal = _printed(value)
        if isinstance(normal, Unknown):
            unknown[key] = normal
        elif normal and normal.splitlines() != [normal]:
            # Portage reads what bash prints with this function of Python
            reason = Unknown(f"Portage takes a character in {key} for the end of a line")
            return Metadata({}, dict.fromkeys(KEYS, reason))
        elif normal:
            values[key] = normal
    return Metadata(values, unknown)


def _placed(evaluation: Evaluation, key: str, reason: Unknown) -> Unknown:
    """Return the reason with a place: where there is none, that of the last assignment."""
    variable = evaluation.state.find(key)
    if reason.source is not None or variable is None:
        return reason
    return replace(reason, source=variable.source, start=variable.start, end=variable.end)


def _printed(value: str) -> str | Unknown:
    """Return what Portage reads of a value, which bash prints with `echo` as words."""
    words = [word for word in value.replace("\t", " ").replace("\n", " ").split(" ") if word]
    escapes = False
    while words and _ECHO_OPTION.fullmatch(words[0]):
        for letter in words.pop(0)[1:]:
            escapes = letter == "e" or (escapes and letter != "E")
    if escapes and any("\\" in word for word in words):
        return Unknown("it starts with `-e`, and `echo` replaces what follows a backslash")
    text = " ".join(words)
    if text.isascii():
        return text
    # what is no UTF-8 is replaced
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _value(evaluation: Evaluation, key: str) -> Value:
    """Return a key's value as sourcing leaves it."""
    if key == "INHERIT":
        # what is unknown may have inherited more
        if evaluation.state.havoc is not None:
            return Mixed((evaluation.state.havoc,))
        return " ".join(evaluation.explicitly_inherited)
    if key == "DEFINED_PHASES":
        return _defined_phases(evaluation)
    variable = evaluation.state.find(key)
    if variable is None:
        havoc = evaluation.state.havoc
        return "" if havoc is None else Mixed((havoc,))
    if isinstance(variable.value, dict):
        # of an array, `${name}` is the element 0
        return variable.value.get(0, variable.value.get("0", ""))
    return "" if variable.value is None else variable.value


def _defined_phases(evaluation: Evaluation) -> Value:
    """Return the names of the phases that have a function, `-` where none has."""
    names: list[str] = []
    for phase in eapis.phases(evaluation.eapi):
        defined = evaluation.defines(phase)
        if defined is None:
            function = evaluation.functions.get(phase)
            reason = function if isinstance(function, Unknown) else evaluation.state.havoc
            assert reason is not None
            return Mixed((reason,))
        if defined:
            names.append(phase.partition("_")[2])
    return " ".join(names) or "-"


def cache_entry(evaluation: Evaluation, found: Metadata) -> str:
    """Return the text of an md5-cache file. Raises TreeError where a file can't be read.

    Where a value is unknown the text has no `_md5_` line. Portage does not take such an entry,
    and sources the ebuild itself; with the line it would take what is left out to be empty.
    """
    ebuild = evaluation.ebuild
    lines = [f"{key}={found.values[key]}\n" for key in KEYS if key in found.values]
    eclasses: list[str] = []
    for name in sorted({name.rpartition("/")[2] for name in evaluation.inherited}):
        if ebuild.repository.eclass(name) is not None:
            eclasses += [name, ebuild.repository.eclass_checksum(name)]
    if eclasses:
        lines.append("_eclasses_=" + "\t".join(eclasses) + "\n")
    if not found.unknown:
        lines.append(f"_md5_={md5(ebuild.read())}\n")
    return "".join(lines)


def md5(data: bytes) -> str:
    """Return a file's checksum as an md5-cache has it."""
    import hashlib

    return hashlib.md5(data, usedforsecurity=False).hexdigest()

"""What an ebuild itself says of its SLOT, KEYWORDS and LICENSE, without most of its eclasses.

Of the hundreds of ebuilds that an overlay depends on, nearly all are shown, and no more needs to
be known of them than that. Their eclasses are most of what evaluating them costs, and few eclasses
have anything to do with those values. So the ebuild is evaluated without the others: whatever
these might have set or defined is unknown, and a value that does not depend on it is what it would
be with them. Which eclasses count is told by their text: those that name one of the values other
than to read it. A value set through a name that is computed would be missed, so this is a quick
look: it is good to see that an ebuild is shown. Before it is said that one is not, it is evaluated
whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.commands import check
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluator, environment
from overlaylint.overlay.files import LARGEST_SCRIPT
from overlaylint.overlay.kept import keep_own, kept_own
from overlaylint.overlay.repository import Repository
from overlaylint.reach import reached
from overlaylint.records import dataclass, once_each
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Interpreter
from overlaylint.shell.syntax import Script
from overlaylint.shell.values import Mixed, Value, unknown

NAMES = ("KEYWORDS", "LICENSE", "SLOT")

_COMMENT = re.compile(rb"^[ \t]*#.*$", re.MULTILINE)
_CONTINUED = re.compile(rb"\\\r?\n")
# What starts with the word that is looked for is found much faster.
_INHERIT = re.compile(rb"inherit[ \t]+(?=([^\n;&|)}#]*))")
_BEFORE_A_COMMAND = re.compile(rb"(?:^|[;&|({]|\b(?:then|else|do)[ \t])[ \t]*\Z")
_SET = tuple(
    re.compile(rb"%b(?:(?!\w)(?<![\w${]%b)|(?<=\{%b):?=)" % (name, name, name))
    for name in map(str.encode, NAMES)
)
_PHASE = re.compile(rb"^(?:src|pkg)_[a-z]+[ \t]*\(\)", re.MULTILINE)
_LATE = re.compile(rb"(?<![\w${])(?:KEYWORDS|LICENSE|SLOT|EAPI|inherit)(?!\w)")


@dataclass(frozen=True, slots=True)
class OwnMetadata:
    """EAPI, SLOT, KEYWORDS and LICENSE, and those flags that IUSE certainly holds.

    LICENSE may ask for more than the ebuild does: every licence that a flag may bring.
    """

    values: Mapping[str, str]
    flags: frozenset[str]


@once_each
def own_metadata(ebuild: Ebuild, refused: frozenset[str] = frozenset()) -> OwnMetadata | None:
    """Return what the ebuild itself settles; None where that is not all of it.

    `refused` are words that RESTRICT and PROPERTIES may not hold; neither does where this
    returns values. Raises TreeError where the ebuild can't be read.
    """
    aspect = _Aspect(refused)
    kept = kept_own(ebuild, refused, aspect)
    if isinstance(kept, list):
        return _as_kept(kept)
    sought: set[str] = set()
    found = _own_metadata(ebuild, refused, sought)
    settled = None if found is None else (found.values, found.flags)
    keep_own(ebuild, refused, sought, aspect, settled)
    return found


def _as_kept(found: list[object]) -> OwnMetadata | None:
    """Return what was kept; where it looks like nothing that was, the look showed nothing."""
    if len(found) != 2:
        return None
    values, flags = found
    if not isinstance(values, dict) or not isinstance(flags, list):
        return None
    if values.keys() != {"EAPI", *NAMES} or not all(
        isinstance(text, str) for text in (*values.values(), *flags)
    ):
        return None
    return OwnMetadata(values, frozenset(flags))


def _own_metadata(ebuild: Ebuild, refused: frozenset[str], sought: set[str]) -> OwnMetadata | None:
    """Return what the ebuild settles, with the eclasses that it asked for in `sought`."""
    text = ebuild.read()
    if any(word.encode() in text for word in refused):
        return None
    evaluator = _OwnEvaluator(ebuild, _eclasses(ebuild.repository, refused))
    # With someone to tell, the effects of eclasses are not kept: those here are not whole.
    evaluation = evaluator.evaluate(lambda _name, _variable: None)
    sought |= evaluation.sought
    state = evaluation.state
    if evaluation.failure is not None or evaluator.is_lost or state.havoc is not None:
        return None
    values = {"EAPI": evaluation.eapi}
    for name in NAMES:
        variable = state.find(name)
        value = "" if variable is None or variable.value is None else variable.value
        if not isinstance(value, str):
            return None
        values[name] = " ".join(value.split())
    if "?" in values["LICENSE"]:
        # Which licence counts depends on flags, and those on all of IUSE: then it is all of them.
        words = values["LICENSE"].split()
        values["LICENSE"] = " ".join(
            word for word in words if word not in ("(", ")", "||") and not word.endswith("?")
        )
    iuse = state.find("IUSE")
    return OwnMetadata(values, _flags(None if iuse is None else iuse.value))


def _flags(value: object) -> frozenset[str]:
    """Return the flags that a value of IUSE names, whatever is unknown around them."""
    parts = value.parts if isinstance(value, Mixed) else (value,)
    found: set[str] = set()
    for at, part in enumerate(parts):
        if isinstance(part, str):
            # The first and the last word may go on in what is unknown.
            begins = "" if at == 0 else "?"
            ends = "" if at + 1 == len(parts) else "?"
            words = f"{begins}{part}{ends}".split()
            found.update(word.lstrip("+-") for word in words if "?" not in word)
    return frozenset(found)


class _OwnEvaluator(Evaluator):
    """Evaluates an ebuild without the eclasses that have nothing to do with the values."""

    def __init__(self, ebuild: Ebuild, eclasses: _Eclasses) -> None:
        super().__init__(ebuild)
        self.is_lost = False
        self._eclasses = eclasses
        self._skipped = False

    def script(self) -> Script:
        """Return what stands before the phases, where nothing of interest comes after that."""
        from overlaylint.shell import parse

        data = self.ebuild.read()
        phase = _PHASE.search(data)
        if phase is None or len(data) > LARGEST_SCRIPT or _LATE.search(data, phase.start()):
            return super().script()
        return parse(data[: phase.start()], f"{self.ebuild.repository.name}:{self.ebuild.path}")

    def inherit_one(self, shell: Interpreter, invocation: Invocation, name: str) -> None:
        eclass = name.rpartition("/")[2]
        self.sought.add(eclass)
        if eclass in self._eclasses.refused or self.ebuild.repository.eclass(eclass) is None:
            self.is_lost = True
        elif eclass in self._eclasses.setting:
            super().inherit_one(shell, invocation, name)
        else:
            self._skipped = True

    def environment(self, name: str) -> Value | None:
        if not self._skipped or name in NAMES or name in eapis.accumulated(self.eapi):
            return environment(name)
        return environment(name) or unknown(f"an eclass may set {name}")

    def when_missing(self, shell: Interpreter, invocation: Invocation) -> Status:
        if not self._skipped:
            return super().when_missing(shell, invocation)
        shell.write(unknown(f"{invocation.name} may come from an eclass"))
        return check(invocation)


@dataclass(frozen=True, slots=True)
class _Eclasses:
    """The eclasses that may set one of the values, and those that name a word that is refused.

    Those that inherit such a one are among them.
    """

    setting: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Aspect:
    """What the quick look asks of an eclass: whether it counts, and if so what it holds."""

    refused: frozenset[str]

    def __call__(self, repository: Repository, eclass: str) -> str:
        known = _eclasses(repository, self.refused)
        if eclass in known.refused:
            return "refused"
        if repository.eclass(eclass) is None:
            return "missing"
        return repository.eclass_digest(eclass) if eclass in known.setting else "passed over"


@once_each
def _eclasses(repository: Repository, refused: frozenset[str]) -> _Eclasses:
    texts: dict[str, bytes] = {}
    for one in repository.family:
        for name, path in one.eclasses.items():
            data = _CONTINUED.sub(b" ", _COMMENT.sub(b"", one.tree.read(path)))
            texts[name] = texts.get(name, b"") + b"\n" + data
    inherits = {
        name: {word.decode() for args in _inherited(data) for word in args.split()}
        for name, data in texts.items()
    }
    words = tuple(word.encode() for word in refused)
    setting = {name for name, data in texts.items() if any(one.search(data) for one in _SET)}
    naming = {name for name, data in texts.items() if any(word in data for word in words)}
    return _Eclasses(_with_heirs(setting, inherits), _with_heirs(naming, inherits))


def _inherited(data: bytes) -> Iterator[bytes]:
    """Yield the arguments of what looks like a command `inherit`."""
    for match in _INHERIT.finditer(data):
        line = data.rfind(b"\n", 0, match.start()) + 1
        if _BEFORE_A_COMMAND.search(data[line : match.start()]):
            yield match[1]


def _with_heirs(found: set[str], inherits: Mapping[str, set[str]]) -> frozenset[str]:
    """Return the names with those of the eclasses that inherit one, or may."""
    unsure = {name for name, named in inherits.items() if any("$" in word for word in named)}
    return reached(
        found | unsure, lambda last: (name for name, named in inherits.items() if named & last)
    )

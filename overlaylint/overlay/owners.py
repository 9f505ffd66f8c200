"""Who the steps of a build give a folder to: chown and chgrp, and what makes it with an owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from overlaylint.overlay.evaluation import symbol
from overlaylint.overlay.install_targets import TAKING_WORD, writes
from overlaylint.overlay.scene import Scene, Thing, UnknownEffect, scenes
from overlaylint.overlay.steps import UNKNOWN, Location, Step, pattern_of, read_options
from overlaylint.records import dataclass
from overlaylint.shell.conditions import Condition, both, negate
from overlaylint.shell.values import Value, concatenate

#: A user and a group: empty where they are left as they were, None where they are unknown.
Owner = tuple[str | None, str | None]

_UNKNOWN: Owner = (None, None)

_CHANGING = ("chown", "chgrp", "fowners")

# Copies that keep the owner of what they copy.
_KEEPING = frozenset({"a", "archive", "p", "preserve", "o", "g", "owner", "group"})


@dataclass(frozen=True, slots=True)
class Gift:
    """What a step, by its index, does to the owner of a folder, and under which conditions.

    It is certain that the folder has `owner` afterwards, or it may as well be as it was before.
    """

    index: int
    guards: tuple[Condition, ...]
    owner: Owner
    is_certain: bool = True


def gifts(of: Sequence[Step], folder: Location, start: int = 0) -> Iterator[Gift]:
    """Yield who the steps from `start` on give a folder to, in their order."""
    places = {id(step): at for at, step in enumerate(of)}
    made = {
        places[id(one.step)]
        for one in writes(tuple(of))
        if one.location == folder and places[id(one.step)] >= start
    }
    for at in range(start, len(of)):
        step = of[at]
        if _changes_owners(step):
            for owner, is_certain in _changed(step, next(scenes(folder, Thing.EMPTY_FOLDER))):
                yield Gift(at, step.call.guards, owner, is_certain)
        elif at in made:
            for guards, owner in _made(of, at):
                yield Gift(at, guards, owner)


def _changes_owners(step: Step) -> bool:
    """Whether a step may do so: also by what it is given to run."""
    texts = [step.name]
    if step.name in ("find", "xargs"):
        texts += map(pattern_of, step.arguments)
    return any(name in text for text in texts for name in _CHANGING)


# --- what makes it ---


def _made(of: Sequence[Step], at: int) -> Iterator[tuple[tuple[Condition, ...], Owner]]:
    """Yield whose a folder is that a step makes, where it is not simply root's."""
    step = of[at]
    guards = step.call.guards
    options, _ = read_options(step.arguments, TAKING_WORD)
    if step.name == "install":
        yield guards, _owner_in_options(step)
    elif step.name in ("dodir", "keepdir", "doins"):
        for set_by, conditions in _last_diropts(of[:at]):
            yield (*guards, *conditions), _owner_in_options(set_by)
    elif step.name == "mv" or (step.name == "cp" and not _KEEPING.isdisjoint(options)):
        yield guards, _UNKNOWN


def _last_diropts(of: Sequence[Step]) -> Iterator[tuple[Step, tuple[Condition, ...]]]:
    """Yield each call of diropts that may be the last, with the conditions on which it is."""
    later: tuple[Condition, ...] = ()
    for step in reversed(of):
        if step.name == "diropts":
            guards = step.call.guards
            yield step, (*guards, *later)
            if not guards:
                return
            later = (*later, negate(reduce(both, guards)))


def _owner_in_options(step: Step) -> Owner:
    """Return the user and the group that the options of install, or of diropts, name."""
    options, _ = read_options(step.arguments, TAKING_WORD)
    user = options.get("o", options.get("owner", ""))
    group = options.get("g", options.get("group", ""))
    return _known(user), _known(group)


# --- what changes its owner ---


def _changed(step: Step, scene: Scene) -> Iterator[tuple[Owner, bool]]:
    """Yield whose the place of a scene is after a step, and whether that is certain."""
    if step.name in ("find", "xargs"):
        try:
            inner = scene.found_by(step)[1] if step.name == "find" else scene.fed_by(step)
        except UnknownEffect:
            yield _UNKNOWN, False
            return
        for one in inner:
            yield from _changed(one, scene)
    elif step.name in _CHANGING:
        yield from _chown(step, scene)
    elif any(scene.named(step, word).paths for word in step.arguments):
        # A text that a shell is given, say.
        yield _UNKNOWN, False


def _chown(step: Step, scene: Scene) -> Iterator[tuple[Owner, bool]]:
    """Yield who a call of chown, chgrp or fowners gives the place to, if it names it."""
    options, words = read_options(step.arguments, ("from", "reference"))
    owner = _UNKNOWN
    if "reference" not in options and words:
        owner = _owner_of(words.pop(0))
    if step.name == "chgrp":
        owner = "", owner[0]
    if step.name == "fowners":
        words = [concatenate(symbol(scene.root), "/", word) for word in words]
    found = [scene.named(step, word) for word in words]
    is_recursive = not options.keys().isdisjoint(("R", "recursive"))
    if any(one.paths if is_recursive else scene.path in one.paths for one in found):
        # With --from, it is only taken from that owner.
        yield owner, "from" not in options
    elif not all(one.is_certain for one in found):
        yield owner, False


def _owner_of(word: Value) -> Owner:
    """Return the user and the group of chown's `500:500`; `core:` is core and its own group."""
    text = pattern_of(word)
    user, separator, group = text.partition(":" if ":" in text else ".")
    if not separator and UNKNOWN in text:
        return _UNKNOWN
    return _known(user), _known(group or (user if separator else ""))


def _known(name: Value) -> str | None:
    """Return a name, or a number without the plus that tells it from one; None if unknown."""
    text = pattern_of(name)
    number = text.removeprefix("+")
    if number.isdecimal() and number.isascii():
        return str(int(number))
    return None if UNKNOWN in text else text

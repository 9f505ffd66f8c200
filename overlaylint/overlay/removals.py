"""Whether a step of a build takes away what is at a place: `rm`, `mv`, `find -delete` and others.

A folder stays where `rm` has no `-r`, and where `rmdir` finds something in it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

from overlaylint.overlay.command_lines import INTERPRETERS, SHELLS
from overlaylint.overlay.scene import Named, Scene, Thing, UnknownEffect, scenes
from overlaylint.overlay.steps import Location, Step, pattern_of, read_options
from overlaylint.shell.values import Value

# Options with which programs remove what they are given, without dashes.
_REMOVING_OPTIONS: Mapping[str, frozenset[str]] = {
    "rsync": frozenset({"delete", "delete-before", "delete-during", "delete-delay", "delete-after",
                        "delete-excluded", "del", "remove-source-files"}),
    "tar": frozenset({"remove-files"}),
    "shred": frozenset({"u", "remove"}),
    "zip": frozenset({"m", "move"}),
    **dict.fromkeys(("zstd", "unzstd", "lz4", "unlz4"), frozenset({"rm"})),
}  # fmt: skip

# Commands of git's with which it may do so.
_GIT = frozenset({"clean", "rm", "mv", "reset", "checkout", "stash", "restore"})

# Programs that may do so in any case: what a script is, or a shell's text, is not read here.
_MAY_REMOVE = frozenset(
    {"gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "lzma", "compress", "rename", "prename",
     *INTERPRETERS, *SHELLS}
)  # fmt: skip

# A word in the text that a shell is given.
_TOKEN = re.compile(r"[A-Za-z0-9_.+-]+")

#: Commands that may take something away.
REMOVING = frozenset(
    {"rm", "unlink", "rmdir", "mv", "find", "xargs", "git", *_REMOVING_OPTIONS, *_MAY_REMOVE}
)


def removes(step: Step, place: Location, thing: Thing = Thing.FILE) -> bool | None:
    """Return whether a step takes away the thing at a place; None if that can't be told.

    Commands are taken to do what they can: `rm` of a folder without `-r` fails, and leaves it.
    """
    if step.name not in REMOVING or step.name in SHELLS:
        # What a shell is given as text are steps of their own.
        return False
    answers = {_is_gone_after(step, scene) for scene in scenes(place, thing)}
    return answers.pop() if len(answers) == 1 else None


def _is_gone_after(step: Step, scene: Scene) -> bool | None:
    try:
        is_certain = _carry_out(step, scene)
    except UnknownEffect:
        is_certain = False
    return not scene.is_there() if is_certain or not scene.is_there() else None


def _carry_out(step: Step, scene: Scene) -> bool:
    """Remove from a scene what a step does; return whether that is all. Raises UnknownEffect."""
    known = _COMMANDS.get(step.name)
    if known is not None:
        return known(step, scene)
    if step.name == "find":
        if not _may_run_removal(step) and "-delete" not in map(pattern_of, step.arguments):
            return True
        deleted, inner = scene.found_by(step)
        for path in deleted:
            scene.files.remove(path)
        return _carry_out_all(inner, scene)
    if step.name == "xargs":
        if not _may_run_removal(step):
            return True
        return _carry_out_all(scene.fed_by(step), scene)
    return not _may_remove(step) or _names_nothing(step, scene)


def _may_remove(step: Step) -> bool:
    """Whether a program, as it is called, may remove what it is given."""
    if step.name in SHELLS:
        return _may_run_removal(step)
    if step.name == "git":
        return not _GIT.isdisjoint(map(pattern_of, step.arguments))
    if step.name in _REMOVING_OPTIONS:
        options, _ = read_options(step.arguments, ())
        return not _REMOVING_OPTIONS[step.name].isdisjoint(options)
    return step.name in _MAY_REMOVE


def _may_run_removal(step: Step) -> bool:
    """Whether what `find` or `xargs` is given has the name of a command that removes."""
    return any(
        not (REMOVING - {step.name}).isdisjoint(_TOKEN.findall(pattern_of(word)))
        for word in step.arguments
    )


def _carry_out_all(of: Iterable[Step], scene: Scene) -> bool:
    answers = [_carry_out(one, scene) for one in of]
    return all(answers)


def _names_nothing(step: Step, scene: Scene) -> bool:
    """Whether neither a word nor the folder that a step runs in is the place, or one around it."""
    named = [scene.named(step, word) for word in step.arguments]
    if step.name == "git":
        named.append(scene.named(step, "."))
    return not any(one.paths or not one.is_certain for one in named)


def _rm(step: Step, scene: Scene) -> bool:
    options, words = read_options(step.arguments, ())
    is_recursive = not options.keys().isdisjoint(("r", "R", "recursive"))
    takes_empty = not options.keys().isdisjoint(("d", "dir"))
    found = _named(step, scene, words)
    for path in found.paths:
        if not scene.files.is_folder(path) or is_recursive:
            scene.files.remove(path)
        elif takes_empty:
            _remove_empty(path, scene)
    return found.is_certain


def _unlink(step: Step, scene: Scene) -> bool:
    words = read_options(step.arguments, ())[1]
    # It takes one name, and fails where there are more.
    found = _named(step, scene, words if len(words) == 1 else ())
    for path in found.paths:
        if not scene.files.is_folder(path):
            scene.files.remove(path)
    return found.is_certain


def _rmdir(step: Step, scene: Scene) -> bool:
    options, words = read_options(step.arguments, ())
    takes_parents = not options.keys().isdisjoint(("p", "parents"))
    found = _named(step, scene, words)
    for path in found.paths:
        is_gone = _remove_empty(path, scene)
        while is_gone and takes_parents and path != "/":
            path = posixpath.dirname(path)
            is_gone = _remove_empty(path, scene)
    return found.is_certain and not (takes_parents and scene.is_around(step, words))


def _remove_empty(path: str, scene: Scene) -> bool:
    if not scene.files.is_folder(path) or scene.files.names(path):
        return False
    scene.files.remove(path)
    return True


def _mv(step: Step, scene: Scene) -> bool:
    options, words = read_options(step.arguments, ("t", "target-directory", "S", "suffix"))
    sources = words if options.keys() & {"t", "target-directory"} else words[:-1]
    found = _named(step, scene, sources)
    if options.keys() & {"n", "no-clobber", "u", "update", "i", "interactive"}:
        return found.is_certain and not found.paths
    for path in found.paths:
        scene.files.remove(path)
    return found.is_certain


_COMMANDS: Mapping[str, Callable[[Step, Scene], bool]] = {
    "rm": _rm, "unlink": _unlink, "rmdir": _rmdir, "mv": _mv,
}  # fmt: skip


def _named(step: Step, scene: Scene, words: Iterable[Value]) -> Named:
    """Return what some words name. The folder it runs in is none: all of these refuse `.`."""
    wanted = [one for one in words if posixpath.basename(pattern_of(one).rstrip("/")) != "."]
    found = [scene.named(step, word) for word in wanted]
    paths = dict.fromkeys(path for one in found for path in one.paths)
    return Named(tuple(paths), all(one.is_certain for one in found))

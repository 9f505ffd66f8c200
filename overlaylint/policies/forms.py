"""The forms of a policy, as they are written in `overlaylint.toml`.

Each is a table that reads as a maintainer would say it: `require-dependency = { in =
"RDEPEND", atom = "sys-apps/diffutils" }`. `sentence` says it in prose, for `overlaylint explain`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from overlaylint.records import dataclass
from overlaylint.syntax import Atom, NotEmpty, OneOrMore, Regex, Syntax, Text, each

DependencyList = Literal["DEPEND", "BDEPEND", "RDEPEND", "PDEPEND", "IDEPEND"]
#: The variables that hold dependencies (PMS 8.1).
DEPENDENCIES: tuple[DependencyList, ...] = ("DEPEND", "BDEPEND", "RDEPEND", "PDEPEND", "IDEPEND")

DependencyLists = DependencyList | Annotated[tuple[DependencyList, ...], NotEmpty()]

_OPERATORS = "<>=~"


def is_atom(text: str) -> bool:
    """Whether the packages of a policy are given as an atom, not as a glob."""
    return text[:1] in tuple(_OPERATORS) or ":" in text


def _package(text: str) -> None:
    if is_atom(text):
        from overlaylint.overlay.atom import parse_atom

        atom = parse_atom(text)
        if atom.blocker or atom.use:
            raise ValueError("a package is named without `!` and `[flags]`")
    elif text.count("/") != 1 or not all(text.split("/")):
        raise ValueError("it has to be category/package, with wildcards or not")


def _flag(text: str) -> None:
    from overlaylint.overlay.dependency import parse_dependency

    if "?" in text or text[:1] in ("-", "+", "!"):
        raise ValueError("it is a flag's bare name")
    parse_dependency(f"{text}? ( x )")


def _condition(text: str) -> None:
    assumed((text,))


def _image_path(text: str) -> None:
    parts = text.split("/")
    if not text.startswith("/") or any(part in ("", ".", "..") for part in parts[1:]):
        raise ValueError("it has to be a path from the image's root, as /usr/bin/tool")
    if set(text) & set("*?[$"):
        raise ValueError("it is one file, without wildcards")


def _range(text: str) -> None:
    from overlaylint.overlay.version import parse_version

    bare = text.lstrip(_OPERATORS)
    if text[: len(text) - len(bare)] not in ("<", "<=", ">", ">=", "="):
        raise ValueError("it has to start with one of < <= > >= =")
    if parse_version(bare) is None:
        raise ValueError(f"{bare!r} is no version")


def _kernel_option(text: str) -> None:
    if text.startswith("CONFIG_") or not text.isascii() or not text.replace("_", "a").isalnum():
        raise ValueError("it has to be a symbol's name without `CONFIG_`")


def _file_glob(text: str) -> None:
    if any(part in ("", ".", "..") for part in text.strip("/").split("/")):
        raise ValueError("it has to be a path without empty parts, `.` and `..`")


KernelOption = Annotated[str, Syntax("kernel option", _kernel_option)]
FileGlob = Annotated[str, Syntax("glob over files", _file_glob)]
FileGlobs = FileGlob | Annotated[tuple[FileGlob, ...], NotEmpty()]
PackageName = Annotated[str, Syntax("package", _package)]
Flag = Annotated[str, Syntax("USE flag", _flag)]
Condition = Annotated[str, Syntax("condition", _condition)]
ImagePath = Annotated[str, Syntax("path in the image", _image_path)]
Range = Annotated[str, Syntax("range of versions", _range)]


def assumed(conditions: tuple[str, ...]) -> dict[str, bool]:
    """Return the flags that conditions like `use doc` and `!use doc` assume, on or off.

    Raises ValueError for any other condition, and for a flag both on and off.
    """
    found: dict[str, bool] = {}
    for text in conditions:
        words = text.replace("!", "! ").split()
        is_on = "!" not in words
        names = [word for word in words if word != "!"]
        if len(names) != 2 or names[0] != "use" or len(words) > 3 or words[-1] == "!":
            raise ValueError("it has to be `use flag` or `!use flag`")
        _flag(names[1])
        if found.setdefault(names[1], is_on) is not is_on:
            raise ValueError(f"{names[1]} is assumed to be both on and off")
    return found


def _or(words: str | tuple[str, ...]) -> str:
    return " or ".join(f"`{word}`" for word in each(words))


def _and(words: str | tuple[str, ...]) -> str:
    return " and ".join(f"`{word}`" for word in each(words))


# --- dependencies ---


@dataclass(frozen=True, slots=True)
class RequireDependency:
    """A dependency that stands in a list under no condition."""

    atom: Atom
    """What is required; without a version, any version, slot and USE dependency will do."""
    in_: DependencyList = "RDEPEND"
    """The list that has to hold it."""

    @property
    def sentence(self) -> str:
        return f"{self.in_} has to hold `{self.atom}`, under no condition."


@dataclass(frozen=True, slots=True)
class ForbidDependency:
    """A dependency that stands in none of some lists, under no condition either."""

    atom: Atom
    """What is forbidden: every dependency that only this could meet."""
    in_: DependencyLists = DEPENDENCIES
    """The lists that may not hold it; without this, all."""

    @property
    def sentence(self) -> str:
        return f"{' and '.join(each(self.in_))} may not hold `{self.atom}`."


# --- USE flags ---

FlagState = Literal["on", "off", "forced", "masked"]


@dataclass(frozen=True, slots=True)
class RequireUse:
    """A USE flag that has to be on, off, forced or masked under some profiles."""

    flag: Flag
    """The flag."""
    state: FlagState
    """What it has to be, or may not be."""
    profiles: OneOrMore = "*"
    """Globs over the profiles, as paths below `profiles/`."""
    set_by: Literal["anything", "profile"] = "anything"
    """With `profile`, a profile has to say so: what IUSE says by default is not enough."""

    @property
    def sentence(self) -> str:
        where = f" by a line of the profiles {_and(self.profiles)}"
        if self.set_by == "anything":
            where = f" under the profiles {_and(self.profiles)}"
        return f"The USE flag `{self.flag}` has to be {self.state}{where}."


@dataclass(frozen=True, slots=True)
class ForbidUse:
    """A USE flag that may not be on, off, forced or masked under some profiles."""

    flag: Flag
    """The flag."""
    state: FlagState
    """What it has to be, or may not be."""
    profiles: OneOrMore = "*"
    """Globs over the profiles, as paths below `profiles/`."""

    @property
    def sentence(self) -> str:
        return (
            f"The USE flag `{self.flag}` may not be {self.state} under the profiles"
            f" {_and(self.profiles)}."
        )


# --- eclasses ---


@dataclass(frozen=True, slots=True)
class RequireInherit:
    """Eclasses that have to be inherited, directly or through others."""

    eclass: OneOrMore
    """Globs over the eclasses' names, each of which has to match."""

    @property
    def sentence(self) -> str:
        return f"{_and(self.eclass)} has to be inherited."


@dataclass(frozen=True, slots=True)
class ForbidInherit:
    """Eclasses that may not be inherited."""

    eclass: OneOrMore
    """Globs over the eclasses' names."""
    directly: bool = False
    """Whether only what the ebuild itself inherits counts."""

    @property
    def sentence(self) -> str:
        by = " by the ebuild itself" if self.directly else ""
        return f"{_or(self.eclass)} may not be inherited{by}."


# --- calls ---


@dataclass(frozen=True, slots=True)
class CallPattern:
    """Calls of a command: its name and what stands among its arguments, as globs.

    `${D}` and other variables that the package manager sets stand for themselves.
    """

    command: Text
    """A glob over the command's name."""
    arguments: tuple[str, ...] = ()
    """Globs that arguments match, in this order; others may stand between them."""

    @property
    def shown(self) -> str:
        return " ".join((self.command, *self.arguments))


@dataclass(frozen=True, slots=True)
class RequireCall:
    """A call that has to be made, perhaps before or after another one."""

    command: Text
    """A glob over the command's name."""
    arguments: tuple[str, ...] = ()
    """Globs that arguments match, in this order; others may stand between them."""
    phase: OneOrMore = "*"
    """Globs over the phases, and the callbacks and hooks beside them."""
    when: tuple[Condition, ...] = ()
    """What is assumed: `use flag`, `!use flag`."""
    before: CallPattern | None = None
    """It has to come before every such call of the phase; without one, nothing is asked."""
    after: CallPattern | None = None
    """It has to come after every such call of the phase; without one, nothing is asked."""

    @property
    def pattern(self) -> CallPattern:
        return CallPattern(self.command, self.arguments)

    @property
    def sentence(self) -> str:
        return f"{_phases(self.phase)} has to call `{self.pattern.shown}`{_around(self)}."


@dataclass(frozen=True, slots=True)
class ForbidCall:
    """A call that may not be made."""

    command: Text
    """A glob over the command's name."""
    arguments: tuple[str, ...] = ()
    """Globs that arguments match, in this order; others may stand between them."""
    phase: OneOrMore = "*"
    """Globs over the phases, and the callbacks and hooks beside them."""
    when: tuple[Condition, ...] = ()
    """What is assumed: `use flag`, `!use flag`."""
    profiles: tuple[Text, ...] = ()
    """Globs over profiles: only calls count that are made with the flags as one of these sets
    them. Without this, flags may be anything."""
    before: CallPattern | None = None
    """Only calls before such a call of the phase count."""
    after: CallPattern | None = None
    """Only calls after such a call of the phase count."""

    @property
    def pattern(self) -> CallPattern:
        return CallPattern(self.command, self.arguments)

    @property
    def sentence(self) -> str:
        flags = f", with the flags of the profiles {_and(self.profiles)}" if self.profiles else ""
        return f"{_phases(self.phase)} may not call `{self.pattern.shown}`{_around(self)}{flags}."


def _phases(phase: str | tuple[str, ...]) -> str:
    return "The build" if each(phase) == ("*",) else _or(phase)


def _around(form: RequireCall | ForbidCall) -> str:
    text = f" before `{form.before.shown}`" if form.before else ""
    text += f" after `{form.after.shown}`" if form.after else ""
    return text + _when(form.when)


def _when(conditions: tuple[str, ...]) -> str:
    return f" when {_and(conditions)}" if conditions else ""


# --- the image ---


@dataclass(frozen=True, slots=True)
class RequireInstalled:
    """A file that a build has to leave in the image."""

    path: ImagePath | Annotated[tuple[ImagePath, ...], NotEmpty()]
    """The path in the image; of several, one will do."""
    when: tuple[Condition, ...] = ()
    """What is assumed: `use flag`, `!use flag`."""

    @property
    def sentence(self) -> str:
        return f"The image has to have {_or(self.path)}{_when(self.when)}."


@dataclass(frozen=True, slots=True)
class ForbidInstalled:
    """Files that a build may not leave in the image."""

    path: ImagePath | Annotated[tuple[ImagePath, ...], NotEmpty()]
    """The path in the image, or several."""
    when: tuple[Condition, ...] = ()
    """What is assumed: `use flag`, `!use flag`."""

    @property
    def sentence(self) -> str:
        return f"The image may not have {_or(self.path)}{_when(self.when)}."


# --- values ---


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable's value is asked for; exactly one of the last four."""

    exactly_one_of: ClassVar[tuple[str, ...]] = ("equals", "matches", "regex", "contains")

    variable: OneOrMore
    """The variable; of several, the first that is set."""
    equals: str | None = None
    """The very value."""
    matches: str | None = None
    """A glob that all of the value matches."""
    regex: Regex | None = None
    """An extended regular expression (POSIX) that all of the value matches."""
    contains: Text | None = None
    """A glob that one of the value's words matches."""

    def __post_init__(self) -> None:
        """Raise ValueError where not exactly one way is given."""
        one_of(self, self.exactly_one_of)

    @property
    def asked(self) -> str:
        """What the value is asked for, in prose."""
        if self.equals is not None:
            return f"be `{self.equals}`"
        if self.matches is not None:
            return f"match `{self.matches}`"
        if self.regex is not None:
            return f"match the regular expression `{self.regex}`"
        return f"contain `{self.contains}`"


@dataclass(frozen=True, slots=True)
class RequireValue(Value):
    """A value that a variable has to have after global scope, where it is set."""

    must_be_set: bool = False
    """Whether an ebuild that does not set the variable is reported."""

    @property
    def sentence(self) -> str:
        return f"{_or(self.variable)} has to {self.asked}."


@dataclass(frozen=True, slots=True)
class ForbidValue(Value):
    """A value that a variable may not have after global scope."""

    @property
    def sentence(self) -> str:
        return f"{_or(self.variable)} may not {self.asked}."


# --- kernel configurations ---


@dataclass(frozen=True, slots=True)
class RequireKernelOption:
    """A symbol that the kernel's merged configuration has to set."""

    option: KernelOption
    """The symbol, without `CONFIG_`."""
    value: Text = "y"
    """What it has to be; `n` for not set."""
    kernels: tuple[Range, ...] | Range = ()
    """The kernel versions that it is for, as `">=5.8"`; all of several have to hold."""
    arch: OneOrMore = "*"
    """Globs over the architectures, in Portage's names."""

    @property
    def sentence(self) -> str:
        return f"The kernel's configuration has to set `CONFIG_{self.option}={self.value}`."


@dataclass(frozen=True, slots=True)
class ForbidKernelOption:
    """A symbol that the kernel's merged configuration may not set."""

    option: KernelOption
    """The symbol, without `CONFIG_`."""
    value: str = "*"
    """A glob over what it may not be; without this, it may not be set at all."""
    kernels: tuple[Range, ...] | Range = ()
    """The kernel versions that it is for, as `">=5.8"`; all of several have to hold."""
    arch: OneOrMore = "*"
    """Globs over the architectures, in Portage's names."""

    @property
    def sentence(self) -> str:
        return f"The kernel's configuration may not set `CONFIG_{self.option}={self.value}`."


# --- files ---


@dataclass(frozen=True, slots=True)
class RequireFile:
    """Files that have to exist."""

    path: FileGlobs
    """Globs, each of which has to match a file; relative to the package's folder where the
    policy names packages, else to the overlay's root."""

    @property
    def sentence(self) -> str:
        return f"There has to be {_and(self.path)}."


@dataclass(frozen=True, slots=True)
class ForbidFile:
    """Files that may not exist."""

    path: FileGlobs
    """Globs, none of which may match a file; relative as in `require-file`."""

    @property
    def sentence(self) -> str:
        return f"There may not be {_or(self.path)}."


# --- keywords ---


@dataclass(frozen=True, slots=True)
class Keywords:
    """What KEYWORDS are asked for; exactly one of these."""

    exactly_one_of: ClassVar[tuple[str, ...]] = ("has", "accepted_by")

    has: OneOrMore | None = None
    """Globs over the words of KEYWORDS, `amd64` or `~arm*`."""
    accepted_by: OneOrMore | None = None
    """Globs over profiles: what they accept, package.accept_keywords included."""

    def __post_init__(self) -> None:
        """Raise ValueError where not exactly one is given."""
        one_of(self, self.exactly_one_of)


@dataclass(frozen=True, slots=True)
class RequireKeywords(Keywords):
    """Keywords that an ebuild has to have, or profiles that have to accept them."""

    @property
    def sentence(self) -> str:
        if self.has is not None:
            return f"KEYWORDS has to hold {_and(self.has)}."
        return f"KEYWORDS has to be accepted by the profiles {_and(self.accepted_by or ())}."


@dataclass(frozen=True, slots=True)
class ForbidKeywords(Keywords):
    """Keywords that an ebuild may not have, or profiles that may not accept them."""

    @property
    def sentence(self) -> str:
        if self.has is not None:
            return f"KEYWORDS may not hold {_or(self.has)}."
        return f"KEYWORDS may not be accepted by the profiles {_or(self.accepted_by or ())}."


Form = (
    RequireDependency | ForbidDependency | RequireUse | ForbidUse | RequireInherit | ForbidInherit
    | RequireCall | ForbidCall | RequireInstalled | ForbidInstalled | RequireValue | ForbidValue
    | RequireKernelOption | ForbidKernelOption | RequireFile | ForbidFile | RequireKeywords
    | ForbidKeywords
)  # fmt: skip


def one_of(form: object, names: tuple[str, ...]) -> str:
    """Return the one field of some that is set. Raises ValueError where that is not one."""
    given = [name for name in names if getattr(form, name) is not None]
    if len(given) != 1:
        listed = ", ".join(name.replace("_", "-") for name in names)
        found = " and ".join(name.replace("_", "-") for name in given) or "none of them"
        raise ValueError(f"it takes exactly one of {listed}, and has {found}")
    return given[0]

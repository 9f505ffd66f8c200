"""Our dataclasses are the standard library's, but for when their methods are compiled."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar

import pytest

from overlaylint import records

OPTIONS: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True, "eq": False},
    {"slots": True, "repr": False},
]


def classes(decorate: Any, options: dict[str, bool]) -> tuple[type, type, type]:
    """Return classes with every kind of field and with methods of their own."""

    class Plain:
        kind: ClassVar[str] = "plain"
        name: str
        size: int = 3
        parts: list[int] = dataclasses.field(default_factory=list, compare=False)
        make_parts: str = "no factory of `parts`"
        note: str = dataclasses.field(default="", repr=False)
        last: str = dataclasses.field(default="z", kw_only=True)
        missing: list[int] = dataclasses.field(default_factory=list, compare=False, kw_only=True)
        made: list[int] = dataclasses.field(init=False, default_factory=list)
        fixed: int = dataclasses.field(init=False, default=7)
        later: int = dataclasses.field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "later", 9)
            if self.size < 0:
                raise ValueError("too small")

    plain = decorate(**options)(Plain)

    class Heir(plain):  # type: ignore[misc]
        more: bool = True

    class Own:
        name: str

        def __repr__(self) -> str:
            return f"<{self.name}>"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.name.lower() == other.name.lower()

        def __hash__(self) -> int:
            return 1

    return plain, decorate(**options)(Heir), decorate(**options)(Own)


def shown(call: Any) -> str:
    """Return what a call comes to, or how it fails; an address in memory left out."""
    try:
        return repr(call()).partition(" object at ")[0]
    except KeyError:
        # Its text has such an address.
        return "KeyError"
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_they_do_as_the_standard_library_does(options: dict[str, bool]) -> None:
    pairs = zip(
        classes(records.dataclass, options), classes(dataclasses.dataclass, options), strict=True
    )
    for ours, theirs in pairs:
        assert dataclasses.is_dataclass(ours)
        assert [one.name for one in dataclasses.fields(ours)] == [
            one.name for one in dataclasses.fields(theirs)
        ]
        assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__")
        for make in (
            lambda cls: cls(),
            lambda cls: cls("a"),
            lambda cls: cls("a", -1),
            lambda cls: cls("a", 1, [2], "n", last="b"),
            lambda cls: cls("a", missing=[2]),
            lambda cls: cls("a", 1, [2], "n", "b", "c", "d"),
            lambda cls: cls(name="a", other=1),
            lambda cls: cls("a") == cls("a"),
            lambda cls: cls("a") == cls("A"),
            lambda cls: cls("a") == cls("a", parts=[1]),
            lambda cls: cls("a") == "a",
            lambda cls: cls("a") < cls("b"),
            lambda cls: cls("a") >= cls("b"),
            # both are kept, else the second may lie where the first was
            lambda cls: len(set(map(hash, [cls("a"), cls("a")]))),
            lambda cls: {cls("a"): 1}[cls("a")],
            lambda cls: dataclasses.replace(cls("a"), name="b"),
            lambda cls: dataclasses.asdict(cls("a")),
            lambda cls: copy.deepcopy(cls("a")),
        ):
            # The first call of a method compiles it, and the second does not.
            expected = shown(lambda theirs=theirs, make=make: make(theirs))
            assert shown(lambda ours=ours, make=make: make(ours)) == expected
            assert shown(lambda ours=ours, make=make: make(ours)) == expected


def test_a_method_is_compiled_once_and_only_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_ = records._compile

    def count(cls: type, name: str) -> Any:
        compiled.append(name)
        return compile_(cls, name)

    monkeypatch.setattr(records, "_compile", count)

    @records.dataclass(frozen=True, slots=True)
    class Point:
        x: int

    assert compiled == []
    assert [Point(1), Point(2)][0].x == 1
    assert compiled == ["__init__"]
    assert Point(1) == Point(1)
    assert compiled == ["__init__", "__eq__"]

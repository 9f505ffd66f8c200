"""Frozen dataclasses and cached properties that cost no more than they must.

`dataclass` is the standard library's to the type checker. When overlaylint runs, it differs in two
things. The methods that the standard library compiles for each class (`__init__`, `__eq__` ...)
are compiled when they are first called: a run meets hundreds of classes and uses a third of them,
and to compile for all of them took half the time of checking one file. And a frozen one is frozen
to the type checker alone: else it could set its own fields only by a call for each, which takes
several times as long, and syntax trees and values are made by the hundred thousand. It knows no
`InitVar`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

__all__ = ["dataclass", "lazy", "once_each"]

Owner = TypeVar("Owner")
Answer = TypeVar("Answer")
Of = ParamSpec("Of")


def once_each(
    work: Callable[Concatenate[Owner, Of], Answer],
) -> Callable[Concatenate[Owner, Of], Answer]:
    """Let a question about an object be answered once, and the answer be kept with the object.

    Further arguments are part of the question. A cache of the whole program's would keep
    functions and repositories that nobody has any more.
    """
    name = f"_{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def answer(owner: Owner, /, *of: Of.args, **named: Of.kwargs) -> Answer:
        question = (of, *sorted(named.items())) if named else of
        answers: dict[object, Answer] = owner.__dict__.setdefault(name, {})
        if question not in answers:
            answers[question] = work(owner, *of, **named)
        return answers[question]

    return answer


if TYPE_CHECKING:
    from dataclasses import dataclass
    from functools import cached_property as lazy
else:
    import dataclasses

    _ORDER = ("__lt__", "__le__", "__gt__", "__ge__")

    def dataclass(
        cls: type | None = None,
        /,
        *,
        repr: bool = True,  # noqa: A002 (the standard library's name)
        eq: bool = True,
        order: bool = False,
        frozen: bool = False,
        slots: bool = False,
    ) -> Any:
        """Do as `dataclasses.dataclass` does, with methods that are compiled when called."""

        def make(cls: type) -> type:
            if cls.__doc__ is None:
                # Else the standard library compiles `__init__` after all, to describe it.
                cls.__doc__ = cls.__name__
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            wanted = ["__init__", *(["__repr__"] if repr else [])]
            if eq:
                wanted += ["__eq__"]
                # A class that defines `__eq__` itself has a `__hash__` of None by that.
                if made.__dict__.get("__hash__") is None:
                    made.__hash__ = None
                    wanted += ["__hash__"] if frozen else []
            wanted += _ORDER if order else ()
            for name in wanted:
                if made.__dict__.get(name) is None:
                    setattr(made, name, _compiled_when_called(made, name))
            return made

        return make if cls is None else make(cls)

    def _compiled_when_called(cls: type, name: str) -> Any:
        def method(*arguments: Any, **named: Any) -> Any:
            compiled = _compile(cls, name)
            setattr(cls, name, compiled)
            return compiled(*arguments, **named)

        return method

    def _compile(cls: type, name: str) -> Any:
        """Return a method that does what the standard library's does for such a class."""
        compiled = _init(cls) if name == "__init__" else _of_a_twin(cls, name)
        compiled.__qualname__ = f"{cls.__qualname__}.{name}"
        return compiled

    def _init(cls: type) -> Any:
        """Return `__init__`, which most classes need, and by itself is made much quicker."""
        missing = dataclasses.MISSING
        # no field has such names
        known: dict[str, object] = {"__missing__": missing}
        positional, keywords, body = ["self"], [], []
        for one in dataclasses.fields(cls):
            default, value = "", one.name
            if one.default is not missing:
                known[f"__default_{one.name}__"] = one.default
                default = f"=__default_{one.name}__"
            elif one.default_factory is not missing:
                known[f"__make_{one.name}__"] = one.default_factory
                default = "=__missing__"
                value = f"__make_{one.name}__() if {one.name} is __missing__ else {one.name}"
            if one.init:
                (keywords if one.kw_only else positional).append(f"{one.name}{default}")
            elif not default:
                continue  # it is set later on
            else:
                value = f"__make_{one.name}__()" if default == "=__missing__" else default[1:]
            body.append(f"self.{one.name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        parameters = ", ".join([*positional, *(["*"] if keywords else []), *keywords])
        exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), known)
        return known["__init__"]

    def _of_a_twin(cls: type, name: str) -> Any:
        options = dict.fromkeys(("init", "repr", "eq", "order", "unsafe_hash"), False)
        options["eq"] = name in ("__eq__", *_ORDER)
        option = {"__hash__": "unsafe_hash", **dict.fromkeys(_ORDER, "order")}
        options[option.get(name, name.strip("_"))] = True
        namespace = {"__doc__": cls.__doc__}
        own = [(one.name, one.type, one) for one in dataclasses.fields(cls)]
        twin = dataclasses.make_dataclass(cls.__name__, own, namespace=namespace, **options)
        return twin.__dict__[name]

    if sys.version_info >= (3, 12):
        from functools import cached_property as lazy
    else:

        class lazy:  # noqa: N801 (it is used as `cached_property` is)
            """`functools.cached_property` without the lock that it had before Python 3.12."""

            def __init__(self, function: Any) -> None:
                self.function = function
                self.name = function.__name__
                self.__doc__ = function.__doc__

            def __get__(self, instance: Any, owner: Any = None) -> Any:
                if instance is None:
                    return self
                value = instance.__dict__[self.name] = self.function(instance)
                return value

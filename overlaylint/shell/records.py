"""Frozen dataclasses and cached properties that cost no more than they must.

Syntax trees and values are made by the hundred thousand. The interpreter lets a frozen dataclass
set its own fields only by a call for each, which takes several times as long; so these are frozen
to the type checker, and plain ones when overlaylint runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

__all__ = ["lazy", "record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from functools import cached_property as lazy
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, eq: bool = True, **options: bool) -> Any:
        """Do as `dataclass` does, with fields that nothing but the type checker protects."""
        return dataclass(eq=eq, unsafe_hash=frozen and eq, **options)

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

"""JSON for programs that read as they go: one object a line, described in docs/json.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from overlaylint.engine.result import Result
from overlaylint.report import Settings
from overlaylint.report.json import SCHEMA, Value, lists, summary

#: What `type` says of an object of each list of the JSON report.
_TYPES = {"findings": "finding"}


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return a line for each thing that the JSON report lists, and at last the summary."""
    return "".join(f"{json.dumps(one)}\n" for one in _objects(results, settings))


def _objects(results: Sequence[Result], settings: Settings) -> Iterator[dict[str, Value]]:
    for name, make in lists(settings).items():
        for result in results:
            for one in make(result):
                assert isinstance(one, dict)
                yield {"type": _TYPES.get(name, name), **one}
    yield {"type": "summary", "schema": SCHEMA, **summary(results)}

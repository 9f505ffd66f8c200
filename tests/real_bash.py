"""Bash itself, to compare with: one process answers question after question.

`OVERLAYLINT_EXAMPLES=20000` in the environment asks for that many generated examples for each
property, with new ones each time; by default there are few, and always the same.
"""

from __future__ import annotations

import functools
import os
import subprocess

from hypothesis import HealthCheck, settings

_WANTED = int(os.environ.get("OVERLAYLINT_EXAMPLES", "0"))
_ENVIRONMENT = {"PATH": "/dev/null", "LC_ALL": "C.UTF-8"}


def examples(number: int) -> settings:
    """Return settings for `number` examples by default."""
    return settings(
        max_examples=_WANTED or number,
        derandomize=not _WANTED,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


class Bash:
    """A bash that reads the variables `names` and runs `body` on them, over and over.

    All text that goes in and comes out ends in NUL. What `body` prints is the answer.
    """

    def __init__(self, names: str, body: str, *, locale: str = "C.UTF-8") -> None:
        reads = " && ".join(f"IFS= read -r -d '' {name}" for name in names.split())
        script = f"shopt -u patsub_replacement\nwhile {reads}; do\n{body}\nprintf '\\1\\0'\ndone"
        self._process = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**_ENVIRONMENT, "LC_ALL": locale},
        )

    def ask(self, *values: str) -> list[str]:
        """Return what bash printed for these values of the variables, split at NUL."""
        process = self._process
        assert process.stdin
        assert process.stdout
        for value in values:
            process.stdin.write(value.encode("utf-8", "surrogateescape") + b"\0")
        process.stdin.flush()
        answer = b""
        while not answer.endswith(b"\1\0"):
            read = process.stdout.read1()
            assert read, "bash has ended"
            answer += read
        fields = answer[:-2].decode("utf-8", "surrogateescape").split("\0")
        return fields[:-1]


@functools.cache
def bash(names: str, body: str, *, locale: str = "C.UTF-8") -> Bash:
    """Return a running `Bash`, the same for the same questions."""
    return Bash(names, body, locale=locale)

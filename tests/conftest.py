"""Settings of all tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support import CLEAN, HELLO, overlay, overlaylint

_NOBODY = 65534

# No test is timed: machines are shared. In CI the examples are the same each time.
settings.register_profile(
    "overlaylint",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("overlaylint")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what tests would leave in the user's cache in a folder of their own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.delenv("OVERLAYLINT_NO_CACHE", raising=False)
        yield folder


@pytest.fixture
def without_root(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder, for a process that has no more rights there than its owner: root has all.

    Under root, the process takes another user's rights for as long as the test runs.
    """
    if os.geteuid() != 0:
        yield tmp_path
        return
    # What is imported late may lie where only root can read.
    fixable = "# overlaylint: ignore[parse-error] -- it is right\n"
    root = overlay(tmp_path / "first", {HELLO: f"{CLEAN}{fixable}"})
    overlaylint(["check", root, "--fix"])
    overlaylint(["metadata", root, "--output-dir", tmp_path / "cache"])
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, _NOBODY, -1)
        os.seteuid(_NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)

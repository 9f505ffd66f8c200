"""`metadata/layout.conf`, as Portage reads it (portage(5), GLEP 82's forerunner).

pkgcore reads it too, but from a path on disk only, and without places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from overlaylint.finding import Span
from overlaylint.overlay.text import decode, split_lines
from overlaylint.records import dataclass

LAYOUT_PATH = "metadata/layout.conf"

_NOT_IN_NAMES = re.compile(r"[^\w-]")
# EAPIs whose profiles may have folders in place of files (PMS 5.2.4 and later EAPIs).
_FOLDER_EAPIS = frozenset({"7", "8", "9"})
_FOLDER_FORMATS = frozenset({"portage-1", "portage-1-compat", "portage-2"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One `key = value` of layout.conf, and the place of the value."""

    key: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Layout:
    """What `metadata/layout.conf` settles. `settings` holds every key, known or not."""

    settings: Mapping[str, Setting] = field(default_factory=dict)
    malformed: tuple[Span, ...] = ()
    """Lines that are no `key = value`; Portage passes over them."""

    @property
    def masters(self) -> tuple[str, ...] | None:
        """The repositories this one builds on, or None where nothing is said."""
        setting = self.settings.get("masters")
        return None if setting is None else tuple(setting.value.split())

    @property
    def aliases(self) -> tuple[str, ...]:
        """Further names for the repository."""
        return self._words("aliases")

    @property
    def repo_name(self) -> str | None:
        """A name that goes before the one in profiles/repo_name."""
        return valid_repository_name(self._value("repo-name"))

    @property
    def has_thin_manifests(self) -> bool:
        """Whether Manifest files list distfiles only."""
        return self._value("thin-manifests").lower() == "true"

    @property
    def cache_formats(self) -> tuple[str, ...]:
        """The formats of pregenerated metadata, best first."""
        return tuple(self._value("cache-formats").lower().split())

    @property
    def profile_formats(self) -> tuple[str, ...] | None:
        """The extensions that profiles use, or None where nothing is said."""
        setting = self.settings.get("profile-formats")
        return None if setting is None else tuple(setting.value.split())

    @property
    def default_profile_eapi(self) -> str:
        """The EAPI of a profile folder without an `eapi` file: PMS says 0."""
        if "profile-default-eapi" in (self.profile_formats or ()):
            return self._value("profile_eapi_when_unspecified") or "0"
        return "0"

    @property
    def allows_parent_in_repository(self) -> bool:
        """Whether a `parent` line may be `repository:path` (format portage-2)."""
        return "portage-2" in (self.profile_formats or ())

    @property
    def allows_repository_in_atoms(self) -> bool:
        """Whether an atom in a profile may name a repository (format profile-repo-deps)."""
        return "profile-repo-deps" in (self.profile_formats or ())

    def allows_folders(self, eapi: str) -> bool:
        """Whether package.mask and its like may be folders, in a profile of that EAPI.

        Where profile-formats is not set, Portage allows them and warns.
        """
        formats = self.profile_formats
        return formats is None or eapi in _FOLDER_EAPIS or bool(_FOLDER_FORMATS & set(formats))

    def _value(self, key: str) -> str:
        setting = self.settings.get(key)
        return "" if setting is None else setting.value

    def _words(self, key: str) -> tuple[str, ...]:
        return tuple(self._value(key).split())


def parse_layout(data: bytes, repository: str = "") -> Layout:
    """Read a layout.conf. `repository` goes into the spans, as in `Span.repository`."""
    settings: dict[str, Setting] = {}
    malformed = []
    for start, end in split_lines(data):
        raw = data[start:end]
        if not raw.strip() or raw.lstrip().startswith(b"#"):
            continue
        key, equals, value = raw.partition(b"=")
        if not equals or not key.strip():
            malformed.append(Span(LAYOUT_PATH, start, end, repository))
            continue
        at = start + len(key) + 1 + len(value) - len(value.lstrip())
        name = decode(key.strip())
        place = Span(LAYOUT_PATH, at, at + len(value.strip()), repository)
        settings[name] = Setting(name, decode(value.strip()), place)
    return Layout(settings, tuple(malformed))


def valid_repository_name(text: str) -> str | None:
    """Return a name with what PMS 3.1.5 forbids replaced, as Portage does, or None."""
    words = _NOT_IN_NAMES.sub(" ", text.strip()).split()
    return "-".join(words).lstrip("-") or None

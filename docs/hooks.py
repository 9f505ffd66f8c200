"""Pages that are made when the documentation is built: README's text, and one for each rule.

mkdocs calls these functions by their names (its "Hooks"). The rules are those of the installed
packs, as `overlaylint explain` shows them.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from overlaylint.cli.explain import as_markdown
from overlaylint.engine.packs import Catalog, load_catalog

#: A link in README.md to another file of the project.
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the rules to the navigation, a section for each pack."""
    assert config.nav is not None
    packs = [
        {pack.pack.title: [f"rules/{rule.name}.md" for rule in pack.rules]}
        for pack in load_catalog().packs
    ]
    config.nav.insert(2, {"Rules": ["rules/index.md", *packs]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    catalog = load_catalog()
    root = Path(config.config_file_path).parent
    pages = {
        "index.md": _index((root / "README.md").read_text("utf-8"), config.repo_url or ""),
        "rules/index.md": _rules(catalog),
    }
    for rule in catalog.rules.values():
        pages[f"rules/{rule.name}.md"] = as_markdown(rule, catalog.pack_of(rule))
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def _index(readme: str, repository: str) -> str:
    """Return README.md with its links led to the pages, or to the repository."""

    def moved(match: re.Match[str]) -> str:
        path, anchor = match[1], match[2] or ""
        inside = path.removeprefix("docs/")
        return f"]({inside}{anchor})" if inside != path else f"]({repository}/blob/main/{path})"

    return _LINK.sub(moved, readme)


def _rules(catalog: Catalog) -> str:
    """Return the table of all rules."""
    lines = ["# Rules", ""]
    for pack in catalog.packs:
        names = ", ".join(f"`{name}`" for name in pack.pack.repositories)
        where = f"overlays called {names}" if names else "every overlay"
        lines += [
            f"## {pack.pack.title}",
            "",
            f"Pack `{pack.name}`, on for {where}.",
            "",
            "| rule | severity | what it reports |",
            "| --- | --- | --- |",
        ]
        lines += [
            f"| [{rule.name}]({rule.name}.md) | {rule.severity} | {rule.documentation.title} |"
            for rule in pack.rules
        ]
        lines.append("")
    return "\n".join(lines)

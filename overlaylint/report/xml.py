"""XML as text."""

from __future__ import annotations

from xml.etree.ElementTree import Element, indent, tostring


def written(root: Element) -> str:
    """Return a document, indented, with a declaration; what is not ASCII is escaped.

    Its text must have passed `visible`: XML has no way to write control characters.
    """
    indent(root)
    text: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"

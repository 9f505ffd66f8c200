"""XML as text."""

from __future__ import annotations

from xml.etree.ElementTree import Element, indent, tostring

# Go's reader, and so reviewdog, takes no other name of an encoding.
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def written(root: Element) -> str:
    """Return a document, indented, in which what is not ASCII is escaped.

    Its text must have passed `visible`: XML has no way to write control characters.
    """
    indent(root)
    text: bytes = tostring(root, encoding="us-ascii", xml_declaration=False)
    return f"{_DECLARATION}\n{text.decode('ascii')}\n"

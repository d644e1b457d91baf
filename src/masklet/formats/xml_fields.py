"""Parts of XML, checked."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from masklet.errors import FormatError

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def child(tree: ElementTree.Element, name: str) -> ElementTree.Element:
    """The first child of a name.

    Raises:
        FormatError: When there is none.
    """
    found = tree.find(name)
    if found is None:
        raise FormatError(f"The XML element {tree.tag!r} lacks {name!r}; the file is damaged.")
    return found


def child_text(tree: ElementTree.Element, name: str) -> str:
    """The text of the first child of a name; empty when it has none.

    Raises:
        FormatError: When there is no such child.
    """
    return child(tree, name).text or ""


def attribute(tree: ElementTree.Element, name: str) -> str:
    """An attribute.

    Raises:
        FormatError: When there is none.
    """
    found = tree.get(name)
    if found is None:
        raise FormatError(f"The XML element {tree.tag!r} lacks the attribute {name!r}; the file is damaged.")
    return found


def number_of(text: str, where: str) -> float:
    """A finite number.

    Raises:
        FormatError: When it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"{where} must be a number, got {text[:40]!r}.")
    return value


def xml_bytes(tree: ElementTree.Element) -> bytes:
    """A file of XML in UTF-8, indented.

    Raises:
        FormatError: When a text holds a character that XML cannot.
    """
    for one in tree.iter():
        for text in (one.text or "", *one.attrib.values()):
            if _FORBIDDEN.search(text):
                raise FormatError(f"{text[:60]!r} holds a character that XML cannot; rename it.")
    ElementTree.indent(tree)
    return ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True) + b"\n"

"""HTML in which text is escaped by construction, and what a page may carry inside itself."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from io import BytesIO
from typing import Any

from PIL import Image

_SCRIPT_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


class Markup(str):
    """HTML that is ready to stand in a page; every other string is text, and gets escaped."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """One element with its children.

    Args:
        name: of the element, from the program, never from a user.
        children: markup as it is, any other string as text.
        attributes: ``class_`` is ``class`` and ``data_key`` is ``data-key``; True is an attribute
            without a value, None and False are left out. Values are escaped.

    Example:
        >>> element("p", "1 < 2", Markup("<br>"), class_="faint")
        '<p class="faint">1 &lt; 2<br></p>'
    """
    written = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    opening = f"<{name}{written}>"
    return Markup(opening if name in _VOID else f"{opening}{joined(*children)}</{name}>")


def joined(*parts: str) -> Markup:
    """Parts after each other: markup as it is, text escaped."""
    return Markup("".join(p if isinstance(p, Markup) else html.escape(p) for p in parts))


def script_data(value: Any) -> Markup:
    """A value as JSON that cannot end the script element in which it stands."""
    return Markup(json.dumps(value, separators=(",", ":")).translate(_SCRIPT_ESCAPES))


def data_uri(image: Image.Image, kind: str, **options: Any) -> str:
    """A picture as a ``data:`` address.

    Args:
        image: the picture.
        kind: "png" or "jpeg".
        options: for Pillow's writer of this kind.
    """
    whole = BytesIO()
    image.save(whole, format=kind, optimize=True, **options)
    return f"data:image/{kind};base64,{base64.b64encode(whole.getvalue()).decode()}"


def source_hash(source: str) -> str:
    """What a Content-Security-Policy calls this very script or style sheet."""
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_VOID = frozenset({"br", "img", "meta"})


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return html.escape(f"{value:g}" if isinstance(value, float) else str(value))

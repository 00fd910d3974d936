"""Elements of HTML and SVG as text; all content is escaped, unless it is an element itself."""
from html import escape

from hopref.check.report.findings import INVALID

__all__ = ["Markup", "element"]


class Markup(str):
    """Text that is markup already."""


def element(tag, *content, **attributes):
    """One element; underscores in the names of attributes are hyphens, ``class_`` is ``class``.

    >>> from hopref.check.report.markup import element
    >>> element("p", "1 < 2", class_="soft")
    '<p class="soft">1 &lt; 2</p>'
    """
    written = "".join(f' {k.strip("_").replace("_", "-")}="{escaped(v)}"'
                      for k, v in attributes.items() if v not in (None, ""))
    inner = "".join(c if isinstance(c, Markup) else escaped(c) for c in content if c is not None)
    return Markup(f"<{tag}{written}>{inner}</{tag}>")


def escaped(v):
    return escape(INVALID.sub(lambda c: f"\\x{ord(c[0]):02x}", str(v)))

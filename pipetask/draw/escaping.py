"""Text made safe for Graphviz and for Mermaid."""

from __future__ import annotations

import re

# What Mermaid reads in a quoted label as itself, and in no place as the begin of something else.
_NOT_PLAIN = re.compile(r"[^\w .,:={}()/+-]")


def dot_name(text: str) -> str:
    """Return a text as a quoted DOT name.

    Parameters
    ----------
    text
        Any text.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def dot_html(text: str) -> str:
    """Return a text as it stands inside an HTML-like DOT label.

    Parameters
    ----------
    text
        Any text, on one line.
    """
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def mermaid_label(lines: tuple[str, ...]) -> str:
    """Return a quoted Mermaid label of one or more lines.

    Parameters
    ----------
    lines
        Any text each. Every character that Mermaid might take for markup
        becomes an entity, ``#code;``.
    """
    safe = (_NOT_PLAIN.sub(lambda match: f"#{ord(match[0])};", line) for line in lines)
    return '"' + "<br>".join(safe) + '"'

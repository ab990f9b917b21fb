"""AWS's query protocol both ways: flat parameters to nested values and back, and nested values to XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

#: A flat parameter: ministack hands one value or a list of one.
Parameters = Mapping[str, Any]


def nested(parameters: Parameters) -> dict[str, Any]:
    """``{"A.member.1.B": "x"}`` → ``{"A": [{"B": "x"}]}``; EC2's lists, without ``member``, become lists too."""
    tree: dict[str, Any] = {}
    for name, value in parameters.items():
        node = tree
        steps = [step for step in name.split(".") if step != "member"]
        for step in steps[:-1]:
            below = node.setdefault(step, {})
            if not isinstance(below, dict):
                below = node[step] = {}
            node = below
        node[steps[-1]] = value[0] if isinstance(value, list) and value else value
    result = _lists(tree)
    return result if isinstance(result, dict) else {}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def flat(value: Any, prefix: str = "", member: str = "member.") -> dict[str, list[str]]:
    """The reverse of ``nested``: what a client would send. EC2 wants ``member=""``."""
    out: dict[str, list[str]] = {}
    if isinstance(value, Mapping):
        for key, item in value.items():
            out.update(flat(item, f"{prefix}.{key}" if prefix else str(key), member))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value, 1):
            out.update(flat(item, f"{prefix}.{member}{number}", member))
    elif value is not None:
        out[prefix] = [text(value)]
    return out


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty one, anything else as a list of one."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A scalar as AWS writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def xml(value: Any, item: str = "member") -> str:
    """Nested values as XML: lists as repeated ``item`` elements, ``None`` left out."""
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{xml(below, item)}</{key}>" for key, below in value.items() if below is not None)
    if isinstance(value, (list, tuple)):
        return "".join(f"<{item}>{xml(below, item)}</{item}>" for below in value)
    return escape(text(value))


def truth(value: Any) -> bool:
    """A boolean parameter or template property."""
    return str(value).lower() == "true"

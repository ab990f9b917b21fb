"""The registry of patches against its tests and its documentation."""

from __future__ import annotations

import ast
import pathlib
import re

from conftest import PACKAGE, Emulator

HERE = pathlib.Path(__file__).parent


def covered() -> dict[str, list[str]]:
    """Patch → tests that say they cover it."""
    found: dict[str, list[str]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.covers":
                    for name in map(ast.literal_eval, mark.args):
                        found.setdefault(name, []).append(f"{path.name}::{node.name}")
    return found


def test_each_patch_has_a_test(aws: Emulator) -> None:
    names = {one["name"] for one in aws.control("plugin")["patches"]}
    assert names == set(covered())


def test_each_patch_says_what_it_works_around(aws: Emulator) -> None:
    for one in aws.control("plugin")["patches"]:
        assert one["worksAround"].endswith("."), one
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", one["name"]), one


def test_the_readme_lists_each_patch_and_stub(aws: Emulator) -> None:
    text = "".join(re.findall(r"(?s)<!-- (?:patches|stubs) -->(.*?)<!-- /", (PACKAGE / "README.md").read_text()))
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, flags=re.MULTILINE)
    plugin = aws.control("plugin")
    expected = [(one["name"], one["worksAround"]) for one in plugin["patches"]]
    expected += [(one["type"], one["reason"]) for one in plugin["stubs"]]
    assert rows == expected, "run: python test/local/aws/write_tables.py"


def test_the_readme_names_each_file() -> None:
    text = (PACKAGE / "README.md").read_text()
    missing = [path.name for path in (PACKAGE / "drowse_aws").glob("[a-z]*.py") if f"/{path.name})" not in text]
    assert missing == []

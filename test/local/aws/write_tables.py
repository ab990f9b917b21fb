"""Write the tables of patches and stub types into local/aws/README.md, from the registry itself."""

from __future__ import annotations

import pathlib
import re
import tempfile

from conftest import PACKAGE, Emulator, environment, ready, start


def table(rows: list[tuple[str, str]], head: tuple[str, str]) -> str:
    """A Markdown table with the first column as code."""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| `{first}` | {second} |" for first, second in rows)]
    return "\n".join(lines)


def main() -> None:
    """Start an emulator, ask it, write."""
    with tempfile.TemporaryDirectory() as folder:
        process = start(environment(pathlib.Path(folder)))
        try:
            plugin = Emulator(ready(process)["port"]).control("plugin")
        finally:
            process.terminate()
            process.wait(timeout=5)
    path = PACKAGE / "README.md"
    text = path.read_text()
    patches = [(one["name"], one["worksAround"]) for one in plugin["patches"]]
    stubs = [(one["type"], one["reason"]) for one in plugin["stubs"]]
    for name, rows, head in (
        ("patches", patches, ("patch", "works around")),
        ("stubs", stubs, ("type", "why a name is enough")),
    ):
        place = rf"(?s)(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        text = re.sub(place, lambda m, r=rows, h=head: f"{m[1]}{table(r, h)}{m[2]}", text)  # type: ignore[misc]
    path.write_text(text)


if __name__ == "__main__":
    main()

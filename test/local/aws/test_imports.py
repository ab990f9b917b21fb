"""No module of the emulator needs itself, by whatever way round."""

from __future__ import annotations

import ast
import graphlib
import pathlib
from collections.abc import Iterator

from conftest import PACKAGE


def _modules() -> dict[str, pathlib.Path]:
    files = sorted((PACKAGE / "drowse_aws").rglob("*.py"))
    return {".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def _names(module: str, file: pathlib.Path) -> Iterator[str]:
    """What a module imports, at its top or within a function; of `from a import b` both `a` and `a.b`."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{source}.{alias.name}"
            if node.module:
                yield source


def _imports(modules: dict[str, pathlib.Path]) -> dict[str, set[str]]:
    return {
        module: {name for name in _names(module, file) if name in modules and name != module}
        for module, file in modules.items()
    }


def test_modules_do_not_import_each_other_in_circles() -> None:
    modules = _modules()
    imports = _imports(modules)
    assert len(modules) > 100
    assert imports["drowse_aws.scaling.capacity"] >= {"drowse_aws.scaling.launching", "drowse_aws.clock"}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        raise AssertionError(f"a circle: {' → '.join(error.args[1])}") from None

"""The house: which room may import which, how long files may be, what never stands in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("sagittal", "sensor_bridge", "analytics", "dashboards", "simulators")
MAX_LINES = 500


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(*ROOMS), ids=name)
def test_a_room_imports_only_itself_and_the_shared_language(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    if path.is_relative_to(ROOT / "sagittal" / "cli"):
        return
    foreign = {module for module in imports(path) if module.split(".")[0] in set(ROOMS) - {room, "sagittal"}}
    assert not foreign


@pytest.mark.parametrize("path", sources("sagittal/cli"), ids=name)
def test_a_command_opens_other_rooms_only_when_it_runs(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    opened = {
        module
        for node in top
        for module in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert not {module for module in opened if module.split(".")[0] in set(ROOMS) - {"sagittal"}}


@pytest.mark.parametrize("path", sources(*ROOMS, "tests", "benchmarks"), ids=name)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("room", ROOMS)
def test_modules_of_a_room_import_each_other_without_circles(room: str) -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sources(room)
    }
    graph = {
        module: {
            target
            for found in top_level_imports(path)
            for target in (found, found.rpartition(".")[0])
            if target in modules and target != module and not module.startswith(f"{target}.")
        }
        for module, path in modules.items()
    }
    done: set[str] = set()
    for module in graph:
        visit(module, graph, (), done)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def visit(module: str, graph: dict[str, set[str]], path: tuple[str, ...], done: set[str]) -> None:
    assert module not in path, f"circle: {' → '.join((*path, module))}"
    if module in done:
        return
    for target in graph[module]:
        visit(target, graph, (*path, module), done)
    done.add(module)

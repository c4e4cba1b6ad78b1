"""docs/claims.md holds: what people read names no disease, cause, muscle or force, whoever wrote it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("sagittal", "sensor_bridge", "analytics", "dashboards")
NEVER = re.compile(
    r"herniat|stenosis|osteoarthr|arthrosis|trendelenburg|spasm|scoliosis|fall risk|claudicat|sciatic|nerve compression"
    r"|adduction moment|cartilage|(?:knee|joint|hip) (?:force|load)|(?:muscle|abductor) weak|bad posture|your pain is",
    re.IGNORECASE,
)
WRITTEN = (".html", ".jinja", ".j2", ".js", ".txt")


def python_texts(path: Path) -> Iterator[str]:
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            yield node.value


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_that_people_read_says_what_is_never_said(room: str) -> None:
    said = []
    for path in sorted((ROOT / room).rglob("*")):
        texts = python_texts(path) if path.suffix == ".py" else [path.read_text()] if path.suffix in WRITTEN else []
        said += [f"{path.relative_to(ROOT)}: {hit[0]}" for text in texts if (hit := NEVER.search(text))]
    assert not said


def test_the_words_of_the_page_are_among_those_looked_for() -> None:
    rows = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8").split("\n## ")[0].splitlines()
    never = [row.rsplit("|", 2)[1] for row in rows if row.startswith("| ") and "is never said" not in row]
    assert sum(bool(NEVER.search(text)) for text in never) >= 7

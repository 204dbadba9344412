"""What the tests of the house itself look at: the sources, without what lies around beside them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("forecastsite", "training", "prediction", "registry")
TEXT = {".py", ".html", ".js", ".css", ".po", ".md", ".toml", ".txt", ".svg", ""}


@cache
def ignored() -> list[str]:
    """Names that never belong to the sources."""
    lines = (ROOT / ".gitignore").read_text().split()
    return [line.rstrip("/") for line in lines if not line.startswith("#")] + [".git"]


def walk(folder: Path = ROOT) -> Iterator[Path]:
    """Files and folders of the sources, folders first."""
    patterns = ignored()
    for path in sorted(folder.iterdir()):
        if not any(fnmatch(path.name, pattern) for pattern in patterns):
            yield path
            if path.is_dir():
                yield from walk(path)


def texts(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every text file of the sources, below `root`."""
    for path in walk(root):
        if path.is_file() and path.suffix in TEXT:
            yield path.relative_to(root), path.read_text(encoding="utf-8")


@cache
def parse(text: str) -> ast.Module:
    """Every test looks at the same files; nobody changes the tree."""
    return ast.parse(text)


def modules(root: Path = ROOT) -> Iterator[tuple[Path, ast.Module]]:
    """The product's Python files without tests and migrations, parsed."""
    for path, text in texts(root):
        if (
            path.suffix == ".py"
            and path.parts[0] in (*PACKAGES, "manage.py")
            and "migrations" not in path.parts
        ):
            yield path, parse(text)

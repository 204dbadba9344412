"""Which module imports which, also inside functions and under TYPE_CHECKING, and the circles in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

Graph = dict[str, set[str]]


def module_name(path: Path) -> str:
    """
    >>> module_name(Path("registry/series/panel.py")), module_name(Path("registry/__init__.py"))
    ('registry.series.panel', 'registry')
    """
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def import_graph(modules: Iterable[tuple[Path, ast.Module]]) -> Graph:
    """Each module with the modules of the same tree that it names, wherever in the file."""
    trees = {module_name(path): tree for path, tree in modules}
    return {name: imported_by(tree, trees) - {name} for name, tree in trees.items()}


def imported_by(tree: ast.Module, known: Mapping[str, object]) -> set[str]:
    """The known modules that a module imports; `from package import name` counts as the module `name`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found |= {name for name in ([full] if full in known else [node.module]) if name in known}
    return found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (strongly connected components of more than one; Tarjan 1972).

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})
    [['b', 'c']]
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            place = stack.index(node)
            group = sorted(stack[place:])
            del stack[place:]
            if len(group) > 1:
                found.append(group)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)

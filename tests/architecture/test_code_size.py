"""Functions and files keep their sizes, and every module says what it is."""

from __future__ import annotations

import ast
import statistics
from functools import cache

from tests.helpers.source_tree import ROOT, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sizes() -> dict[str, int]:
    """Lines of every function, by place."""
    return {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    }


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert not {place: lines for place, lines in sizes().items() if lines > 60}


def test_most_functions_are_short() -> None:
    lines = sorted(sizes().values())
    assert statistics.median(lines) <= 8
    assert lines[int(len(lines) * 0.9)] <= 30


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path, _tree in modules()}
    assert not {path: lines for path, lines in lengths.items() if lines > 300}


def test_views_are_functions_of_at_most_twenty_five_lines() -> None:
    for path, tree in modules():
        if path.name == "views.py":
            assert not [node.name for node in tree.body if isinstance(node, ast.ClassDef)], path
    long = {place: lines for place, lines in sizes().items() if "views.py:" in place and lines > 25}
    assert not long


def test_no_function_takes_more_than_five_arguments() -> None:
    crowded = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                names = [argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]]
                if len([name for name in names if name not in ("self", "cls")]) > 5:
                    crowded.append(f"{path}:{node.lineno} {node.name}")
    assert not crowded


def test_every_file_postpones_annotations_and_every_module_says_what_it_is() -> None:
    silent = []
    for path, tree in modules():
        if not tree.body:
            continue
        imports = [
            node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ]
        if not imports or (path.name != "__init__.py" and not ast.get_docstring(tree)):
            silent.append(str(path))
    assert not silent

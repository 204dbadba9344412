"""How readable the house is, in figures: `python -m tests.architecture.figures [CHECKOUT]` prints them.

The same script measures any checkout, so that before and after are counted alike.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from tests.architecture.import_graph import circles, import_graph
from tests.helpers.source_tree import ROOT, modules

NUMERICS = ("registry/series", "registry/algorithms", "training/learning")
# the same code in the checkouts before release 0.2, where it stood beside other modules
OLD_NUMERICS = ("learning", "loop", "candidate", "blend", "checkpoint", "backtest")
NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
PICTURES = ("![", "<img ")


def is_one_word(name: str) -> bool:
    """
    >>> [is_one_word(name) for name in ("read", "_read", "read_panel", "clean_up")]
    [True, True, False, False]
    """
    return "_" not in name.strip("_")


def function_names(tree: ast.Module) -> Iterator[str]:
    """Functions, methods and nested functions of a module; dunders are named by Python, not by us."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
            yield node.name


def docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of texts that stand as statements."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def count_comments(source: str) -> tuple[int, int]:
    """Comments, and lines that hold code: no blank lines, no docstrings.

    >>> count_comments('x = 1  # why\\n\\n# because\\ny = f(\\n    x\\n)\\n')
    (2, 4)
    """
    comments, code = 0, set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments += 1
        elif token.type not in NOT_CODE and token.type != tokenize.ENDMARKER:
            code |= set(range(token.start[0], token.end[0] + 1))
    return comments, len(code - docstring_lines(ast.parse(source)))


def percentile(values: Iterable[int], share: float) -> int:
    """
    >>> percentile(range(1, 101), 0.95)
    96
    """
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class Figures:
    """What can be counted in one checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root

    @cached_property
    def modules(self) -> list[tuple[Path, ast.Module]]:
        return list(modules(self.root))

    @cached_property
    def templates(self) -> dict[str, list[str]]:
        """Lines of every template."""
        folder = self.root / "templates"
        files = sorted(folder.rglob("*.html"))
        return {str(file.relative_to(folder)): file.read_text("utf-8").splitlines() for file in files}

    @property
    def one_word_share(self) -> float:
        """Percent of the function names."""
        names = [name for _path, tree in self.modules for name in function_names(tree)]
        return 100 * sum(map(is_one_word, names)) / len(names)

    @property
    def circles(self) -> list[list[str]]:
        """Modules that import each other, also inside functions and under TYPE_CHECKING."""
        return circles(import_graph(self.modules))

    @property
    def folders(self) -> Counter[str]:
        """Modules directly in each folder."""
        return Counter(str(path.parent) for path, _tree in self.modules if path.name != "__init__.py")

    @property
    def template_median(self) -> float:
        return statistics.median(map(len, self.templates.values()))

    @property
    def template_line_lengths(self) -> list[int]:
        """Characters of every line that is not blank."""
        return [len(line) for lines in self.templates.values() for line in lines if line.strip()]

    @property
    def readme(self) -> tuple[int, int]:
        """Lines and pictures."""
        text = (self.root / "README.md").read_text("utf-8")
        return len(text.splitlines()), sum(map(text.count, PICTURES))

    @property
    def numerics(self) -> list[Path]:
        """Files that calculate."""
        files = [file for folder in NUMERICS for file in sorted((self.root / folder).glob("*.py"))]
        if not (self.root / "training/learning").is_dir():
            files += [self.root / "training" / f"{name}.py" for name in OLD_NUMERICS]
        return files

    def comments_per_100_lines(self, files: Iterable[Path]) -> float:
        counted = [count_comments(file.read_text("utf-8")) for file in files]
        comments, code = map(sum, zip(*counted, strict=True))
        return 100 * comments / code

    def table(self) -> dict[str, str]:
        """Every figure with its name."""
        folder, fullest = self.folders.most_common(1)[0]
        lengths = self.template_line_lengths
        lines, pictures = self.readme
        product = [self.root / path for path, _tree in self.modules]
        return {
            "one-word function names": f"{self.one_word_share:.1f} %",
            "modules flat in registry/": str(self.folders["registry"]),
            "import circles": str(len(self.circles)),
            "modules in the fullest folder": f"{fullest} ({folder})",
            "templates": str(len(self.templates)),
            "median lines of a template": f"{self.template_median:g}",
            "95% of template lines are at most": f"{percentile(lengths, 0.95)} characters",
            "longest template line": f"{max(lengths)} characters",
            "README": f"{lines} lines, {pictures} pictures",
            "comments per 100 lines of code": f"{self.comments_per_100_lines(product):.1f}",
            "comments per 100 lines of numerics": f"{self.comments_per_100_lines(self.numerics):.1f}",
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=ROOT)
    for name, value in Figures(parser.parse_args().root).table().items():
        print(f"{name:35} {value}")

"""Nothing in the code can run a file's content, and nothing names the machine it was written on."""

from __future__ import annotations

import ast
import re
import socket
from pathlib import Path

from tests.helpers.source_tree import ROOT, modules, texts

UNSAFE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
RUNNERS = {"eval", "exec", "compile", "__import__"}
METHODS = {"torch.load", "torch.save", "pd.read_pickle", "pandas.read_pickle", "os.system", "yaml.load"}
REGISTRIES = re.compile(
    r"\b(pypi|pythonhosted|npmjs|unpkg|jsdelivr|cdnjs|download\.pytorch)\.\w+", re.IGNORECASE
)


def dangers(tree: ast.Module) -> list[str]:
    """What a module should not do, with its line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found += [f"{node.lineno} import {name}" for name in names if name.split(".")[0] in UNSAFE]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNSAFE:
            found.append(f"{node.lineno} from {node.module}")
        elif isinstance(node, ast.Call):
            found += calls(node)
    return found


def calls(node: ast.Call) -> list[str]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in RUNNERS:
        return [f"{node.lineno} {function.id}()"]
    if ast.unparse(function) in METHODS:
        return [f"{node.lineno} {ast.unparse(function)}()"]
    given = {
        word.arg
        for word in node.keywords
        if isinstance(word.value, ast.Constant) and word.value.value is True
    }
    return [f"{node.lineno} {name}=True" for name in given & {"allow_pickle", "shell"}]


def test_no_code_unpickles_evaluates_or_starts_a_shell() -> None:
    found = {str(path): dangers(tree) for path, tree in modules()}
    assert not {path: lines for path, lines in found.items() if lines}


def test_the_search_finds_what_it_looks_for() -> None:
    bad = "import pickle\nfrom joblib import load\neval('1')\ntorch.load(f)\nnp.load(f, allow_pickle=True)\n"
    assert len(dangers(ast.parse(bad))) == 5


def test_nothing_is_named_after_this_machine() -> None:
    """The checkout's own path, people's home folders, this host's name."""
    words = [re.escape(str(ROOT))] if len(ROOT.parts) > 2 else []
    words += [re.escape(socket.gethostname())] if len(socket.gethostname()) > 5 else []
    machine = re.compile("|".join([*words, r"/home/\w+", r"/Users/\w+"]))
    here = Path(__file__).relative_to(ROOT)
    found = {str(path): machine.findall(text) for path, text in texts() if path != here}
    assert not {path: names for path, names in found.items() if names}


def test_no_package_registry_is_named() -> None:
    here = Path(__file__).relative_to(ROOT)
    found = {str(path): REGISTRIES.findall(text) for path, text in texts() if path != here}
    assert not {path: names for path, names in found.items() if names}


def test_pages_load_nothing_from_elsewhere() -> None:
    outside = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")
    assert not [str(path) for path, text in texts() if path.suffix == ".html" and outside.search(text)]

"""Imports run only downwards, also inside registry, and never in a circle."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from tests.architecture.import_graph import circles, import_graph
from tests.helpers.source_tree import ROOT, modules, walk


def test_imports_run_only_downwards() -> None:
    command = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_of_registry_has_its_floor() -> None:
    """A module that the contract does not name could import from anywhere."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if "registry.series" in contract["layers"])
    named = {name.strip() for layer in layers for name in layer.split("|")}
    rooms = {f"registry.{path.stem}" for path in walk(ROOT / "registry") if path.parent == ROOT / "registry"}
    assert named == rooms - {"registry.__init__", "registry.migrations"}


def test_no_modules_import_each_other() -> None:
    """Imports inside functions and under TYPE_CHECKING count, too: a circle is a thing in the wrong room."""
    assert circles(import_graph(modules())) == []

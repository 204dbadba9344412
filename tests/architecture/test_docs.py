"""The README says what is there: its tour, its settings, its commands and its example are checked."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.source_tree import ROOT, modules, texts, walk

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first fenced block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, language
    return found[1]


def tour() -> set[Path]:
    """Paths of the tour, below ROOT."""
    paths, folder = set(), Path()
    for line in block("text").splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = Path(name) if name.endswith("/") else Path()
            paths.add(Path(name))
        else:
            paths.add(folder / name)
    return paths


def test_every_path_of_the_tour_is_on_the_disk() -> None:
    assert not [str(path) for path in tour() if not (ROOT / path).exists()]


def test_every_folder_is_in_the_tour() -> None:
    folders = {path.relative_to(ROOT) for path in walk() if path.is_dir()}
    expected = {path for path in folders if len(path.parts) <= 2 and path.parts[0][0] != "."}
    told = tour()
    left_out = {path for path in expected - told if path.parts[0] not in ("docs", "locale", "bench")}
    assert not sorted(map(str, left_out))


def test_the_settings_are_those_that_the_code_reads() -> None:
    told = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", README, re.MULTILINE))
    code = [text for path, text in texts() if path.suffix == ".py" and path.parts[0] != "tests"]
    read = {name for text in code for name in re.findall(r'\benv(?:_\w+)?\(\s*"([A-Z0-9_]+)"', text)}
    assert told == read


def test_the_commands_are_those_that_there_are() -> None:
    there = {path.stem for path, _tree in modules() if path.parts[1:3] == ("management", "commands")} - {
        "__init__"
    }
    used = set(re.findall(r"manage\.py (\w+) ", README)) - {"help"}
    assert used <= there
    assert not [name for name in there if not re.search(rf"\b{name}\b", README)]


def test_the_make_targets_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^    make (\w+)", README, re.MULTILINE)) <= targets


def wave() -> pd.DataFrame:
    """Two series with a weekly rhythm."""
    days = pd.date_range("2025-01-01", periods=200)
    week = 10 + 5 * np.sin(np.arange(200) * 2 * np.pi / 7)
    parts = [
        pd.DataFrame({"date": days, "store_id": "S", "product_id": code, "sales": week * size})
        for code, size in (("A", 1), ("B", 3))
    ]
    return pd.concat(parts)


def test_the_example_of_an_algorithm_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry import algorithms
    from registry.model_versions.bundle import Bundle
    from registry.series.panel import Panel
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    assert algorithms.list_choices()
    monkeypatch.setattr(algorithms, "_entries_by_name", dict(algorithms._entries_by_name))
    file = tmp_path / "newnet.py"
    file.write_text(block("python"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("newnet_of_the_readme", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert ("newnet", "NewNet") in algorithms.list_choices()
    panel = Panel.from_frame(wave(), {})
    learning = TrainingPipeline(
        panel, TrainingConfig("newnet", {"width": 16}, horizon=7, budget=3, windows=1)
    )
    list(learning)
    assert learning.result.metrics["wape"] < 0.5
    again = Bundle.from_bytes(learning.result.bundle.to_bytes())
    np.testing.assert_array_equal(
        again.forecast(panel, 7).mean, learning.result.bundle.forecast(panel, 7).mean
    )

"""README and docs/ match the code: tour, settings, commands, findings, make targets and the example."""

from __future__ import annotations

import importlib.util
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecastsite.help import READERS
from registry.datasets.importing.findings import ALLOWED_ACTIONS, FINDING_TITLES
from tests.helpers.source_tree import PACKAGES, ROOT, modules, texts, walk

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
UNLISTED = {"migrations", "management", "commands", "en", "zh_Hans"}


def block(language: str, text: str = README) -> str:
    """The first fenced block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, language
    return found[1]


def tour() -> set[Path]:
    """Paths of the tour, below ROOT; two spaces more are one folder deeper."""
    paths: set[Path] = set()
    folders: list[Path] = []
    for line in block("text", DOCS["architecture"]).splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        path = Path(*folders[:depth]) / name
        folders = [*folders[:depth], Path(name)]
        paths.add(path)
    return paths


def test_every_path_of_the_tour_is_on_the_disk() -> None:
    assert not [str(path) for path in tour() if not (ROOT / path).exists()]


def test_every_folder_is_in_the_tour() -> None:
    folders = {path.relative_to(ROOT) for path in walk() if path.is_dir()}
    code = {path for path in folders if path.parts[0] in PACKAGES and not UNLISTED & set(path.parts)}
    expected = {path for path in folders if len(path.parts) <= 2 and path.parts[0][0] != "."} | code
    missing = {path for path in expected - tour() if path.parts[0] != "locale"}
    assert not sorted(map(str, missing))


def test_the_settings_are_those_that_the_code_reads() -> None:
    listed = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]+) \|", DOCS["settings"], re.MULTILINE))
    code = "".join(text for path, text in texts() if path.suffix == ".py" and path.parts[0] in PACKAGES)
    reads = re.findall(r'\bread_env(?:_\w+)?\(\s*"([A-Z0-9_]+)"(?:,\s*([\d_]+)(?=[,)]))?', code)
    assert set(listed) == {name for name, _default in reads}
    defaults = {name: int(default) for name, default in reads if default}
    assert len(defaults) > 10
    assert {name: listed[name].strip() for name in defaults} == {n: str(d) for n, d in defaults.items()}


def test_the_commands_are_those_of_the_code() -> None:
    commands = {path.stem for path, _tree in modules() if path.parts[1:3] == ("management", "commands")}
    assert set(re.findall(r"^\| `(\w+)` \|", DOCS["architecture"], re.MULTILINE)) == commands - {"__init__"}
    used = {name for page in PAGES for name in re.findall(r"manage\.py (\w+)[ `]", page.read_text())}
    assert used - {"help"} <= commands


def test_the_findings_of_an_import_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| (`[^|]+`) \|$", DOCS["importing"], re.MULTILINE)
    listed = {code: tuple(re.findall(r"`(\w+)`", actions)) for code, actions in rows}
    assert listed == ALLOWED_ACTIONS
    reported = set(re.findall(r"^\* `([\w-]+)` \(", DOCS["importing"], re.MULTILINE))
    assert reported == set(FINDING_TITLES) - set(ALLOWED_ACTIONS)


def test_the_make_targets_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        used = set(re.findall(r"(?:`|^    )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
        assert used <= targets, page.name


def test_links_and_pictures_are_on_the_disk() -> None:
    for page in PAGES:
        targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        assert not [target for target in targets if not (page.parent / target).exists()], page.name


def test_the_readme_is_short_and_shows_three_small_pictures() -> None:
    lines = README.splitlines()
    assert len(lines) <= 110 and max(map(len, lines)) <= 120
    pictures = [ROOT / path for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)]
    assert len(pictures) == 3
    for picture in pictures:
        content = picture.read_bytes()
        assert len(content) < 150_000 and content[:8] == b"\x89PNG\r\n\x1a\n", picture.name
        width, height = struct.unpack(">II", content[16:24])
        assert width >= 800 and height >= 400, picture.name


def outline(text: str) -> dict[str, int]:
    """How many headings, points, table rows and code lines a page has."""
    kinds = {"headings": r"^#+ ", "points": r"^(?:\*|\d+\.) ", "rows": r"^\|", "code": r"^    \S"}
    return {name: len(re.findall(pattern, text, re.MULTILINE)) for name, pattern in kinds.items()}


@pytest.mark.parametrize("reader", READERS)
def test_a_help_page_has_the_same_points_in_both_languages(reader: str) -> None:
    chinese = (ROOT / "docs" / "zh-hans" / f"{reader}.md").read_text(encoding="utf-8")
    assert outline(chinese) == outline(DOCS[reader])
    assert set(re.findall(r"`([^`]*[a-zA-Z_/][^`]*)`", DOCS[reader])) == set(
        re.findall(r"`([^`]*[a-zA-Z_/][^`]*)`", chinese)
    )


def wave() -> pd.DataFrame:
    """Two series with a weekly rhythm."""
    days = pd.date_range("2025-01-01", periods=200)
    week = 10 + 5 * np.sin(np.arange(200) * 2 * np.pi / 7)
    parts = [
        pd.DataFrame({"date": days, "store_id": "S", "product_id": code, "sales": week * size})
        for code, size in (("A", 1), ("B", 3))
    ]
    return pd.concat(parts)


@pytest.mark.slow
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

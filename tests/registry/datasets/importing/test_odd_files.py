"""Odd sales files: each is read rightly, asked about or refused, as its row of the corpus promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import
from tests.registry.datasets.importing.odd_files import CORE, FILES, OddFile
from tests.registry.datasets.importing.odd_files.known_faults import KNOWN_FAULTS

TODAY = "2026-11-23"
# what asks in the pages beside an AmbiguousValue: findings with a choice
ASKING_FINDINGS = {
    "duplicate": {"duplicate"},
    "totals": {"total-row"},
    "product": {"no-code", "filled-down", "mixed-case"},
    "store": {"no-code", "filled-down"},
    "sales": {"not-a-number", "money-for-units"},
    "dates": {"bad-date"},
}


def row_of(file: OddFile) -> Any:
    marks = [] if file in CORE else [pytest.mark.slow]
    if file.name in KNOWN_FAULTS:
        marks.append(pytest.mark.xfail(strict=True, reason=KNOWN_FAULTS[file.name]))
    return pytest.param(file, id=file.name, marks=marks)


def run(file: OddFile, folder: Path, policy: str = "stop", **said: Any) -> dict[str, Any]:
    """The report of an import, the newer file included."""
    given = {"mapping": dict(file.options.get("map", {})), "on_problem": policy}
    given["roles"] = dict.fromkeys(file.options.get("known", ()), "known")
    given |= {name: file.options[name] for name in ("dates", "decimal", "encoding") if name in file.options}
    base, report = "", {}
    for number, make in enumerate(filter(None, (file.make, file.newer))):
        results = folder / f"{policy}-{number}"
        results.mkdir(exist_ok=True)
        path = results / f"{file.name}{file.suffix}"
        path.write_bytes(make())
        reading = ImportOptions(**given | said)
        job = ImportJob(
            path=str(path), name=path.name, folder=str(results), reading=reading, base=base, today=TODAY
        )
        report = run_import(job)
        base = report["content"] = str(results / "canonical.parquet")
    return report


def totals_of(report: dict[str, Any]) -> dict[str, float]:
    table = pq.read_table(report["content"]).to_pandas()
    return table.groupby("product_id", observed=True)["sales"].sum().to_dict()


def is_right_reading(file: OddFile, report: dict[str, Any], totals: dict[str, float]) -> None:
    """Asserts that totals, codes, days and further columns are those of the row."""
    table = pq.read_table(report["content"]).to_pandas()
    got = totals_of(report)
    names = {other: code for code, other in file.aliases.items()}
    got = {names.get(code, code): total for code, total in got.items()}
    assert got == pytest.approx(totals), got
    if file.stores:
        assert set(table["store_id"]) == set(file.stores)
    if file.codes:
        assert set(table["product_id"]) == set(file.codes)
    recorded = table.loc[table["sales"].notna(), "date"]
    if file.days:
        assert recorded.nunique() == file.days
    for name, numbers in file.extras.items():
        assert table[name].dtype.kind == "f", f"{name} is text"
        assert np.unique(table[name].dropna()).tolist() == pytest.approx(numbers)
    for name, count in file.empty.items():
        assert table[name].isna().sum() == count
    if file.kind == "encodings":
        assert report["about"]["encoding"]


def check_span(report: dict[str, Any], span: tuple[str, str] | None) -> None:
    if span:
        assert (report["first"], report["last"]) == span


def answer(file: OddFile, key: str) -> dict[str, Any]:
    """The import option that gives an answer."""
    if file.about == "duplicate":
        return {"choices": {"duplicate": key}}
    if file.about in ("sales", "product", "store"):
        ours = {"sales": "sales", "product": "product_id", "store": "store_id"}[file.about]
        return {"mapping": {**file.options.get("map", {}), ours: key}}
    return {file.about: key}


def check_question(file: OddFile, folder: Path, question: AmbiguousValue | None) -> None:
    """Asserts that the question is the right one and that its answers read rightly."""
    if question is not None:
        assert question.field_name in (file.about, "columns"), question
        assert question.answers
    for key in {**file.answers, **file.spans}:
        try:
            report = run(file, folder, "propose", **answer(file, key))
        except AmbiguousValue as other:  # a second question: both answers count
            assert other.field_name != file.about, other
            continue
        if key in file.answers:
            assert totals_of(report) == pytest.approx(file.answers[key]), key
        check_span(report, file.spans.get(key))


def check_refusal(file: OddFile, sentence: str) -> None:
    assert "\n" not in sentence and sentence.strip()
    for says in file.says:
        assert any(part.casefold() in sentence.casefold() for part in says.split("|")), (says, sentence)


@pytest.mark.parametrize("file", [row_of(file) for file in FILES])
def test_an_odd_file_is_read_rightly_asked_about_or_refused(file: OddFile, tmp_path: Path) -> None:
    outcomes = {file.right, *file.also}
    try:
        report = run(file, tmp_path)
    except AmbiguousValue as question:
        assert "ask" in outcomes, f"asks without need: {question}"
        check_question(file, tmp_path, question)
    except SalesFileError as problem:
        if "refuse" in outcomes:
            check_refusal(file, str(problem))
            return
        assert "ask" in outcomes, f"refused: {problem}"
        proposed = run(file, tmp_path, "propose")
        codes = {finding["code"] for finding in proposed["findings"]}
        assert codes & ASKING_FINDINGS.get(file.about, set()), f"refused: {problem}"
        check_question(file, tmp_path, None)
    else:
        assert "read" in outcomes, f"read in silence: {totals_of(report)}"
        is_right_reading(file, report, file.totals)
        check_span(report, file.span)
        if outcomes == {"read"}:  # what the pages propose is the same
            proposed = run(file, tmp_path, "propose")
            is_right_reading(file, proposed, file.totals)
            check_span(proposed, file.span)


def test_every_known_fault_is_a_row() -> None:
    assert set(KNOWN_FAULTS) <= {file.name for file in FILES}

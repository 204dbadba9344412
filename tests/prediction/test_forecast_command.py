"""manage.py forecast: every series of a scope, as CSV or parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from prediction.frame_file import escape_codes
from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion
from registry.series.quantiles import QUANTILE_NAMES

Publish = Callable[..., ModelVersion]
NUMBERS = ["mean", *QUANTILE_NAMES]


@pytest.fixture(scope="session")
def chain_file(sample_file: Callable[[int, int, int], Path]) -> Path:
    """Three stores, four products, two years and a bit."""
    return sample_file(3, 4, 800)


COLUMNS = ["origin", "date", "store_id", "product_id", *NUMBERS, *(f"final_{name}" for name in NUMBERS)]


def called(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("forecast", *arguments, "--json", stdout=out)
    result: dict[str, object] = json.loads(out.getvalue())
    return result


def test_best_writes_every_series_of_the_chain_as_csv(publish: Publish, tmp_path: Path) -> None:
    publish()
    path = tmp_path / "all.csv"
    report = called("--model", "best", "--horizon", "14", "--output", str(path))
    frame = pd.read_csv(path)
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 12 * 14
    assert (frame["date"].min(), frame["origin"].unique().tolist()) == ("2026-11-01", ["2026-10-31"])
    assert report["model"] == "seasonal_naive_global_v1"
    assert (report["dataset"], report["scope"], report["series"]) == ("chain", "global", 12)
    assert report["total"] == pytest.approx(frame["mean"].sum(), rel=1e-3)
    assert report["low"] < report["total"] < report["high"]
    assert report["model_total"] == report["total"], "without overrides"
    assert not list(tmp_path.glob(".*"))


def test_parquet_holds_the_same_with_days_and_numbers(publish: Publish, tmp_path: Path) -> None:
    publish()
    path = tmp_path / "all.parquet"
    called("--model", "seasonal_naive_global_v1", "--horizon", "7", "--output", str(path))
    frame = pd.read_parquet(path)
    assert list(frame.columns) == COLUMNS
    assert frame["date"].dtype.kind == "M" and frame["q0.5"].dtype.kind == "f"


def test_a_scope_narrows_a_named_version_and_chooses_the_best(publish: Publish, tmp_path: Path) -> None:
    publish()
    publish(Scope("product", "P001"))
    named = called(
        "--model", "seasonal_naive_global_v1", "--scope", "store:S02", "--output", str(tmp_path / "a.csv")
    )
    assert (named["series"], named["scope"]) == (4, "store:S02")
    assert set(pd.read_csv(tmp_path / "a.csv")["store_id"]) == {"S02"}
    best = called("--model", "best", "--dataset", "chain", "--scope", "product:P001")
    assert (best["model"], best["series"]) == ("seasonal_naive_product_P001_v1", 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing_v1"], "no model version 'nothing_v1'"),
        (["--model", "best", "--scope", "store:S99"], "does not know S99"),
        (["--model", "best", "--dataset", "none"], "no dataset none"),
        (["--model", "best", "--scope", "shelf:3"], "no level 'shelf': it has none"),
        (["--model", "best", "--horizon", "0"], "0 days ahead"),
        (["--model", "best", "--horizon", "10000"], "10000 days ahead"),
        (["--model", "seasonal_naive_global_v1", "--scope", "product:P999"], "does not know P999"),
        (["--model", "best", "--output", "x.xls"], "must end with .csv or .parquet"),
        (["--model", "best", "--output", "no/such/folder/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(publish: Publish, arguments: list[str], words: str) -> None:
    publish()
    with pytest.raises(CommandError) as caught:
        call_command("forecast", *arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_best_of_a_scope_that_nobody_trained_is_that_of_everything(publish: Publish) -> None:
    publish(Scope("product", "P001"))
    with pytest.raises(CommandError, match="no trained model for store:S02"):
        call_command("forecast", "--model", "best", "--scope", "store:S02")
    publish()
    found = called("--model", "best", "--scope", "store:S02")
    assert (found["model"], found["series"], found["new"]) == ("seasonal_naive_global_v1", 4, 0)


def test_best_needs_a_dataset_when_there_are_several(publish: Publish, chain_file: Path) -> None:
    from registry.datasets.importer import import_file

    publish()
    import_file(chain_file, "other")
    with pytest.raises(CommandError, match="2 datasets: add --dataset"):
        call_command("forecast", "--model", "best")


def test_codes_that_look_like_formulas_are_guarded() -> None:
    codes = ["=1+1", "+1", "-1", "@x", "P001", "007"]
    frame = escape_codes(pd.DataFrame({"store_id": codes, "product_id": codes, "mean": -1.0}))
    assert frame["store_id"].tolist() == ["'=1+1", "'+1", "'-1", "'@x", "P001", "007"]
    assert frame["mean"].tolist() == [-1.0] * 6

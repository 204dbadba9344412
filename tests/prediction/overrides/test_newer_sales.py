"""An override of the current forecast is judged when newer sales come."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from prediction.models import AccuracyCell, OverrideScore
from prediction.tasks import compare_runs
from registry.datasets.importer import import_file
from registry.datasets.sample.generator import SampleDataset


def test_newer_sales_judge_the_final_numbers_of_the_run_that_was_current(current, override, sales, tmp_path):
    current()
    override()
    run = current()
    SampleDataset(stores=2, products=3, days=310, last=sales.last + timedelta(days=10)).write_parquet(
        tmp_path / "newer.parquet"
    )
    frame = pd.read_parquet(tmp_path / "newer.parquet")
    import_file(tmp_path / "newer.parquet", "chain")
    compare_runs(sales.dataset_id)
    assert AccuracyCell.objects.exists()
    scores = OverrideScore.objects.filter(days__run=run)
    first = pd.Timestamp(sales.last + timedelta(days=1))
    days = pd.to_datetime(frame["date"])
    sold = frame[(days >= first) & (days < first + timedelta(days=7))]["sales"].sum()
    assert sum(score.sold for score in scores) == sold
    for score in scores:
        assert abs(score.after - 1.2 * score.model) < 1e-3 * score.model and score.final == score.after

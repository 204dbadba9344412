"""Sales move to another level: the pages say so, and one click trains a version that takes over."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from django.utils import timezone

from prediction.current_maker import update_current_forecast
from prediction.models import Forecast
from prediction.trust import list_trust_findings
from registry.datasets.importer import import_file
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.model_versions.models import ForecastModel, ModelVersion
from training import leases
from training.models import TrainingRun
from training.queue import enqueue_run
from training.runner import train_and_publish

pytestmark = pytest.mark.slow
NEW_DAYS = 19
STALE = "Learned before the newest sales"


@pytest.fixture
def chain(db, sample_file, tmp_path):
    """Imports four hundred days up to yesterday, with P001's sales changed, in all stores or in one.

    On request without the newest days.
    """
    frame = pd.read_parquet(sample_file(2, 3, 400))
    frame["date"] = pd.to_datetime(frame["date"])
    frame["date"] += pd.Timestamp(timezone.localdate() - timedelta(days=1)) - frame["date"].max()
    ahead = (frame["date"].max() - frame["date"]).dt.days  # 0 = yesterday

    def bring(change, known_until: int = 0, store: str = "") -> DatasetVersion:
        changed = frame.copy()
        is_moved = (frame["product_id"] == "P001") & frame["store_id"].str.startswith(store)
        factor = ahead.map(change).where(is_moved, 1.0)
        changed["sales"] = (changed["sales"] * factor).round()
        changed = changed[ahead >= known_until]
        changed["date"] = changed["date"].dt.date
        path = tmp_path / f"chain-{known_until}.parquet"
        changed.to_parquet(path, index=False)
        return import_file(path, "chain")

    return bring


def train(run: TrainingRun) -> ModelVersion:
    claimed = leases.claim_run(run.pk, 1, "here")
    assert claimed is not None
    return train_and_publish(claimed)


def doubles(days_ago: int) -> float:
    return 2.0 if days_ago < NEW_DAYS else 1.0


def promotion_ends(days_ago: int) -> float:
    """A promotion that no column tells."""
    return 2.0 if NEW_DAYS <= days_ago < 150 else 1.0


@pytest.mark.parametrize(("change", "word"), [(doubles, "more"), (promotion_ends, "less")])
def test_a_level_that_moved_is_told_and_one_click_trains_a_version_that_takes_over(
    chain, change, word, page, user, read
):
    data = chain(change, NEW_DAYS)
    old = train(enqueue_run(data, Scope(), "trees", budget=6, created_by=user))
    assert ForecastModel.objects.get().best == old and STALE not in read(page.get(f"/models/{old.pk}/"))
    chain(change)

    made = Forecast.objects.make_forecast(old, product="P001", horizon=28, created_by=user)
    worst = list_trust_findings(made, made.load_content())[0]
    assert (worst.severity, worst.code, worst.retrain) == ("bad", "level", old)
    assert f"{word} than this forecast expects. The model has not learned from these days." in worst.sentence
    shown = page.get(f"/forecasts/{made.pk}/")
    assert worst.sentence in read(shown) and f'action="/models/{old.pk}/retrain/"' in shown.content.decode()

    whole = Forecast.objects.make_forecast(old, horizon=28, created_by=user).load_content()
    assert whole.moved[0].code == "P001" and (whole.moved[0].change > 0) == (word == "more")
    update_current_forecast(Dataset.objects.get())
    overview = read(page.get("/"))
    assert "P001" in overview and f"{word} than this forecast expects" in overview
    assert f"{old.title} (all products, all stores) has not learned the newest 19 days of sales." in overview
    for address in (f"/models/{old.pk}/", "/models/"):
        assert STALE in read(page.get(address))
    for address in ("/models/", f"/data/{data.dataset_id}/"):
        assert f'action="/models/{old.pk}/retrain/"' in page.get(address).content.decode()

    started = page.post(f"/models/{old.pk}/retrain/")
    run = TrainingRun.objects.get(state="queued")
    assert started["Location"] == f"/runs/{run.pk}/" and run.budget == 6 and run.algorithm == "trees"
    again = page.post(f"/models/{old.pk}/retrain/")
    assert again["Location"] == started["Location"], "two clicks, one training"
    new = train(run)
    assert ForecastModel.objects.get().best == new
    found = new.metrics["same_days"]
    assert found["version"] == str(old.pk) and found["days"] == NEW_DAYS and not found["has_learned"]
    assert [window["days"] for window in found["windows"]] == [NEW_DAYS]
    text = read(page.get(f"/models/{new.pk}/"))
    assert "Put in use after its test." in text and f"Error of {old.title}" in text and STALE not in text
    assert STALE in read(page.get(f"/models/{old.pk}/"))
    assert "Newer sales than the model has learned" not in read(page.get("/models/"))


def test_a_product_that_doubles_in_one_store_is_told_there_and_named_by_its_total(chain, user):
    old = train(enqueue_run(chain(doubles, NEW_DAYS, "S02"), Scope(), "trees", budget=6, created_by=user))
    chain(doubles, store="S02")

    def tell(store: str) -> str:
        made = Forecast.objects.make_forecast(old, store, "P001")
        found = {row.code: row.sentence for row in list_trust_findings(made, made.load_content())}
        return found.get("level", "")

    assert "more than this forecast expects. The model has not learned from these days." in tell("S02")
    assert tell("S01") == "", "that store sells as before"
    assert "S02" in tell("") and "S01" not in tell("")

"""Sizes of files by kind and age, their growth, and when the disk will be full."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from forecastsite.storage.models import DATABASE, FREE, StorageSample
from forecastsite.storage.sampling import count_weeks_left, measure_kinds, sample_storage
from registry.datasets.models import DatasetVersion

TODAY = date(2026, 7, 1)


def note_free(*sizes: int, every: int = 1) -> None:
    days = [TODAY - timedelta(days=every * back) for back in reversed(range(len(sizes)))]
    rows = [StorageSample(day=day, kind=FREE, size=size) for day, size in zip(days, sizes, strict=True)]
    StorageSample.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("sizes", "weeks"),
    [
        ((), None),
        ((100, 90), None),  # too short to tell
        (tuple(range(700, 500, -10)), 7),  # 510 left, 70 a week
        (tuple(range(500, 700, 10)), None),  # it empties
        ((500,) * 20, None),
    ],
)
def test_the_disk_is_full_when_it_fills_as_of_late(db, sizes, weeks):
    note_free(*sizes)
    assert count_weeks_left(TODAY) == weeks


def test_one_clean_up_does_not_hide_that_the_disk_fills(db):
    falling = [1000 - 10 * day for day in range(40)]
    note_free(*falling[:20], *(size + 300 for size in falling[20:]))
    assert count_weeks_left(TODAY) == (falling[-1] + 300) // 70


def test_bytes_are_counted_by_kind_and_age(version, sales):
    DatasetVersion.objects.update(created_at=timezone.now() - timedelta(days=100))
    found = {one.kind: one for one in measure_kinds()}
    data, model = found["datasetversion"], found["modelversion"]
    assert data.files == 1 and data.younger == {"week": 0, "month": 0, "year": data.size} and data.size > 0
    assert model.size == model.younger["week"] == version.size


def test_sizes_are_kept_once_a_day_and_for_two_years(version, sales):
    StorageSample.objects.create(day=TODAY - timedelta(days=800), kind=FREE, size=1)
    for _time in range(2):
        sample_storage(TODAY)
    kinds = list(StorageSample.objects.values_list("kind", flat=True))
    assert len(kinds) == len(set(kinds)) and {DATABASE, FREE, "modelversion"} <= set(kinds)
    assert set(StorageSample.objects.values_list("day", flat=True)) == {TODAY}


def test_the_page_tells_kinds_growth_and_the_week_in_both_languages(browse, person, read, version):
    day = timezone.localdate() - timedelta(days=20)
    StorageSample.objects.create(day=day, kind="modelversion", size=max(0, version.size - 1024))
    for back in range(20):
        size = (100 + back) << 30
        StorageSample.objects.create(day=timezone.localdate() - timedelta(days=back), kind=FREE, size=size)
    operator = browse(person("otto", "Operator"))
    text = read(operator.get("/storage/"))
    assert "The disk will be full in about 14 weeks." in text and "+1.0 KB" in text
    chinese = operator.get("/storage/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert 'lang="zh-hans"' in chinese
    assert browse(person("cora", "Curator")).get("/storage/").status_code == 403

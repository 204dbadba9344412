"""What the tests of the pages share: a forecast, and how to read a page."""

from __future__ import annotations

import html
import re

import pytest

from prediction.models import Forecast
from registry.datasets.uploads import Upload


def text_of(response) -> str:
    """What a person reads: no tags, no doubled spaces."""
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(bare))


@pytest.fixture
def read():
    return text_of


@pytest.fixture
def upload(db, user, sales, tmp_path, settings) -> Upload:
    """A file that was checked and is not saved yet."""
    settings.DATA_DIR = tmp_path
    rows = "".join(f"2026-02-{day:02d},S001,P001,{day}\n" for day in range(1, 29))
    content = ("date,store_id,product_id,sales\n" + rows + "2026-02-28,S001,P001,5\n").encode()
    fields = {"file": "february.csv", "name": "chain", "dataset": sales.dataset, "created_by": user}
    found = Upload.objects.create_from_chunks([content], ".csv", **fields)
    found.detect_columns()
    found.run_checks()
    return found


@pytest.fixture
def forecast(version, user) -> Forecast:
    return Forecast.objects.make_forecast(version, product="P001", horizon=28, created_by=user)

"""What the tests of the pages share: a forecast, and how to read a page."""

from __future__ import annotations

import html
import re

import pytest

from prediction.models import Forecast


def text_of(response) -> str:
    """What a person reads: no tags, no doubled spaces."""
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(bare))


@pytest.fixture
def read():
    return text_of


@pytest.fixture
def forecast(version, user) -> Forecast:
    return Forecast.objects.make(version, product="P001", horizon=28, created_by=user)

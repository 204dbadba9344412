"""Trains, forecasts and deletes without a pause until killed: `python -m tests.faults.load_generator`."""

from __future__ import annotations

import random
from io import StringIO
from itertools import count

import django


def churn() -> None:
    from django.core.management import call_command

    from prediction.models import Forecast
    from registry.model_versions.models import ModelVersion

    words = ["train", "--dataset=sample", "--scope=product:P001", "--algorithm=seasonal_naive", "--budget=5"]
    for turn in count():
        if turn % 5 == 0:
            call_command(*words, f"--seed={turn + 1}", stdout=StringIO())
        version = random.choice(ModelVersion.objects.ready())
        made = Forecast.objects.make_forecast(version, product="P001", horizon=7)
        print(made.pk, flush=True)
        if turn % 3 == 0:
            made.remove()


if __name__ == "__main__":
    django.setup()
    churn()

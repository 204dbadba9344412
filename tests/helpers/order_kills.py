"""`python -m tests.helpers.order_kills COUNT SEED`: orders killed while they are made or decided.

Prints as JSON, for each order, what became of it: it is asked for twice with one click, its job is killed at
random moments, and so is whoever approves and exports its lines, twice at once.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
from typing import Any
from uuid import UUID, uuid4

import django

from tests.helpers.killed_jobs import attempt, expire_leases
from tests.helpers.run_kills import train


def make(order_id: str) -> None:
    """What the worker does with the job."""
    from prediction.tasks import make_order_run

    make_order_run(order_id)


def decide(order_id: str, token: str) -> None:
    """A person approves all lines and exports them; the token is that of the form."""
    from prediction.models import OrderRun
    from prediction.order_runs.decisions import approve_lines, export_lines

    order = OrderRun.objects.get(pk=order_id)
    approve_lines(order, range(order.lines), None)
    export_lines(order, None, "csv", None, UUID(token))


def look(order_id: str) -> dict[str, Any]:
    """What the rows say, and whether the file is the one that its row names."""
    from prediction.models import OrderRun
    from registry.storage.artifacts import CorruptArtifact

    order = OrderRun.objects.get(pk=order_id)
    try:
        is_whole = order.is_done and bool(order.read())
    except CorruptArtifact:
        is_whole = False
    states = list(order.line_states.values_list("state", flat=True))
    return {
        "stage": order.stage,
        "is_whole": is_whole,
        "ordered": order.ordered,
        "exported": states.count("exported"),
        "in_files": sum(export.lines for export in order.exports.filter(repeats=None)),
        "files": order.exports.count(),
    }


def try_once(lengths: tuple[float, float], chance: random.Random) -> dict[str, Any]:
    """One order, killed while it is made and while its lines are decided; then everything is let through."""
    from prediction.models import OrderRun
    from prediction.order_runs.maker import prepare_order, save_order
    from registry.datasets.models import Dataset

    token, click = uuid4(), str(uuid4())
    clicks = [save_order(prepare_order(Dataset.objects.get(), form_token=token)).pk for _click in range(2)]
    order_id = str(clicks[0])
    attempt(make, order_id, seconds=chance.random() * lengths[0])
    seen = [look(order_id)]
    expire_leases(OrderRun)
    attempt(make, order_id)
    attempt(decide, order_id, click, seconds=chance.random() * lengths[1])
    seen.append(look(order_id))
    workers = [
        multiprocessing.get_context("fork").Process(target=decide, args=(order_id, click)) for _two in "12"
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    orders = OrderRun.objects.filter(form_token=token).count()
    return {"orders": orders, "seen": seen, "codes": [one.exitcode for one in workers], "end": look(order_id)}


if __name__ == "__main__":
    django.setup()
    from registry.model_versions import bundle  # noqa: F401  # torch, once for all attempts

    count, seed = (int(word) for word in sys.argv[1:])
    attempt(train)
    from prediction.models import ForecastRun
    from prediction.order_runs.maker import prepare_order, save_order
    from prediction.tasks import make_forecast_run
    from registry.datasets.models import Dataset, DatasetVersion
    from registry.model_versions.models import ModelVersion
    from tests.helpers import small_files

    version = ModelVersion.objects.ready().get()
    forecast = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    make_forecast_run(str(forecast.pk))
    small_files.stock(DatasetVersion.objects.get())
    first = str(save_order(prepare_order(Dataset.objects.get())).pk)
    length = attempt(make, first), attempt(decide, first, str(uuid4()))
    chance = random.Random(seed)
    print(json.dumps({"whole": look(first), "trials": [try_once(length, chance) for _each in range(count)]}))

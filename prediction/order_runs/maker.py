"""Makes the file of an order run. Safe to kill at any moment, and to repeat."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from prediction.jobs import run_claimed
from prediction.models import CurrentForecast
from prediction.order_runs.lines import OrderInputs, OrderLines, build_lines
from prediction.order_runs.lines_file import load_lines, write_lines
from prediction.order_runs.models import OrderRun, current_policy
from prediction.runs.models import ForecastRun
from registry.datasets.models import Dataset
from registry.datasets.stock.models import latest_stock
from registry.lib.errors import MessageError, gettext_noop, split_error
from registry.lib.leases import Heartbeat
from registry.storage.artifacts import Artifact, CorruptArtifact

LOST = gettext_noop("Another process has taken over this order.")
NOT_SAVED = gettext_noop("The order could not be saved: {reason}.")
DIGITS = 3


def prepare_order(dataset: Dataset, **facts: Any) -> OrderRun:
    """An unsaved order of the newest stock by the current forecast run and policy.

    Raises ValueError with the one thing that is missing.
    """
    run, stock = find_forecast_run(dataset), latest_stock(dataset)
    if run is None:
        raise ValueError(_("There is no forecast of everything yet: make one first."))
    if stock is None:
        raise ValueError(_("There is no stock yet: import the latest stock count."))
    facts.setdefault("max_stock_age", settings.MAX_STOCK_AGE)
    earlier = OrderRun.objects.done().filter(dataset=dataset).order_by("-created_at").first()
    links = {
        "forecast_run": run,
        "stock": stock,
        "policy": facts.pop("policy", None) or current_policy(dataset),
    }
    return OrderRun(dataset=dataset, previous=earlier, **links, **facts)


def find_forecast_run(dataset: Dataset) -> ForecastRun | None:
    """The current forecast run, else the newest one that is done."""
    row = CurrentForecast.objects.filter(dataset=dataset, run__isnull=False).select_related("run").first()
    done = ForecastRun.objects.done().filter(dataset_version__dataset=dataset)
    return row.run if row else done.order_by("-created_at").first()


def save_order(order: OrderRun, is_queued: bool = True) -> OrderRun:
    """Saves the row while its sources are locked, and queues its job; raises ValueError if one is gone.

    An order with the token of another is not saved again: that one is returned.
    """
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=order.dataset_id)
        if order.form_token:
            same = OrderRun.objects.filter(form_token=order.form_token).first()
            if same is not None:
                return same
        for source in (order.forecast_run, order.stock):
            locked: Artifact | None = source.lock_row()
            if locked is None or locked.state != locked.State.READY:
                raise ValueError(_("%(name)s no longer exists.") % {"name": source})
        order.save(force_insert=True)
        if is_queued:
            order.push_job()
    return order


def make_order(order: OrderRun) -> None:
    """Makes a claimed order. A failure ends it with its reason and is raised again."""
    start = time.monotonic()
    try:
        with Heartbeat(order.renew_lease, LOST) as heartbeat:
            facts = write_file(order, heartbeat)
        if not order.finish(**facts, seconds=round(time.monotonic() - start, 1)):
            raise MessageError(LOST)
    except OSError as problem:
        order.mark_failed(NOT_SAVED, {"reason": problem.strerror or str(problem)})
        raise MessageError(NOT_SAVED, reason=problem.strerror or str(problem)) from problem
    except (ValueError, CorruptArtifact) as problem:
        order.mark_failed(*split_error(problem))
        raise


def write_file(order: OrderRun, heartbeat: Heartbeat) -> dict[str, Any]:
    """The columns of an order whose file is written."""
    packs = read_packs(order.previous)
    given = OrderInputs(order.stock, order.policy.to_policies(), order.max_stock_age, packs)
    lines = build_lines(order.forecast_run, given)
    with TemporaryDirectory() as folder:
        path = Path(folder, "lines")
        write_lines(path, lines)
        heartbeat.check()
        order.write_file(path)
    heartbeat.check()
    return describe_lines(lines)


def describe_lines(lines: OrderLines) -> dict[str, Any]:
    """What the row of an order says of its lines."""
    quantity = lines.figures.quantity
    costs = [lines.terms[product].unit_cost or 0.0 for _store, product in lines.keys]
    terms = {product: asdict(found) for product, found in sorted(lines.terms.items())}
    return {
        "lines": len(lines.keys),
        "ordered": int((quantity > 0).sum()),
        "units": round(float(quantity.sum(dtype=float)), DIGITS),
        "money": round(float((quantity.astype(float) * costs).sum()), 2),
        "notes": dict(Counter(code for codes in lines.notes for code in codes)),
        "terms_sha256": hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest(),
    }


def read_packs(order: OrderRun | None) -> dict[str, float | None]:
    """The pack of each product in an earlier order; nothing if its file is gone."""
    if order is None:
        return {}
    with suppress(CorruptArtifact, ValueError):
        table = load_lines(order)
        return {product: terms.pack for (_store, product), terms in zip(table.keys, table.terms, strict=True)}
    return {}


def run_order_job(order: OrderRun) -> None:
    """Claims the order and makes it; does nothing if somebody else has it. Failures are kept in its row."""
    run_claimed(order, make_order)

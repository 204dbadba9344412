"""The table of a run: parquet in order of store, product and day, with what redraws its sample paths.

Columns: store_id, product_id, date, mean, q0.025 ... q0.975 of the model, final_mean, final_q0.025 ... after
what people changed, open, and each covariate known ahead as it was assumed (empty = not given). No Django.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from registry.series.calibration import Calibration
from registry.series.dependence import Dependence
from registry.series.panel import Floats, Panel
from registry.series.paths import Adjustment
from registry.series.prediction import FINAL, Prediction
from registry.series.quantiles import QUANTILE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTS_KEY = b"forecast_run"
ROWS_PER_GROUP = 100_000
NUMBERS = ("mean", *QUANTILE_NAMES)
FINAL_NUMBERS = tuple(f"{FINAL}{name}" for name in NUMBERS)
CORE = ("store_id", "product_id", "date", *NUMBERS, "open")


def write_table(path: Path, prediction: Prediction, panel: Panel) -> int:
    """Writes all series and days; returns the number of rows [S * H]."""
    order = np.array(sorted(range(len(prediction.keys)), key=lambda row: prediction.keys[row]), np.intp)
    count, days = prediction.mean.shape
    columns: dict[str, Any] = {
        name: _encode_codes([prediction.keys[row][place] for row in order], days)
        for place, name in enumerate(("store_id", "product_id"))
    }
    columns["date"] = pa.array(np.tile(prediction.dates, count), pa.date32())
    for names, found in ((NUMBERS, prediction.of_model()), (FINAL_NUMBERS, prediction)):
        columns[names[0]] = found.mean[order].ravel()
        columns |= {name: found.quantiles[order, :, place].ravel() for place, name in enumerate(names[1:])}
    columns["open"] = ~prediction.closed[order].ravel()
    for name in sorted(panel.known.keys() - {*CORE, *FINAL_NUMBERS}):
        columns[name] = _read_plan(panel, name, order, days)
    table = pa.table(columns).replace_schema_metadata({FACTS_KEY: json.dumps(_list_facts(prediction, order))})
    pq.write_table(table, path, row_group_size=ROWS_PER_GROUP, compression="zstd")
    return int(count * days)


def read_prediction(source: Any) -> Prediction:
    """The prediction as it was frozen; `source` is what pyarrow reads, such as a buffer."""
    file = pq.ParquetFile(source)
    facts, known = json.loads(file.schema_arrow.metadata[FACTS_KEY]), set(file.schema_arrow.names)
    wanted = [name for name in (*CORE, *FINAL_NUMBERS) if name in known and name != "date"]
    table, days = file.read(wanted), facts["days"]
    firsts = table.select(["store_id", "product_id"]).take(np.arange(0, table.num_rows, days))
    stores, products = (firsts[name].to_pylist() for name in ("store_id", "product_id"))

    def read(name: str) -> NDArray[Any]:
        return np.asarray(table[name].to_numpy()).reshape(-1, days)

    origin = np.datetime64(facts["origin"])
    mean, quantiles = read("mean"), np.stack([read(name) for name in QUANTILE_NAMES], axis=-1)
    final = read(FINAL_NUMBERS[0]) if FINAL_NUMBERS[0] in known else mean  # a run of an earlier release
    changed = Adjustment.between(mean, quantiles, final)
    found = Prediction(
        origin=origin,
        dates=origin + np.arange(1, days + 1).astype("timedelta64[D]"),
        keys=list(zip(stores, products, strict=True)),
        mean=mean,
        quantiles=quantiles,
        closed=~read("open"),
        calibration=Calibration(whole=facts["whole"]),  # its quantiles are calibrated already
        assumptions=facts["assumptions"],
        dependence=Dependence(**facts["dependence"]),
        seed=facts["seed"],
        bounds=_decode(facts["bounds"]),
        steady=_decode(facts["steady"]),
    )
    if changed is None:
        return found
    moved = np.stack([read(name) for name in FINAL_NUMBERS[1:]], axis=-1)
    return replace(found, mean=final, quantiles=moved, adjustment=changed)


def _list_facts(prediction: Prediction, order: NDArray[np.intp]) -> dict[str, Any]:
    return {
        "origin": str(prediction.origin),
        "days": len(prediction.dates),
        "seed": prediction.seed,
        "whole": prediction.calibration.whole,
        "assumptions": prediction.assumptions,
        "dependence": asdict(prediction.dependence),
        "bounds": _encode(prediction.bounds, order),
        "steady": _encode(prediction.steady, order),
    }


def _encode_codes(codes: list[str], days: int) -> pa.Array:
    known = pa.array(codes, pa.string()).dictionary_encode()
    indices = np.repeat(known.indices.to_numpy(), days)
    return pa.DictionaryArray.from_arrays(pa.array(indices), known.dictionary)


def _read_plan(panel: Panel, name: str, order: NDArray[np.intp], days: int) -> pa.Array:
    """What was known ahead of the days: numbers or texts, empty where nothing was given."""
    values = np.full((len(order), days), np.nan, np.float32)
    given = panel.known[name][order, panel.days : panel.days + days]
    values[:, : given.shape[1]] = given
    flat = values.ravel()
    missing = np.isnan(flat)
    if name not in panel.categories:
        return pa.array(flat, mask=missing)
    codes = pa.array(np.where(missing, 0, flat).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(codes, pa.array(panel.categories[name], pa.string()))


def _encode(values: Floats | None, order: NDArray[np.intp]) -> str:
    return "" if values is None else base64.b64encode(values[order].astype("<f4").tobytes()).decode()


def _decode(text: str) -> Floats | None:
    return np.frombuffer(base64.b64decode(text), "<f4") if text else None

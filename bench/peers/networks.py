"""KAN, NHITS and TFT of neuralforecast, with our quantiles as their loss and our covariates as theirs.

A few steps are timed to plan as many as fit into the budget, so that the learning-rate schedule completes;
Lightning's timer stops a run that takes longer. Run as `python -m bench.peers.networks FOLDER`.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MQLoss
from neuralforecast.models import KAN, NHITS, TFT

from bench.peers import common
from registry.series.quantiles import QUANTILE_LEVELS

MODELS = {"nf-kan": KAN, "nf-nhits": NHITS, "nf-tft": TFT}
OWN: dict[str, dict[str, Any]] = {
    "nf-kan": {"hidden_size": 128, "n_hidden_layers": 1},
    "nf-nhits": {"mlp_units": [[256, 256]] * 3},
    "nf-tft": {"hidden_size": 32, "n_head": 4},
}
TRIALS = (2, 10)  # timed steps: their difference gives the seconds per step
MOST_STEPS = 2000


def forecast(task: common.Task) -> dict[str, Any]:
    """Quantiles of one network, and the mean derived from them."""
    torch.set_num_threads(task.plan["threads"])
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    started, budget = time.monotonic(), 0.95 * task.plan["budget"]
    static = task.plan["static"]
    columns = ["unique_id", "ds", *task.covariates]
    frame = task.past[columns].assign(
        y=common.fill_gaps(task.past), available_mask=task.past["y"].notna() * 1.0
    )
    fixed = task.past.groupby("unique_id", as_index=False)[static].first() if static else None
    times = [time.monotonic()]
    for steps in TRIALS:
        build_network(task, steps, budget).fit(frame, static_df=fixed, val_size=0)
        times.append(time.monotonic())
    first, second = np.diff(times)
    each = max(1e-3, (second - first) / (TRIALS[1] - TRIALS[0]))  # seconds per step, without start-up
    left = budget - (time.monotonic() - started)
    steps = int(np.clip((left - first) / each, 10, MOST_STEPS))
    model = build_network(task, steps, left)
    model.fit(frame, static_df=fixed, val_size=0)
    learned = time.monotonic()
    found = model.predict(futr_df=task.ahead[columns]).sort_values(["unique_id", "ds"])
    names = [name for name in found if name not in ("unique_id", "ds")]
    values = np.stack([task.to_grid(found[name]) for name in names], axis=2)  # [S, H, Q], as in LEVELS
    values = np.sort(np.maximum(values, 0), axis=2)
    values[task.closed] = 0
    done = time.monotonic()
    return {
        "mean": mean_of_quantiles(values),
        "quantiles": values,
        "fit": learned - started,
        "forecast": done - learned,
        "intervals": True,
        "note": f"{steps} steps planned",
    }


def mean_of_quantiles(quantiles: np.ndarray) -> np.ndarray:
    """Area under the quantile function: [..., Q] -> [...].

    >>> float(mean_of_quantiles(np.array([1.0, 2, 3, 4, 5, 6, 7])))
    4.0
    """
    levels = np.array([0.0, *QUANTILE_LEVELS, 1.0])
    values = np.concatenate([quantiles[..., :1], quantiles, quantiles[..., -1:]], axis=-1)
    return (np.diff(levels) * (values[..., 1:] + values[..., :-1]) / 2).sum(axis=-1)


def build_network(task: common.Task, steps: int, seconds: float) -> NeuralForecast:
    """The network, set up for that many steps and at most `seconds`."""
    name = task.plan["algorithm"]
    model = MODELS[name](
        h=task.horizon,
        input_size=2 * task.horizon,
        loss=MQLoss(quantiles=list(QUANTILE_LEVELS)),
        futr_exog_list=task.covariates,
        stat_exog_list=task.plan["static"] or None,
        max_steps=steps,
        learning_rate=1e-3,
        num_lr_decays=3,
        scaler_type="robust" if compute_zero_share(task.past) < 0.3 else "standard",
        batch_size=32,
        windows_batch_size=256,
        inference_windows_batch_size=1024,
        start_padding_enabled=True,
        random_seed=task.plan["seed"] + 1,
        alias="model",
        max_time={"seconds": max(1.0, seconds)},
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **OWN[name],
    )
    return NeuralForecast([model], freq="D")


def compute_zero_share(past: pd.DataFrame) -> float:
    """Share of recorded days without sales."""
    return float((past["y"] == 0).sum() / max(1, past["y"].notna().sum()))


if __name__ == "__main__":
    common.run_peer(forecast)

"""A network learns from the shards of a scope in turn, and the same numbers after an interruption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from registry.series.panels.rows import SalesRows
from registry.series.panels.shards import PanelShards, describe_scope
from tests.helpers.process_groups import in_group
from tests.helpers.waves import ROLES, wave_frame
from training.learning.checkpoint import Checkpoint
from training.learning.pipeline import TrainingConfig, TrainingPipeline
from training.learning.rotation import ShardRotation

pytestmark = pytest.mark.slow

PLAN = TrainingConfig("kan", {"steps": 40, "batch": 64, "width": 16}, horizon=14, budget=600, windows=1)


def rows_of(frame: pd.DataFrame) -> SalesRows:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return SalesRows(lambda columns: table.select(columns).to_batches())


@pytest.fixture(scope="module")
def shards() -> PanelShards:
    """Twelve series in three shards."""
    frame = wave_frame(stores=3, products=4)
    places = (frame["store_id"].str[-1].astype(int) + frame["product_id"].str[-1].astype(int)) % 3
    parts = [rows_of(frame[places == shard]) for shard in range(3)]
    return PanelShards(parts, ROLES, activity=describe_scope(parts))


class Marks:
    """A sampler whose batches say which shard they are of."""

    def __init__(self, shard: int, read: list[int]) -> None:
        self.shard, self.generator = shard, torch.Generator()
        read.append(shard)

    def draw(self, size: int) -> tuple[int, float]:
        return self.shard, float(torch.rand(1, generator=self.generator))


def draw_steps(first: int, steps: int, seconds: float, state: torch.Tensor | None = None) -> list:
    rotation = ShardRotation(5, lambda shard: Marks(shard, []), seed=3, check=None)
    rotation.plan_visits(steps, seconds)
    rotation.seek(first)
    if state is not None:
        rotation.generator.set_state(state)
    drawn = [(*rotation.draw(1), rotation.generator.get_state()) for _step in range(first, steps)]
    rotation.close()
    return drawn


def test_every_shard_has_its_turn_and_the_next_one_is_read_ahead():
    read: list[int] = []
    rotation = ShardRotation(5, lambda shard: Marks(shard, read), seed=3, check=None)
    rotation.plan_visits(20, 600)
    order = [rotation.draw(1)[0] for _step in range(20)]
    assert sorted(order) == sorted([*range(5)] * 4) and len(rotation.ready) == 2
    assert [order[4 * visit] for visit in range(5)] == read[:5]
    rotation.close()


def test_a_short_fit_reads_only_as_many_shards_as_it_has_time_for():
    assert len({shard for shard, _number, _state in draw_steps(0, 20, seconds=9.0)}) == 2


def test_a_fit_goes_on_with_the_same_windows():
    whole = draw_steps(0, 20, 600)
    rest = draw_steps(7, 20, 600, state=whole[6][2])
    assert [one[:2] for one in rest] == [one[:2] for one in whole[7:]]


def test_what_goes_wrong_while_a_shard_is_read_is_told():
    def fail(shard: int) -> Marks:
        raise OSError("gone")

    rotation = ShardRotation(2, fail, seed=0, check=None)
    with pytest.raises(OSError, match="gone"):
        rotation.draw(1)
    rotation.close()


def learn(sales: PanelShards, config: TrainingConfig = PLAN, checkpoint: Checkpoint | None = None):
    learning = TrainingPipeline(sales, config, checkpoint)
    list(learning)
    return learning.result


def test_all_series_are_learned_and_the_first_shard_is_tested(shards):
    result = learn(shards)
    bundle, tested = result.bundle, shards.read(0).keys
    assert len(bundle.encoder.keys) == 12 and len(bundle.test_mean) == len(tested) == 4
    assert list(bundle.tested_rows) == tested
    made = bundle.forecast(shards.read_whole(), 14)
    assert np.isfinite(made.mean).all() and result.metrics["wape"] < 0.3


def test_an_interrupted_training_over_shards_gives_the_same_bytes(shards, tmp_path):
    whole = learn(shards).bundle.to_bytes()
    for number, _sign in enumerate(TrainingPipeline(shards, PLAN, Checkpoint(tmp_path, save_seconds=0))):
        if number == 9:
            break
    assert learn(shards, PLAN, Checkpoint(tmp_path)).bundle.to_bytes() == whole


def test_trees_learn_from_the_first_shard_and_forecast_all(shards):
    config = replace(PLAN, algorithm="trees", knobs={"steps": 10})
    made = learn(shards, config).bundle.forecast(shards.read_whole(), 14)
    assert np.isfinite(made.mean).all() and len(made.keys) == 12


def test_one_shard_is_learned_as_the_panel_it_is(shards):
    one = replace(shards, parts=shards.parts[:1])
    assert learn(one).bundle.to_bytes() == learn(one.read_whole()).bundle.to_bytes()


def test_processes_that_learn_together_go_through_the_shards_together(shards):
    plan = replace(PLAN, knobs=PLAN.knobs | {"dropout": 0})

    def learn(group):
        pipeline = TrainingPipeline(shards, plan, group=group)
        for _round in pipeline.candidates[0].learn_before(pipeline.panel.days, plan.budget, 1):
            pass
        return pipeline.candidates[0]

    def follow(group):
        pipeline = TrainingPipeline(shards, plan, group=group)
        pipeline.follow()
        return pipeline.candidates[0]

    lead, other = in_group(learn, follow)
    assert lead.fit_state.step == 40
    weights = zip(lead.model.parameters(), other.model.parameters(), strict=True)
    assert all(torch.isfinite(one).all() for one, _same in weights)

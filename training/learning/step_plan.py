"""Step plan: how many steps a fit does, from the work of one step and not from the clock. Pure."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from registry.series.windows import Batch
from training.learning.losses import forecast_loss

# Seconds of a step on one core of the reference machine: fixed, per operation, per number written, per flop.
# Only a plan, so that the same budget always gives the same number of steps (and the same model); the clock
# stops a fit on a slower machine.
SECONDS_PER_STEP, SECONDS_PER_CALL, SECONDS_PER_NUMBER, SECONDS_PER_FLOP = 6.5e-3, 12e-6, 0.47e-9, 5e-12
PLANNED_SHARE = 0.8  # share of the time that the plan fills


class _OperationCounter(TorchDispatchMode):
    """Counts the operations of a step and the numbers they write."""

    calls = numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls += 1
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        self.numbers += sum(tensor.numel() for tensor in tensors if isinstance(tensor, Tensor))
        return result


def planned_steps(model: nn.Module, batch: Batch, seconds: float, threads: float) -> int:
    """How many steps the time allows, from the work of one step and not from the clock."""
    flops = FlopCounterMode(display=False)
    with flops, _OperationCounter() as work:
        forecast_loss(model(batch), batch).backward()
    model.zero_grad(set_to_none=True)
    step = (
        SECONDS_PER_STEP
        + SECONDS_PER_CALL * work.calls
        + SECONDS_PER_NUMBER * work.numbers
        + SECONDS_PER_FLOP * flops.get_total_flops()
    )
    return max(20, int(PLANNED_SHARE * seconds * threads**0.5 / step))

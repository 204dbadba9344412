"""Checkpoint: the state of a training on disk, from which an interrupted one gives the same numbers. Pure.

A training is a series of fits (one algorithm, some steps). Each fit has one safetensors file, written
atomically: tensors of the module and, while it learns, of the averaged weights, the optimizer and the
generators; step, seconds and rounds as JSON in the header. After an interruption finished fits are read from
their files, the interrupted fit resumes at its step, and everything between fits is computed again.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from registry.algorithms import FitProgress
from registry.lib.atomic_file import write_atomic
from training.learning.distributed import ALONE, ProcessGroup
from training.learning.early_stopping import EarlyStopping

logger = logging.getLogger(__name__)
SAVE_SECONDS = 5.0  # seconds between two saves
ASK_SECONDS = 1.0  # seconds between two checks whether to finish early
STATE_FIELDS = ("step", "error", "spent", "done")  # of FitState, stored under these keys in the header
ADAMW_KEYS = ("exp_avg", "exp_avg_sq", "step")  # state of AdamW for each parameter


def never_finish() -> bool:
    """False: nobody asks to finish early."""
    return False


def keep_here(file: Path) -> None:
    """Does nothing: the file stays where it is."""


@dataclass
class Checkpoint:
    """The checkpoint files of one training; without a folder nothing is stored."""

    folder: Path | None = None
    is_finish_requested: Callable[[], bool] = never_finish
    on_saved: Callable[[Path], None] = keep_here  # called with each file that was written
    save_seconds: float = field(default_factory=lambda: SAVE_SECONDS)
    fit_count: int = 0
    seconds_before: float = 0.0  # seconds spent before the interruption
    is_finishing: bool = False
    last_asked: float = 0.0

    @property
    def has_files(self) -> bool:
        """Whether there is a file to resume from."""
        return self.folder is not None and any(self.folder.glob("*.safetensors"))

    @property
    def should_finish(self) -> bool:
        """Whether somebody has asked to finish early; checks once a second and then stays True."""
        now = time.monotonic()
        if not self.is_finishing and now - self.last_asked >= ASK_SECONDS:
            self.is_finishing, self.last_asked = self.is_finish_requested(), now
        return self.is_finishing

    def next_fit(self) -> FitState:
        """The state of the next fit, to be restored from its file."""
        self.fit_count += 1
        return FitState(self, self.folder / f"{self.fit_count:03}.safetensors" if self.folder else None)


@dataclass
class LearnerState:
    """Everything that changes while a network learns."""

    model: nn.Module
    average: nn.Module
    best: nn.Module  # the average of the best round on check days
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    group: ProcessGroup = ALONE

    def copy_tensors(self) -> dict[str, Tensor]:
        """All tensors but the model's, by name."""
        state = self.optimizer.state_dict()["state"]
        found = add_prefix("average", self.average.state_dict()) | add_prefix("best", self.best.state_dict())
        found |= {"generator": self.generator.get_state()}
        return found | {f"optimizer.{i}.{key}": part[key] for i, part in state.items() for key in ADAMW_KEYS}

    def restore_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Restores everything but the model."""
        load_tensors(self.average, tensors_under("average", tensors))
        load_tensors(self.best, tensors_under("best", tensors))
        self.generator.set_state(tensors["generator"])
        kept = self.optimizer.state_dict()
        for name, tensor in tensors_under("optimizer", tensors).items():
            number, _dot, key = name.partition(".")
            kept["state"].setdefault(int(number), {})[key] = tensor
        self.optimizer.load_state_dict(kept)


@dataclass
class FitState:
    """The state of one fit and its file; a `done` fit only reports its rounds again."""

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    file: Path | None = None
    step: int = 0  # the next step
    error: float = 0.0  # of the learning steps, smoothed
    spent: float = 0.0  # seconds
    stopping: EarlyStopping = field(default_factory=EarlyStopping)
    rounds: list[FitProgress] = field(default_factory=list)
    done: bool = False
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def should_finish(self) -> bool:
        """Whether somebody wants the result now."""
        return self.checkpoint.should_finish

    @property
    def has_file(self) -> bool:
        """Whether there is something to resume from."""
        return self.file is not None and self.file.exists()

    @property
    def is_save_due(self) -> bool:
        """Whether the last save is long enough ago."""
        return self.file is not None and time.monotonic() - self.saved_at >= self.checkpoint.save_seconds

    def record_step(self, error: float, spent: float) -> None:
        """Counts a learning step; the error is smoothed over about twenty steps.

        A step without an error (NaN: nothing was sold in its windows) leaves it as it was.
        """
        if self.step == 0 or math.isnan(self.error):
            self.error = error
        elif not math.isnan(error):
            self.error = 0.95 * self.error + 0.05 * error
        self.step, self.spent = self.step + 1, spent

    def record_round(self, sign: FitProgress) -> FitProgress:
        """Stores a round for the checkpoint and returns it."""
        self.rounds.append(sign)
        return sign

    def restore(self, model: nn.Module, learner: LearnerState | None = None) -> bool:
        """Restores state and weights from the file; False, with nothing changed, if no file fits."""
        found = read_checkpoint(self.file)
        return found is not None and self.load(found, model, learner)

    def share(self, model: nn.Module, learner: LearnerState) -> None:
        """Takes over the state of the process that leads."""
        content = learner.group.send_state(self.encode(model, learner))
        if not learner.group.leads:
            self.load(decode_checkpoint(content), model, learner)

    def load(
        self, found: tuple[dict[str, Any], dict[str, Tensor]], model: nn.Module, learner: LearnerState | None
    ) -> bool:
        """Restores from header and tensors; False, with nothing changed, if they do not fit."""
        head, tensors = found
        weights = tensors_under("model", tensors)
        if not is_compatible(weights, model) or not (head["done"] or (learner and "generator" in tensors)):
            logger.warning("The checkpoint %s does not fit this training, which starts again.", self.file)
            return False
        load_tensors(model, weights)
        if learner is not None and not head["done"]:
            learner.restore_tensors(tensors)
        torch.set_rng_state(tensors["random"])  # of dropout, so that the numbers are the same
        for name in STATE_FIELDS:
            setattr(self, name, head[name])
        self.stopping = EarlyStopping(**{one.name: head[one.name] for one in fields(EarlyStopping)})
        self.rounds = [FitProgress(**sign) for sign in head["rounds"]]
        self.checkpoint.seconds_before += self.spent
        return True

    def save(self, model: nn.Module, learner: LearnerState | None = None) -> None:
        """Writes the file; on a full disk the training continues without it."""
        if self.file is None:
            return
        content = self.encode(model, learner)
        self.saved_at = time.monotonic()
        try:
            write_atomic(self.file, [content])
            self.checkpoint.on_saved(self.file)
        except OSError as error:
            logger.warning("The checkpoint could not be saved (%s): training continues without it.", error)

    def encode(self, model: nn.Module, learner: LearnerState | None = None) -> bytes:
        """Header and tensors as a safetensors file."""
        head = {name: getattr(self, name) for name in STATE_FIELDS}
        head |= asdict(self.stopping) | {"rounds": [asdict(one) for one in self.rounds]}
        tensors = add_prefix("model", model.state_dict()) | {"random": torch.get_rng_state()}
        tensors |= learner.copy_tensors() if learner else {}
        # cloned: safetensors refuses tensors that share memory
        own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
        return save(own, metadata={"checkpoint": json.dumps(head)})

    def finish(self, model: nn.Module) -> None:
        """Marks the fit as done: from now on its file holds the result."""
        self.done = True
        self.save(model)


def add_prefix(group: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each name prefixed by the group."""
    return {f"{group}.{name}": tensor for name, tensor in tensors.items()}


def tensors_under(group: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a group, without the prefix.

    >>> list(tensors_under("model", {"model.a.b": torch.zeros(1), "average.a.b": torch.zeros(1)}))
    ['a.b']
    """
    mark = f"{group}."
    return {name.removeprefix(mark): one for name, one in tensors.items() if name.startswith(mark)}


def is_compatible(tensors: dict[str, Tensor], model: nn.Module) -> bool:
    """Whether names and shapes are those of the module; an empty buffer takes any shape."""
    own = model.state_dict()
    return set(own) == set(tensors) and all(
        tensor.shape == tensors[name].shape or not tensor.numel() for name, tensor in own.items()
    )


def load_tensors(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Loads the tensors into the module; buffers take their shape."""
    for name, buffer in model.named_buffers():
        buffer.resize_(tensors[name].shape)
    model.load_state_dict(tensors)


def read_checkpoint(file: Path | None) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Header and tensors; None if the file is missing or damaged."""
    if file is None or not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as content:
            head = json.loads(content.metadata()["checkpoint"])
            names = content.keys()
            return head, {name: content.get_tensor(name) for name in names}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        logger.warning("The checkpoint %s is damaged (%s): its fit starts again.", file, error)
        return None


def decode_checkpoint(content: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a checkpoint that was not read from a file."""
    size = int.from_bytes(content[:8], "little")  # of the header of a safetensors file
    return json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["checkpoint"]), load(content)

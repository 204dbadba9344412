"""The contract of algorithms and their discovery: a file in this folder IS an algorithm.

An algorithm file holds a frozen, keyword-only dataclass of knobs and a module registered under its name:

    @register("newnet", "NewNet", "What it is good at, in one sentence.", NewNetConfig)
    class NewNet(nn.Module):
        def __init__(self, config: NewNetConfig, shape: Shape): ...
        def forward(self, batch: Batch) -> Tensor: ...   # [B, P, Q]: mean, then quantiles, over batch.scale

Networks learn by gradient in training.learning.loop. A module that learns in another way has a method
`fit(self, sampler, seconds)` that yields FitProgress now and then, and stores what it learned in buffers. It
may run in a thread beside networks: it draws from the sampler or a generator of its own, never from torch's.
Installed packages may add algorithms: by an entry point in the group `forecastsite.algorithms`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar, get_type_hints, runtime_checkable

from torch import Tensor, nn

from registry.lib.errors import MessageError, gettext_noop
from registry.series.windows import Batch, Shape

Module = TypeVar("Module", bound=type[nn.Module])
NOT_WHOLE = gettext_noop("{key} is {given}: use a whole number.")
NOT_A_NUMBER = gettext_noop("{key} is {given}: use a number.")


def knob(default: float | int, help: str, low: float, high: float, label: str = "") -> Any:
    """A dataclass field with the help text, bounds and label that the form shows.

    Without a label the form shows the field's name as words.
    """
    return field(default=default, metadata={"help": help, "min": low, "max": high, "label": label})


@dataclass(frozen=True, kw_only=True)
class Config:
    """Knobs of every algorithm."""

    past_days: int = knob(56, "Days of past sales the model looks at.", 14, 728, "Days of history")
    block: int = knob(
        0,
        "Days forecast at once, then fed back; 0 = a week, or four where most days sell nothing.",
        0,
        90,
        "Days per step",
    )
    steps: int = knob(0, "0 = as many as fit into the training time.", 0, 1_000_000, "Training steps")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Config):
    """Knobs of every algorithm that learns by gradient."""

    rate: float = knob(0.003, "At the start; it falls over time.", 0.00001, 0.1, "Learning rate")
    batch: int = knob(256, "Windows in each training step.", 16, 4096, "Batch size")


@dataclass(frozen=True)
class FitProgress:
    """Progress of learning: share done (0 to 1), error on learning days and on check days.

    Errors are those of the median one block ahead, as a share of sales. Stored in every checkpoint: never
    rename a field.
    """

    share: float
    error: float
    check: float | None = None


class Sampler(Protocol):
    """Draws seeded random windows of the learning days; `check` are fixed windows of holdout days, if any.

    `directions` says which way each known covariate [K] pushes sales: 1 up, -1 down, 0 either way.
    """

    check: Batch | None

    @property
    def directions(self) -> list[int]: ...

    def draw(self, size: int) -> Batch: ...

    def __len__(self) -> int: ...


@runtime_checkable
class CustomFit(Protocol):
    """A module with its own way of learning."""

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[FitProgress]: ...


@dataclass(frozen=True)
class AlgorithmEntry:
    """One registered algorithm."""

    name: str
    label: str
    description: str
    config_class: type[Any]
    auto_priority: int
    module_class: Callable[[Any, Shape], nn.Module]


@dataclass(frozen=True, kw_only=True)
class AutoConfig:
    """No knobs: `auto` leaves every algorithm at its defaults."""


AUTO = AlgorithmEntry(
    "auto",
    "Automatic",
    "Tries as many methods as the time allows, then uses the best one or a blend.",
    AutoConfig,
    0,
    nn.Identity,
)
_entries_by_name: dict[str, AlgorithmEntry] = {}


def register(
    name: str, label: str, description: str, config: type[Config], turn: int = 2
) -> Callable[[Module], Module]:
    """Registers the decorated module under a unique name.

    `turn`: the smaller, the earlier `auto` tries it when time is short; 0 = costs no time, always tried.
    """

    def add_entry(module: Module) -> Module:
        taken = _entries_by_name.get(name)
        # the same module again is a reload, not a clash
        if taken and getattr(taken.module_class, "__module__", "") != module.__module__:
            raise ValueError(f"Two algorithms are called {name!r}: rename one.")
        _entries_by_name[name] = AlgorithmEntry(name, label, description, config, turn, module)
        return module

    return add_entry


@cache
def _import_algorithms() -> None:
    """Imports every file of this folder and every entry point; importing registers."""
    for file in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{file.name}")
    for point in entry_points(group="forecastsite.algorithms"):
        point.load()


def list_algorithms() -> list[AlgorithmEntry]:
    """Every algorithm, sorted by label."""
    _import_algorithms()
    return sorted(_entries_by_name.values(), key=lambda entry: entry.label)


def list_choices() -> list[tuple[str, str]]:
    """(name, label) for drop-downs, `auto` first."""
    return [(entry.name, entry.label) for entry in (AUTO, *list_algorithms())]


def select_candidates(name: str, limit: int) -> list[AlgorithmEntry]:
    """The algorithm itself, or for `auto` the first `limit` by turn and all that cost no time."""
    if name != AUTO.name:
        return [get_entry(name)]
    ranked = sorted(list_algorithms(), key=lambda entry: (entry.auto_priority, entry.name))
    free = [entry for entry in ranked if not entry.auto_priority]
    return free + ranked[len(free) :][:limit]


def get_entry(name: str) -> AlgorithmEntry:
    """The algorithm of that name; raises MessageError that lists the names."""
    _import_algorithms()
    if name == AUTO.name:
        return AUTO
    if name not in _entries_by_name:
        known = ", ".join(name for name, _label in list_choices())
        raise MessageError(
            gettext_noop("There is no algorithm {name}: use one of {known}."), name=repr(name), known=known
        )
    return _entries_by_name[name]


def build_config(name: str, knobs: dict[str, Any]) -> Config:
    """The config with these knobs; raises MessageError with the knob, its value and its bounds."""
    config = get_entry(name).config_class
    known, types = {f.name: f for f in fields(config)}, get_type_hints(config)
    values: dict[str, Any] = {}
    for key, given in knobs.items():
        if key not in known:
            raise MessageError(
                gettext_noop("{name} has no setting {key}: use one of {known}."),
                name=name,
                key=repr(key),
                known=", ".join(known),
            )
        values[key] = _validate_value(key, given, types[key], known[key].metadata)
    return config(**values)


def _validate_value(key: str, given: Any, kind: type, bounds: Any) -> Any:
    """The value in the knob's type; raises MessageError unless it is within the bounds."""
    try:
        value = kind(str(given).strip()) if kind in (int, float) else given
    except ValueError:
        raise MessageError(NOT_WHOLE if kind is int else NOT_A_NUMBER, key=key, given=repr(given)) from None
    if "min" in bounds and not bounds["min"] <= value <= bounds["max"]:
        raise MessageError(
            gettext_noop("{key} is {given}: use a value from {low} to {high}."),
            key=key,
            given=str(given),
            low=bounds["min"],
            high=bounds["max"],
        )
    return value


def describe_knobs(name: str) -> list[dict[str, Any]]:
    """For each knob what a form needs: name, type, default, label, help, min, max."""
    config = get_entry(name).config_class
    types = get_type_hints(config)
    return [
        {"name": f.name, "type": types[f.name], "default": f.default, **f.metadata}
        for f in fields(config)
        if f.default is not MISSING
    ]


def config_to_dict(config: Config) -> dict[str, Any]:
    """The config as JSON."""
    return asdict(config)


# The names of release 0.1, for algorithm files outside this repository.
Entry, Round, SelfLearning = AlgorithmEntry, FitProgress, CustomFit

__all__ = [
    "AlgorithmEntry",
    "Batch",
    "Config",
    "CustomFit",
    "Entry",
    "FitProgress",
    "NetworkConfig",
    "Round",
    "Sampler",
    "SelfLearning",
    "Shape",
    "Tensor",
]

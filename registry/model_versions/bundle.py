"""Bundle: a learned model as one safetensors file, weights as tensors, all else as JSON in the header.

No pickle anywhere: the module is rebuilt from its registered class, then filled with checked tensors.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from registry import algorithms
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions import golden
from registry.series import rollout
from registry.series.bounds import ALL_PRODUCTS
from registry.series.calibration import Calibration
from registry.series.covariates import Encoder
from registry.series.dependence import Dependence
from registry.series.ended import expect_rare_sale
from registry.series.newcomers.introduction import introduce
from registry.series.panel import Floats, Panel
from registry.series.prediction import Prediction
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.windows import Shape, Windows

SCHEMA_VERSION = 3  # of a new file. Since 2 trees add to the usual sales, since 3 dependence is measured
READABLE_SCHEMAS = (2, 3)  # of 2 the tables for sums are left unread: dependence is assumed, and wider
MAX_HEADER_BYTES = 64_000_000
LIBRARIES = ("torch", "numpy", "pandas", "safetensors")
DAMAGED = gettext_noop("The model file is damaged: delete this version and train it again.")


class BadBundle(MessageError):
    """The file is not a valid model."""


@dataclass
class EnsembleMember:
    """One learned module and its share in the forecast."""

    algorithm: str
    config: dict[str, Any]
    shape: Shape
    weight: float
    tensors: dict[str, Tensor]
    golden: dict[str, Tensor] = field(default_factory=dict)

    @property
    def golden_drift(self) -> float:
        """Relative difference of the replayed golden forecast; above golden.TOLERANCE something changed."""
        return golden.measure_drift(self.model, self.golden)

    @cached_property
    def model(self) -> nn.Module:
        """The module with its learned weights, in evaluation mode; raises BadBundle."""
        entry = algorithms.get_entry(self.algorithm)
        model = entry.module_class(algorithms.build_config(self.algorithm, self.config), self.shape)
        _check_tensors(self.tensors, model.state_dict())
        for name, buffer in model.named_buffers():
            buffer.resize_(self.tensors[name].shape)  # some buffers take the size that was learned
        model.load_state_dict(self.tensors)
        return model.eval()

    def as_dict(self) -> dict[str, Any]:
        """Everything except the tensors, as JSON."""
        head = {name: getattr(self, name) for name in ("algorithm", "config", "weight")}
        return head | {"shape": asdict(self.shape)}

    @classmethod
    def from_dict(
        cls, head: dict[str, Any], tensors: dict[str, Tensor], golden_tensors: dict[str, Tensor]
    ) -> EnsembleMember:
        """The member from its JSON and its tensors."""
        shape = Shape(**{**head["shape"], "entities": tuple(head["shape"]["entities"])})
        return cls(head["algorithm"], head["config"], shape, head["weight"], tensors, golden_tensors)


@dataclass
class Bundle:
    """Everything a forecast needs except the sales. Several members are blended by their weights."""

    members: list[EnsembleMember]
    encoder: Encoder
    calibration: Calibration
    horizon: int
    seed: int
    data_hash: str
    country: str
    test_origin: str = ""
    test_mean: Floats | None = (
        None  # [S, H]: forecast of the last held-back window, before its days were learned
    )
    dependence: Dependence = field(default_factory=Dependence)
    libraries: dict[str, str] = field(default_factory=lambda: {name: version(name) for name in LIBRARIES})

    def __post_init__(self) -> None:
        # bundles of earlier releases do not say how many days were measured: those of their horizon
        measured = self.calibration.window_days or self.horizon
        self.calibration = replace(self.calibration, window_days=measured)

    @cached_property
    def tested_rows(self) -> dict[tuple[str, str], int]:
        """The row in `test_mean` of each series that was tested: of several shards those of the first."""
        count = 0 if self.test_mean is None else len(self.test_mean)
        return {(store, product): row for row, (store, product) in enumerate(self.encoder.keys[:count])}

    def forecast(self, panel: Panel, horizon: int, rows: NDArray[np.intp] | None = None) -> Prediction:
        """The calibrated forecast of all series for the `horizon` days after the panel's last day.

        rows: of these series only, where new ones are judged by all others in the panel.
        """
        if horizon < 1:
            raise MessageError(
                gettext_noop("{days} days ahead cannot be forecast: use 1 or more."), days=horizon
            )
        introduction = introduce(panel, rows, self.encoder.tells_unknown)
        panel, size = introduction.panel, introduction.size
        windows = rollout.build_windows(panel, self.encoder, self.window_sizes, horizon)
        calibrated = self.forecast_windows(windows, horizon)
        dates = panel.origin + np.arange(1, horizon + 1).astype("timedelta64[D]")
        closed = windows.closed.numpy()[:size, panel.days : panel.days + horizon]
        result = introduction.merge(calibrated, self.calibration.whole)
        past = panel.open_sales[:size]
        if not self.has_seen_sales and not np.nansum(past):
            result = expect_rare_sale(past, closed)  # nothing was ever sold, neither here nor of the others
        return Prediction(
            origin=panel.origin,
            dates=dates,
            keys=panel.keys[:size],
            mean=result[..., 0],
            quantiles=result[..., 1:],
            closed=closed,
            calibration=self.calibration,
            assumptions=windows.assumptions,
            dependence=self.dependence,
            seed=self.seed,
            bounds=windows.bounds.numpy()[:size],
            steady=introduction.level_shares(calibrated) if introduction.copies else None,
        )

    @property
    def window_sizes(self) -> list[tuple[int, int]]:
        """(past_days, block) of each member."""
        return [(member.shape.past_days, member.shape.block) for member in self.members]

    def forecast_windows(self, windows: Windows, horizon: int) -> Floats:
        """The calibrated forecast of all members together, of windows built for them: [S, horizon, Q]."""
        raw = np.zeros((len(windows.entity), horizon, OUTPUT_COUNT), np.float32)
        for member, size in zip(self.members, self.window_sizes, strict=True):
            raw += np.float32(member.weight) * rollout.roll_forward(
                member.model, windows.with_size(*size), horizon
            )
        return self.calibration.calibrate_forecast(raw)

    @property
    def has_seen_sales(self) -> bool:
        """Whether anything was ever sold while it learned."""
        return self.encoder.largest.get(ALL_PRODUCTS) != 0

    def to_bytes(self) -> bytes:
        """The bundle as the bytes of a safetensors file."""
        head = {name: getattr(self, name) for name in _HEADER_FIELDS}
        head |= {"schema": SCHEMA_VERSION, "members": [member.as_dict() for member in self.members]}
        head |= {"encoder": asdict(self.encoder), "calibration": asdict(self.calibration)}
        head |= {"dependence": asdict(self.dependence)}
        tensors = {
            f"{part}.{number}.{name}": tensor.contiguous()
            for number, member in enumerate(self.members)
            for part, table in ((WEIGHTS_PREFIX, member.tensors), (GOLDEN_PREFIX, member.golden))
            for name, tensor in table.items()
        }
        if self.test_mean is not None:
            tensors["test.mean"] = torch.from_numpy(np.ascontiguousarray(self.test_mean))
        return bytes(save(tensors, metadata={"bundle": json.dumps(head)}))

    @classmethod
    def from_bytes(cls, content: bytes) -> Bundle:
        """Reads and checks a safetensors file; raises BadBundle."""
        head, tensors = _parse_file(content)
        if head.get("schema") not in READABLE_SCHEMAS:
            raise BadBundle(
                gettext_noop("The model file has schema {found}, not {wanted}: train the model again."),
                found=repr(head.get("schema")),
                wanted=SCHEMA_VERSION,
            )
        try:
            bundle = cls(
                **{name: head[name] for name in _HEADER_FIELDS},
                members=[
                    EnsembleMember.from_dict(
                        part,
                        _tensors_under(tensors, f"{WEIGHTS_PREFIX}.{i}."),
                        _tensors_under(tensors, f"{GOLDEN_PREFIX}.{i}."),
                    )
                    for i, part in enumerate(head["members"])
                ],
                encoder=Encoder(**head["encoder"]),
                calibration=Calibration.from_json(head["calibration"]),
                dependence=Dependence(**head.get("dependence", {})),
            )
            if "test.mean" in tensors:
                bundle.test_mean = tensors["test.mean"].numpy()
            for member in bundle.members:
                member.model.eval()  # builds and checks the module now, not at the first forecast
        except (KeyError, TypeError, AttributeError) as error:
            lacks = gettext_noop("The model file lacks {part}: train the model again.")
            raise BadBundle(lacks, part=str(error)) from error
        return bundle


WEIGHTS_PREFIX, GOLDEN_PREFIX = "weights", "golden"
_HEADER_FIELDS = ("horizon", "seed", "data_hash", "country", "test_origin", "libraries")


def _tensors_under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with the prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _parse_file(content: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """JSON header and tensors of a safetensors file; raises BadBundle."""
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, TypeError) as error:
        raise BadBundle(DAMAGED) from error
    return read_head(content), tensors


def read_head(content: bytes) -> dict[str, Any]:
    """The JSON header of a bundle's file, without its tensors; raises BadBundle."""
    try:
        size = int.from_bytes(content[:8], "little")  # safetensors: 8 bytes length, JSON header, tensors
        meta = json.loads(content[8 : 8 + min(size, MAX_HEADER_BYTES)])["__metadata__"]["bundle"]
        head = json.loads(meta)
    except (KeyError, ValueError, TypeError) as error:
        raise BadBundle(DAMAGED) from error
    if not isinstance(head, dict):
        raise BadBundle(DAMAGED)
    return head


def _check_tensors(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Checks names, shapes, dtypes and finiteness of all weights; raises BadBundle."""
    if set(found) != set(expected):
        raise BadBundle(
            gettext_noop("The model file does not fit its algorithm ({part}): train it again."),
            part=min(set(found) ^ set(expected)),
        )
    for name, tensor in found.items():
        flexible = expected[name].numel() == 0  # a buffer whose size is learned
        if tensor.dtype != expected[name].dtype or (tensor.shape != expected[name].shape and not flexible):
            raise BadBundle(
                gettext_noop(
                    "The weights {part} have the wrong shape: delete this version and train it again."
                ),
                part=name,
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise BadBundle(
                gettext_noop("The weights {part} are not finite: delete this version and train it again."),
                part=name,
            )

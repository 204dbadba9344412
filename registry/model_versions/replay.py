"""Replays the golden forecast of a version."""

from __future__ import annotations

from dataclasses import dataclass

from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact


@dataclass(frozen=True)
class Replay:
    """How far the numbers have moved, and in one sentence what is wrong; empty if all is well."""

    drift: float | None
    problem: str

    @property
    def has_moved(self) -> bool:
        """Whether the version computes other numbers than when it was trained."""
        return self.drift is not None and bool(self.problem)


def replay_golden(version: ModelVersion) -> Replay:
    """Computes the golden forecasts of all its members anew."""
    from registry.model_versions.bundle import BadBundle, Bundle
    from registry.model_versions.golden import TOLERANCE

    try:
        drift = max(member.golden_drift for member in Bundle.from_bytes(version.read()).members)
    except (BadBundle, CorruptArtifact) as error:
        return Replay(None, str(error))
    if drift <= TOLERANCE:
        return Replay(drift, "")
    problem = f"The golden forecast changed by {drift:.2%}: train this model again before using it."
    return Replay(drift, problem)

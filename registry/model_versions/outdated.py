"""Versions in use that an earlier release made, or that learned before the newest sales."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext

from registry.model_versions.models import ModelVersion
from registry.model_versions.staleness import count_newer_days, with_newest_days
from registry.storage.artifacts import CorruptArtifact


@dataclass(frozen=True)
class OutdatedVersion:
    """A version in use that needs a successor, and why."""

    version: ModelVersion
    newer_days: int  # of sales that it has not learned
    is_of_earlier_release: bool

    @property
    def reason_text(self) -> str:
        """One or two sentences."""
        days = ngettext(
            "It has not learned the newest %(count)s day of sales.",
            "It has not learned the newest %(count)s days of sales.",
            self.newer_days,
        )
        sentences = [gettext("An earlier release made it.")] if self.is_of_earlier_release else []
        return " ".join(sentences + ([days % {"count": self.newer_days}] if self.newer_days else []))


def list_outdated(versions: QuerySet[ModelVersion]) -> list[OutdatedVersion]:
    """Those of the versions that need a successor."""
    known = with_newest_days(versions.select_related("model__dataset", "dataset_version"))
    return [found for version in known if (found := check_outdated(version))]


def check_outdated(version: ModelVersion) -> OutdatedVersion | None:
    """Why the version needs a successor; None if it does not."""
    from registry.model_versions.bundle import SCHEMA_VERSION  # imports torch

    found = OutdatedVersion(version, count_newer_days(version), read_schema(version) != SCHEMA_VERSION)
    return found if found.newer_days or found.is_of_earlier_release else None


def read_schema(version: ModelVersion) -> int | None:
    """The schema of the version's file; None if the file cannot be read."""
    from registry.model_versions.bundle import BadBundle, read_head  # imports torch

    try:
        return read_head(version.read()).get("schema")
    except (CorruptArtifact, BadBundle):
        return None

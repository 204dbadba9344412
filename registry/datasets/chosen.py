"""The dataset that a request is about: every page shows one dataset at a time."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.request_values import read_id
from registry.storage.artifacts import Artifact

SESSION_KEY = "dataset"  # id of the dataset that this person looked at last


def chosen_dataset(request: HttpRequest) -> Dataset | None:
    """The dataset of the address, else the one remembered, else the newest; None if there is none."""
    if "dataset" not in vars(request):
        vars(request)["dataset"] = remembered_dataset(request) or newest_dataset()
    return cast(Dataset | None, vars(request)["dataset"])


def remembered_dataset(request: HttpRequest) -> Dataset | None:
    """The dataset that this session looked at last, if it still exists."""
    session = getattr(request, "session", {})
    number = read_id(str(session.get(SESSION_KEY, "")))
    return Dataset.objects.filter(pk=number).first() if number is not None else None


def newest_dataset() -> Dataset | None:
    """The dataset with the newest ready version, else the newest without one."""
    versions = DatasetVersion.objects.filter(state=Artifact.State.READY).select_related("dataset")
    newest = versions.only("dataset").order_by("-created_at").first()
    return newest.dataset if newest else Dataset.objects.order_by("-created_at").first()

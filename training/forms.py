"""The form that starts a training."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.autocomplete import make_code_field, resolve_code, similar_codes
from registry.datasets.models import Dataset, list_codes
from registry.datasets.scope import Scope
from registry.lib.form_fields import NOT_IN_LIST, RowChoiceField, whole_number
from registry.storage.artifacts import Artifact
from training import queue
from training.config_form import build_knob_form, describe_algorithm
from training.estimate import (
    count_held_back,
    estimate_cost,
    list_skipped_methods,
    suggest_budget,
    training_seconds,
)
from training.learning.defaults import BUDGET_CHOICES, required_days
from training.models import TrainingRun

SCOPE_CHOICES = [
    ("global", _("All products, all stores")),
    ("store", _("One store")),
    ("product", _("One product")),
]
COST_FIELDS = ("kind", "algorithm", "budget", "horizon")  # that the cost depends on


def method_choices() -> list[tuple[str, Any]]:
    """Names and translated labels of all algorithms. Imported late: the algorithms import torch."""
    from registry import algorithms

    recommended = {algorithms.AUTO.name: gettext("Automatic (recommended)")}
    return [(name, recommended.get(name) or gettext(label)) for name, label in algorithms.list_choices()]


class TrainForm(forms.Form):
    """What to learn, how, and for how long. `knobs` is the sub-form of the chosen algorithm."""

    form_token = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid.uuid4,
        error_messages={
            "invalid": _("This page is out of date. Reload it and try again."),
            "required": _("This page is out of date. Reload it and try again."),
        },
    )
    dataset = RowChoiceField(
        Dataset.objects.filter(versions__state=Artifact.State.READY).distinct(),
        label=_("Dataset"),
        widget=forms.HiddenInput,  # the one that the page is about
        error_messages={"invalid_choice": NOT_IN_LIST, "required": NOT_IN_LIST},
    )
    kind = forms.ChoiceField(
        label=_("Training scope"),
        choices=SCOPE_CHOICES,
        initial="global",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": NOT_IN_LIST, "required": NOT_IN_LIST},
    )
    store = make_code_field("store", _("Store"), "dataset", help_text=_("Type part of its code or name."))
    product = make_code_field(
        "product",
        _("Product"),
        "dataset",
        help_text=_("Type part of its code or name. Sales in all stores are learned."),
    )
    algorithm = forms.ChoiceField(
        label=_("Method"), choices=method_choices, error_messages={"invalid_choice": NOT_IN_LIST}
    )
    horizon = whole_number(
        _("Days ahead"),
        1,
        settings.MAX_HORIZON,
        initial=28,
        help_text=_("The newest days are held back to test the model."),
    )
    budget = whole_number(_("Training time (seconds)"), 1, settings.MAX_BUDGET, initial=60)
    seed = whole_number(
        _("Seed"),
        0,
        2**31 - 1,
        initial=0,
        help_text=_("The same data, settings and seed give the same results."),
    )

    budget_choices = BUDGET_CHOICES

    def __init__(self, data: QueryDict | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        chosen = (
            data.get("algorithm", "")
            if data
            else self.get_initial_for_field(self.fields["algorithm"], "algorithm")
        )
        chosen = chosen or method_choices()[0][0]
        self.knobs, self.method_description = build_knob_form(chosen, data), describe_algorithm(chosen)
        self.suggested_budget = self._suggest_budget(chosen)
        if "budget" not in self.initial:
            self.initial["budget"] = self.suggested_budget

    def _suggest_budget(self, algorithm: str) -> int:
        """Seconds that suit the method and the size of the data; a minute while these are not known."""
        field: Any = self.fields["dataset"]
        kind, known_kinds = self["kind"].value(), [choice[0] for choice in SCOPE_CHOICES]
        try:
            version = field.clean(self["dataset"].value() or field.queryset.first()).current_version
        except forms.ValidationError:
            version = None
        if version is None or kind not in known_kinds or algorithm not in dict(method_choices()):
            return BUDGET_CHOICES[0]
        return suggest_budget(TrainingRun(dataset_version=version, kind=kind, algorithm=algorithm))

    def is_valid(self) -> bool:
        return bool(super().is_valid()) & self.knobs.is_valid()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        dataset, kind = data.get("dataset"), data.get("kind")
        if dataset and kind in ("store", "product"):
            data[kind] = self.check_scope(dataset, kind, data.get(kind, ""))
        if dataset and data.get("horizon"):
            self.check_history_length(dataset, data["horizon"])
        return data

    def check_scope(self, dataset: Dataset, kind: str, typed: str) -> str:
        """The code for the typed code or name; adds an error when the dataset does not have it."""
        version = dataset.current_version
        known = list_codes(version, kind) if version else []
        code = resolve_code(version, kind, typed) if version else ""
        if version and code not in known:
            values = {
                "dataset": dataset.name,
                "code": f"“{typed}”",
                "near": similar_codes(version, kind, typed, known),
            }
            message = _("{dataset} has no {code}: choose one from the list, like {near}.")
            self.add_error(kind, format_lazy(message, **values))
        return code

    def check_history_length(self, dataset: Dataset, horizon: int) -> None:
        """Adds an error when the dataset has fewer days than a training needs."""
        version, needed = dataset.current_version, required_days(horizon)
        days = (version.last - version.first).days + 1 if version else 0
        if days < needed:
            message = _("{dataset} has {days} days of sales; {horizon} days ahead need at least {needed}.")
            values = {"dataset": dataset.name, "days": days, "horizon": horizon, "needed": needed}
            self.add_error("horizon", format_lazy(message, **values))

    @property
    def scope(self) -> Scope:
        """The scope of a valid form."""
        kind = self.cleaned_data["kind"]
        return Scope(kind, "" if kind == "global" else self.cleaned_data[kind])

    @property
    def estimated_cost(self) -> dict[str, Any]:
        """The estimate for the form as filled in so far; empty while a needed field is invalid."""
        self.is_valid()
        data = getattr(self, "cleaned_data", {})
        known = data.get("dataset") and data["dataset"].current_version
        if not known or not set(COST_FIELDS) <= data.keys() or data["kind"] in self.errors:
            return {}
        run = TrainingRun(dataset_version=known, **{name: data[name] for name in COST_FIELDS})
        cost = estimate_cost(run)
        skipped, enough = list_skipped_methods(run)
        return cost | {
            "training": training_seconds(run, cost),
            "windows": count_held_back(run),
            "horizon": run.horizon,
            "skipped": skipped,
            "enough": enough,
        }

    def enqueue_run(self, user: Any) -> TrainingRun:
        """Queues the run; the same form posted twice gives the same run. Raises ValueError."""
        data = self.cleaned_data
        return queue.enqueue_run(
            data["dataset"].current_version,
            self.scope,
            data["algorithm"],
            config=self.knobs.cleaned_data,
            horizon=data["horizon"],
            budget=data["budget"],
            seed=data["seed"],
            created_by=user,
            form_token=data["form_token"],
        )

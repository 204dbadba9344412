"""Pages that change a dataset as a whole: rename it, pause what needs attention, delete it."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from registry.access.audit import AuditAction, record_action
from registry.access.permissions import permission_required
from registry.datasets.addresses import reverse_on_site
from registry.datasets.deletion import delete_dataset, describe_deletion
from registry.datasets.importer import clean_dataset_name
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.models import Dataset
from registry.lib.http import allow_form_methods, render_confirmation

CHANGE_PERMISSION, DELETE_MODELS_PERMISSION = "registry.change_dataset", "registry.delete_modelversion"


class RenameForm(forms.Form):
    """A new name of a dataset, which no other one has."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("Nightly imports must use the new name from now on."),
    )

    def __init__(self, dataset: Dataset, data: object = None) -> None:
        super().__init__(data, initial={"name": dataset.name})  # type: ignore[arg-type]
        self.dataset = dataset

    def clean_name(self) -> str:
        """A valid and unused name."""
        try:
            name = clean_dataset_name(self.cleaned_data["name"])
        except SalesFileError as problem:
            raise forms.ValidationError(str(problem)) from None
        if Dataset.objects.filter(name=name).exclude(pk=self.dataset.pk).exists():
            raise forms.ValidationError(_("Another dataset has this name."))
        return name

    def save_name(self, by: User) -> None:
        """Renames the dataset and notes it in the audit log."""
        before, name = self.dataset.name, self.cleaned_data["name"]
        if name == before:
            return
        with transaction.atomic():
            self.dataset.name = name
            self.dataset.save(update_fields=["name"])
            record_action(AuditAction.CHANGED, self.dataset, by, f"{before} → {name}")


@allow_form_methods
@permission_required(CHANGE_PERMISSION)
def dataset_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """The form for another name."""
    dataset = get_object_or_404(Dataset, pk=pk)
    form = RenameForm(dataset, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save_name(cast(User, request.user))
        messages.success(request, _("The dataset is called %(name)s now.") % {"name": dataset.name})
        return redirect("dataset", pk)
    return render(request, "datasets/rename.html", {"dataset": dataset, "form": form})


def pause_dataset(dataset: Dataset, is_paused: bool, by: User) -> None:
    """Pauses or resumes the attention list for the dataset, with a note in the audit log."""
    dataset.is_paused = is_paused
    with transaction.atomic():
        dataset.save(update_fields=["is_paused"])
        why = "attention paused" if is_paused else "attention resumed"
        record_action(AuditAction.CHANGED, dataset, by, why)


@require_POST
@permission_required(CHANGE_PERMISSION)
def dataset_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pauses the attention list for the dataset, or resumes it with an empty `pause`."""
    dataset = get_object_or_404(Dataset, pk=pk)
    pause_dataset(dataset, bool(request.POST.get("pause")), cast(User, request.user))
    if dataset.is_paused:
        text = _("%(name)s no longer appears under “Needs your attention”.")
    else:
        text = _("%(name)s appears under “Needs your attention” again.")
    messages.success(request, text % {"name": dataset.name})
    return redirect("dataset", pk)


@allow_form_methods
@permission_required(CHANGE_PERMISSION)
@permission_required(DELETE_MODELS_PERMISSION)
def dataset_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what goes, asks, then deletes the dataset."""
    dataset = get_object_or_404(Dataset, pk=pk)
    try:
        sentence = describe_deletion(dataset)
        if request.method == "POST":
            delete_dataset(dataset, cast(User, request.user))
            messages.success(request, _("Deleted %(name)s with all its files.") % {"name": dataset.name})
            return redirect(reverse_on_site("data"))
    except ValueError as reason:
        messages.error(request, str(reason))
        return redirect("dataset", pk)
    title = _("Delete %(name)s?") % {"name": dataset.name}
    back = reverse("dataset", args=[pk])
    return render_confirmation(request, title, sentence, _("Yes, delete it"), back)

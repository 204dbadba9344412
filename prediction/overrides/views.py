"""Pages of overrides: the list, the form with its preview, one override, and the scorecard."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from prediction.overrides.changing import add_override, withdraw_override
from prediction.overrides.forms import OverrideForm
from prediction.overrides.listing import (
    build_scorecard,
    describe_override,
    list_overrides,
    load_record,
    override_table,
    scorecard_table,
)
from prediction.overrides.models import Override
from prediction.overrides.preview import find_current_run, preview_override
from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.http import HtmxRequest, render_confirmation
from registry.lib.messages import translate_error
from registry.lib.request_values import read_text
from registry.storage.artifacts import CorruptArtifact

PAGE_SIZE = 50
ADD, CHANGE, SCORE = (f"prediction.{verb}_override" for verb in ("add", "change", "score"))


@require_safe
def override_list(request: HttpRequest) -> HttpResponse:
    """The overrides in force, or all of them; also as CSV and Excel."""
    dataset, is_all = chosen_dataset(request), read_text(request.GET, "show") == "all"
    if dataset is None:
        return render(request, "prediction/overrides.html")
    found = list_overrides(dataset, is_all)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("overrides", kind, override_table(dataset, found))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [describe_override(row) for row in page.object_list]
    context = {"page": page, "rows": rows, "is_all": is_all, "run": find_current_run(dataset)}
    return render(request, "prediction/overrides.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ADD)
def override_create(request: HtmxRequest) -> HttpResponse:
    """The form; a look at it shows what the change would do, and only its last button saves it."""
    dataset = chosen_dataset(request)
    if dataset is None or find_current_run(dataset) is None:
        return render(request, "prediction/override_form.html", {"form": None})
    if request.method != "POST":
        form = OverrideForm.from_address(dataset, request.GET)
        return render(request, "prediction/override_form.html", {"form": form})
    form, is_saving = OverrideForm(dataset, request.POST), "save" in request.POST
    context = {"form": form, "is_asked": is_saving or "look" in request.POST}
    context |= look_ahead(form, request.user)
    if is_saving and form.is_valid() and "preview" in context:
        add_override(form.build(request.user), request.user)
        messages.success(request, _("Saved: a new forecast with it is being made."))
        return redirect("overrides")
    part = "prediction/override_form.html#preview" if request.htmx else "prediction/override_form.html"
    return render(request, part, context)


def look_ahead(form: OverrideForm, user: User) -> dict[str, Any]:
    """What the change would do, as soon as everything but the reason is given; adds why it is refused."""
    if not form.is_valid() and form.errors.keys() - {"reason"}:
        return {}
    override = form.build(user)
    try:
        return {"preview": preview_override(override), "record": load_record(override)}
    except (ValueError, CorruptArtifact) as problem:
        form.add_error(None, translate_error(problem))
    return {}


@require_safe
def override_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One override: what it says, and what it did to each run."""
    override = find_override(pk)
    uses = override.uses.filter(run__stage="done").select_related("run__version__model")
    context: dict[str, Any] = {"row": describe_override(override)}
    context["uses"] = uses.order_by("-run__created_at")[:PAGE_SIZE]
    context["may_withdraw"] = override.may_withdraw(request.user)
    return render(request, "prediction/override.html", context)


def find_override(pk: int) -> Override:
    """The override with the rows that its page names; 404 without one."""
    related = ("dataset", "created_by", "withdrawn_by")
    return get_object_or_404(Override.objects.select_related(*related), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def override_withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    """Asks for confirmation, then withdraws the override."""
    override = find_override(pk)
    if override.is_withdrawn:
        messages.error(request, _("This override was withdrawn before."))
        return redirect("override", pk)
    require(override.may_withdraw(request.user), CHANGE)
    if request.method == "POST":
        try:
            withdraw_override(override, request.user)
        except ValueError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, _("Withdrawn: a new forecast without it is being made."))
        return redirect("overrides")
    sentence = _("Forecasts to come leave it out; those made with it stay as they are.")
    back = reverse("override", args=[pk])
    return render_confirmation(request, _("Withdraw this override?"), sentence, _("Yes, withdraw it"), back)


@require_safe
def scorecard_page(request: HtmxRequest) -> HttpResponse:
    """What overrides were worth: one's own, with the permission everybody's; also as CSV and Excel."""
    dataset, is_all = chosen_dataset(request), request.user.has_perm(SCORE)
    if dataset is None:
        return render(request, "prediction/scorecard.html")
    tables = build_scorecard(dataset, None if is_all else request.user.pk)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("scorecard", kind, scorecard_table(tables))
    return render(request, "prediction/scorecard.html", {"tables": tables, "is_all": is_all})

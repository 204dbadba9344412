"""The page that takes files of stock and terms."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from registry.access.permissions import permission_required
from registry.datasets.chosen import chosen_dataset
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.stock.forms import StockFileForm
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.stock.saved_text import describe_saved


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("registry.add_stocksnapshot")
def stock_upload(request: HttpRequest) -> HttpResponse:
    """Imports a file of stock or terms, whole or not at all."""
    posted = request.method == "POST"
    given = (request.POST, request.FILES) if posted else (None, None)
    initial = {"dataset": chosen_dataset(request), **request.GET.dict()}
    form = StockFileForm(given[0], given[1], initial=initial)
    if posted and form.is_valid():
        try:
            saved = form.save_file(cast(User, request.user))
        except AmbiguousValue as question:
            name = question.field_name
            form.add_error(name if name in form.fields else "file", str(question))
        except SalesFileError as problem:
            form.add_error("file", str(problem))
        else:
            messages.success(request, describe_saved(saved))
            return redirect("dataset", form.cleaned_data["dataset"].pk)
    stock = StockSnapshot.objects.select_related("dataset", "created_by").filter(state="ready")[:10]
    return render(request, "datasets/stock.html", {"form": form, "stock": stock})

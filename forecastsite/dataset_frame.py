"""Middleware that makes a dataset the frame of every page: it is in the address, and remembered.

/d/3/models/ is the list of models of dataset 3. The prefix is taken off before the address is resolved and
put before every link of the answer, so that whoever is inside a dataset stays there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from forecastsite.accounts.models import LastDataset
from forecastsite.automation.models import Plan, PlanRun
from prediction.models import Forecast, Override, Scenario
from registry.datasets.addresses import INSIDE, SITE_PREFIX, address_prefix, dataset_prefix
from registry.datasets.chosen import SESSION_KEY, chosen_dataset
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.sources.models import Source
from registry.lib.request_values import read_id, read_uuid
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

View = Callable[[HttpRequest], HttpResponseBase]
Owner = tuple[type[Model], str]  # a kind of row, and the lookup that leads from it to its dataset

# First parts of the addresses that belong to no dataset.
OUTSIDE = {
    "admin",
    "api",
    "keys",
    "language",
    "login",
    "logout",
    "metrics",
    "password",
    "static",
    "storage",
    "webhooks",
    "ws",
}
OF_DATASET: Owner = (Dataset, "pk")
OF_VERSION: Owner = (ModelVersion, "model__dataset")
ROWS: dict[str, Owner] = {  # what the id in an address names, by the first word of the page's name
    "dataset": OF_DATASET,
    "catalogue": OF_DATASET,
    "model": OF_VERSION,
    "run": (TrainingRun, "dataset_version__dataset"),
    "forecast": (Forecast, "dataset_version__dataset"),
    "override": (Override, "dataset"),
    "source": (Source, "dataset"),
    "plan": (Plan, "dataset"),
    "planrun": (PlanRun, "dataset"),
    "scenario": (Scenario, "dataset_version__dataset"),
}


def strip_dataset(get_response: View) -> View:
    """Middleware: takes the dataset off the address and puts it before every link of the answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        parts = INSIDE.fullmatch(request.path_info)
        if parts is None:
            with address_prefix(SITE_PREFIX):
                return get_response(request)
        number, rest = int(parts[1]), parts[2]
        if is_outside(rest):
            return HttpResponse(status=307, headers={"Location": with_query(request, rest)})
        request.path_info, vars(request)["dataset_id"] = rest, number
        with address_prefix(dataset_prefix(number)):
            return get_response(request)

    return middleware


class ChooseDataset:
    """Middleware: finds the dataset of a signed-in request, and leads a browser to its address."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, arguments: list[Any], named: dict[str, Any]
    ) -> HttpResponseBase | None:
        """The dataset of the row in the address, else that of the prefix; 404 for an unknown one."""
        if not request.user.is_authenticated or is_outside(request.path_info):
            return None
        prefixed: int | None = vars(request).get("dataset_id")
        number = find_owner(request, named) or prefixed
        dataset = None if number is None else Dataset.objects.filter(pk=number).first()
        if dataset is not None:
            vars(request)["dataset"] = dataset
        elif prefixed is not None:
            set_script_prefix(SITE_PREFIX)
            raise Http404
        if dataset is not None and dataset.pk == prefixed:
            remember_dataset(request, prefixed)
            return None
        return enter_dataset(request, prefixed)


def enter_dataset(request: HttpRequest, prefixed: int | None) -> HttpResponseRedirect | None:
    """Leads a wrong prefix, and a browser without one, to the same page inside its dataset.

    A form that was sent is handled where it arrives; other programs may leave the dataset out.
    """
    is_reading = request.method in ("GET", "HEAD")
    if prefixed is None and not (is_reading and is_browser_page(request)):
        return None
    dataset = chosen_dataset(request)
    if dataset is None:
        return None
    prefix = dataset_prefix(dataset.pk)
    set_script_prefix(prefix)
    if not is_reading:
        return None
    return HttpResponseRedirect(with_query(request, prefix + request.path_info.removeprefix("/")))


def add_current_dataset(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the dataset that the page is about, looked up only where a template asks."""
    user = getattr(request, "user", None)
    return {"current_dataset": lambda: chosen_dataset(request) if user and user.is_authenticated else None}


def find_owner(request: HttpRequest, named: dict[str, Any]) -> int | None:
    """The dataset of the row that the address names: /models/<id>/, ?dataset=<id>, ?version=<id>."""
    page = (request.resolver_match.url_name or "") if request.resolver_match else ""
    key: Any = named.get("pk")
    if key is not None:
        owner = ROWS.get(page.split("-")[0])
    elif key := read_id(request.GET.get("dataset")):
        owner = OF_DATASET
    elif key := read_uuid(request.GET.get("version") or request.GET.get("v")):
        owner = OF_VERSION
    else:
        return None
    if owner == OF_DATASET and isinstance(key, UUID):
        owner = (DatasetVersion, "dataset")
    if owner is None:
        return None
    kind, path = owner
    number: int | None = kind._default_manager.filter(pk=key).values_list(path, flat=True).first()
    return number


def remember_dataset(request: HttpRequest, number: int) -> None:
    """Where this person goes on who opens an address without a dataset, or signs in again."""
    is_visit = request.method == "GET" and "HX-Request" not in request.headers
    if is_visit and isinstance(request.user, User) and request.session.get(SESSION_KEY) != number:
        request.session[SESSION_KEY] = number
        LastDataset.objects.update_or_create(user=request.user, defaults={"dataset_id": number})


def is_browser_page(request: HttpRequest) -> bool:
    """Whether a browser asks for a whole page."""
    return "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers


def is_outside(path: str) -> bool:
    """Whether the address belongs to the whole site.

    >>> is_outside("/admin/registry/"), is_outside("/models/"), is_outside("/")
    (True, False, False)
    """
    return path.split("/")[1] in OUTSIDE


def with_query(request: HttpRequest, address: str) -> str:
    """The address with the query string of the request."""
    query = request.META.get("QUERY_STRING", "")
    return f"{address}?{query}" if query else address

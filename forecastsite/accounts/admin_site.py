"""The admin site: Django's own, with the product's sign-in page and the permission `registry.open_admin`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditEntry
from registry.access.permissions import require
from registry.lib.admin_groups import build_groups, find_group

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
ADMIN_PERMISSION = "registry.open_admin"
RECENT_ACTIONS = 10


class ForecastAdminSite(AdminSite):
    """Opened by a role instead of the staff flag; a refusal names the role needed."""

    site_header = site_title = _("Sales Forecast")
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user may open the admin."""
        return request.user.is_active and request.user.has_perm(ADMIN_PERMISSION)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """A view that explains a refusal instead of asking for another account."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def checked_view(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            if request.user.is_authenticated:
                require(self.has_permission(request), ADMIN_PERMISSION)
            return guarded(request, *args, **options)

        return cast(View, checked_view)

    def get_urls(self) -> list[Any]:
        """Django's URLs without "view on site", which no model supports."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The tables that the user may see, in groups by what they are about; or one group."""
        groups = build_groups(super().get_app_list(request))
        return [group for group in groups if app_label in (None, group["app_label"])]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The groups, and what this user did last, wherever they did it."""
        mine = AuditEntry.objects.filter(who=request.user.get_username())[:RECENT_ACTIONS]
        return super().index(request, {"recent_actions": mine, **(extra_context or {})})

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """One group; an app without a group of its own leads to the group of its tables."""
        return super().app_index(request, find_group(app_label), extra_context)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirects to the product's sign-in page."""
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

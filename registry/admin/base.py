"""Base classes of the admin: lists that stay fast with 100,000 rows, and rows that users cannot edit."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from registry.access.audit import AuditAction, record_action
from registry.lib.admin_groups import group_context
from registry.lib.request_values import fits_field

MAX_LISTED = 5_000  # rows that one list pages through; filters and the search reach the others


class BoundedPaginator(Paginator[Any]):
    """Counts at most MAX_LISTED rows."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[:MAX_LISTED].count() if isinstance(rows, QuerySet) else len(rows)


class LargeTableAdmin(admin.ModelAdmin[Any]):
    """Lists that never count or scan their whole table; manual changes are audited."""

    paginator = BoundedPaginator
    empty_value_display = "—"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under its own name."""
        title = capfirst(str(self.opts.verbose_name_plural))
        context = {"title": title, **group_context(self.opts), **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        context.update(group_context(self.opts))
        if row := options.get("obj"):
            context["subtitle"] = self.get_row_title(row)
        return super().render_change_form(request, context, *args, **options)

    def get_row_title(self, row: Any) -> str:
        """What the pages about one row call it."""
        return str(row)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {**group_context(self.opts), **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; filters that the database cannot hold are refused as unknown ones are."""
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, DataError) as problem:
            raise IncorrectLookupParameters(str(problem)) from problem

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **options: Any
    ) -> Any:
        """Performs an action on the selected rows; whatever cannot be an id is not selected."""
        posted: Any = request.POST.copy()
        selected = posted.getlist(ACTION_CHECKBOX_NAME)
        posted.setlist(ACTION_CHECKBOX_NAME, [text for text in selected if fits_field(self.opts.pk, text)])
        request.POST = posted
        return super().response_action(request, queryset, *args, **options)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_action(AuditAction.CHANGED, obj, self.get_signed_in_user(request), str(message))
        return super().log_change(request, obj, message)

    def get_signed_in_user(self, request: HttpRequest) -> Any:
        """The signed-in user; the admin has no anonymous ones."""
        return request.user


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows written by the product; users change them only through confirmed actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def yes_or_dash(is_so: bool) -> str:
    """What a column says instead of a red cross for the usual case."""
    return gettext("Yes") if is_so else "—"


def format_json(value: Any) -> SafeString:
    """Indented JSON in a <pre>, with decimals as short as pages show them."""
    text = json.dumps(round_decimals(value), indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre tabindex="0">{}</pre>', text)


def round_decimals(value: Any) -> Any:
    """The value with its decimals, however deep, to four digits; large ones keep one decimal place.

    >>> round_decimals({"wape": 0.16734523, "days": 28, "errors": [1234.5678, 0.0]})
    {'wape': 0.1673, 'days': 28, 'errors': [1234.6, 0.0]}
    """
    if isinstance(value, float):
        return round(value, 1) if abs(value) >= 1000 else float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: round_decimals(part) for name, part in value.items()}
    return [round_decimals(part) for part in value] if isinstance(value, list) else value

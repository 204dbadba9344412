"""The admin's way down from years to days, without reading the whole table as the stock one does."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

register = template.Library()


def to_local_day(value: date | datetime) -> date:
    """The day where the site is."""
    if isinstance(value, datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return value


def find_date_span(cl: ChangeList) -> tuple[date, date] | None:
    """First and last day of what is listed: two steps along the index."""
    field = str(cl.date_hierarchy)
    rows = cl.queryset.filter(**{f"{field}__isnull": False}).values_list(field, flat=True)
    first, last = rows.order_by(field).first(), rows.order_by(f"-{field}").first()
    return (to_local_day(first), to_local_day(last)) if first and last else None


@register.inclusion_tag("admin/date_hierarchy.html")
def date_hierarchy_links(cl: ChangeList) -> dict[str, Any]:
    """Links to the years, months or days between the first and the last row; some may hold none."""
    field, span = str(cl.date_hierarchy), find_date_span(cl)
    if span is None:
        return {"show": False}
    parts = ("year", "month", "day")
    given = [int(cl.params[f"{field}__{part}"]) for part in parts if f"{field}__{part}" in cl.params]
    chosen = list(given)
    if not given and span[0].year == span[1].year:
        given = [span[0].year]

    def build_link(*numbers: int) -> str:
        filters = {f"{field}__{part}": number for part, number in zip(parts, numbers, strict=False)}
        return str(cl.get_query_string(filters, [f"{field}__"]))

    return {
        "show": True,
        "back": build_back_link(chosen, build_link),
        "choices": build_choices(given, span, build_link),
    }


def build_choices(given: list[int], span: tuple[date, date], link: Any) -> list[dict[str, str]]:
    """The next step down."""
    first, last = span
    if len(given) == 3:
        return [{"title": format_date_title(date(*given), "MONTH_DAY_FORMAT")}]
    if len(given) == 2:
        year, month = given
        days = (date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1))
        found = [day for day in days if first <= day <= last]
        return [
            {"link": link(year, month, d.day), "title": format_date_title(d, "MONTH_DAY_FORMAT")}
            for d in found
        ]
    if len(given) == 1:
        months = (date(given[0], month, 1) for month in range(1, 13))
        found = [day for day in months if first.replace(day=1) <= day <= last]
        return [
            {"link": link(d.year, d.month), "title": format_date_title(d, "YEAR_MONTH_FORMAT")} for d in found
        ]
    return [{"link": link(year), "title": str(year)} for year in range(first.year, last.year + 1)]


def build_back_link(given: list[int], link: Any) -> dict[str, str] | None:
    """The step up; none from the top."""
    if not given:
        return None
    if len(given) == 1:
        return {"link": link(), "title": _("All dates")}
    title = str(given[0]) if len(given) == 2 else format_date_title(date(*given), "YEAR_MONTH_FORMAT")
    return {"link": link(*given[:-1]), "title": title}


def format_date_title(day: date, pattern: str) -> str:
    return capfirst(formats.date_format(day, pattern))

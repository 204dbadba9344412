"""Values of columns in words: in lists, and in the filters beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _

from registry.labels import algorithm_label, table_label


def scope_kind_label(kind: str) -> str:
    """What models of that kind of scope cover."""
    words = {"global": _("all products, all stores"), "store": _("one store"), "product": _("one product")}
    return words.get(kind, kind)


class LabelFilter(admin.AllValuesFieldListFilter):
    """The values of a column, each by its label."""

    @staticmethod
    def label(value: str, /) -> str:
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        values = {str(value) for value in self.lookup_choices}
        for choice in super().choices(changelist):
            text = str(choice["display"])
            yield {**choice, "display": self.label(text) if text in values else text}


class ScopeFilter(LabelFilter):
    label = staticmethod(scope_kind_label)


class AlgorithmFilter(LabelFilter):
    label = staticmethod(algorithm_label)


class TableFilter(LabelFilter):
    label = staticmethod(table_label)

"""The catalog: stores and products of a dataset with their key figures."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class ItemQuerySet(models.QuerySet["Item"]):
    """Queries and updates of the catalog."""

    def replace_all(self, dataset: int, items: list[dict[str, Any]]) -> None:
        """Replaces the catalog of a dataset by that of its new current version."""
        self.filter(dataset_id=dataset).delete()
        self.bulk_create([Item(dataset_id=dataset, **item) for item in items], batch_size=500)

    def search(self, words: str) -> ItemQuerySet:
        """Items with all the words in their code, name or category."""
        items = self
        for word in words.replace("\0", " ").split()[:5]:  # databases reject NUL
            items = items.filter(
                models.Q(code__icontains=word)
                | models.Q(name__icontains=word)
                | models.Q(category__icontains=word)
            )
        return items


class Item(models.Model):
    """A store or product of a dataset's current version with its key figures."""

    class Kind(models.TextChoices):
        STORE = "store", _("store")
        PRODUCT = "product", _("product")

    dataset = models.ForeignKey(
        "registry.Dataset", models.CASCADE, related_name="items", verbose_name=_("dataset")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    code = models.CharField(_("code"), max_length=100)
    name = models.CharField(_("name"), max_length=200, blank=True)
    category = models.CharField(_("category"), max_length=200, blank=True)
    first = models.DateField(_("first sale"), null=True)
    last = models.DateField(_("last sale"), null=True)
    total = models.FloatField(_("units"), default=0)
    zeros = models.FloatField(_("share of days without a sale"), default=0)
    weeks = models.JSONField(_("units of the last weeks"), default=list)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("store or product")
        verbose_name_plural = _("stores and products")
        ordering = ["-total", "code"]
        constraints = [models.UniqueConstraint(fields=["dataset", "kind", "code"], name="one_item_per_code")]
        indexes = [models.Index(fields=["dataset", "kind", "-total"], name="items_by_total")]

    def __str__(self) -> str:
        return self.name or self.code

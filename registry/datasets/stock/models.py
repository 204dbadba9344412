"""Stock as it was counted, and the terms by which products are ordered."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, gettext_lazy

from registry.datasets.models import Dataset
from registry.storage.artifacts import Artifact

_ = gettext_lazy
AT_LEAST_0 = [MinValueValidator(0.0)]


class StockSnapshot(Artifact):
    """The stock of a dataset's stores on the evening of one day; its file holds the rows as parquet."""

    KIND, FOLDER, SUFFIX = "stock_snapshot", "stock", ".parquet"

    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="stock_snapshots", verbose_name=_("dataset")
    )
    as_of = models.DateField(_("counted on"))
    rows = models.PositiveIntegerField(_("rows"), default=0)
    below_zero = models.PositiveIntegerField(_("rows below 0"), default=0)
    unknown = models.PositiveIntegerField(_("rows of unknown stores or products"), default=0)
    file = models.CharField(_("file"), max_length=200, blank=True)
    file_sha256 = models.CharField(_("hash of the file"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        ordering = ["-as_of", "-created_at"]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.as_of}"

    def removal_blocker(self) -> str:
        """One sentence on why it must stay, or an empty string."""
        fields = self._meta.get_fields(include_hidden=True)
        relations: list[Any] = [one for one in fields if getattr(one, "on_delete", None) is models.PROTECT]
        for one in relations:
            if (
                one.auto_created
                and one.related_model._default_manager.filter(**{one.field.name: self}).exists()
            ):
                return gettext("Orders were made from %(name)s.") % {"name": self}
        return ""


def latest_stock(dataset: Dataset) -> StockSnapshot | None:
    """The newest stock of a dataset."""
    return StockSnapshot.objects.filter(dataset=dataset, state=Artifact.State.READY).first()


def require_weekdays(text: str) -> None:
    """Raises ValidationError unless the text is empty or weekdays such as 1,4."""
    if text and not re.fullmatch("[1-7](,[1-7])*", text):
        raise ValidationError(gettext("Write weekdays as 1, Monday, to 7, Sunday, such as 1,4."))


def require_days(text: str) -> None:
    """Raises ValidationError unless the text is days such as 2026-12-25 with spaces between them."""
    try:
        is_wrong = any(parse_date(day) is None for day in text.split())
    except ValueError:
        is_wrong = True
    if is_wrong:
        raise ValidationError(gettext("Write days as 2026-12-25, with spaces between them."))


class Terms(models.Model):
    """How products are ordered: of one, of a category or supplier, or of all; empty fields are left open.

    The closest level counts for each field: product, category, supplier, all.
    """

    class Level(models.TextChoices):
        ALL = "all", _("everything")
        SUPPLIER = "supplier", _("supplier")
        CATEGORY = "category", _("category")
        PRODUCT = "product", _("product")

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="terms", verbose_name=_("dataset"))
    level = models.CharField(_("for"), max_length=10, choices=Level, default=Level.PRODUCT)
    key = models.CharField(
        _("code or name"), max_length=120, blank=True, help_text=_("Empty for everything.")
    )
    supplier = models.CharField(_("supplier"), max_length=120, blank=True)
    lead_days = models.PositiveSmallIntegerField(
        _("lead days"), null=True, blank=True, help_text=_("From the order to the shelf.")
    )
    review_days = models.PositiveSmallIntegerField(
        _("days between orders"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    weekdays = models.CharField(
        _("order weekdays"),
        max_length=20,
        blank=True,
        validators=[require_weekdays],
        help_text=_("1 is Monday, 7 Sunday, such as 1,4; they count instead of the days between orders."),
    )
    shut_days = models.TextField(
        _("days on which the supplier is shut"),
        blank=True,
        validators=[require_days],
        help_text=_("Such as 2026-12-25, with spaces between them."),
    )
    pack = models.FloatField(
        _("units in a pack"), null=True, blank=True, validators=[MinValueValidator(0.001)]
    )
    min_order = models.FloatField(_("minimum order"), null=True, blank=True, validators=AT_LEAST_0)
    shelf_min = models.FloatField(_("shelf minimum"), null=True, blank=True, validators=AT_LEAST_0)
    shelf_max = models.FloatField(_("shelf maximum"), null=True, blank=True, validators=AT_LEAST_0)
    shelf_life = models.PositiveSmallIntegerField(
        _("shelf life in days"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    unit_cost = models.FloatField(_("unit cost"), null=True, blank=True, validators=AT_LEAST_0)
    price = models.FloatField(_("price"), null=True, blank=True, validators=AT_LEAST_0)
    holding_cost = models.FloatField(
        _("holding cost of a unit and day"), null=True, blank=True, validators=AT_LEAST_0
    )
    waste_cost = models.FloatField(_("waste cost of a unit"), null=True, blank=True, validators=AT_LEAST_0)
    service_level = models.FloatField(
        _("service level"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.999)],
        help_text=_("Such as 0.95; instead of the level of the policy."),
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        ordering = ["dataset", "level", "key"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "level", "key"], name="one_row_of_terms_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} {self.key}".strip()

    def clean(self) -> None:
        """Refuses a key for everything, none for the rest, and shelf limits that exclude each other."""
        if (self.level == self.Level.ALL) == bool(self.key):
            raise ValidationError(
                {"key": gettext("Leave it empty for everything; else enter a code or name.")}
            )
        if None not in (self.shelf_min, self.shelf_max) and (self.shelf_min or 0) > (self.shelf_max or 0):
            raise ValidationError({"shelf_max": gettext("The shelf maximum is below the shelf minimum.")})

"""OrderBacktest: weeks of the own past ordered anew, by our policy and by the rule of today."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from prediction.order_runs.models import OrderPolicy
from prediction.orders.backtest import OwnRule
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.leases import LeasedJob, LeasedJobQuerySet

DAYS = [MinValueValidator(1.0), MaxValueValidator(365.0)]


class OrderBacktest(LeasedJob):
    """A back-test: what was asked, its lease, and its result (see `prediction.orders.backtest`)."""

    class Rule(models.TextChoices):
        COVER = "cover", _("up to so many days of average sales")
        MINMAX = "minmax", _("below the least days up to the most days")
        WEEKS = "weeks", _("what the last four weeks sold")

    JOB = "forecastsite.tasks.run_order_backtest"
    QUEUE = "training"  # it learns for minutes, and would keep short jobs waiting
    LOST_TWICE = gettext_noop(
        "The back-test lost its process twice. Check the server log, then start it again."
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="order_backtests", verbose_name=_("dataset")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="order_backtests", verbose_name=_("dataset version")
    )
    policy = models.ForeignKey(
        OrderPolicy, models.PROTECT, related_name="order_backtests", verbose_name=_("order policy")
    )
    weeks = models.PositiveSmallIntegerField(
        _("weeks"), default=12, validators=[MinValueValidator(4), MaxValueValidator(52)]
    )
    lead_days = models.PositiveSmallIntegerField(
        _("lead days"), default=3, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    review_days = models.PositiveSmallIntegerField(
        _("days between orders"), default=7, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    rule = models.CharField(_("own rule"), max_length=10, choices=Rule, default=Rule.COVER)
    least = models.FloatField(_("days"), default=14, validators=DAYS)
    most = models.FloatField(_("up to days"), default=21, validators=DAYS)
    algorithm = models.CharField(_("algorithm"), max_length=40)
    config = models.JSONField(_("settings"), default=dict, blank=True)
    budget = models.PositiveIntegerField(
        _("seconds to learn"), default=60, validators=[MinValueValidator(1), MaxValueValidator(1800)]
    )
    form_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    result = models.JSONField(_("result"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), default=0)

    objects = LeasedJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("back-test of orders")
        verbose_name_plural = _("back-tests of orders")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.weeks}"

    @classmethod
    def is_any_running(cls) -> bool:
        """Whether one keeps a worker of the trainings busy."""
        return cls.objects.filter(stage=cls.Stage.RUNNING).exists()

    @property
    def own_rule(self) -> OwnRule:
        """The rule of today as the replay takes it."""
        return OwnRule(self.rule, self.least, self.most)  # type: ignore[arg-type]

    @property
    def replay_days(self) -> int:
        """Days of the past that are ordered anew."""
        return int(self.weeks * 7 + self.lead_days - 1)

"""Orders as rows: a run is frozen; what people change, approve and export stands beside its file."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from prediction.orders.classes import ClassPolicies
from prediction.orders.terms import Policy
from prediction.runs.models import ForecastRun
from registry.access.permissions import PERSON_FIELD, Person, is_owner
from registry.datasets.models import Dataset
from registry.datasets.stock.models import StockSnapshot
from registry.lib.events import announce_end
from registry.lib.leases import LeasedJob, LeasedJobQuerySet
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact


class OrderPolicy(models.Model):
    """How much is enough, for each class of products; never changed: the newest of a dataset counts."""

    class Kind(models.TextChoices):
        CYCLE = "cycle", _("share of order cycles without a lost sale")
        FILL = "fill", _("share of units sold from stock")
        COST = "cost", _("lowest expected cost")

    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="order_policies", verbose_name=_("dataset")
    )
    number = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("aim"), max_length=10, choices=Kind, default=Kind.CYCLE)
    level = models.FloatField(
        _("service level"), default=0.95, validators=[MinValueValidator(0.5), MaxValueValidator(0.999)]
    )
    classes = models.JSONField(_("by class"), default=dict, blank=True)  # {"AX": [kind, level]}
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("created by"), **PERSON_FIELD)

    class Meta:
        verbose_name = _("order policy")
        verbose_name_plural = _("order policies")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="one_policy_of_a_number"),
        ]

    def __str__(self) -> str:
        return gettext("policy %(number)s of %(dataset)s") % {"number": self.number, "dataset": self.dataset}

    def to_policies(self) -> ClassPolicies:
        """The policy as the arithmetic takes it."""
        by_class = {name: Policy(kind, level) for name, (kind, level) in self.classes.items()}
        return ClassPolicies(Policy(self.kind, self.level), by_class)  # type: ignore[arg-type]


def current_policy(dataset: Dataset) -> OrderPolicy:
    """The newest policy; the first one is made when somebody needs it."""
    found = OrderPolicy.objects.filter(dataset=dataset).first()
    return found or OrderPolicy.objects.get_or_create(dataset=dataset, number=1)[0]


def add_policy(policy: OrderPolicy) -> OrderPolicy:
    """Saves a policy as the newest of its dataset."""
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=policy.dataset_id)
        policy.number = current_policy(policy.dataset).number + 1
        policy.save(force_insert=True)
    return policy


class OrderRunQuerySet(LeasedJobQuerySet["OrderRun"]):
    """Filters over order runs."""

    def done(self) -> OrderRunQuerySet:
        return self.filter(stage=OrderRun.Stage.DONE, state=Artifact.State.READY)

    def of_dataset(self, dataset: Dataset | None) -> OrderRunQuerySet:
        """The orders of a dataset, newest first, with the rows that pages name."""
        related = ("forecast_run__version", "stock", "policy", "created_by")
        return self.filter(dataset=dataset).select_related(*related).order_by("-created_at")


class OrderRun(LeasedJob, ArchivableArtifact):
    """An order of everything: forecast run x stock x terms x policy; its file is the table of all lines."""

    class Source(models.TextChoices):
        PAGE = "page", _("page")
        COMMAND = "command", _("command")
        API = "api", _("API")
        PLAN = "plan", _("schedule")

    KIND, FOLDER, SUFFIX = "order_run", "order_runs", ".parquet"
    JOB = "prediction.tasks.make_order_run"
    LOST_TWICE = gettext_noop("The order lost its process twice. Check the server log, then start it again.")

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="order_runs", verbose_name=_("dataset"))
    forecast_run = models.ForeignKey(
        ForecastRun, models.PROTECT, related_name="order_runs", verbose_name=_("forecast run")
    )
    stock = models.ForeignKey(
        StockSnapshot, models.PROTECT, related_name="order_runs", verbose_name=_("stock")
    )
    policy = models.ForeignKey(
        OrderPolicy, models.PROTECT, related_name="order_runs", verbose_name=_("order policy")
    )
    previous = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("order before")
    )
    max_stock_age = models.PositiveSmallIntegerField(_("days that the stock may be older"), default=3)
    source = models.CharField(_("made from"), max_length=10, choices=Source, default=Source.PAGE)
    form_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("made by"), **PERSON_FIELD)
    # outcome
    lines = models.PositiveIntegerField(_("lines"), default=0)
    ordered = models.PositiveIntegerField(_("lines to order"), default=0)
    units = models.FloatField(_("units"), default=0)
    money = models.FloatField(_("cost"), default=0)
    notes = models.JSONField(_("notes"), default=dict, blank=True)  # {code: number of lines}
    terms_sha256 = models.CharField(_("hash of the terms"), max_length=64, blank=True)
    seconds = models.FloatField(_("seconds"), default=0)
    revision = models.PositiveIntegerField(default=0, editable=False)  # grows with every change of a line

    objects = OrderRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("order run")
        verbose_name_plural = _("order runs")
        ordering = ["-created_at"]
        permissions = [("approve_orderrun", "Can approve orders")]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.stock.as_of}"

    @property
    def maker(self) -> str:
        """Who made it: a user's name, else what caused it."""
        return str(self.created_by or self.get_source_display())

    @property
    def has_signed_lines(self) -> bool:
        """Whether somebody has approved any of its lines."""
        return self.line_states.exclude(state=OrderLine.State.DRAFT).exists()

    def may_delete(self, user: Person) -> bool:
        """With the permission any, else an own one of which nothing was approved."""
        own = is_owner(user, self, "prediction.add_orderrun")
        return user.has_perm("prediction.delete_orderrun") or (own and not self.has_signed_lines)

    def deletion_notice(self) -> str:
        """Also says that lines were approved; raises ValueError if it must not be deleted."""
        sentence = super().deletion_notice()
        if not self.has_signed_lines:
            return sentence
        return " ".join(
            [sentence, gettext("Some of its lines were approved: only the log will tell of them.")]
        )

    def finish(self, **outcome: Any) -> bool:
        """Marks the order done, its file being whole; False if this attempt has lost it."""
        with transaction.atomic():
            facts = {"state": self.State.READY, "size": self.size, "sha256": self.sha256}
            is_mine = super().finish(**facts, **outcome)
            if is_mine:
                announce_end(self)
        return is_mine


class OrderExport(models.Model):
    """A file of approved lines for a supplier, or for all; one that repeats another has a reason."""

    run = models.ForeignKey(OrderRun, models.CASCADE, related_name="exports", verbose_name=_("order run"))
    supplier = models.CharField(_("supplier"), max_length=120, blank=True)  # empty: all
    suffix = models.CharField(_("file type"), max_length=5)
    lines = models.PositiveIntegerField(_("lines"), default=0)
    units = models.FloatField(_("units"), default=0)
    repeats = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="repeated_by", verbose_name=_("again")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    form_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), **PERSON_FIELD)

    class Meta:
        verbose_name = _("export of an order")
        verbose_name_plural = _("exports of orders")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.run} · {self.supplier}".removesuffix(" · ")


class OrderLine(models.Model):
    """What people did with a line; one without a row is a draft with the quantity of the file."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPROVED = "approved", _("approved")
        EXPORTED = "exported", _("exported")

    run = models.ForeignKey(OrderRun, models.CASCADE, related_name="line_states", verbose_name=_("order run"))
    place = models.PositiveIntegerField(_("line"))  # in the file, from 0
    store = models.CharField(_("store"), max_length=100)
    product = models.CharField(_("product"), max_length=100)
    quantity = models.FloatField(_("quantity"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("approved by"), **PERSON_FIELD)
    export = models.ForeignKey(
        OrderExport,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="line_rows",
        verbose_name=_("export"),
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["run", "place"]
        constraints = [models.UniqueConstraint(fields=["run", "place"], name="one_row_of_an_order_line")]

    def __str__(self) -> str:
        return f"{self.store} · {self.product}"


class OrderEdit(models.Model):
    """A quantity that somebody changed, and why."""

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="edits", verbose_name=_("order line"))
    before = models.FloatField(_("before"))
    after = models.FloatField(_("after"))
    reason = models.CharField(_("reason"), max_length=300)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("who"), **PERSON_FIELD)

    class Meta:
        verbose_name = _("change of an order line")
        verbose_name_plural = _("changes of order lines")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.line}: {self.before:g} → {self.after:g}"

"""Deletes a dataset with everything made from it: models, forecasts, versions of its sales, uploads."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.uploads import Upload
from registry.lib.formatting import format_whole_number, join_names
from registry.storage.tombstones import BY_HAND, WITH_ITS_SOURCE


def describe_deletion(dataset: Dataset) -> str:
    """What goes with the dataset, in sentences; raises ValueError when something must stay."""
    require_deletable(dataset)
    versions = dataset.versions.all()
    models = sum(model.versions.count() for model in dataset.models.all())
    forecasts = sum(version.forecasts.count() for version in versions)
    sizes = (rows.aggregate(total=Sum("size"))["total"] or 0 for rows in (versions, dataset.parts))
    size = filesizeformat(sum(sizes))
    counts = [
        (
            len(versions),
            ngettext("%(count)s version of its sales", "%(count)s versions of its sales", len(versions)),
        ),
        (models, ngettext("%(count)s trained model", "%(count)s trained models", models)),
        (forecasts, ngettext("%(count)s forecast", "%(count)s forecasts", forecasts)),
    ]
    parts = [text % {"count": format_whole_number(count)} for count, text in counts if count]
    sentence = _(
        "This will be deleted permanently, with all files (sales: %(size)s): %(parts)s. It cannot be undone."
    )
    return sentence % {"size": size, "parts": join_names(parts)}


def require_deletable(dataset: Dataset) -> None:
    """Raises ValueError while a training runs or a version or forecast is pinned."""
    for version in dataset.versions.all():
        for find_blocker in DatasetVersion.removal_checks:
            if blocker := find_blocker(version):
                raise ValueError(blocker)
        if version.forecasts.filter(pinned=True).exists():
            raise ValueError(_("One of its forecasts is pinned: unpin it first."))
    for model in dataset.models.all():
        if model.versions.filter(pinned=True).exists():
            raise ValueError(_("One of its models is pinned: unpin it first."))


def delete_dataset(dataset: Dataset, by: AbstractBaseUser | None = None) -> None:
    """Deletes rows and files. Safe to repeat after a crash: what is left can be deleted in the same way."""
    require_deletable(dataset)
    for version in dataset.versions.all():  # first, so that nobody trains or forecasts from here on
        version.mark_for_deletion(BY_HAND, by)
    for model in dataset.models.all():
        type(model).objects.filter(pk=model.pk).update(best=None)
        for learned in model.versions.all():
            learned.remove(WITH_ITS_SOURCE, by)
    for version in dataset.versions.all():
        version.remove(BY_HAND, by)
    for part in dataset.parts.all():  # of an import that was interrupted
        part.remove(WITH_ITS_SOURCE, by)
    for stock in dataset.stock_snapshots.all():
        stock.remove(WITH_ITS_SOURCE, by)
    for upload in Upload.objects.filter(dataset=dataset):
        upload.delete_with_files()
    record_action(AuditAction.DELETED, dataset, by)
    dataset.delete()

"""What curators and operators do to artifacts in the admin: each says before what it will do, and refuses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from registry import archive
from registry.actions import Action, Asked
from registry.audit import Act, record
from registry.keeping import Keepable
from registry.models import DatasetVersion, ModelVersion
from registry.tombstones import BY_HAND

CURATE, SHELF = "registry.change_modelversion", "registry.archive_modelversion"


def is_ready(row: Any) -> None:
    """Raises ValueError unless the row's content can be had."""
    if row.state != row.State.READY:
        raise ValueError(gettext("%(name)s is not ready.") % {"name": row})


class Promote(Action):
    name, label, permission, wants_reason = "promote", _("Put in use"), CURATE, True

    def plan(self, row: ModelVersion) -> str:
        is_ready(row)
        if row.is_best:
            raise ValueError(gettext("It is in use already."))
        best, verdict = row.model.best, row.verdict
        words = gettext("Nothing is in use yet for %(model)s.") % {"model": row.model}
        if best is not None:
            words = gettext("It takes the place of %(name)s.") % {"name": best}
        if verdict is not None and verdict.kind == verdict.Kind.KEPT_BACK:
            words = f"{words} {gettext('After its test it was not put in use:')} {verdict.sentence}"
        return words

    def do(self, row: ModelVersion, asked: Asked) -> None:
        row.promote(asked.reason, asked.by)


class RollBack(Action):
    name, label, permission = "roll_back", _("Go back to the version before"), CURATE

    def plan(self, row: ModelVersion) -> str:
        if not row.is_best:
            raise ValueError(gettext("It is not in use: choose the version that is."))
        before = row.model.before
        if before is None:
            raise ValueError(gettext("There is no earlier version to go back to."))
        return gettext("%(name)s is in use again in its place.") % {"name": before}

    def do(self, row: ModelVersion, asked: Asked) -> None:
        row.model.roll_back(asked.by)


class Pin(Action):
    name, label, permission = "pin", _("Pin"), CURATE

    def plan(self, row: Keepable) -> str:
        is_ready(row)
        if row.pinned:
            raise ValueError(gettext("It is pinned already."))
        return gettext("No clean-up takes it until it is unpinned.")

    def do(self, row: Keepable, asked: Asked) -> None:
        with transaction.atomic():
            row.pin()
            record(Act.PINNED, row, asked.by)


class Unpin(Action):
    name, label, permission = "unpin", _("Unpin"), CURATE

    def plan(self, row: Keepable) -> str:
        if not row.pinned:
            raise ValueError(gettext("It is not pinned."))
        return gettext("The next clean-up may take it.")

    def do(self, row: Keepable, asked: Asked) -> None:
        with transaction.atomic():
            row.unpin()
            record(Act.UNPINNED, row, asked.by)


class Archive(Action):
    name, label, permission = "archive", _("Move the file to the archive"), SHELF

    def plan(self, row: Keepable) -> str:
        is_ready(row)
        if not archive.has_archive():
            raise ValueError(gettext("There is no archive: set ARCHIVE_STORE."))
        if row.archived:
            raise ValueError(gettext("It is in the archive already."))
        if why := row.hold():
            raise ValueError(why)
        words = {"size": filesizeformat(row.size), "address": archive.address(row.path)}
        return (
            gettext("Its file of %(size)s moves to %(address)s; using it later takes a moment longer.")
            % words
        )

    def do(self, row: Keepable, asked: Asked) -> None:
        row.archive()
        record(Act.ARCHIVED, row, asked.by)


class Restore(Action):
    name, label, permission = "restore", _("Bring the file back from the archive"), SHELF

    def plan(self, row: Keepable) -> str:
        if not row.archive_address:
            raise ValueError(gettext("It is not in the archive."))
        if not row.archived and row.state == row.State.READY:
            raise ValueError(gettext("Its file is here."))
        words = {"size": filesizeformat(row.size), "address": row.archive_address}
        return gettext("Its file of %(size)s comes back from %(address)s.") % words

    def do(self, row: Keepable, asked: Asked) -> None:
        row.restore()
        record(Act.RESTORED, row, asked.by)


class Delete(Action):
    """Row and file go; a stone and the audit stay."""

    name, label, deletes = "delete_with_file", _("Delete with the file"), True

    def plan(self, row: Any) -> str:
        if row.pinned:
            raise ValueError(gettext("%(name)s is pinned: unpin it first.") % {"name": row})
        return gettext("It and its file of %(size)s go for good.") % {"size": filesizeformat(row.size)}

    def do(self, row: Any, asked: Asked) -> None:
        row.remove(BY_HAND, asked.by)


class DeleteVersion(Delete):
    permission = "registry.delete_modelversion"

    def plan(self, row: Any) -> str:
        words = [super().plan(row)]
        made, pinned = row.forecasts.count(), row.forecasts.filter(pinned=True).count()
        if pinned:
            words_pinned = ngettext(
                "%(count)s pinned forecast was made with it: unpin it first.",
                "%(count)s pinned forecasts were made with it: unpin them first.",
                pinned,
            )
            raise ValueError(words_pinned % {"count": pinned})
        if made:
            forecasts = ngettext(
                "%(count)s forecast made with it goes as well.",
                "%(count)s forecasts made with it go as well.",
                made,
            )
            words.append(forecasts % {"count": made})
        return " ".join([*words, *self.heir(row)])

    def heir(self, row: ModelVersion) -> list[str]:
        """What comes into use in its place."""
        if not row.is_best:
            return []
        heir = row.model.heir
        if heir is None:
            return [gettext("No version of %(model)s is in use then.") % {"model": row.model}]
        return [gettext("It is in use; %(name)s takes its place.") % {"name": heir}]

    def do(self, row: Any, asked: Asked) -> None:
        row.retire(BY_HAND, asked.by)


class DeleteData(Action):
    """A version of a dataset that nothing was learned from."""

    name, label, deletes = "delete_with_file", _("Delete with the file"), True
    permission: ClassVar[str] = "registry.add_datasetversion"

    def plan(self, row: DatasetVersion) -> str:
        if row.model_versions.exists():
            raise ValueError(gettext("Models learned from it: delete them first."))
        if row.runs.filter(state__in=["queued", "running"]).exists():
            raise ValueError(gettext("A training is learning from it: wait for its end, or stop it."))
        if row.dataset.current == row:
            raise ValueError(gettext("It is the current version: go back to another one first."))
        return gettext("It and its file of %(size)s go for good.") % {"size": filesizeformat(row.size)}

    def do(self, row: DatasetVersion, asked: Asked) -> None:
        with transaction.atomic():
            row.lock()
            self.plan(row)
            row.condemn(BY_HAND, asked.by)
        row.remove(BY_HAND, asked.by)


KEEPING = [Pin(), Unpin(), Archive(), Restore()]

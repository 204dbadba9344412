"""What curators and operators do to artifacts in the admin: each says before what it will do, and refuses."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.access.audit import Act, record
from registry.admin.actions import Action, Asked
from registry.storage import archive
from registry.storage.archivable import Keepable
from registry.storage.tombstones import BY_HAND

CURATE, SHELF = "registry.change_modelversion", "registry.archive_modelversion"


def is_ready(row: Any) -> None:
    """Raises ValueError unless the row's content can be had."""
    if row.state != row.State.READY:
        raise ValueError(gettext("%(name)s is not ready.") % {"name": row})


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
        return str(row.deletion_notice())

    def do(self, row: Any, asked: Asked) -> None:
        row.remove(BY_HAND, asked.by)


KEEPING = [Pin(), Unpin(), Archive(), Restore()]

"""The form of a source."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditAction, record_action
from registry.datasets.forms import DATE_ORDER_CHOICES, DECIMAL_CHOICES
from registry.datasets.models import Dataset
from registry.datasets.sources import bucket, folder
from registry.datasets.sources.models import Source
from registry.lib.form_fields import NOT_A_NUMBER
from registry.lib.messages import translate_error

FIELDS = ("name", "kind", "place", "address", "pattern", "mode", "needs_marker", "max_lost")


class SourceForm(forms.ModelForm[Source]):
    """Where files arrive, what they hold, and how they are read where they do not say so themselves."""

    columns = forms.CharField(
        label=_("Columns"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Only where names are not recognised: ours=theirs, one a line, such as sales=qty. Columns that "
            "somebody matched are remembered."
        ),
    )
    dates = forms.ChoiceField(label=_("Order of dates"), choices=DATE_ORDER_CHOICES, required=False)
    decimal = forms.ChoiceField(label=_("Decimal mark"), choices=DECIMAL_CHOICES, required=False)

    class Meta:
        model = Source
        fields = FIELDS
        labels = {
            "name": _("Name"),
            "kind": _("The files hold"),
            "place": _("Place"),
            "address": _("Folder or bucket"),
            "pattern": _("File names"),
            "mode": _("A file is"),
            "needs_marker": _("Take a file only when a file of its name with .done lies beside it"),
            "max_lost": _("Rows that may be left out, in percent"),
        }
        help_texts = {
            "address": _(
                "A folder below the one for sources, like shop/sales, or s3://bucket/prefix. Empty where a "
                "program sends the files."
            ),
            "pattern": _("* stands for any characters: sales-*.csv"),
            "max_lost": _("A file that would lose more waits for you, with its findings."),
        }

    def __init__(self, dataset: Dataset, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.instance.dataset = dataset
        self.fields["max_lost"].error_messages.update(invalid=NOT_A_NUMBER, required=NOT_A_NUMBER)
        reading = self.instance.reading
        pairs = (f"{ours}={theirs}" for ours, theirs in reading.get("mapping", {}).items())
        self.initial["columns"] = "\n".join(pairs)
        self.initial.update({name: reading.get(name, "") for name in ("dates", "decimal")})

    def clean_columns(self) -> dict[str, str]:
        """{ours: theirs}."""
        lines = [line.strip() for line in self.cleaned_data["columns"].splitlines() if line.strip()]
        pairs = [[part.strip() for part in line.split("=", 1)] for line in lines]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise forms.ValidationError(_("Write ours=theirs, one a line, such as sales=qty."))
        return {pair[0]: pair[1] for pair in pairs}

    def clean(self) -> dict[str, Any]:
        """Checks the address for its place; two sources never take the same files."""
        data: dict[str, Any] = super().clean() or {}
        if "place" in data and "address" in data:
            self.check_address(data)
        if data.get("kind") == Source.Kind.STOCK:
            data["mode"] = Source.Mode.ADD
        return data

    def check_address(self, data: dict[str, Any]) -> None:
        """Puts the address into the form in which it is kept."""
        if data["place"] == Source.Place.HTTP:
            data["address"] = ""
            return
        check = folder.check_address if data["place"] == Source.Place.FOLDER else bucket.check_address
        try:
            data["address"] = check(data["address"])
        except ValueError as problem:
            self.add_error("address", translate_error(problem))
            return
        same = Source.objects.filter(place=data["place"], address=data["address"])
        if same.filter(pattern=data.get("pattern")).exclude(pk=self.instance.pk).exists():
            self.add_error("address", gettext("Another source takes these files already."))

    def save_source(self, by: User) -> Source:
        """Saves what the form says, and keeps what was remembered of earlier files."""
        data, row = self.cleaned_data, self.instance
        given = {"mapping": data["columns"], "dates": data["dates"], "decimal": data["decimal"]}
        kept = {name: value for name, value in row.reading.items() if name not in given}
        row.reading = {**kept, **{name: value for name, value in given.items() if value}}
        row.created_by = row.created_by or by
        with transaction.atomic():
            row.save()
            record_action(AuditAction.CHANGED, row, by, f"{row.get_place_display()} {row.address}")
        return row


def switch_source(source: Source, is_enabled: bool, by: User | None) -> None:
    """Switches a source on or off."""
    source.is_enabled, source.problem = is_enabled, {}
    with transaction.atomic():
        source.save(update_fields=["is_enabled", "problem"])
        record_action(AuditAction.CHANGED, source, by, "on" if is_enabled else "off")


def delete_source(source: Source, by: User | None) -> None:
    """Deletes a source with its list of files and what it holds; the files in its place stay."""
    with transaction.atomic():
        record_action(AuditAction.DELETED, source, by, source.address)
        for row in source.files.filter(upload__isnull=False).select_related("upload"):
            if row.upload is not None:
                row.upload.delete_with_files()
        source.delete()

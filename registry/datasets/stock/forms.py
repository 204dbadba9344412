"""The form for a file of stock or terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from registry.datasets.forms import DATE_ORDER_CHOICES, DECIMAL_CHOICES, check_upload
from registry.datasets.importer import import_folder
from registry.datasets.importing.formats.readers import READERS
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset
from registry.datasets.stock.importer import import_stock, import_terms
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.stock.reading import STOCK, TERMS
from registry.lib.form_fields import RowChoiceField


class StockFileForm(forms.Form):
    """A file, what it holds and the dataset that it is for; it is read when the form is saved."""

    kind = forms.ChoiceField(label=_("The file holds"), choices=[(STOCK, _("stock")), (TERMS, _("terms"))])
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV, Excel, OpenDocument or Parquet. Stock: store, product, as of, on hand; on order with due "
            "date, batch and expiry if known. Terms: product, category or supplier, and lead days, pack …"
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(READERS)}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )
    dataset = RowChoiceField(Dataset.objects.all(), label=_("Dataset"))
    dates = forms.ChoiceField(label=_("Order of dates"), choices=DATE_ORDER_CHOICES, required=False)
    decimal = forms.ChoiceField(label=_("Decimal mark"), choices=DECIMAL_CHOICES, required=False)
    replace = forms.BooleanField(label=_("Remove the terms that the file lacks"), required=False)

    def clean_file(self) -> Any:
        """The file, if its type and size are accepted."""
        return check_upload(self.cleaned_data["file"])

    def save_file(self, user: User) -> StockSnapshot | int:
        """The stock, or the number of rows of terms; raises SalesFileError and saves nothing."""
        data, file = self.cleaned_data, self.cleaned_data["file"]
        name = Path(file.name).name[:200]
        reading = {part: data[part] for part in ("dates", "decimal", "replace")}
        options = ImportOptions(file=name, **reading)
        with import_folder() as folder:
            path = folder / f"file{Path(name).suffix.lower()}"
            with path.open("wb") as stream:
                stream.writelines(file.chunks())
            if data["kind"] == STOCK:
                return import_stock(path, data["dataset"], options, created_by=user)
            return import_terms(path, data["dataset"], options, created_by=user)

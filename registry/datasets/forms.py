"""Forms of an upload: the file, the meaning of its columns, the actions for findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.datasets.countries import country_choices
from registry.datasets.importer import clean_dataset_name
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import ACTION_LABELS, ALLOWED_ACTIONS, FINDING_TITLES
from registry.datasets.importing.formats.readers import READERS
from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload
from registry.lib.form_fields import RowChoiceField

COLUMN_CHOICES = [
    ("", _("Automatic")),
    ("date", _("Date")),
    ("store_id", _("Store")),
    ("product_id", _("Product")),
    ("sales", _("Units sold")),
    ("known", _("Known ahead (promotion, price …)")),
    ("past", _("Known for the past only (customers …)")),
    ("static", _("Fixed per store or product")),
    ("name", _("Name of the product or store")),
    ("ignore", _("Ignore")),
]
COLUMN_ROLES = ("known", "past", "static", "name")
PROPOSED_ROLES = {
    "known": _("Known ahead"),
    "past": _("Known for the past only"),
    "static": _("Fixed per store or product"),
    "name": _("Name of the product or store"),
}
# columns that a wide file lacks, because its days or products are columns
MELTED_COLUMNS = {"wide-days": ("date", "sales"), "wide-products": ("product_id", "sales")}
# sentences for the main columns that nobody has chosen
MISSING_COLUMNS = {
    "date": _("Choose the column that holds the date."),
    "product_id": _("Choose the column that holds the product."),
    "sales": _("Choose the column that holds the units sold."),
}
DATE_ORDER_CHOICES = [
    ("", _("Detect automatically")),
    ("dmy", _("day, month, year")),
    ("mdy", _("month, day, year")),
    ("ymd", _("year, month, day")),
]
DECIMAL_CHOICES = [
    ("", _("Detect automatically")),
    ("point", _("1.5 (point)")),
    ("comma", _("1,5 (comma)")),
]


def check_upload(file: Any) -> Any:
    """The uploaded file, if its type and size are accepted; raises ValidationError."""
    if Path(file.name).suffix.lower() not in READERS:
        *most, last = READERS
        words = {"kinds": ", ".join(most), "last": last}
        raise forms.ValidationError(_("Choose a %(kinds)s or %(last)s file."), params=words)
    if file.size > settings.MAX_UPLOAD_MB << 20:
        raise forms.ValidationError(_("At most %(most)d MB."), params={"most": settings.MAX_UPLOAD_MB})
    return file


class UploadForm(forms.Form):
    """The file, and the dataset it belongs to."""

    file = forms.FileField(
        label=_("File: choose one or drop it here"),
        help_text=_(
            "CSV (.csv, .txt, .tsv), Excel (.xlsx, .xlsm, .xls, .xlsb), OpenDocument (.ods) or Parquet, also "
            "packed as .zip or .gz. One row per store, product and day, or a column per day."
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(READERS)}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )
    dataset = RowChoiceField(
        Dataset.objects.all(), label=_("Add to"), required=False, empty_label=_("A new dataset")
    )
    name = forms.CharField(
        label=_("Name of the new dataset"),
        max_length=80,
        required=False,
        help_text=_("Optional. Without one the dataset is named after the file."),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=country_choices,
        required=False,
        help_text=_("Optional. Used for public holidays."),
    )
    replace = forms.BooleanField(
        label=_("Replace the dataset: rows missing from this file are removed"), required=False
    )

    def __init__(self, *args: Any, languages: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices(languages)  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        """The file, if its type and size are accepted."""
        return check_upload(self.cleaned_data["file"])

    def clean(self) -> dict[str, Any]:
        """Requires an unused name for a new dataset; without one it is named after the file."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("dataset"):
            stem = propose_name(data["file"].name) if data.get("file") else ""
            try:
                data["name"] = clean_dataset_name(data.get("name") or stem)
            except SalesFileError as problem:
                self.add_error("name", str(problem))
            else:
                if Dataset.objects.filter(name=data["name"]).exists():
                    self.add_error("name", _("A dataset with this name exists: choose it under “Add to”."))
        return data

    def create_upload(self, user: User) -> Upload:
        """The saved upload with its columns detected; raises SalesFileError when it cannot be read."""
        data, file = self.cleaned_data, self.cleaned_data["file"]
        dataset = data["dataset"]
        upload = Upload.objects.create_from_chunks(
            file.chunks(),
            Path(file.name).suffix.lower(),
            file=Path(file.name).name[:200],
            dataset=dataset,
            name=dataset.name if dataset else data["name"],
            reading={"country": data["country"], "replace": data["replace"]},
            created_by=user,
        )
        try:
            upload.detect_columns()
        except SalesFileError:
            upload.delete_with_files()
            raise
        return upload


def propose_name(file: str) -> str:
    """The name of a new dataset from that of its file.

    >>> propose_name("sales 2026.csv"), propose_name("till.csv.gz")
    ('sales 2026', 'till')
    """
    path = Path(file)
    while path.suffix.lower() in READERS:
        path = path.with_suffix("")
    return path.name[:80]


def encoding_choices(candidates: list[dict[str, str]]) -> list[tuple[str, str]]:
    """The encodings that a file may have, each with a text of the file in it."""
    if len(candidates) < 2:
        return [(one["name"], one["label"]) for one in candidates] or [("", "")]
    return [
        ("", gettext("Choose …")),
        *((one["name"], f"{one['sample']} ({one['label']})") for one in candidates),
    ]


class ColumnMappingForm(forms.Form):
    """The meaning of each column, and the formats that the file does not prove."""

    dates = forms.ChoiceField(
        label=_("Order in dates like 01/02/2026"), choices=DATE_ORDER_CHOICES, required=False
    )
    decimal = forms.ChoiceField(label=_("Decimal mark"), choices=DECIMAL_CHOICES, required=False)
    encoding = forms.ChoiceField(label=_("In which line do you read your own words?"), required=False)

    def __init__(self, upload: Upload, data: Any = None) -> None:
        reading = upload.reading
        formats = {name: reading.get(name, "") for name in ("dates", "decimal", "encoding")}
        super().__init__(data, initial=formats)
        self.upload, self.columns = upload, upload.report["columns"]
        self.fields["encoding"].choices = encoding_choices(upload.report.get("encodings", []))  # type: ignore[attr-defined]
        for place, column in enumerate(self.columns):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=column["name"],
                choices=[("", self.automatic_label(column)), *COLUMN_CHOICES[1:]],
                required=False,
                initial=self.initial_target(column),
            )

    def automatic_label(self, column: dict[str, Any]) -> str:
        """The choice that leaves the role to the check, with the role that the column will probably get."""
        dataset = self.upload.dataset
        current = dataset.current_version if dataset else None
        name = column["is"] or column["name"]
        if current is not None and name in current.roles:
            role, sentence = current.roles[name], gettext("%(role)s (as before)")
        else:
            role, sentence = column.get("role", ""), gettext("%(role)s (proposed)")
        return sentence % {"role": PROPOSED_ROLES[role]} if role in PROPOSED_ROLES else gettext("Automatic")

    def initial_target(self, column: dict[str, Any]) -> str:
        """The meaning of a column at its last import, else the one its name suggests."""
        reading, name = self.upload.reading, column["name"]
        ours = {theirs: mine for mine, theirs in reading.get("mapping", {}).items()}.get(name) or column["is"]
        if name in reading.get("ignore", []):
            return "ignore"
        if ours in CORE_COLUMNS:
            return str(ours)
        roles = reading.get("roles", {})
        return str(roles.get(ours) or roles.get(name) or "")

    @property
    def needs_formats(self) -> bool:
        """Whether dates and numbers may be texts: a parquet file has types, as long as nothing is asked."""
        asked = self.upload.report.get("question_first") or {"dates", "decimal"} & set(self.errors)
        return self.upload.suffix != ".parquet" or bool(asked)

    @property
    def column_fields(self) -> list[tuple[dict[str, Any], forms.BoundField]]:
        """(column, field) for each column of the file."""
        return [(column, self[f"column-{place}"]) for place, column in enumerate(self.columns)]

    def clean(self) -> dict[str, Any]:
        """Requires the main columns, each at most once."""
        data: dict[str, Any] = super().clean() or {}
        chosen = [data.get(f"column-{place}", "") for place in range(len(self.columns))]
        for target in CORE_COLUMNS:
            if chosen.count(target) > 1:
                label = dict(COLUMN_CHOICES)[target]
                self.add_error(None, _("%(column)s was chosen twice.") % {"column": label})
        missing = [target for target in ("date", "product_id", "sales") if target not in chosen]
        if missing and tuple(missing) not in MELTED_COLUMNS.values():
            self.add_error(None, MISSING_COLUMNS[missing[0]])
        return data

    def save_mapping(self) -> None:
        """Saves the decisions in the upload's `reading`."""
        data = self.cleaned_data
        chosen = {c["name"]: data.get(f"column-{place}", "") for place, c in enumerate(self.columns)}
        mapping = {c["is"]: c["name"] for c in self.columns if c["is"] and c["is"] not in CORE_COLUMNS}
        mapping = {ours: name for ours, name in mapping.items() if chosen[name] not in CORE_COLUMNS}
        named = {target: name for name, target in chosen.items() if target in CORE_COLUMNS}
        melted = MELTED_COLUMNS.get(self.upload.report["about"].get("layout", ""), ())
        core = {target: named.get(target, "") for target in CORE_COLUMNS if target not in melted}
        self.upload.reading |= {
            "mapping": {**mapping, **core},
            "roles": {name: target for name, target in chosen.items() if target in COLUMN_ROLES},
            "ignore": [name for name, target in chosen.items() if target == "ignore"],
            "dates": data["dates"],
            "decimal": data["decimal"],
            "encoding": data["encoding"],
        }
        self.upload.save()


class FindingActionForm(forms.Form):
    """The action for each finding."""

    def __init__(self, findings: list[dict[str, Any]], data: Any = None) -> None:
        super().__init__(data)
        self.findings = findings
        for finding in findings:
            if code_choices := [c for c in ALLOWED_ACTIONS.get(finding["code"], ()) if c != "stop"]:
                self.fields[finding["code"]] = forms.ChoiceField(
                    label=FINDING_TITLES[finding["code"]],
                    choices=[(choice, gettext(ACTION_LABELS[choice])) for choice in code_choices],
                    initial=finding["action"],
                    required=False,
                )

    @property
    def finding_fields(self) -> list[tuple[dict[str, Any], forms.BoundField | None]]:
        """(finding, field or None), those with a field first."""
        pairs = [(f, self[f["code"]] if f["code"] in self.fields else None) for f in self.findings]
        return sorted(pairs, key=lambda pair: pair[1] is None)

    def changed_actions(self) -> dict[str, str]:
        """All chosen actions if any differs from what the check did, else none."""
        chosen = {code: choice for code, choice in self.cleaned_data.items() if choice}
        done = {finding["code"]: finding["action"] for finding in self.findings}
        return chosen if any(done[code] != choice for code, choice in chosen.items()) else {}

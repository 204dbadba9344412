"""Forms between a file and its dataset: which file, which column is which, what is done about findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.datasets.importer import clean_dataset_name
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import ACTION_LABELS, ALLOWED_ACTIONS, FINDING_TITLES
from registry.datasets.importing.readers import READERS
from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload

COLUMN_CHOICES = [
    ("", _("Something else: its role is found")),
    ("date", _("Date")),
    ("store_id", _("Store")),
    ("product_id", _("Product")),
    ("sales", _("Units sold")),
    ("known", _("Known ahead (promotion, price …)")),
    ("past", _("Known afterwards (customers …)")),
    ("static", _("Fixed per store or product")),
    ("name", _("Name of the product or store")),
    ("ignore", _("Leave out")),
]
COLUMN_ROLES = ("known", "past", "static", "name")
MISSING_IN_WIDE = (
    ["date", "sales"],
    ["product_id", "sales"],
)  # may be missing: days or products are columns then
MELTED_COLUMNS = {"wide-days": ("date", "sales"), "wide-products": ("product_id", "sales")}
DATE_ORDER_CHOICES = [
    ("", _("found by itself")),
    ("dmy", _("day, month, year")),
    ("mdy", _("month, day, year")),
    ("ymd", _("year, month, day")),
]
DECIMAL_CHOICES = [("", _("found by itself")), ("point", _("1.5 (point)")), ("comma", _("1,5 (comma)"))]


class UploadForm(forms.Form):
    """The file, and the dataset it belongs to."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV, Excel (.xlsx) or parquet; one row per store, product and day, or a column per day."
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(READERS)}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )
    dataset = forms.ModelChoiceField(
        Dataset.objects.all(), label=_("Add to"), required=False, empty_label=_("a new dataset")
    )
    name = forms.CharField(label=_("Name of the new dataset"), max_length=80, required=False)
    country = forms.CharField(
        label=_("Country for public holidays"),
        max_length=2,
        required=False,
        help_text=_("Two letters, such as CN or DE; may stay empty."),
    )
    replace = forms.BooleanField(
        label=_("The file is the whole dataset: forget rows that it does not hold"), required=False
    )

    def clean_file(self) -> Any:
        """Only kinds that can be read, and only so large as the server takes."""
        file = self.cleaned_data["file"]
        if Path(file.name).suffix.lower() not in READERS:
            kinds = ", ".join(READERS)
            raise forms.ValidationError(_("Bring one of %(kinds)s."), params={"kinds": kinds})
        if file.size > settings.MAX_UPLOAD_MB << 20:
            raise forms.ValidationError(_("At most %(most)d MB."), params={"most": settings.MAX_UPLOAD_MB})
        return file

    def clean(self) -> dict[str, Any]:
        """A new dataset needs a name that is free."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("dataset"):
            try:
                data["name"] = clean_dataset_name(data.get("name", ""))
            except SalesFileError as problem:
                self.add_error("name", str(problem))
            else:
                if Dataset.objects.filter(name=data["name"]).exists():
                    self.add_error("name", _("There is a dataset of that name: choose it under “Add to”."))
        return data

    def create_upload(self, user: User) -> Upload:
        """The file, kept aside and looked at; raises SalesError when it is none that can be read."""
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


class ColumnMappingForm(forms.Form):
    """For each column of the file what it is; and what the file itself cannot tell."""

    dates = forms.ChoiceField(
        label=_("Order in dates like 01/02/2026"), choices=DATE_ORDER_CHOICES, required=False
    )
    decimal = forms.ChoiceField(label=_("Decimal mark"), choices=DECIMAL_CHOICES, required=False)

    def __init__(self, upload: Upload, data: Any = None) -> None:
        reading = upload.reading
        said = {name: reading.get(name, "") for name in ("dates", "decimal")}
        super().__init__(data, initial=said)
        self.upload, self.columns = upload, upload.report["columns"]
        for place, column in enumerate(self.columns):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=column["name"],
                choices=COLUMN_CHOICES,
                required=False,
                initial=self.initial_target(column),
            )

    def initial_target(self, column: dict[str, Any]) -> str:
        """What the column was last time, else what its name says."""
        reading, name = self.upload.reading, column["name"]
        ours = {theirs: mine for mine, theirs in reading.get("mapping", {}).items()}.get(name) or column["is"]
        if name in reading.get("ignore", []):
            return "ignore"
        if ours in CORE_COLUMNS:
            return str(ours)
        roles = reading.get("roles", {})
        return str(roles.get(ours) or roles.get(name) or "")

    @property
    def column_fields(self) -> list[tuple[dict[str, Any], forms.BoundField]]:
        """Columns of the file with their fields."""
        return [(column, self[f"column-{place}"]) for place, column in enumerate(self.columns)]

    def clean(self) -> dict[str, Any]:
        """Each main column at most once."""
        data: dict[str, Any] = super().clean() or {}
        chosen = [data.get(f"column-{place}", "") for place in range(len(self.columns))]
        for target in CORE_COLUMNS:
            if chosen.count(target) > 1:
                label = dict(COLUMN_CHOICES)[target]
                self.add_error(None, _("%(column)s was chosen twice.") % {"column": label})
        missing = [target for target in ("date", "product_id", "sales") if target not in chosen]
        if missing and missing not in MISSING_IN_WIDE:
            label = dict(COLUMN_CHOICES)[missing[0]]
            self.add_error(None, _("Say which column is: %(column)s.") % {"column": label})
        return data

    def save_mapping(self) -> None:
        """Writes what was said into the upload's reading."""
        data = self.cleaned_data
        chosen = {c["name"]: data.get(f"column-{place}", "") for place, c in enumerate(self.columns)}
        mapping = {c["is"]: c["name"] for c in self.columns if c["is"] and c["is"] not in CORE_COLUMNS}
        mapping = {ours: name for ours, name in mapping.items() if chosen[name] not in CORE_COLUMNS}
        named = {target: name for name, target in chosen.items() if target in CORE_COLUMNS}
        made = MELTED_COLUMNS.get(
            self.upload.report["about"].get("layout", ""), ()
        )  # not columns of the file
        core = {target: named.get(target, "") for target in CORE_COLUMNS if target not in made}
        self.upload.reading |= {
            "mapping": {**mapping, **core},
            "roles": {name: target for name, target in chosen.items() if target in COLUMN_ROLES},
            "ignore": [name for name, target in chosen.items() if target == "ignore"],
            "dates": data["dates"],
            "decimal": data["decimal"],
        }
        self.upload.save()


class FindingActionForm(forms.Form):
    """What is done about each finding of the check."""

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
        """Findings with their field, those with a decision first."""
        pairs = [(f, self[f["code"]] if f["code"] in self.fields else None) for f in self.findings]
        return sorted(pairs, key=lambda pair: pair[1] is None)

    def changed_actions(self) -> dict[str, str]:
        """The choices, when they are not what the check has done."""
        chosen = {code: choice for code, choice in self.cleaned_data.items() if choice}
        done = {finding["code"]: finding["action"] for finding in self.findings}
        return chosen if any(done[code] != choice for code, choice in chosen.items()) else {}

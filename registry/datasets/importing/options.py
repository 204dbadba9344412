"""How a file is to be read, and what is handed to the process that reads it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import ALLOWED_ACTIONS

DATE_ORDERS = ("ymd", "dmy", "mdy")
DECIMAL_MARKS = {"point": ".", "comma": ","}
PROBLEM_POLICIES = ("stop", "skip", "propose")


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a person says about a file: `mapping` {our name: its name}, `choices` {finding: what to do}."""

    mapping: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    on_problem: str = "stop"  # or "skip": leave out rows that are of no use; "propose": what fits
    country: str = ""  # two letters, for public holidays
    dates: str = ""  # the order of a date that can be read in several ways: dmy, mdy or ymd
    decimal: str = ""  # "point" or "comma"
    choices: dict[str, str] = field(default_factory=dict)
    ignore: list[str] = field(default_factory=list)  # columns of the file that are left out
    file: str = ""  # its name, for sentences; never opened
    replace: bool = False  # the file is the whole dataset, not newer days of it

    def check_values(self) -> None:
        """Raises SalesError for a country that is no country code, and for a choice that is none."""
        if self.country and not re.fullmatch("[A-Za-z]{2}", self.country):
            words = {"country": self.country}
            raise SalesFileError(
                _("%(country)s is not a country: give its two letters, such as CN or DE.") % words
            )
        for code, choice in self.choices.items():
            if choice not in ALLOWED_ACTIONS.get(code, ()):
                words = {
                    "code": code,
                    "choice": choice,
                    "choices": ", ".join(ALLOWED_ACTIONS.get(code, ())) or "–",
                }
                raise SalesFileError(
                    _("%(choice)s is no choice for %(code)s: there are %(choices)s.") % words
                )


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """Everything the reading process needs: it knows neither the database nor the settings."""

    path: str
    name: str  # the file's name, for sentences; never opened
    folder: str  # where the results go
    reading: ImportOptions
    base: str = ""  # canonical parquet of the current version, when days are added
    today: str = ""  # ISO; sales after it cannot have happened
    only: str = ""  # "look": columns and proposals; "items": the catalogue of a canonical file
    language: str = "en"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> ImportJob:
        """The job that `as_json` described."""
        return cls(**{**given, "reading": ImportOptions(**given["reading"])})

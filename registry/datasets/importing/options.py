"""How a file is read, and the job for the process that reads it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import ALLOWED_ACTIONS

DATE_ORDERS = ("ymd", "dmy", "mdy")
DECIMAL_MARKS = {"point": ".", "comma": ","}
PROBLEM_POLICIES = ("stop", "skip", "propose")


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """The user's decisions: `mapping` {our name: its name}, `choices` {finding: action}, roles, formats."""

    mapping: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    on_problem: str = "stop"  # or "skip" faulty rows, or "propose": the default action of each finding
    country: str = ""  # two letters, for public holidays
    dates: str = ""  # one of DATE_ORDERS, for ambiguous dates
    decimal: str = ""  # one of DECIMAL_MARKS, for ambiguous numbers
    encoding: str = ""  # a codec of Python, for text files that are not UTF-8
    usual_dates: str = ""  # of the file before: counts where dates are open and its days go on
    usual_decimal: str = ""  # of the file before: counts where the numbers prove no mark
    choices: dict[str, str] = field(default_factory=dict)
    ignore: list[str] = field(default_factory=list)  # columns of the file that are ignored
    file: str = ""  # its name in messages; never opened
    replace: bool = False  # the file replaces the dataset instead of adding to it

    def check_values(self) -> None:
        """Raises SalesFileError for an invalid country code or action."""
        if self.country and not re.fullmatch("[A-Za-z]{2}", self.country):
            words = {"country": self.country}
            raise SalesFileError(
                _("%(country)s is not a country code: use two letters, such as CN or DE.") % words
            )
        for code, choice in self.choices.items():
            if choice not in ALLOWED_ACTIONS.get(code, ()):
                words = {
                    "code": code,
                    "choice": choice,
                    "choices": ", ".join(ALLOWED_ACTIONS.get(code, ())) or "–",
                }
                raise SalesFileError(
                    _("%(choice)s is not an action for %(code)s: use one of %(choices)s.") % words
                )


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """Everything the sandbox needs, which has no access to database and settings."""

    path: str
    name: str  # the file's name in messages; never opened
    folder: str  # for the results
    reading: ImportOptions
    base: str = ""  # the current version's own file, if the file is added to it
    parts: str = ""  # folder of the files that its rows are in; none of a version of release 0.1
    layout: dict[str, Any] | None = None  # how they divide its rows
    today: str = ""  # ISO date; later sales are flagged
    only: str = (
        ""  # "look": detect columns; "items": the catalog of a canonical file; "stock", "terms": such a file
    )
    language: str = "en"

    @property
    def base_bytes(self) -> int:
        """Size of what the file is added to."""
        paths = [
            *([Path(self.base)] if self.base else []),
            *(Path(self.parts).iterdir() if self.parts else []),
        ]
        return sum(path.stat().st_size for path in paths)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> ImportJob:
        """The job that as_json() described."""
        return cls(**{**given, "reading": ImportOptions(**given["reading"])})

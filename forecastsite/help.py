"""Help pages rendered from the Markdown in docs/, which is our own and therefore trusted."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from markdown import markdown

from registry.access.permissions import Person

DOCS_FOLDER = Path(settings.BASE_DIR) / "docs"
READERS = {
    "buyer": _("Buyers"),
    "orders": _("Orders"),
    "curator": _("Curators"),
    "operator": _("Operators"),
}
OWN_WORK = {"curator": "registry.add_datasetversion", "operator": "forecastsite.change_nightly"}
OF_USE = {"curator": "training.add_trainingrun"}  # planners train, too
# a number of the text that a setting decides: `25%<!-- MAX_BIAS_PERCENT -->`
SETTING_NUMBER = re.compile(r"\d+(%?)<!-- (\w+) -->")


def list_readers(person: Person, shown: str) -> dict[str, StrOrPromise]:
    """The help pages of use to this person, and the one that is shown, with their names."""
    return {name: label for name, label in READERS.items() if name == shown or is_of_use(name, person)}


def is_of_use(reader: str, person: Person) -> bool:
    """Whether the page is about something that the person may do; all may read what buyers read."""
    permissions = [table[reader] for table in (OWN_WORK, OF_USE) if reader in table]
    return not permissions or any(person.has_perm(permission) for permission in permissions)


def find_own_reader(person: Person) -> str:
    """The page that help opens with: that of the person's own work, buyers' for administrators."""
    own = [reader for reader, permission in OWN_WORK.items() if person.has_perm(permission)]
    return own[-1] if own and not person.is_superuser else "buyer"


@cache
def render_help(reader: str, language: str) -> SafeString:
    """The help page of a reader as HTML, in English if it has no translation."""
    own = DOCS_FOLDER / language / f"{reader}.md"
    text = (own if own.is_file() else DOCS_FOLDER / f"{reader}.md").read_text(encoding="utf-8")
    text = SETTING_NUMBER.sub(lambda found: f"{read_setting(found[2])}{found[1]}", text)
    return SafeString(markdown(text, output_format="html", extensions=["tables"]))


def read_setting(name: str) -> int:
    """The value of a setting as its documentation counts it, in percent if its name says so."""
    value: float = getattr(settings, name.removesuffix("_PERCENT"))
    return round(100 * value if name.endswith("_PERCENT") else value)

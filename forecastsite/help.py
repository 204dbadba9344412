"""Help pages rendered from the Markdown in docs/, which is our own and therefore trusted."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from markdown import markdown

DOCS_FOLDER = Path(settings.BASE_DIR) / "docs"
READERS = {
    "buyer": _("Buyers"),
    "curator": _("Curators"),
    "operator": _("Operators"),
    "developer": _("Developers"),
}


@cache
def render_help(reader: str, language: str) -> SafeString:
    """The help page of a reader as HTML, in English if it has no translation."""
    own = DOCS_FOLDER / language / f"{reader}.md"
    text = (own if own.is_file() else DOCS_FOLDER / f"{reader}.md").read_text(encoding="utf-8")
    return SafeString(markdown(text, output_format="html", extensions=["tables"]))

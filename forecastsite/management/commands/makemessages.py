"""manage.py makemessages: also collects the texts of algorithms, which cannot mark them themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import makemessages


def collect_algorithm_texts() -> list[str]:
    """Labels and descriptions of the built-in algorithms, and labels and help texts of their settings."""
    from registry import algorithms

    every = [algorithms.get_entry(name) for name, _label in algorithms.list_choices()]
    ours = [entry for entry in every if entry.module_class.__module__.startswith(("registry.", "torch."))]
    texts = {word for entry in ours for word in (entry.label, entry.description)}
    knobs = [knob for entry in ours for knob in algorithms.describe_knobs(entry.name)]
    words = {knob.get(key, "") for knob in knobs for key in ("label", "help")}
    return sorted(texts | words - {""})


class Command(makemessages.Command):
    """Django's command, run with a temporary source file that contains these texts."""

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(settings.BASE_DIR) / "forecastsite" / "words_of_algorithms.py"
        file.write_text("".join(f"gettext_noop({word!r})\n" for word in collect_algorithm_texts()))
        try:
            super().handle(*args, **options)
        finally:
            file.unlink()

"""What versions are called on pages; their names are for exports, admin and commands."""

from __future__ import annotations

from django.utils.translation import gettext


def version_title(algorithm: str, number: int) -> str:
    """Method and number, such as "KAN v2"; the algorithm's name if its file no longer exists."""
    from registry import algorithms  # pulls in torch

    labels = {**dict(algorithms.list_choices()), algorithms.AUTO.name: gettext("Automatic")}
    method = gettext(labels.get(algorithm, algorithm))
    return f"{method} v{number}"

"""The place of a source by its kind."""

from __future__ import annotations

from registry.datasets.sources.bucket import BucketPlace
from registry.datasets.sources.folder import FolderPlace
from registry.datasets.sources.models import Source
from registry.datasets.sources.places import Place


def open_place(source: Source) -> Place | None:
    """The place of a source; None where programs send the files. Raises MessageError."""
    if source.place == Source.Place.FOLDER:
        return FolderPlace(source.address)
    return BucketPlace(source.address) if source.place == Source.Place.BUCKET else None

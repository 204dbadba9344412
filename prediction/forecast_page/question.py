"""A question for a forecast: computed for those who only look, saved once for those who keep it."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils.translation import gettext as _

from prediction.content import ForecastContent
from prediction.current_forecast import load_current
from prediction.models import Forecast
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection

PREPARED = ("dataset_version", "horizon", "origin", "total", "low", "high", "created_at")
WAIT_SECONDS, WAIT_STEP = 2.0, 0.05  # for the file of a twin that is being saved


@dataclass(frozen=True)
class Question:
    """What to forecast (an empty selection = all that the version covers), and by which version."""

    version: ModelVersion
    selection: Selection
    horizon: int

    def compute(self) -> Forecast:
        """The forecast with its content, not saved; raises ValueError or CorruptArtifact."""
        row, content = self.find_prepared() or self.predict()
        row.fresh_content = content
        return row

    def find_prepared(self) -> tuple[Forecast, ForecastContent] | None:
        """The server's own forecast if it answers the question: every series of it has been drawn already."""
        if not self.selection.is_whole:
            return None
        state = load_current(self.version.model.dataset)
        made, content = state.forecast, state.content
        if made is None or content is None or state.is_due:
            return None
        if (made.version_id, made.horizon) != (self.version.pk, self.horizon):
            return None
        known = {name: getattr(made, name) for name in PREPARED}
        return Forecast(version=self.version, **known), content

    def save(self, token: uuid.UUID, user: User) -> Forecast:
        """The saved forecast; the same token, person and question again give the one saved first."""
        sales = self.version.model.dataset.current_version
        words = (user.pk, self.version.pk, sales and sales.pk, self.selection, self.horizon)
        key = uuid.uuid5(token, repr(words))
        if Forecast.objects.filter(pk=key).exists():
            return wait_for_twin(key)
        row, content = self.predict()
        row.pk, row.created_by = key, user
        try:
            pending = Forecast.objects.create_pending(row)
        except IntegrityError:  # sent twice at once
            return wait_for_twin(key)
        return pending.save_content(content)

    def predict(self) -> tuple[Forecast, ForecastContent]:
        """A row that is not in the database, and its content."""
        return Forecast.objects.compute_forecast(self.version, self.selection, self.horizon)


def wait_for_twin(key: uuid.UUID) -> Forecast:
    """The forecast with that id, once its file is complete."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := Forecast.objects.ready().filter(pk=key).first()) is None:
        if time.monotonic() > deadline:
            raise ValueError(_("This forecast is being saved: look for it in the history in a moment."))
        time.sleep(WAIT_STEP)
    return found

"""The form that asks for a back-test."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from prediction.order_backtests.models import OrderBacktest


class BacktestForm(forms.ModelForm[OrderBacktest]):
    """Weeks, days, and the rule of today."""

    class Meta:
        model = OrderBacktest
        fields = ("rule", "least", "most", "weeks", "lead_days", "review_days", "budget")

    def clean(self) -> dict[str, Any]:
        """The most days are not below the least, where both count."""
        data = super().clean() or {}
        least, most = data.get("least"), data.get("most")
        is_minmax = data.get("rule") == OrderBacktest.Rule.MINMAX
        if is_minmax and least is not None and most is not None and most < least:
            self.add_error("most", _("It must not be below the days before it."))
        return data

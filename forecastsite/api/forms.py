"""The form for a new key; and what requests say, as the forms of the pages take it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from forecastsite.api.keys import make_key
from forecastsite.api.models import ApiKey
from forecastsite.api.scopes import list_open_scopes

NEVER = "0"
MAX_STORES = 200
LIFETIMES = [
    ("30", _("after 30 days")),
    ("90", _("after 90 days")),
    ("365", _("after a year")),
    (NEVER, _("never")),
]


def encode_form(values: Mapping[str, Any]) -> QueryDict:
    """The values as a browser would send them; a check box takes True and False, too.

    >>> encode_form({"days": [1, 2], "is_on": False}).urlencode()
    'days=1&days=2&is_on=False'
    """
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, [str(one) for one in (value if isinstance(value, list) else [value])])
    return data


class KeyForm(forms.Form):
    """What the key is called, what it may do, for which stores, and for how long."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Which program uses it, such as “ERP, nightly”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the key may do.")},
    )
    stores = forms.CharField(
        label=_("Only for these stores"),
        required=False,
        max_length=4000,
        help_text=_("Codes with commas between them; empty: all stores."),
    )
    lifetime = forms.ChoiceField(label=_("Expires"), choices=LIFETIMES, initial="365")

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        choices = [(scope.name, scope.label) for scope in list_open_scopes(user)]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]

    def clean_stores(self) -> list[str]:
        """The codes."""
        codes = [code.strip() for code in self.cleaned_data["stores"].split(",") if code.strip()]
        if len(codes) > MAX_STORES:
            raise forms.ValidationError(_("At most %(most)d stores."), params={"most": MAX_STORES})
        return codes

    def save_key(self) -> tuple[ApiKey, str]:
        """The row, and the key, which is shown once."""
        data = self.cleaned_data
        days = int(data["lifetime"])
        expires = timezone.now() + timedelta(days=days) if days else None
        return make_key(self.user, data["name"], data["scopes"], data["stores"], expires)

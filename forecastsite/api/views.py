"""The page of a person's own keys."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forecastsite.api.forms import KeyForm
from forecastsite.api.keys import revoke_key
from forecastsite.api.models import ApiKey
from forecastsite.api.scopes import SCOPES


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_list(request: HttpRequest) -> HttpResponse:
    """A person's keys and the form for another one, which is shown once, in the answer to the form."""
    user, text = cast(User, request.user), ""
    form = KeyForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _key, text = form.save_key()
        form = KeyForm(user)
    keys = [(key, describe_scopes(key)) for key in ApiKey.objects.filter(owner=user).select_related("owner")]
    return render(request, "keys.html", {"form": form, "keys": keys, "text": text})


def describe_scopes(key: ApiKey) -> list[str]:
    """What the key may do, in words."""
    return [str(SCOPES[name].label) for name in key.scopes if name in SCOPES]


@require_POST
def key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """The key opens nothing from now on."""
    user = cast(User, request.user)
    key = get_object_or_404(ApiKey, pk=pk, owner=user)
    revoke_key(key, user)
    messages.success(request, _("%(name)s opens nothing any more.") % {"name": key.name})
    return redirect("keys")

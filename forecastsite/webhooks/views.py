"""The page of webhooks: make one, see what was sent, send again, switch off, delete."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forecastsite.webhooks.forms import WebhookForm, delete_webhook
from forecastsite.webhooks.models import Delivery, EventKind, Webhook
from forecastsite.webhooks.sending import replay, switch
from registry.access.permissions import permission_required

ADD = "forecastsite.add_webhook"
SHOWN = 20


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ADD)
def webhook_list(request: HttpRequest) -> HttpResponse:
    """All webhooks with what was sent of late; the secret of a new one is shown once."""
    form, made = WebhookForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        made, form = form.save_webhook(cast(User, request.user)), WebhookForm()
    hooks = [(hook, [EventKind(kind).label for kind in hook.kinds]) for hook in Webhook.objects.all()]
    sent = Delivery.objects.select_related("webhook")[:SHOWN]
    context = {"form": form, "made": made, "hooks": hooks, "deliveries": sent}
    return render(request, "webhooks.html", context)


@require_POST
@permission_required(ADD)
def webhook_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches a webhook on or off."""
    hook = get_object_or_404(Webhook, pk=pk)
    switch(hook, not hook.is_enabled)
    text = _("%(name)s is switched on.") if hook.is_enabled else _("%(name)s is switched off.")
    messages.success(request, text % {"name": hook.name})
    return redirect("webhooks")


@require_POST
@permission_required(ADD)
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a webhook."""
    hook = get_object_or_404(Webhook, pk=pk)
    delete_webhook(hook, cast(User, request.user))
    messages.success(request, _("Deleted %(name)s.") % {"name": hook.name})
    return redirect("webhooks")


@require_POST
@permission_required(ADD)
def webhook_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends an event again."""
    replay(get_object_or_404(Delivery, pk=pk))
    messages.success(request, _("The event will be sent again."))
    return redirect("webhooks")

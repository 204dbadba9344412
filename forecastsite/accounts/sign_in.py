"""Signing in and changing one's own password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from forecastsite.accounts.forms import SignInForm
from forecastsite.accounts.sign_in_limits import is_address_blocked, password_checks, remember_device
from forecastsite.cleanup.disk_reserve import release_reserve
from registry.access.audit import AuditAction, record_action
from registry.lib.refusals import classify_outage, refuse

CHECK_WAIT_SECONDS = 5.0  # how long a sign-in waits for its turn


class SignInView(LoginView):
    """The sign-in page, which also works on a full disk and under guessing."""

    redirect_authenticated_user = True
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """Checks the password when its turn comes; on a full disk the reserve is released first."""
        if is_address_blocked(request):
            return render(request, "429.html", {"is_address": True}, status=429)
        if not password_checks.acquire(timeout=CHECK_WAIT_SECONDS):
            return refuse(request, 429, _("Many people are signing in. Wait a moment and try again."))
        try:
            return super().post(request, *args, **options)
        except OperationalError as problem:
            if classify_outage(problem) != "full":
                raise
            with release_reserve():
                return super().post(request, *args, **options)
        finally:
            password_checks.release()

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signs in and remembers the browser."""
        response = super().form_valid(form)
        user = form.get_user()
        remember_device(self.request, response, user.get_username())
        return response


class ChangePasswordView(PasswordChangeView):
    """Everybody changes their own password; all their other sessions end."""

    template_name = "registration/change_password.html"
    success_url = reverse_lazy("overview")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Saves the password with an audit entry."""
        response = super().form_valid(form)
        user = self.request.user
        if isinstance(user, User):
            record_action(AuditAction.CHANGED, user, user, "password")
        messages.success(self.request, _("Your password has been changed."))
        return response

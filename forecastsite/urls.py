"""URLs of the whole product."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from forecastsite import views, welcome
from forecastsite.accounts.sign_in import ChangePasswordView, SignInView
from forecastsite.api import views as keys
from forecastsite.server.views import metrics
from forecastsite.storage.views import storage_page
from forecastsite.webhooks import views as webhooks

handler400 = "registry.lib.refusals.bad_request"
handler403 = "forecastsite.views.permission_denied"
handler500 = "registry.lib.refusals.server_error"
urlpatterns = [
    path("", views.overview_page, name="overview"),
    path("models/", views.model_list, name="models"),
    path("welcome/", welcome.welcome_status, name="welcome"),
    path("sample-sales.csv", welcome.sample_file, name="sample-file"),
    path("help/", views.help_page, name="help"),
    path("help/<slug:who>/", views.help_page, name="help-for"),
    path("", include("registry.urls")),
    path("", include("training.urls")),
    path("", include("prediction.urls")),
    path("", include("forecastsite.automation.urls")),
    path("login/", SignInView.as_view(), name="login"),
    path("password/", ChangePasswordView.as_view(), name="password"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("metrics", metrics, name="metrics"),
    path("storage/", storage_page, name="storage"),
    path("keys/", keys.key_list, name="keys"),
    path("keys/<id:pk>/revoke/", keys.key_revoke, name="key-revoke"),
    path("webhooks/", webhooks.webhook_list, name="webhooks"),
    path("webhooks/<id:pk>/switch/", webhooks.webhook_switch, name="webhook-switch"),
    path("webhooks/<id:pk>/delete/", webhooks.webhook_delete, name="webhook-delete"),
    path("webhooks/events/<id:pk>/replay/", webhooks.webhook_replay, name="webhook-replay"),
    path("admin/", admin.site.urls),
]

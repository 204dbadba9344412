"""URLs of the whole product."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from forecastsite import views

handler403 = "forecastsite.views.permission_denied"
urlpatterns = [
    path("", views.overview_page, name="overview"),
    path("models/", views.model_list, name="models"),
    path("help/", views.help_page, name="help"),
    path("help/<slug:who>/", views.help_page, name="help-for"),
    path("", include("registry.urls")),
    path("", include("training.urls")),
    path("", include("prediction.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("admin/", admin.site.urls),
]

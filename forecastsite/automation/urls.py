"""URLs of automation; those of a single source are registry's."""

from __future__ import annotations

from django.urls import path

from forecastsite.automation import views

urlpatterns = [
    path("automation/", views.automation_page, name="automation"),
    path("automation/schedules/new/", views.plan_create, name="plan-new"),
    path("automation/schedules/<id:pk>/", views.plan_detail, name="plan"),
    path("automation/schedules/<id:pk>/edit/", views.plan_edit, name="plan-edit"),
    path("automation/schedules/<id:pk>/run/", views.plan_start, name="plan-start"),
    path("automation/schedules/<id:pk>/switch/", views.plan_switch, name="plan-switch"),
    path("automation/schedules/<id:pk>/delete/", views.plan_delete, name="plan-delete"),
    path("automation/runs/<uuid:pk>/", views.planrun_detail, name="planrun"),
]

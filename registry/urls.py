"""Addresses of data and model versions."""

from __future__ import annotations

from django.urls import path

from registry import views

urlpatterns = [
    path("data/", views.datasets, name="data"),
    path("data/<int:pk>/", views.dataset, name="dataset"),
    path("models/<uuid:pk>/", views.model, name="model"),
    path("models/<uuid:pk>/delete/", views.model_delete, name="model-delete"),
]

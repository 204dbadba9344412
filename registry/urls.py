"""Addresses of data and model versions."""

from __future__ import annotations

from django.urls import path

from registry import views

urlpatterns = [
    path("data/", views.datasets, name="data"),
    path("data/<int:pk>/", views.dataset, name="dataset"),
    path("models/<uuid:pk>/", views.model, name="model"),
    path("models/compare/", views.models_compare, name="models-compare"),
    path("models/<uuid:pk>/promote/", views.model_promote, name="model-promote"),
    path("models/<uuid:pk>/back/", views.model_roll_back, name="model-roll-back"),
    path("models/<uuid:pk>/delete/", views.model_delete, name="model-delete"),
]

"""Addresses of data and model versions."""

from __future__ import annotations

from django.urls import path

from registry import catalogue_views, upload_views, views

urlpatterns = [
    path("data/", views.datasets, name="data"),
    path("data/<int:pk>/", views.dataset, name="dataset"),
    path("data/upload/", upload_views.upload, name="upload"),
    path("data/upload/<uuid:pk>/match/", upload_views.upload_match, name="upload-match"),
    path("data/upload/<uuid:pk>/check/", upload_views.upload_check, name="upload-check"),
    path("data/upload/<uuid:pk>/findings.csv", upload_views.upload_rows, name="upload-rows"),
    path("data/upload/<uuid:pk>/discard/", upload_views.upload_discard, name="upload-discard"),
    path("data/version/<uuid:pk>/back/", upload_views.dataset_back, name="dataset-back"),
    path("data/suggest/<str:kind>/", catalogue_views.suggest, name="suggest"),
    path("data/<int:pk>/catalogue/", catalogue_views.catalogue, name="catalogue"),
    path("data/<int:pk>/sales.csv", catalogue_views.sales_csv, name="dataset-csv"),
    path("data/<int:pk>/sales.parquet", catalogue_views.sales_parquet, name="dataset-parquet"),
    path("data/<int:pk>/findings.csv", catalogue_views.findings_csv, name="dataset-findings"),
    path("models/<uuid:pk>/", views.model, name="model"),
    path("models/compare/", views.models_compare, name="models-compare"),
    path("models/<uuid:pk>/promote/", views.model_promote, name="model-promote"),
    path("models/<uuid:pk>/back/", views.model_roll_back, name="model-roll-back"),
    path("models/<uuid:pk>/delete/", views.model_delete, name="model-delete"),
]

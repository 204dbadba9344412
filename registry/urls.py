"""URLs of datasets and model versions."""

from __future__ import annotations

from django.urls import path, register_converter

from registry import autocomplete
from registry.datasets import download_views, manage_views, upload_views
from registry.datasets import views as datasets
from registry.datasets.sources import views as sources
from registry.datasets.stock.views import stock_upload
from registry.datasets.upload_jobs import views as upload_jobs
from registry.lib.request_values import IdConverter
from registry.model_versions import views as model_versions

register_converter(IdConverter, "id")

urlpatterns = [
    path("data/", datasets.dataset_list, name="data"),
    path("data/<id:pk>/", datasets.dataset_detail, name="dataset"),
    path("data/upload/", upload_views.upload_file, name="upload"),
    path("data/upload/stock/", stock_upload, name="stock-upload"),
    path("data/upload/<uuid:pk>/match/", upload_views.upload_match, name="upload-match"),
    path("data/upload/<uuid:pk>/check/", upload_views.upload_check, name="upload-check"),
    path("data/upload/<uuid:pk>/findings.csv", upload_views.upload_rows, name="upload-rows"),
    path("data/upload/<uuid:pk>/discard/", upload_views.upload_discard, name="upload-discard"),
    path("data/upload/jobs/<uuid:pk>/", upload_jobs.upload_job, name="upload-job"),
    path("data/upload/jobs/<uuid:pk>/stop/", upload_jobs.upload_job_stop, name="upload-job-stop"),
    path("data/version/<uuid:pk>/back/", upload_views.dataset_restore, name="dataset-back"),
    path("data/suggest/<str:kind>/", autocomplete.suggest_codes, name="suggest"),
    path("data/<id:pk>/rename/", manage_views.dataset_rename, name="dataset-rename"),
    path("data/<id:pk>/pause/", manage_views.dataset_pause, name="dataset-pause"),
    path("data/<id:pk>/delete/", manage_views.dataset_delete, name="dataset-delete"),
    path("data/<id:pk>/catalogue/", datasets.item_list, name="catalogue"),
    path("data/<id:pk>/sales.csv", download_views.sales_csv, name="dataset-csv"),
    path("data/<id:pk>/sales.parquet", download_views.sales_parquet, name="dataset-parquet"),
    path("data/<id:pk>/findings.csv", download_views.findings_csv, name="dataset-findings"),
    path("automation/sources/new/", sources.source_create, name="source-new"),
    path("automation/sources/<id:pk>/", sources.source_detail, name="source"),
    path("automation/sources/<id:pk>/edit/", sources.source_edit, name="source-edit"),
    path("automation/sources/<id:pk>/switch/", sources.source_switch, name="source-switch"),
    path("automation/sources/<id:pk>/look/", sources.source_look, name="source-look"),
    path("automation/sources/<id:pk>/delete/", sources.source_delete, name="source-delete"),
    path("models/<uuid:pk>/", model_versions.model_detail, name="model"),
    path("models/compare/", model_versions.model_compare, name="models-compare"),
    path("models/<uuid:pk>/promote/", model_versions.model_promote, name="model-promote"),
    path("models/<uuid:pk>/back/", model_versions.model_roll_back, name="model-roll-back"),
    path("models/<uuid:pk>/delete/", model_versions.model_delete, name="model-delete"),
]

"""URLs of forecasts."""

from __future__ import annotations

from django.urls import path

from prediction import views
from prediction.items.views import item_compare, item_list

urlpatterns = [
    path("products/", item_list, name="products"),
    path("products/compare/", item_compare, name="products-compare"),
    path("forecast/", views.forecast_create, name="forecast"),
    path("forecasts/", views.forecast_list, name="history"),
    path("forecasts/<uuid:pk>/", views.forecast_detail, name="forecast-detail"),
    path("forecasts/<uuid:pk>/csv/", views.forecast_csv, name="forecast-csv"),
    path("forecasts/<uuid:pk>/excel/", views.forecast_excel, name="forecast-excel"),
    path("forecasts/<uuid:pk>/delete/", views.forecast_delete, name="forecast-delete"),
]

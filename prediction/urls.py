"""URLs of forecasts."""

from __future__ import annotations

from django.urls import path

from prediction import views
from prediction.accuracy.views import accuracy_page, alert_state
from prediction.explanations.views import forecast_asked_why, forecast_why
from prediction.items.views import item_compare, item_list
from prediction.order_backtests.views import backtest_detail, backtest_list
from prediction.order_runs import line_views as order_lines
from prediction.order_runs import views as orders
from prediction.overrides import views as overrides
from prediction.runs import views as runs
from prediction.scenarios import views as scenarios

urlpatterns = [
    path("products/", item_list, name="products"),
    path("products/compare/", item_compare, name="products-compare"),
    path("products/runs/", runs.run_list, name="products-runs"),
    path("products/runs/new/", runs.run_create, name="products-run-new"),
    path("products/runs/<uuid:pk>/", runs.run_detail, name="products-run"),
    path("products/runs/<uuid:pk>/current/", runs.run_promote, name="products-run-promote"),
    path("products/runs/<uuid:pk>/back/", runs.run_roll_back, name="products-run-back"),
    path("products/runs/<uuid:pk>/delete/", runs.run_delete, name="products-run-delete"),
    path("products/runs/<uuid:pk>/parquet/", runs.run_file, {"kind": "parquet"}, name="products-run-parquet"),
    path("products/runs/<uuid:pk>/csv/", runs.run_file, {"kind": "csv"}, name="products-run-csv"),
    path("accuracy/", accuracy_page, name="accuracy"),
    path("accuracy/alerts/<id:pk>/<slug:state>/", alert_state, name="accuracy-alert"),
    path("overrides/", overrides.override_list, name="overrides"),
    path("overrides/new/", overrides.override_create, name="override-new"),
    path("overrides/<id:pk>/", overrides.override_detail, name="override"),
    path("overrides/<id:pk>/withdraw/", overrides.override_withdraw, name="override-withdraw"),
    path("scorecard/", overrides.scorecard_page, name="scorecard"),
    path("orders/", orders.order_list, name="orders"),
    path("orders/new/", orders.order_create, name="orders-new"),
    path("orders/policy/", order_lines.order_policy, name="orders-policy"),
    path("orders/backtests/", backtest_list, name="orders-backtests"),
    path("orders/backtests/<uuid:pk>/", backtest_detail, name="orders-backtest"),
    path("orders/<uuid:pk>/", orders.order_detail, name="orders-run"),
    path("orders/<uuid:pk>/change/", orders.order_change, name="orders-change"),
    path("orders/<uuid:pk>/approve/", orders.order_approve, name="orders-approve"),
    path("orders/<uuid:pk>/export/", orders.order_export, name="orders-export"),
    path("orders/<uuid:pk>/exports/<id:export>/", orders.order_again, name="orders-again"),
    path("orders/<uuid:pk>/print/", order_lines.order_print, name="orders-print"),
    path("orders/<uuid:pk>/delete/", orders.order_delete, name="orders-delete"),
    path("orders/<uuid:pk>/lines/<id:place>/", order_lines.order_line, name="orders-line"),
    path("orders/<uuid:pk>/lines/<id:place>/why/", order_lines.order_line_change, name="orders-line-why"),
    path("forecast/", views.forecast_create, name="forecast"),
    path("forecast/plan/", scenarios.forecast_asked_plan, name="forecast-asked-plan"),
    path("forecasts/<uuid:pk>/plan/", scenarios.forecast_plan, name="forecast-plan"),
    path("plans/", scenarios.scenario_list, name="scenarios"),
    path("plans/compare/", scenarios.scenario_compare, name="scenarios-compare"),
    path("plans/<uuid:pk>/", scenarios.scenario_detail, name="scenario"),
    path("plans/<uuid:pk>/edit/", scenarios.scenario_edit, name="scenario-edit"),
    path("plans/<uuid:pk>/name/", scenarios.scenario_change, name="scenario-change"),
    path("plans/<uuid:pk>/copy/", scenarios.scenario_duplicate, name="scenario-duplicate"),
    path("plans/<uuid:pk>/adopt/", scenarios.scenario_adopt, name="scenario-adopt"),
    path("plans/<uuid:pk>/delete/", scenarios.scenario_delete, name="scenario-delete"),
    path("forecast/why/", forecast_asked_why, name="forecast-asked-why"),
    path("forecasts/", views.forecast_list, name="history"),
    path("forecasts/<uuid:pk>/", views.forecast_detail, name="forecast-detail"),
    path("forecasts/<uuid:pk>/why/", forecast_why, name="forecast-why"),
    path("forecasts/<uuid:pk>/csv/", views.forecast_csv, name="forecast-csv"),
    path("forecasts/<uuid:pk>/excel/", views.forecast_excel, name="forecast-excel"),
    path("forecasts/<uuid:pk>/delete/", views.forecast_delete, name="forecast-delete"),
]

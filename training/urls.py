"""URLs of trainings and the queue."""

from __future__ import annotations

from django.urls import path

from training import retraining, views

urlpatterns = [
    path("train/", views.start_training, name="train"),
    path("train/knobs/", views.knob_fields, name="train-knobs"),
    path("train/cost/", views.training_cost, name="train-cost"),
    path("models/<uuid:pk>/retrain/", retraining.model_retrain, name="model-retrain"),
    path("runs/", views.training_queue, name="queue"),
    path("runs/news/", views.ended_runs, name="news"),
    path("runs/<uuid:pk>/", views.run_detail, name="run"),
    path("runs/<uuid:pk>/finish/", views.run_finish, name="run-finish"),
    path("runs/<uuid:pk>/again/", views.run_repeat, name="run-again"),
    path("runs/<uuid:pk>/cancel/", views.run_cancel, name="run-cancel"),
]

"""Addresses of training."""

from __future__ import annotations

from django.urls import path

from training import views

urlpatterns = [
    path("train/", views.train, name="train"),
    path("train/knobs/", views.knobs, name="train-knobs"),
    path("train/cost/", views.cost, name="train-cost"),
    path("runs/", views.queue, name="queue"),
    path("runs/news/", views.news, name="news"),
    path("runs/<uuid:pk>/", views.run, name="run"),
    path("runs/<uuid:pk>/finish/", views.run_finish, name="run-finish"),
    path("runs/<uuid:pk>/again/", views.run_again, name="run-again"),
    path("runs/<uuid:pk>/cancel/", views.run_cancel, name="run-cancel"),
]

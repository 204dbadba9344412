"""A client of a forecastsite: push sales, train, wait, read forecasts and orders as data frames."""

from __future__ import annotations

from forecastsite_client.client import Client, JobFailed, Refused

__all__ = ["Client", "JobFailed", "Refused"]

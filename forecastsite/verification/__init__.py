"""What is looked at every night: golden forecasts of versions in use, files, the age of the last backup."""

from __future__ import annotations

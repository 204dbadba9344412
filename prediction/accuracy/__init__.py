"""What became of forecasts: runs compared with sales, by week, lag and group; ranges, drift and alerts."""

from __future__ import annotations

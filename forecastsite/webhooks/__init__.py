"""Webhooks: other programs are told what happened, signed by Standard Webhooks, at least once each."""

from __future__ import annotations

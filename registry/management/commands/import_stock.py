"""manage.py import_stock: a file of stock into a dataset."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from registry.datasets.stock.command import TableCommand


class Command(TableCommand):
    help = ""

"""manage.py import_sales: reads a file of sales into a dataset."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from registry.datasets.importer import examine, import_file, workshop
from registry.datasets.importing.covariate_roles import COVARIATES, Roles
from registry.datasets.importing.errors import Question, SalesError
from registry.datasets.importing.options import DECIMALS, ORDERS, Reading
from registry.datasets.models import Dataset, DatasetVersion


class Command(BaseCommand):
    help = "Reads a CSV, Excel or parquet file of sales (date, store, product, sales, …) into a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True, help="the dataset's name")
        parser.add_argument("--map", nargs="+", action="extend", default=[], metavar="sales=qty")
        for role, meaning in zip(COVARIATES, ("known ahead", "known afterwards", "fixed"), strict=True):
            parser.add_argument(
                f"--{role}", nargs="+", action="extend", default=[], help=f"columns {meaning}"
            )
        parser.add_argument("--country", default="", help="two letters, for public holidays")
        parser.add_argument("--on-problem", choices=["stop", "skip"], default="stop")
        parser.add_argument("--dates", choices=ORDERS, default="", help="the order in dates like 01/02/2026")
        parser.add_argument("--decimal", choices=list(DECIMALS), default="", help="what 1,234 means")
        parser.add_argument(
            "--choose",
            nargs="+",
            action="extend",
            default=[],
            metavar="duplicate=sum",
            help="what to do about a finding",
        )
        parser.add_argument(
            "--replace", action="store_true", help="the file is the whole dataset, not newer days"
        )
        parser.add_argument("--check", action="store_true", help="only print the report, save nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        reading = Reading(
            mapping=pairs("--map", options["map"]),
            choices=pairs("--choose", options["choose"]),
            **{name: options[name] for name in ("on_problem", "country", "dates", "decimal", "replace")},
        )
        given = roles({role: words(options[role]) for role in COVARIATES})
        try:
            if options["check"]:
                self.stdout.write(json.dumps(checked(options["file"], options["name"], given, reading)))
                return
            version = import_file(options["file"], options["name"], given, reading)
        except Question as question:
            hint = f" (--{question.about} {' | '.join(question.options)})"
            raise CommandError(f"{question}{hint}") from None
        except SalesError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            json.dumps(report(version), ensure_ascii=False) if options["json"] else summary(version)
        )


def checked(path: Path, name: str, given: Roles, reading: Reading) -> dict[str, Any]:
    """The report about a file, and what it would change in the dataset; nothing is saved."""
    with workshop() as folder:
        dataset = Dataset.objects.filter(name=name).first()
        found = examine(path, folder, replace(reading, roles=given), dataset)
    counts = {kind: len(found[kind]) for kind in ("stores", "products")}
    told = ("hash", "rows", "series", "first", "last", "roles", "findings", "changes", "reading")
    return {"dataset": name, **{part: found[part] for part in told}, **counts}


def words(given: list[str]) -> list[str]:
    """
    >>> words(["promo,price", "open"])
    ['promo', 'price', 'open']
    """
    return [word.strip() for part in given for word in part.split(",") if word.strip()]


def pairs(option: str, given: list[str]) -> dict[str, str]:
    """
    >>> pairs("--map", ["sales=qty,date=day"])
    {'sales': 'qty', 'date': 'day'}
    """
    found = [pair.partition("=") for pair in words(given)]
    for ours, sign, theirs in found:
        if not (ours and sign and theirs):
            sentence = _("%(option)s takes A=B, such as sales=qty or duplicate=sum.") % {"option": option}
            raise CommandError(sentence, returncode=2)
    return {ours.strip(): theirs.strip() for ours, _sign, theirs in found}


def roles(given: dict[str, list[str]]) -> Roles:
    """{column: role}; a column with two roles is a bad argument."""
    result: Roles = {}
    for role, columns in given.items():
        for column in columns:
            if result.setdefault(column, role) != role:
                raise CommandError(_("Column %(column)s has two roles.") % {"column": column}, returncode=2)
    return result


def report(version: DatasetVersion) -> dict[str, Any]:
    """The JSON that scripts read."""
    return {
        "dataset": version.dataset.name,
        "version": version.number,
        "hash": version.content_hash,
        "rows": version.rows,
        "stores": len(version.stores),
        "products": len(version.products),
        "series": version.series,
        "first": version.first.isoformat(),
        "last": version.last.isoformat(),
        "roles": version.roles,
        "findings": version.findings,
        "reading": version.reading,
    }


def summary(version: DatasetVersion) -> str:
    """The report for people."""
    lines = [
        f"{version}: {version.rows} rows, {version.series} series "
        f"({len(version.stores)} stores, {len(version.products)} products), {version.first} … {version.last}"
    ]
    lines += [f"  {column}: {role}" for column, role in version.roles.items()]
    for finding in version.findings:
        lines.append(f"  {finding['code']}: {finding['count']} ({finding['action']})")
    return "\n".join(lines)

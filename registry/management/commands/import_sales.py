"""manage.py import_sales: imports a sales file into a dataset."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from registry.datasets.importer import import_file, import_folder, inspect_file
from registry.datasets.importing.covariate_roles import COVARIATE_ROLES, ColumnRoles
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import DATE_ORDERS, DECIMAL_MARKS, ImportOptions
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.summary_text import summary_facts

GIVEN_OPTIONS = ("on_problem", "country", "dates", "decimal", "encoding", "replace")


class Command(BaseCommand):
    help = "Imports a CSV, Excel or parquet file of sales (date, store, product, sales, …) into a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True, help="the dataset's name")
        parser.add_argument("--map", nargs="+", action="extend", default=[], metavar="sales=qty")
        for role, meaning in zip(
            COVARIATE_ROLES, ("known ahead", "known for the past only", "fixed"), strict=True
        ):
            parser.add_argument(
                f"--{role}", nargs="+", action="extend", default=[], help=f"columns {meaning}"
            )
        parser.add_argument("--country", default="", help="two letters, for public holidays")
        parser.add_argument("--on-problem", choices=["stop", "skip"], default="stop")
        parser.add_argument(
            "--dates", choices=DATE_ORDERS, default="", help="order of day and month in dates like 01/02/2026"
        )
        parser.add_argument(
            "--decimal",
            choices=list(DECIMAL_MARKS),
            default="",
            help="the decimal mark, if 1,234 is ambiguous",
        )
        parser.add_argument(
            "--encoding", default="", metavar="cp1251", help="the encoding of a text file that is not UTF-8"
        )
        parser.add_argument(
            "--choose",
            nargs="+",
            action="extend",
            default=[],
            metavar="duplicate=sum",
            help="what to do about a finding",
        )
        parser.add_argument(
            "--replace", action="store_true", help="replace the whole dataset instead of adding days"
        )
        parser.add_argument("--check", action="store_true", help="print the report only, import nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        reading = ImportOptions(
            mapping=parse_pairs("--map", options["map"]),
            choices=parse_pairs("--choose", options["choose"]),
            **{name: options[name] for name in GIVEN_OPTIONS},
        )
        given = parse_roles({role: split_words(options[role]) for role in COVARIATE_ROLES})
        try:
            if options["check"]:
                self.stdout.write(json.dumps(check_file(options["file"], options["name"], given, reading)))
                return
            version = import_file(options["file"], options["name"], given, reading)
        except AmbiguousValue as question:
            hint = f" (--{question.field_name} {' | '.join(question.answers)})"
            raise CommandError(f"{question}{hint}") from None
        except SalesFileError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            json.dumps(build_report(version), ensure_ascii=False)
            if options["json"]
            else format_summary(version)
        )


def check_file(path: Path, name: str, given: ColumnRoles, reading: ImportOptions) -> dict[str, Any]:
    """The report on a file and on what it would change in the dataset; imports nothing."""
    with import_folder() as folder:
        dataset = Dataset.objects.filter(name=name).first()
        found = inspect_file(path, folder, replace(reading, roles=given), dataset)
    counts = {kind: len(found[kind]) for kind in ("stores", "products")}
    found["reading"].pop("summary")  # it has a key beside it
    parts = ("hash", "rows", "series", "first", "last", "roles", "findings", "changes", "reading", "summary")
    return {"dataset": name, **{part: found[part] for part in parts}, **counts}


def split_words(given: list[str]) -> list[str]:
    """Words of comma-separated arguments.

    >>> split_words(["promo,price", "open"])
    ['promo', 'price', 'open']
    """
    return [word.strip() for part in given for word in part.split(",") if word.strip()]


def parse_pairs(option: str, given: list[str]) -> dict[str, str]:
    """{a: b} from arguments like a=b; raises CommandError.

    >>> parse_pairs("--map", ["sales=qty,date=day"])
    {'sales': 'qty', 'date': 'day'}
    """
    found = [pair.partition("=") for pair in split_words(given)]
    for ours, sign, theirs in found:
        if not (ours and sign and theirs):
            sentence = _("%(option)s takes A=B, such as sales=qty or duplicate=sum.") % {"option": option}
            raise CommandError(sentence, returncode=2)
    return {ours.strip(): theirs.strip() for ours, _sign, theirs in found}


def parse_roles(given: dict[str, list[str]]) -> ColumnRoles:
    """{column: role}; raises CommandError if a column has two roles."""
    result: ColumnRoles = {}
    for role, columns in given.items():
        for column in columns:
            if result.setdefault(column, role) != role:
                raise CommandError(_("Column %(column)s has two roles.") % {"column": column}, returncode=2)
    return result


def build_report(version: DatasetVersion) -> dict[str, Any]:
    """The report for --json."""
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
        "reading": {name: value for name, value in version.reading.items() if name != "summary"},
        "summary": version.reading.get("summary", {}),
    }


def format_summary(version: DatasetVersion) -> str:
    """The report for people."""
    lines = [
        f"{version}: rows {version.rows}, series {version.series}, stores {len(version.stores)}, "
        f"products {len(version.products)}, {version.first} … {version.last}"
    ]
    if facts := summary_facts(version.reading.get("summary", {})):
        lines.append(f"  {' · '.join(facts)}")
    lines += [f"  {column}: {role}" for column, role in version.roles.items()]
    for finding in version.findings:
        lines.append(f"  {finding['code']}: {finding['count']} ({finding['action']})")
    return "\n".join(lines)

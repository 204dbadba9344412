"""The files in deploy/ fit the product: settings, commands, options and folders that exist."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from forecastsite.management.commands import up
from forecastsite.server.host_status import ROLES
from tests.helpers.source_tree import PACKAGES, ROOT
from tests.helpers.trials import only_if

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
FOREIGN = re.compile(r"(AWS|COMPOSE|PIP|POSTGRES|PYTHON)_?\w+|DATABASE_PASSWORD")  # not of this product


def own_services() -> dict[str, dict]:
    """The services of compose.yaml that run this product."""
    return {name: one for name, one in COMPOSE["services"].items() if one["image"] == "forecastsite"}


def roles_of(command: list[str]) -> list[str]:
    """The roles that this command line starts, read by the command itself."""
    assert command[0] == "up"
    parser = up.Command().create_parser("manage.py", "up")
    return parser.parse_args(command[1:]).only or list(ROLES)


def named_settings() -> set[str]:
    """Every variable that these files set or read."""
    example = (DEPLOY / "settings.example.env").read_text()
    names = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    names |= set(re.findall(r"^(?:ENV |ARG |    )([A-Z][A-Z0-9_]+)=", CONTAINERFILE, re.MULTILINE))
    names |= set(re.findall(r"\$\{([A-Z0-9_]+)", (DEPLOY / "compose.yaml").read_text()))
    for service in COMPOSE["services"].values():
        names |= set(service["environment"])
    for unit in UNITS:
        line = re.search(r"^Environment=(.*)$", unit.read_text(), re.MULTILINE)
        names |= {pair.partition("=")[0] for pair in line[1].split()}
    return names


def test_every_setting_is_one_of_the_product() -> None:
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    found = {name for name in named_settings() if not FOREIGN.fullmatch(name)}
    assert {"DATA_DIR", "DATABASE_URL", "ARTIFACT_STORE", "SECRET_KEY"} <= found <= listed


def test_each_role_has_a_container_and_one_has_them_all() -> None:
    found = {name: roles_of(service["command"]) for name, service in own_services().items()}
    assert found == {"site": list(ROLES)} | {role: [role] for role in ROLES}
    assert all(service["profiles"] == [name] for name, service in COMPOSE["services"].items())


def test_containers_of_several_roles_on_a_machine_have_data_folders_of_their_own() -> None:
    volumes = [volume for service in COMPOSE["services"].values() for volume in service["volumes"]]
    names = [volume.partition(":")[0] for volume in volumes]
    assert len(set(names)) == len(names) and set(names) == set(COMPOSE["volumes"])


def test_the_image_holds_all_that_the_product_reads() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in names)
    assert names >= {*PACKAGES, "manage.py", "pyproject.toml", "templates", "static", "docs", "locale"}


def test_the_image_asks_how_its_host_is(settings) -> None:
    (words,) = re.findall(r"^HEALTHCHECK .* CMD \[(.+)\]$", CONTAINERFILE, re.MULTILINE)
    python, *words = (word.strip().strip('"') for word in words.split(","))
    environment = {**os.environ, "DATA_DIR": str(settings.DATA_DIR)}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True)
    assert (python, done.returncode) == ("python", 1) and b'"healthy": false' in done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_the_product(unit: Path) -> None:
    start = re.search(r"^ExecStart=\S+/python manage.py (.+)$", unit.read_text(), re.MULTILINE)
    assert roles_of(start[1].replace("%i", "light").split()) == (
        ["light"] if "@" in unit.name else list(ROLES)
    )


@only_if(bool(shutil.which("systemd-analyze")), "no systemd-analyze here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault_in_a_unit(unit: Path, tmp_path: Path) -> None:
    folder = tmp_path / "srv"
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    text = (
        unit.read_text()
        .replace("/srv/forecastsite", str(folder))
        .replace("User=forecastsite", f"User={getpass.getuser()}")
    )
    copy = tmp_path / unit.name.replace("@", "@light")
    copy.write_text(text)
    words = ["systemd-analyze", "verify", "--recursive-errors=no", str(copy)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

"""The description of the API is kept in the repository, and a change that breaks programs is noticed."""

from __future__ import annotations

import copy
import json

from forecastsite.api.contract import find_breaks
from forecastsite.api.v1 import read_document
from tests.helpers.source_tree import ROOT

KEPT = ROOT / "docs" / "openapi.json"


def test_the_description_in_the_repository_is_the_one_that_is_served(anonymous):
    served = anonymous.get("/api/v1/openapi.json")
    assert served["Content-Type"] == "application/json"
    assert served.content.decode() == KEPT.read_text(), "Run manage.py openapi and commit docs/openapi.json."


def test_what_is_served_breaks_nothing_that_is_kept():
    assert find_breaks(json.loads(KEPT.read_text()), json.loads(read_document())) == []


def test_breaks_are_told_by_name():
    old = json.loads(read_document())
    new = copy.deepcopy(old)
    del new["paths"]["/api/v1/versions"]
    del new["components"]["schemas"]["DatasetOut"]["properties"]["country"]
    new["components"]["schemas"]["TrainingIn"]["required"].append("seed")
    new["components"]["schemas"]["JobOut"]["properties"]["id"] = {"type": "integer"}
    new["paths"]["/api/v1/datasets"]["get"]["parameters"].append(
        {"name": "country", "in": "query", "required": True, "schema": {"type": "string"}}
    )
    new["paths"]["/api/v1/datasets"]["get"]["x-scope"] = "data:write"
    assert find_breaks(old, new) == [
        "/api/v1/datasets get: needs the scope data:write instead of data:read",
        "/api/v1/datasets get: requires country",
        "/api/v1/versions: is gone",
        "DatasetOut: country is gone",
        "JobOut: id has another type",
        "TrainingIn: requires seed",
    ]


def test_additions_break_nothing():
    old = json.loads(read_document())
    new = copy.deepcopy(old)
    new["components"]["schemas"]["DatasetOut"]["properties"]["colour"] = {"type": "string"}
    new["paths"]["/api/v1/new"] = {"get": {}}
    assert find_breaks(old, new) == []


def test_every_operation_has_a_sentence_a_scope_and_its_refusals():
    document = json.loads(read_document())
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["description"].endswith("."), (path, method)
            assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys()
            assert operation["security"] == [{"BearerKey": []}]

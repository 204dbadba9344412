"""The planner against an oracle written from the sentences of the docs, in random states."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.storage.retention import (
    ARCHIVE,
    DELETE,
    FORECAST,
    FORECAST_RUN,
    VERSION,
    ForecastRow,
    RetentionPolicy,
    RunRow,
    VersionRow,
    evaluate_policy,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STATES = 10_000 if os.environ.get("FAULTS") == "full" else 500
many = settings(max_examples=STATES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# few values, so that ties and limits are met all the time
AGES = [timedelta(hours=hours) for hours in (0, 1, 23, 24, 25, 120, 696, 720, 744, 9600)]
HELD = [(), (), (), ("pinned",), ("best",), ("run",)]
KINDS = [frozenset({FORECAST, VERSION}), frozenset({FORECAST}), frozenset({VERSION})]
GRACE = [timedelta(0), timedelta(hours=24), timedelta(days=7)]


def pick(values, byte: int):
    return values[byte % len(values)]


def state(data: bytes):
    """Versions of two lines and forecasts made with them, four bytes each: Hypothesis draws bytes fastest."""
    rows = [data[at : at + 4] for at in range(1, len(data) - 3, 4)]
    split = 1 + data[0] % 7
    versions = [
        VersionRow(
            id=f"v{at}",
            name="",
            created=NOW - pick(AGES, age),
            size=age,
            protected_by=pick(HELD, held),
            is_archived=archived % 5 == 1,
            lineage=pick("ab", line),
        )
        for at, (age, held, archived, line) in enumerate(rows[:split])
    ]
    forecasts = [
        ForecastRow(
            id=f"f{at}",
            name="",
            created=NOW - pick(AGES, age),
            size=age,
            protected_by=("pinned",) if held % 5 == 1 else (),
            is_archived=archived % 5 == 1,
            version=pick(versions, version).id,
        )
        for at, (age, held, archived, version) in enumerate(rows[split:])
    ]
    return forecasts, versions


def policy(data: bytes) -> RetentionPolicy:
    days, count, versions, grace, kinds, archive = data
    return RetentionPolicy(
        max_age_days=pick([1, 5, 30, 365], days),
        max_forecasts=1 + count % 8,
        max_versions=1 + versions % 4,
        grace_period=pick(GRACE, grace),
        kinds=pick(KINDS, kinds),
        should_archive=archive % 2 == 1,
    )


states = st.binary(min_size=5, max_size=61).map(state)
policies = st.binary(min_size=6, max_size=6).map(policy)


def newer(row, others) -> int:
    return sum((other.created, other.id) > (row.created, row.id) for other in others)


def may_go(row, policy) -> bool:
    return not row.protected_by and not row.is_archived and NOW - row.created >= policy.grace_period


def oracle(forecasts, versions, policy) -> set[str]:
    """Ids of what goes, by looking at one row at a time."""
    gone = {
        row.id
        for row in forecasts
        if FORECAST in policy.kinds
        and may_go(row, policy)
        and (
            row.created < NOW - timedelta(days=policy.max_age_days)
            or newer(row, forecasts) >= policy.max_forecasts
        )
    }
    for row in versions:
        needed = [
            forecast
            for forecast in forecasts
            if forecast.version == row.id
            and forecast.id not in gone
            and not (policy.should_archive and forecast.is_archived)
        ]
        line = [other for other in versions if other.lineage == row.lineage]
        if (
            VERSION in policy.kinds
            and may_go(row, policy)
            and not needed
            and newer(row, line) >= policy.max_versions
        ):
            gone = gone | {row.id}
    return gone


def goes(state, policy) -> set[str]:
    return {item.id for item in evaluate_policy(*state, policy, NOW).due_items}


@many
@given(states, policies)
def test_the_plan_takes_what_the_oracle_takes_and_nothing_that_is_protected(state, policy):
    forecasts, versions = state
    found = evaluate_policy(forecasts, versions, policy, NOW)
    assert {item.id for item in found.due_items} == oracle(forecasts, versions, policy)
    assert not [item for item in found.due_items if item.protected_by]
    action = ARCHIVE if policy.should_archive else DELETE
    assert {item.action for item in found.due_items} <= {action}
    examined = len(forecasts) * (FORECAST in policy.kinds) + len(versions) * (VERSION in policy.kinds)
    assert len(found.items) == examined == sum(found.count_by_action().values())


@many
@given(states, policies, policies)
def test_a_stricter_rule_never_deletes_less(state, one, other):
    lenient = replace(
        one,
        max_age_days=max(one.max_age_days, other.max_age_days),
        max_forecasts=max(one.max_forecasts, other.max_forecasts),
        max_versions=max(one.max_versions, other.max_versions),
        grace_period=max(one.grace_period, other.grace_period),
        kinds=one.kinds & other.kinds,
    )
    strict = replace(
        one,
        max_age_days=min(one.max_age_days, other.max_age_days),
        max_forecasts=min(one.max_forecasts, other.max_forecasts),
        max_versions=min(one.max_versions, other.max_versions),
        grace_period=min(one.grace_period, other.grace_period),
        kinds=one.kinds | other.kinds,
    )
    assert goes(state, lenient) <= goes(state, strict)


@many
@given(states, policies)
def test_after_the_plan_there_is_nothing_left_to_do(state, policy):
    _forecasts, _versions = state
    gone = goes(state, policy)
    if policy.should_archive:
        after = tuple(
            [replace(row, is_archived=row.is_archived or row.id in gone) for row in rows] for rows in state
        )
    else:
        after = tuple([row for row in rows if row.id not in gone] for rows in state)
    assert goes(after, policy) == set()


@many
@given(states, policies, st.data())
def test_a_pin_never_lets_something_else_go(state, policy, data):
    forecasts, versions = state
    chosen = data.draw(st.sampled_from([*forecasts, *versions])).id
    pinned = tuple(
        [replace(row, protected_by=("pinned",)) if row.id == chosen else row for row in rows]
        for rows in state
    )
    assert goes(pinned, policy) <= goes(state, policy) - {chosen}


@given(states, policies, st.randoms())
def test_the_order_of_the_rows_does_not_matter(state, policy, random):
    shuffled = tuple(random.sample(rows, len(rows)) for rows in state)
    assert evaluate_policy(*shuffled, policy, NOW).items == evaluate_policy(*state, policy, NOW).items


def test_the_hash_of_a_plan_names_what_goes_and_not_what_stays():
    old = ForecastRow(id="old", name="", created=NOW - timedelta(days=40), size=1, version="v")
    new = replace(old, id="new", created=NOW)
    assert (
        evaluate_policy([old], [], RetentionPolicy(), NOW).sha256
        == evaluate_policy([old, new], [], RetentionPolicy(), NOW).sha256
    )
    assert (
        evaluate_policy([old], [], RetentionPolicy(), NOW).sha256
        != evaluate_policy([new], [], RetentionPolicy(), NOW).sha256
    )


@many
@given(states, policies)
def test_a_run_goes_when_enough_newer_ones_of_its_dataset_exist_and_frees_its_version(state, policy):
    forecasts, versions = state
    policy = replace(policy, kinds=frozenset({FORECAST_RUN, VERSION}), max_runs=policy.max_forecasts)
    facts = ("id", "name", "created", "size", "protected_by", "is_archived", "version")
    values = [{name: getattr(row, name) for name in facts} for row in forecasts]
    runs = [RunRow(lineage=pick("ab", row["size"]), **row) for row in values]
    items = evaluate_policy([], versions, policy, NOW, runs).items
    going = {item.id for item in items if item.is_due}
    for run in runs:
        rank = newer(run, [other for other in runs if other.lineage == run.lineage])
        assert (run.id in going) == (may_go(run, policy) and rank >= policy.max_runs)
    left = {run.version for run in runs if run.id not in going}
    assert policy.should_archive or not going & left

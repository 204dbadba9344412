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
    VERSION,
    ForecastRow,
    Policy,
    VersionRow,
    plan,
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
            held=pick(HELD, held),
            archived=archived % 5 == 1,
            line=pick("ab", line),
        )
        for at, (age, held, archived, line) in enumerate(rows[:split])
    ]
    forecasts = [
        ForecastRow(
            id=f"f{at}",
            name="",
            created=NOW - pick(AGES, age),
            size=age,
            held=("pinned",) if held % 5 == 1 else (),
            archived=archived % 5 == 1,
            version=pick(versions, version).id,
        )
        for at, (age, held, archived, version) in enumerate(rows[split:])
    ]
    return forecasts, versions


def policy(data: bytes) -> Policy:
    days, count, versions, grace, kinds, archive = data
    return Policy(
        days=pick([1, 5, 30, 365], days),
        count=1 + count % 8,
        versions=1 + versions % 4,
        grace=pick(GRACE, grace),
        kinds=pick(KINDS, kinds),
        archive=archive % 2 == 1,
    )


states = st.binary(min_size=5, max_size=61).map(state)
policies = st.binary(min_size=6, max_size=6).map(policy)


def newer(row, others) -> int:
    return sum((other.created, other.id) > (row.created, row.id) for other in others)


def may_go(row, policy) -> bool:
    return not row.held and not row.archived and NOW - row.created >= policy.grace


def oracle(forecasts, versions, policy) -> set[str]:
    """Ids of what goes, by looking at one row at a time."""
    gone = {
        row.id
        for row in forecasts
        if FORECAST in policy.kinds
        and may_go(row, policy)
        and (row.created < NOW - timedelta(days=policy.days) or newer(row, forecasts) >= policy.count)
    }
    for row in versions:
        needed = [
            forecast
            for forecast in forecasts
            if forecast.version == row.id
            and forecast.id not in gone
            and not (policy.archive and forecast.archived)
        ]
        line = [other for other in versions if other.line == row.line]
        if (
            VERSION in policy.kinds
            and may_go(row, policy)
            and not needed
            and newer(row, line) >= policy.versions
        ):
            gone = gone | {row.id}
    return gone


def goes(state, policy) -> set[str]:
    return {item.id for item in plan(*state, policy, NOW).todo}


@many
@given(states, policies)
def test_the_plan_takes_what_the_oracle_takes_and_nothing_that_is_protected(state, policy):
    forecasts, versions = state
    found = plan(forecasts, versions, policy, NOW)
    assert {item.id for item in found.todo} == oracle(forecasts, versions, policy)
    assert not [item for item in found.todo if item.protected_by]
    action = ARCHIVE if policy.archive else DELETE
    assert {item.action for item in found.todo} <= {action}
    examined = len(forecasts) * (FORECAST in policy.kinds) + len(versions) * (VERSION in policy.kinds)
    assert len(found.items) == examined == sum(found.counts().values())


@many
@given(states, policies, policies)
def test_a_stricter_rule_never_deletes_less(state, one, other):
    lenient = replace(
        one,
        days=max(one.days, other.days),
        count=max(one.count, other.count),
        versions=max(one.versions, other.versions),
        grace=max(one.grace, other.grace),
        kinds=one.kinds & other.kinds,
    )
    strict = replace(
        one,
        days=min(one.days, other.days),
        count=min(one.count, other.count),
        versions=min(one.versions, other.versions),
        grace=min(one.grace, other.grace),
        kinds=one.kinds | other.kinds,
    )
    assert goes(state, lenient) <= goes(state, strict)


@many
@given(states, policies)
def test_after_the_plan_there_is_nothing_left_to_do(state, policy):
    _forecasts, _versions = state
    gone = goes(state, policy)
    if policy.archive:
        after = tuple(
            [replace(row, archived=row.archived or row.id in gone) for row in rows] for rows in state
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
        [replace(row, held=("pinned",)) if row.id == chosen else row for row in rows] for rows in state
    )
    assert goes(pinned, policy) <= goes(state, policy) - {chosen}


@given(states, policies, st.randoms())
def test_the_order_of_the_rows_does_not_matter(state, policy, random):
    shuffled = tuple(random.sample(rows, len(rows)) for rows in state)
    assert plan(*shuffled, policy, NOW).items == plan(*state, policy, NOW).items


def test_the_hash_of_a_plan_names_what_goes_and_not_what_stays():
    old = ForecastRow(id="old", name="", created=NOW - timedelta(days=40), size=1, version="v")
    new = replace(old, id="new", created=NOW)
    assert plan([old], [], Policy(), NOW).sha256 == plan([old, new], [], Policy(), NOW).sha256
    assert plan([old], [], Policy(), NOW).sha256 != plan([new], [], Policy(), NOW).sha256

"""What orders cost: the VN2 game, and daily sales ordered anew.

    python -m bench.orders [vn2] [pasta] [m5]

Learns on the first call (a minute or two for each start) and caches what it drew; delete the folder
`orders` of the benchmark cache after the learning has changed.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from bench.orders.daily import LEVELS, build_replay, compare
from bench.orders.forecasts import Learned
from bench.orders.vn2 import STARTS, play_games

NAMES = ("vn2", "pasta", "m5")


def main(names: list[str]) -> None:
    """Prints a table for each data set."""
    for name in names or NAMES:
        if name == "vn2":
            print_games()
        else:
            print_replay(name)


def print_games() -> None:
    """The cost of every rule in every game of eight weeks, and in all."""
    costs: dict[str, dict[int, float]] = defaultdict(dict)
    for game in play_games(STARTS, Learned("vn2", "pooled_smoothing", budget=10.0)):
        costs[game.rule][game.start] = game.cost
    benchmark = sum(costs["seasonal average"].values())
    print("\n| rule | " + " | ".join(f"week {start}" for start in STARTS) + " | all | share |")
    print("|---|" + "---|" * (len(STARTS) + 2))
    for rule, found in costs.items():
        total = sum(found.values())
        shown = " | ".join(f"{found[start]:.0f}" for start in STARTS)
        print(f"| {rule} | {shown} | {total:.0f} | {total / benchmark:.3f} |")


def print_replay(name: str) -> None:
    """Our service levels beside days of cover that keep the same mean stock."""
    replay = build_replay(name)
    print(f"\n{name}\n\n| service asked | reached | fill rate | days without stock | with days of cover |")
    print("|---|---|---|---|---|")
    for level in LEVELS:
        found = compare(replay, level)
        ours, cover = found.ours, found.cover
        print(
            f"| {level:.0%} | {ours.cycle_service:.1%} | {ours.fill_rate:.1%} | "
            f"{ours.empty_days:.2%} | {cover.empty_days:.2%} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])

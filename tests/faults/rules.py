"""Rules of both proxies: which event is done what to."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.faults.tcp import Seen

A = TypeVar("A")


def first(frame: str, action: A, otherwise: A, *, times: int = 1) -> Callable[[Seen], A]:
    """Does `action` to the first `times` events of this type, per run; else `otherwise`."""
    left: dict[str, int] = {}

    def rule(seen: Seen) -> A:
        if seen.frame != frame:
            return otherwise
        left[seen.run_id] = left.get(seen.run_id, times) - 1
        return action if left[seen.run_id] >= 0 else otherwise

    return rule


def sometimes(
    actions: Sequence[A], otherwise: A, *, chance: float, seed: int
) -> Callable[[Seen], A]:
    """Does one of `actions` to each event with this probability; the same every time."""
    dice = random.Random(seed)

    def rule(seen: Seen) -> A:
        if seen.frame and dice.random() < chance:
            return dice.choice(actions)
        return otherwise

    return rule


def one_each(actions: Sequence[A], otherwise: A, *, frames: Sequence[str]) -> Callable[[Seen], A]:
    """Gives each run one of `actions`, done once to each of these events: in turn."""
    given: dict[str, A] = {}
    done: set[tuple[str, str]] = set()

    def rule(seen: Seen) -> A:
        if seen.frame not in frames or (seen.run_id, seen.frame) in done:
            return otherwise
        done.add((seen.run_id, seen.frame))
        return given.setdefault(seen.run_id, actions[len(given) % len(actions)])

    return rule

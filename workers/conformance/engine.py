"""Runs cases, several at a time, and collects what became of them."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from workers.conformance.checks import Failed
from workers.conformance.registry import CASES, EVERY_RUN, Case
from workers.conformance.run import Run

__all__ = ["Outcome", "Settings", "run_all"]

CASE_SECONDS = 60.0
_TAIL = 600


@dataclass(frozen=True)
class Settings:
    """What to run.

    Attributes:
        argv: the worker's command.
        encodings: in which.
        only: patterns of names; empty: all.
        jobs: cases at a time.
        patience: factor for every wait.
    """

    argv: Sequence[str]
    encodings: Sequence[str]
    only: Sequence[str] = ()
    jobs: int = 4
    patience: float = 1.0


@dataclass
class Outcome:
    """What became of one case in one encoding."""

    group: str
    name: str
    encoding: str
    says: str
    passed: bool = True
    seconds: float = 0.0
    what: str = ""
    expected: str = ""
    seen: str = ""
    background: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


def selected(only: Sequence[str]) -> list[Case]:
    """The cases of these patterns."""
    return [found for found in CASES if not only or any(found.matches(part) for part in only)]


async def run_all(settings: Settings, told: Callable[[Outcome], None]) -> list[Outcome]:
    """Run everything; `told` hears of each outcome as it comes."""
    places = asyncio.Semaphore(settings.jobs)
    always = {
        (rule.name, encoding): Outcome("every run", rule.name, encoding, rule.says)
        for encoding in settings.encodings
        for rule in EVERY_RUN
    }

    async def one(case: Case, encoding: str) -> Outcome:
        async with places:
            outcome = await _run_case(case, encoding, settings, always)
        told(outcome)
        return outcome

    work = [
        one(case, encoding)
        for case in selected(settings.only)
        for encoding in case.runs_in(settings.encodings)
    ]
    outcomes = list(await asyncio.gather(*work))
    ran = {outcome.encoding for outcome in outcomes}
    for outcome in always.values():
        if outcome.encoding in ran:
            told(outcome)
            outcomes.append(outcome)
    return outcomes


async def _run_case(
    case: Case, encoding: str, settings: Settings, always: dict[tuple[str, str], Outcome]
) -> Outcome:
    outcome = Outcome(case.group, case.name, encoding, case.says)
    run = Run(settings.argv, encoding, settings.patience)
    began = time.monotonic()
    try:
        await run.open()
        await asyncio.wait_for(case.function(run), CASE_SECONDS * settings.patience)
    except Failed as failed:
        _note(outcome, failed, run)
    except asyncio.TimeoutError:
        limit = f"within {CASE_SECONDS:g} s"
        _note(outcome, Failed("the case's end", limit, "it was still going on"), run)
    except Exception as error:  # noqa: BLE001 - the runner's own fault, or the command's
        text = "".join(traceback.format_exception_only(error)).strip()
        where = traceback.extract_tb(error.__traceback__)[-1]
        _note(outcome, Failed("the runner", "no error", f"{text} ({where.name})"), run)
    finally:
        await run.close()
    outcome.seconds = round(time.monotonic() - began, 3)
    for rule in EVERY_RUN:
        held = always[rule.name, encoding]
        if held.passed:
            try:
                rule.function(run)
            except Failed as failed:
                _note(held, failed, run)
                held.what += f" (in {case.group}/{case.name})"
    return outcome


def _note(outcome: Outcome, failed: Failed, run: Run) -> None:
    outcome.passed = False
    outcome.what, outcome.expected, outcome.seen = failed.what, failed.expected, failed.seen
    outcome.background = [f"events: {run.receiver.transcript()}"]
    outcome.background += [f"problem: {text}" for text in run.receiver.problems]
    for program in run.programs:
        ended = program.ended
        if ended is None:
            outcome.background.append("worker: still running")
            continue
        outcome.background.append(f"worker: exit status {ended.status}")
        outcome.background.append(f"stdout: {ended.stdout.strip()[-_TAIL:]}")
        if ended.stderr.strip():
            outcome.background.append(f"stderr: {ended.stderr.strip()[-_TAIL:]}")

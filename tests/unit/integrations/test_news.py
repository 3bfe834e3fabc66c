"""The looks at what a client library was told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from wove.integrations import _news
from wove.integrations._news import News


def test_each_end_is_told_once_and_a_failed_look_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_news, "LOOK_SECONDS", 0.01)
    over: set[str] = set()
    looks: list[list[str]] = []
    told: list[str] = []

    def look(jobs: Mapping[str, str]) -> list[str]:
        looks.append(sorted(jobs))
        if len(looks) == 2:
            raise OSError("the library has no connection")
        return [run_id for run_id, job in jobs.items() if job in over]

    async def until(count: int) -> None:
        while len(looks) < count:
            await asyncio.sleep(0.01)

    async def main() -> None:
        news: News[str] = News(look, told.append)
        news.add("1", "first")
        news.add("2", "second")
        over.add("second")
        await asyncio.wait_for(until(4), 30)
        assert told == ["2"]
        assert sorted(news.jobs) == ["1"]
        over.add("first")
        while news.jobs:
            await asyncio.sleep(0.01)
        assert told == ["2", "1"]
        news.add("3", "second")  # it looks again
        while news.jobs:
            await asyncio.sleep(0.01)
        await news.stop()

    asyncio.run(asyncio.wait_for(main(), 60))
    assert told == ["2", "1", "3"]


def test_nothing_is_held_of_jobs_when_nobody_looks_any_more() -> None:
    async def main() -> None:
        news: News[str] = News(lambda jobs: [], lambda run_id: None)
        assert await news.stop() == []
        news.add("1", "first")
        assert await news.stop() == ["first"]
        assert not news.jobs

    asyncio.run(asyncio.wait_for(main(), 60))

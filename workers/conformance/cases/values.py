"""Values: what goes in comes out, and what a task returns arrives."""

from __future__ import annotations

import json
from decimal import Decimal

from workers.conformance.checks import equal, exact, expect
from workers.conformance.registry import case
from workers.conformance.run import Run

NUMBERS = (
    "[0, -1, 2147483648, 9007199254740993, -9007199254740993, 9223372036854775807, "
    "-9223372036854775808, 0.1, -0.5, 1e308, 1.7976931348623157e308, 5e-324, 1e-7]"
)
TEXTS = {
    "": "an empty name",
    "non-ASCII": "Grüße, žluťoučký kůň, 日本語, עברית",
    "emoji": "👩‍👩‍👧 🏳️‍🌈 😀",
    "NUL": "a\0b",
    "controls": "\x01\x1f\x7f\u2028\u2029\ufeff\t\r\n",
    "quotes": "\"\\/'`$(x)%s{}",
    "__proto__": {"constructor": "a name that some languages take for their own"},
    "empty text": "",
}


@case("values")
async def adds(run: Run) -> None:
    """`add` returns the sum of its arguments, and the summary says succeeded and delivered."""
    value, ended = await run.value("add", {"a": 2, "b": 40})
    equal("the value", 42, value)
    summary = ended.summary
    equal("the summary's outcome", "succeeded", summary.get("outcome"))
    equal("the summary's delivered", True, summary.get("delivered"))
    equal("the summary's error", None, summary.get("error"))


@case("values", once=True)
async def adds_fractions(run: Run) -> None:
    """`add` of fractions and of a negative number."""
    value, _ = await run.value("add", {"a": 0.5, "b": -0.25})
    equal("the value", 0.25, value)


@case("values")
async def echoes_numbers(run: Run) -> None:
    """Integers to the last digit (2**53 + 1, 64 bits), and doubles to the ends of their range."""
    value, _ = await run.value("echo", f'{{"value": {NUMBERS}}}')
    equal("the value", exact(NUMBERS), value)


@case("values", once=True)
async def echoes_huge_integers(run: Run) -> None:
    """Integers beyond 64 bits keep their digits, too."""
    text = "[18446744073709551617, -123456789012345678901234567890]"
    value, _ = await run.value("echo", f'{{"value": {text}}}')
    equal("the value", exact(text), value)


@case("values")
async def echoes_texts(run: Run) -> None:
    """Non-ASCII, emoji, NUL and other controls, quotes, odd names of an object."""
    value, _ = await run.value("echo", {"value": TEXTS})
    equal("the value", TEXTS, value)


@case("values", once=True)
async def echoes_raw_utf8(run: Run) -> None:
    """A payload whose text is UTF-8, not escaped."""
    arguments = json.dumps({"value": TEXTS}, ensure_ascii=False)
    program = await run.hand(run.payload("echo", arguments), "file", ascii_only=False)
    ending, _ = await run.outcome(program, "task_result")
    equal("the value", TEXTS, run.value_of(ending))


@case("values")
async def echoes_null(run: Run) -> None:
    """null is a value: the JSON text `null`, not an absent result."""
    value, _ = await run.value("echo", {"value": None})
    equal("the value", None, value)


@case("values", once=True)
async def echoes_empty(run: Run) -> None:
    """Empty text, lists and objects, false and 0 stay what they are."""
    empty = ["", [], {}, False, 0, None, [[]], {"a": None}]
    value, _ = await run.value("echo", {"value": empty})
    equal("the value", empty, value)


@case("values", once=True)
async def echoes_empty_text(run: Run) -> None:
    """Empty text alone is a result of its own."""
    value, _ = await run.value("echo", {"value": ""})
    equal("the value", "", value)


@case("values", once=True)
async def echoes_deep_nesting(run: Run) -> None:
    """Sixty levels of lists and objects."""
    nested: object = "bottom"
    for level in range(60):
        nested = [nested] if level % 2 else {"in": nested}
    value, _ = await run.value("echo", {"value": nested})
    equal("the value", nested, value)


@case("values")
async def echoes_a_mebibyte(run: Run) -> None:
    """A text of 1 MiB, there and back."""
    text = "0123456789abcdéf" * (1 << 16)
    value, _ = await run.value("echo", {"value": text})
    expect("the value", value == text, f"{len(text)} characters", "another text")


@case("values", once=True)
async def never_invents_a_number(run: Run) -> None:
    """1e308 + 1e308 is an error or the exact sum: never null, never an infinity."""
    program = await run.start("add", '{"a": 1e308, "b": 1e308}')
    ending = await run.receiver.wait_for("terminal")
    equal("exit status", 0, (await program.end()).status)
    if ending.frame == "task_result":
        equal("the value", Decimal("2e308"), run.value_of(ending))
    else:
        equal("the terminal event", "task_error", ending.frame)


@case("values", once=True)
async def slow_returns_its_seconds(run: Run) -> None:
    """`slow` waits, then returns `seconds`."""
    program = await run.start("slow", {"seconds": 0.4})
    ending, _ = await run.outcome(program, "task_result")
    equal("the value", 0.4, run.value_of(ending))
    waited = ending.at - run.receiver.frames("task_started")[0].at
    expect("the wait", waited >= 0.39, "at least 0.4 s", f"{waited:.2f} s")


@case("values", once=True)
async def progress_returns_its_steps(run: Run) -> None:
    """`progress` returns `steps`, also where nobody takes its reports."""
    value, _ = await run.value("progress", {"steps": 3})
    equal("the value", 3, value)

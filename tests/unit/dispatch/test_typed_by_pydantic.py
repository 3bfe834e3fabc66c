"""Return annotations of typed stubs, checked by pydantic: as strict as without it."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from typing import Any

import pytest

from wove.dispatch import typed


@dataclasses.dataclass
class Account:
    number: int
    opened: datetime.date


def test_what_json_has_no_type_for_is_made_of_text() -> None:
    convert = typed._by_pydantic(list[Account])
    made = convert([{"number": 7, "opened": "2026-11-26"}])
    assert made == [Account(7, datetime.date(2026, 11, 26))]


def test_what_pydantic_cannot_check_is_named_in_one_line() -> None:
    with pytest.raises(typed.WrongType) as caught:
        typed._by_pydantic(list[logging.Logger])
    assert "its return annotation list[logging.Logger] cannot be checked: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "arbitrary_types_allowed" not in str(caught.value)


@pytest.mark.parametrize(("annotation", "value"), [(int, "5"), (str, 5), (bool, 1), (int, 1.0)])
def test_nothing_is_made_of_another_type(annotation: Any, value: Any) -> None:
    convert = typed._by_pydantic(annotation)
    with pytest.raises(typed.WrongType):
        convert(value)

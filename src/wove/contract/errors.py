"""What a message did wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from wove.errors import WoveError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ContractError", "ContractErrorCode"]

ContractErrorCode = Literal[
    "unsupported_media_type",  # neither JSON nor protobuf
    "invalid_utf8",  # the body is not UTF-8
    "invalid_json",  # the body is not one JSON value
    "invalid_protobuf",  # the body is not an encoding of the message
    "duplicate_key",  # one object has a name twice
    "too_deep",  # nested beyond what is read
    "wrong_type",  # the value's type is not the field's
    "out_of_range",  # a number outside the field's range
    "not_finite",  # NaN, an infinity, or too large for a double
    "invalid_base64",  # bytes that are not base64
    "invalid_text",  # text with an unpaired surrogate
    "invalid_id",  # an identifier too long, or of other characters
    "missing_field",  # a required field is absent or empty
    "missing_value",  # a task_result without a value
    "conflicting_value",  # two members of a choice of which one may be set
]
"""Every code a `ContractError` can have. The set is closed and part of the contract."""


class ContractError(WoveError, ValueError):
    """A message that the contract does not allow.

    Attributes:
        code: what is wrong, for programs.
        path: the field, such as `error.cause.message` or `accepts[1]`; empty when
            the message as a whole is wrong.
        problem: what is wrong and what was expected, for people. Never holds a value
            of the message, which may be secret.
    """

    def __init__(self, code: ContractErrorCode, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.code: ContractErrorCode = code
        self.path = path
        self.problem = problem

    def inside(self, outer: str) -> Self:
        """The same error, seen from the message that holds this one as `outer`."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return type(self)(self.code, f"{outer}{joint}{self.path}", self.problem)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.code, self.path, self.problem))

"""Commands to executors: flat JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wove.contract.errors import ContractError
from wove.contract.fields import fields_of, fill, to_dict
from wove.contract.messages import to_json
from wove.contract.rules import require_run_id
from wove.contract.text import parse_object
from wovepb.v1.command_pb2 import Command

if TYPE_CHECKING:
    from wove.contract.messages import Json

__all__ = ["COMMANDS", "command_from_json", "command_to_json"]

COMMANDS: tuple[str, ...] = tuple(
    field.name for field in Command.DESCRIPTOR.oneofs_by_name["frame"].fields
)
"""Every command by its name in `type`."""
_FRAME_FIELDS = {name: fields_of(type(getattr(Command(), name))) for name in COMMANDS}
_NO_FRAME = "expected a command: " + ", ".join(COMMANDS)


def command_to_json(command: Command) -> bytes:
    """Flat JSON of a command, in ASCII.

    Raises:
        ContractError: the command has no frame, or a number is not finite.
    """
    kind = command.WhichOneof("frame")
    if kind is None:
        raise ContractError("missing_field", "type", _NO_FRAME)
    return to_json(command, {"type": kind, **to_dict(getattr(command, kind))})


def command_from_json(data: Json) -> Command:
    """A command from flat JSON, which has `type`, or from nested JSON.

    An unknown `type` gives a command without a frame.

    Raises:
        ContractError: the contract does not allow it.
    """
    fields = parse_object(data)
    kind = fields.get("type")
    command = Command()
    if kind is None:
        fill(command, fields_of(Command), fields)
        if command.WhichOneof("frame") is None:
            raise ContractError("missing_field", "type", _NO_FRAME)
    elif not isinstance(kind, str):
        raise ContractError("wrong_type", "type", "expected text")
    elif kind in _FRAME_FIELDS:
        for name in COMMANDS:
            if fields.get(name) is not None:
                raise ContractError("conflicting_value", name, "a frame beside `type`")
        frame = getattr(command, kind)
        frame.SetInParent()  # a frame without fields is there, too
        fill(frame, _FRAME_FIELDS[kind], fields, depth=1)
    _require_valid(command)
    return command


def _require_valid(command: Command) -> None:
    if command.HasField("run_task"):
        require_run_id(command.run_task.run_id)
    elif command.HasField("cancel_task"):
        require_run_id(command.cancel_task.run_id)

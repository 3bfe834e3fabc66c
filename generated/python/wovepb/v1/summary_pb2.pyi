from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunSummary(_message.Message):
    __slots__ = ("wove_version", "run_id", "outcome", "delivered", "error", "callback_url")
    WOVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_URL_FIELD_NUMBER: _ClassVar[int]
    wove_version: str
    run_id: str
    outcome: str
    delivered: bool
    error: SummaryError
    callback_url: str
    def __init__(self, wove_version: _Optional[str] = ..., run_id: _Optional[str] = ..., outcome: _Optional[str] = ..., delivered: bool = ..., error: _Optional[_Union[SummaryError, _Mapping]] = ..., callback_url: _Optional[str] = ...) -> None: ...

class SummaryError(_message.Message):
    __slots__ = ("kind", "message")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    message: str
    def __init__(self, kind: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

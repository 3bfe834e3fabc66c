"""A payload as text: the vectors of texts.json."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from tests.contract import vector_files
from wove.errors import DeliveryError, ErrorCode
from wove.worker.payloads import decode_payload

TEXTS = vector_files.load("texts.json")


@pytest.mark.parametrize("kind", ["str", "bytes"])
@pytest.mark.parametrize("vector", TEXTS, ids=vector_files.names(TEXTS))
def test_a_payload_is_read_from_text(vector: dict[str, Any], kind: str) -> None:
    text = vector["text"] if kind == "str" else vector["text"].encode()
    if "expect" in vector:
        payload, _ = decode_payload(text)
        assert json_format.MessageToDict(payload) == vector["expect"]
        return
    with pytest.raises(DeliveryError) as caught:
        decode_payload(text)
    assert caught.value.code is ErrorCode.INVALID_PAYLOAD

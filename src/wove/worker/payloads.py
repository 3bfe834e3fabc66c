"""What a backend hands to `run`, in whatever form the backend carries it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from wove.contract import ContractError, payload_from_json
from wove.errors import DeliveryError, ErrorCode
from wove.worker.endpoint import Endpoint
from wovepb.v1.payload_pb2 import TaskPayload

__all__ = ["decode_payload"]


def decode_payload(data: Mapping[str, Any] | str | bytes) -> tuple[TaskPayload, Endpoint]:
    """A payload from a mapping, from its JSON, or from base64 of that, and where it reports to.

    Raises:
        DeliveryError: `INVALID_PAYLOAD`: it is none, so there is nobody to report to.
    """
    try:
        payload = payload_from_json(_json(data) if isinstance(data, (str, bytes)) else data)
    except ContractError as error:
        raise _invalid(str(error)) from None
    if not (payload.receiver_id.isascii() and payload.receiver_id.isprintable()):
        raise _invalid("receiver_id: it must be printable ASCII, to travel as a header")
    try:
        return payload, Endpoint.parse(payload.callback_url)
    except ValueError as error:
        raise _invalid(f"callback_url: {error}") from None


def _json(data: str | bytes) -> str | bytes:
    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    text = text.strip()
    if text.startswith(b"{") or not text:
        return text
    try:
        # Shells and schedulers break long lines; what is left must be base64.
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise _invalid("neither a JSON object nor base64 of one") from None


def _invalid(problem: str) -> DeliveryError:
    return DeliveryError(
        f"this is no Wove payload: {problem}. Hand the payload that the adapter submitted, "
        "unchanged, to run().",
        code=ErrorCode.INVALID_PAYLOAD,
        reason=problem,
    )

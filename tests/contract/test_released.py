"""Every contract that was released, against today's: each reads what the other writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)

from scripts import freeze_contract, generate_vectors
from scripts.generate import IMAGE, ROOT
from tests.contract import vector_files
from tests.contract.old_and_new import KINDS, Version, load, misread, read_image
from tests.contract.test_buf import buf, output
from wove import contract
from wove.contract import ContractError

HERE = Path(__file__).parent
RELEASES = sorted(path for path in freeze_contract.RELEASED.iterdir() if path.is_dir())
TODAY = ROOT / IMAGE

releases = pytest.mark.parametrize("release", RELEASES, ids=[path.name for path in RELEASES])


def vectors_of(release: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((release / "vectors" / name).read_text("utf-8"))


def test_there_is_a_release() -> None:
    assert RELEASES


@releases
def test_what_was_released_is_what_it_was(release: Path) -> None:
    """Its vectors are still among today's, unchanged: digests that may only grow say so."""
    frozen = json.loads(generate_vectors.FROZEN.read_text("utf-8"))
    for path in sorted((release / "vectors").glob("*.json")):
        for vector in json.loads(path.read_text("utf-8")):
            assert generate_vectors.digest(vector) == frozen[path.name][vector["name"]]


@releases
def test_buf_finds_no_break(release: Path) -> None:
    done = buf("breaking", "--against", str(release / "contract.binpb"))
    assert done.returncode == 0, output(done)


@releases
def test_todays_messages_read_what_was_written_then(release: Path) -> None:
    then, now = Version.of(release / "contract.binpb"), Version.of(TODAY)
    assert misread(then, now, load(release / "vectors")) == []


@releases
def test_messages_of_then_read_what_is_written_today(release: Path) -> None:
    then, now = Version.of(release / "contract.binpb"), Version.of(TODAY)
    assert misread(now, then, load(HERE / "vectors"), reader_is_older=True) == []


@releases
def test_todays_code_reads_every_form_of_then(release: Path) -> None:
    for vector in vectors_of(release, "events.json"):
        event = vector_files.MESSAGES["Event"].FromString(base64.b64decode(vector["binary"]))
        flat = json.dumps(vector["json"]).encode()
        nested = json.dumps(vector["nested"]).encode()
        binary = base64.b64decode(vector["binary"])
        assert contract.decode_event("application/json", flat) == event, vector["name"]
        assert contract.decode_event("application/json", nested) == event, vector["name"]
        assert contract.decode_event("application/x-protobuf", binary) == event, vector["name"]
    readers: dict[str, Callable[[bytes], Any]] = {
        "payloads.json": contract.payload_from_json,
        "acks.json": contract.ack_from_json,
        "summaries.json": contract.summary_from_json,
        "commands.json": contract.command_from_json,
    }
    for name, read in readers.items():
        kind = vector_files.MESSAGES[KINDS[name]]
        for vector in vectors_of(release, name):
            expected = kind.FromString(base64.b64decode(vector["binary"]))
            assert read(json.dumps(vector["json"]).encode()) == expected, vector["name"]


@releases
def test_todays_code_takes_and_refuses_the_same_bodies(release: Path) -> None:
    for vector in vectors_of(release, "accepted.json"):
        kind = vector_files.MESSAGES[vector["message"]]
        expected = json_format.ParseDict(vector["expect"], kind(), ignore_unknown_fields=True)
        found = vector_files.decode(vector)
        assert exact(found) == exact(expected), vector["name"]
    for vector in vectors_of(release, "refused.json"):
        with pytest.raises(ContractError):
            vector_files.decode(vector)


def exact(message: Any) -> Any:
    """Protojson; of a text of JSON only the value counts."""
    data = json_format.MessageToDict(message)
    result = data.get("task_result", {})
    if "result_json" in result:
        result["result_json"] = json.loads(result["result_json"])
    return data


def message_of(image: FileDescriptorSet, name: str) -> DescriptorProto:
    return next(m for file in image.file for m in file.message_type if m.name == name)


def field_of(image: FileDescriptorSet, message: str, name: str) -> FieldDescriptorProto:
    return next(f for f in message_of(image, message).field if f.name == name)


def renamed(image: FileDescriptorSet) -> None:
    field_of(image, "TaskStarted", "worker_id").json_name = "workerId"


def renumbered(image: FileDescriptorSet) -> None:
    field_of(image, "Event", "attempt").number = 99


def retyped(image: FileDescriptorSet) -> None:
    field_of(image, "Event", "run_id").type = FieldDescriptorProto.TYPE_UINT32


def removed(image: FileDescriptorSet) -> None:
    message_of(image, "TaskCancelled").field.remove(field_of(image, "TaskCancelled", "forced"))


def swapped(image: FileDescriptorSet) -> None:
    one, other = (field_of(image, "Event", name) for name in ("run_id", "task_id"))
    one.number, other.number = other.number, one.number


def without_presence(image: FileDescriptorSet) -> None:
    field = field_of(image, "TaskPayload", "max_event_bytes")
    field.proto3_optional = False
    field.ClearField("oneof_index")
    oneofs = message_of(image, "TaskPayload").oneof_decl
    del oneofs[:]
    for each in message_of(image, "TaskPayload").field:
        each.proto3_optional = False
        each.ClearField("oneof_index")


@pytest.mark.parametrize(
    "change", [renamed, renumbered, retyped, removed, swapped, without_presence]
)
def test_a_break_would_be_found(change: Callable[[FileDescriptorSet], None]) -> None:
    image = read_image(TODAY)
    change(image)
    then, broken = Version.of(RELEASES[-1] / "contract.binpb"), Version(image)
    vectors = load(RELEASES[-1] / "vectors")
    assert misread(then, broken, vectors) != []


def test_an_addition_is_no_break() -> None:
    image = read_image(TODAY)
    message_of(image, "Event").field.add(
        name="region",
        json_name="region",
        number=900,
        type=FieldDescriptorProto.TYPE_STRING,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    then, later = Version.of(RELEASES[-1] / "contract.binpb"), Version(image)
    vectors = load(RELEASES[-1] / "vectors")
    assert misread(then, later, vectors) == []
    for vector in vectors["events.json"]:
        vector["nested"]["region"] = "north"
    assert misread(later, then, vectors, reader_is_older=True) == []


def test_a_release_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze_contract, "RELEASED", tmp_path)
    assert freeze_contract.main(["v9"]) == 0
    kept = {path.name for path in (tmp_path / "v9" / "vectors").iterdir()}
    assert kept == {path.name for path in generate_vectors.VECTORS.glob("*.json")}
    assert (tmp_path / "v9" / "contract.binpb").read_bytes() == TODAY.read_bytes()
    assert freeze_contract.main(["v9"]) == 1

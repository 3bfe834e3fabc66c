/** The messages that a worker reads, and the JSON of those that it writes. */

import { toJson, type JsonObject as ProtoJson } from "@bufbuild/protobuf";

import type { JsonObject } from "../json.js";
import { EventAckSchema, type EventAck } from "../wovepb/v1/ack_pb.js";
import { EventSchema, type Event } from "../wovepb/v1/event_pb.js";
import { TaskPayloadSchema, type TaskPayload } from "../wovepb/v1/payload_pb.js";
import { RunSummarySchema, type RunSummary } from "../wovepb/v1/summary_pb.js";
import { ContractError } from "./errors.js";
import { parseObject, readMessage } from "./read.js";

/** The newest `version` of a payload that this package runs. */
export const PAYLOAD_VERSION = 1;

const FIELDS_OF_ALL_VERSIONS = ["version", "callback_url", "run_id", "task_id"];
const MAX_RUN_ID = 255;

/**
 * A payload from its object. Of one of a newer version only that is read which it takes to say
 * so: what it means by its other fields is not ours to judge.
 *
 * @throws ContractError if the contract does not allow it
 */
export function readPayload(data: JsonObject): TaskPayload {
  const { version } = readMessage(TaskPayloadSchema, pick(data, ["version"]));
  if (version === 0) {
    throw new ContractError("missing_field", "version", "expected the payload's version");
  }
  if (version > PAYLOAD_VERSION) {
    return readMessage(TaskPayloadSchema, pick(data, FIELDS_OF_ALL_VERSIONS));
  }
  const payload = readMessage(TaskPayloadSchema, data);
  requireRunId(payload.runId);
  if (!payload.callbackUrl) {
    throw new ContractError("missing_field", "callback_url", "expected a URL");
  }
  return payload;
}

/**
 * An acknowledgement from its JSON.
 *
 * @throws ContractError if the contract does not allow it
 */
export function readAck(data: string | Uint8Array): EventAck {
  const ack = readMessage(EventAckSchema, parseObject(data));
  if (ack.heartbeatSeconds !== undefined && ack.heartbeatSeconds <= 0) {
    throw new ContractError("out_of_range", "heartbeat_seconds", "expected seconds above 0");
  }
  return ack;
}

/** The documented flat JSON of an event. */
export function flatJson(event: Event): string {
  const { [frameName(event)]: frame, ...envelope } = toJson(EventSchema, event) as ProtoJson;
  return JSON.stringify({ type: frameName(event), ...envelope, ...(frame as ProtoJson) });
}

/** The name of an event's frame, as in `type` and in `accepts`. */
export function frameName(event: Event): string {
  const local = event.frame.case ?? "";
  const field = EventSchema.fields.find((field) => field.localName === local);
  return field?.jsonName ?? "";
}

/** A summary as an object of JSON, with the keys that are always there. */
export function summaryObject(summary: RunSummary): ProtoJson {
  const always = {
    wove_version: "",
    run_id: "",
    outcome: "",
    delivered: false,
    error: null,
    callback_url: "",
  };
  return { ...always, ...(toJson(RunSummarySchema, summary) as ProtoJson) };
}

function pick(data: JsonObject, names: readonly string[]): JsonObject {
  const found = Object.entries(data).filter(([name]) => names.includes(name));
  return Object.fromEntries(found);
}

function requireRunId(runId: string): void {
  if (!runId) {
    throw new ContractError("missing_field", "run_id", "expected the run's name");
  }
  if ([...runId].length > MAX_RUN_ID) {
    throw new ContractError(
      "invalid_id",
      "run_id",
      `expected at most ${MAX_RUN_ID} characters`,
    );
  }
}

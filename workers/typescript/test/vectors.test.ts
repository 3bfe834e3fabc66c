/** The golden vectors of the contract, in the directions that a worker has. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

import {
  create,
  equals,
  fromBinary,
  toBinary,
  toJson,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";

import { ContractError } from "../src/contract/errors.js";
import {
  flatJson,
  frameName,
  readAck,
  readPayload,
  summaryObject,
} from "../src/contract/messages.js";
import { parseObject, readMessage } from "../src/contract/read.js";
import type { JsonObject } from "../src/json.js";
import { EventAckSchema } from "../src/wovepb/v1/ack_pb.js";
import { EventSchema, type Event } from "../src/wovepb/v1/event_pb.js";
import { TaskPayloadSchema } from "../src/wovepb/v1/payload_pb.js";
import { RunSummarySchema } from "../src/wovepb/v1/summary_pb.js";

interface Vector {
  name: string;
  json: JsonObject;
  nested?: JsonObject;
  binary: string;
}

interface BodyVector {
  name: string;
  message: string;
  body?: string;
  body_base64?: string;
  body_parts?: [string, number][];
  expect?: JsonObject;
  code?: string;
  path?: string;
  binds?: string;
}

const FOLDER = new URL("../../../../tests/contract/vectors/", import.meta.url);

function load<V>(name: string): V[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as V[];
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function assertSame<D extends DescMessage>(
  desc: D,
  read: MessageShape<D>,
  expected: MessageShape<D>,
): void {
  assert.deepEqual(toJson(desc, read), toJson(desc, expected));
  assert.ok(equals(desc, read, expected));
}

/** A worker never reads an event; this is what its own flat form must mean. */
function readFlat(data: JsonObject): Event {
  const { type, ...rest } = data;
  const frame = EventSchema.fields.find((field) => field.jsonName === type);
  assert.equal(frame?.fieldKind, "message");
  const inner = new Set(frame?.message?.fields.map((field) => field.jsonName));
  const parts = Object.entries(rest);
  const nested = Object.fromEntries(parts.filter(([name]) => inner.has(name)));
  const envelope = Object.fromEntries(parts.filter(([name]) => !inner.has(name)));
  return readMessage(EventSchema, { ...envelope, [String(type)]: nested });
}

describe("messages", () => {
  for (const vector of load<Vector>("payloads")) {
    it(`payload: ${vector.name}`, () => {
      const expected = fromBinary(TaskPayloadSchema, bytes(vector.binary));
      for (const form of [vector.json, vector.nested ?? vector.json]) {
        assertSame(TaskPayloadSchema, readPayload(form), expected);
        const text = JSON.stringify(form);
        assertSame(TaskPayloadSchema, readPayload(parseObject(text)), expected);
        assertSame(TaskPayloadSchema, readPayload(parseObject(Buffer.from(text))), expected);
      }
    });
  }

  for (const vector of load<Vector>("acks")) {
    it(`ack: ${vector.name}`, () => {
      const expected = fromBinary(EventAckSchema, bytes(vector.binary));
      assertSame(EventAckSchema, readAck(JSON.stringify(vector.json)), expected);
    });
  }

  for (const vector of load<Vector>("summaries")) {
    it(`summary: ${vector.name}`, () => {
      const summary = fromBinary(RunSummarySchema, bytes(vector.binary));
      assert.deepEqual(summaryObject(summary), vector.json);
      assertSame(RunSummarySchema, readMessage(RunSummarySchema, vector.json), summary);
    });
  }

  for (const vector of load<Vector>("events")) {
    it(`event: ${vector.name}`, () => {
      const event = fromBinary(EventSchema, bytes(vector.binary));
      assert.deepEqual(JSON.parse(flatJson(event)), vector.json);
      assert.equal(frameName(event), vector.json["type"]);
      assert.deepEqual(toJson(EventSchema, event), vector.nested);
      const again = fromBinary(EventSchema, toBinary(EventSchema, event));
      assertSame(EventSchema, again, event);
      assertSame(EventSchema, readMessage(EventSchema, vector.nested ?? {}), event);
      assertSame(EventSchema, readFlat(vector.json), event);
    });
  }
});

describe("bodies", () => {
  const readers: Record<string, (data: string | Uint8Array) => unknown> = {
    TaskPayload: (data) => toJson(TaskPayloadSchema, readPayload(parseObject(data))),
    EventAck: (data) => toJson(EventAckSchema, readAck(data)),
    RunSummary: (data) =>
      toJson(RunSummarySchema, readMessage(RunSummarySchema, parseObject(data))),
  };

  const bodyOf = (vector: BodyVector): string | Uint8Array => {
    if (vector.body_base64 !== undefined) {
      return bytes(vector.body_base64);
    }
    const parts = vector.body_parts?.map(([text, count]) => text.repeat(count));
    return vector.body ?? parts?.join("") ?? "";
  };

  for (const vector of load<BodyVector>("accepted")) {
    const read = readers[vector.message];
    if (read) {
      it(`accepted: ${vector.name}`, () => {
        const expected = vector.expect ?? {};
        assert.deepEqual(read(bodyOf(vector)), expected);
      });
    }
  }

  for (const vector of load<BodyVector>("refused")) {
    const read = readers[vector.message];
    if (read && vector.binds !== "receivers") {
      it(`refused: ${vector.name}`, () => {
        assert.throws(
          () => read(bodyOf(vector)),
          (error) => {
            assert.ok(error instanceof ContractError);
            assert.deepEqual([error.code, error.path], [vector.code, vector.path]);
            return true;
          },
        );
      });
    }
  }

  // The rules of single values bind every message; events show them all.
  const rules = /^(integer|double|bool|text|base64|bytes)/;
  const ofEnvelope = new Set(["emitted_at", "attempt", "run_id"]);
  for (const vector of load<BodyVector>("refused")) {
    const typed = rules.test(vector.name) && vector.message === "Event";
    if (typed && ofEnvelope.has(vector.path ?? "")) {
      it(`refused value: ${vector.name}`, () => {
        const { type: _, ...data } = parseObject(bodyOf(vector));
        assert.throws(
          () => readMessage(EventSchema, data),
          (error) => {
            assert.ok(error instanceof ContractError);
            assert.deepEqual([error.code, error.path], [vector.code, vector.path]);
            return true;
          },
        );
      });
    }
  }

  it("refused messages are nested too deep", () => {
    let error: JsonObject = {};
    for (let level = 0; level < 40; level++) {
      error = { cause: error };
    }
    const data = { run_id: "r1", task_error: { error } };
    assert.throws(() => readMessage(EventSchema, data), { code: "too_deep" });
  });

  it("payloads of a newer version are read as far as they can be", () => {
    const newer = { version: 2, run_id: "r1", callback_url: "http://h/t", accepts: "x" };
    const expected = { version: 2, runId: "r1", callbackUrl: "http://h/t" };
    assertSame(TaskPayloadSchema, readPayload(newer), create(TaskPayloadSchema, expected));
  });
});

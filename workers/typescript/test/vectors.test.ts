/** The golden vectors of the contract, in the directions that a worker has. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";

import {
  create,
  equals,
  fromBinary,
  toBinary,
  toJson,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";

import { asksForLess, isFinal, stopReason, type Answer } from "../src/answers.js";
import { ContractError } from "../src/contract/errors.js";
import {
  flatJson,
  frameName,
  readAck,
  readPayload,
  summaryObject,
} from "../src/contract/messages.js";
import { parseObject, readMessage } from "../src/contract/read.js";
import { InvalidPayloadError } from "../src/errors.js";
import type { Frame } from "../src/events.js";
import { HttpRoute } from "../src/http-route.js";
import type { JsonObject } from "../src/json.js";
import { decodePayload } from "../src/payloads.js";
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
  code?: string | string[];
  path?: string;
  binds?: string;
}

interface TextVector {
  name: string;
  text: string;
  expect?: JsonObject;
  refused?: boolean;
}

interface AnswerVector {
  name: string;
  status: number;
  wove_receiver: string | null;
  body: string;
  receiver_id: string | null;
  event: string;
  detach: boolean;
  start_gate: string | null;
  verdict: string;
  stop: boolean;
}

const FOLDER = new URL("../../../../tests/contract/vectors/", import.meta.url);

function load<V>(name: string): V[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as V[];
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** Of several codes any will do. */
function refuses(vector: BodyVector, error: unknown): true {
  assert.ok(error instanceof ContractError);
  const codes = [vector.code ?? []].flat();
  assert.ok(codes.includes(error.code), `${error.code} is none of ${codes.join(", ")}`);
  assert.equal(error.path, vector.path);
  return true;
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
          (error) => refuses(vector, error),
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
          (error) => refuses(vector, error),
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
    for (const wrong of [{ run_id: 5 }, { callback_url: true }, { task_id: [] }]) {
      assert.throws(() => readPayload({ ...newer, ...wrong }), { code: "wrong_type" });
    }
  });
});

describe("texts", () => {
  for (const { name, text, expect, refused } of load<TextVector>("texts")) {
    it(name, () => {
      assert.notEqual(expect === undefined, refused === undefined);
      // A program finds it as text, or as the bytes of a file.
      for (const form of [text, Buffer.from(text)]) {
        if (expect) {
          assert.deepEqual(toJson(TaskPayloadSchema, decodePayload(form).payload), expect);
        } else {
          assert.throws(() => decodePayload(form), InvalidPayloadError);
        }
      }
    });
  }
});

describe("answers", () => {
  const vectors = load<AnswerVector>("answers");
  let next: AnswerVector;
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => {
      const headers = next.wove_receiver ? { "Wove-Receiver": next.wove_receiver } : {};
      response.writeHead(next.status, headers).end(next.body);
    });
  });
  let url: URL;

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/t`);
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  for (const vector of vectors) {
    it(vector.name, async () => {
      next = vector;
      const route = new HttpRoute(url, vector.receiver_id ?? undefined);
      const field = EventSchema.fields.find(({ jsonName }) => jsonName === vector.event);
      const frame = { case: field?.localName, value: {} } as Frame;
      const event = create(EventSchema, { frame });
      const data = Buffer.from(flatJson(event));
      const body = { event, data, contentType: "application/json" };
      const answer = await route.post(body, { timeout: 10 });
      assert.equal(answer.status, vector.status);
      assert.equal(verdictOf(answer, vector.event), vector.verdict);
      const reason = stopReason(answer, vector.event, vector.detach);
      assert.equal(reason !== undefined, vector.stop, reason);
    });
  }

  function verdictOf(answer: Answer, frame: string): string {
    if (asksForLess(answer, frame)) {
      return "replace";
    }
    return isFinal(answer) && answer.verdict !== "accepted" ? "final" : answer.verdict;
  }
});

/** Events over gRPC, against a service in this process. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
} from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

import { Worker } from "@wove-dev/worker";

import { frameName } from "../src/contract/messages.js";
import type { EventAckSchema } from "../src/wovepb/v1/ack_pb.js";
import type { Event } from "../src/wovepb/v1/event_pb.js";
import {
  EventService,
  type StreamEventsRequest,
  type StreamEventsResponseSchema,
} from "../src/wovepb/v1/event_service_pb.js";
import { Receiver, RECEIVER } from "./receiver.js";

const GRPC_TOKEN = "grpc/t0ken";

interface Call {
  readonly frame: string;
  readonly event: Event;
  readonly kind: "publish" | "stream";
}

/** Answers as it is told; accepts everything else. */
class Service {
  readonly calls: Call[] = [];
  readonly refusals = new Map<string, Code[]>();
  readonly acks = new Map<string, MessageInitShape<typeof EventAckSchema>[]>();
  /** Whether to wait, after the answer to an event on a stream, for `push`. */
  mayPush = false;
  push: (() => void) | undefined;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: http2.Http2Server;

  constructor(tls?: { key: Buffer; cert: Buffer }) {
    const handler = connectNodeAdapter({ routes: (router) => this.#routes(router) });
    this.#server = tls
      ? http2.createSecureServer(tls, handler)
      : http2.createServer({}, handler);
    // Not sessions: a connection may be open, and not one yet, when this is closed.
    this.#server.on("connection", (socket: net.Socket) => this.#sockets.add(socket));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  close(): void {
    this.#server.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  frames(kind: Call["kind"]): string[] {
    return this.calls.filter((call) => call.kind === kind).map(({ frame }) => frame);
  }

  #routes(router: ConnectRouter): void {
    router.service(EventService, {
      publishEvent: ({ body }, context) => {
        this.#greet(context);
        return { ack: this.#take(body.value, "publish") };
      },
      streamEvents: (requests, context) => this.#stream(requests, context),
    });
  }

  async *#stream(
    requests: AsyncIterable<StreamEventsRequest>,
    context: HandlerContext,
  ): AsyncGenerator<MessageInitShape<typeof StreamEventsResponseSchema>> {
    this.#greet(context);
    for await (const { body } of requests) {
      yield { message: { case: "ack", value: this.#take(body.value, "stream") } };
      if (this.mayPush) {
        await new Promise<void>((resolve) => (this.push = resolve));
        yield { message: { case: "cancelTask", value: { runId: body.value?.runId ?? "" } } };
      }
    }
  }

  #greet(context: HandlerContext): void {
    context.responseHeader.set("wove-receiver", RECEIVER);
    assert.equal(context.requestHeader.get("wove-receiver"), RECEIVER);
    if (context.requestHeader.get("authorization") !== `Bearer ${GRPC_TOKEN}`) {
      throw new ConnectError("token", Code.Unauthenticated, { "wove-receiver": RECEIVER });
    }
  }

  #take(event: Event | undefined, kind: Call["kind"]): MessageInitShape<typeof EventAckSchema> {
    assert.ok(event);
    const frame = frameName(event);
    this.calls.push({ frame, event, kind });
    const code = this.refusals.get(frame)?.shift();
    if (code !== undefined && kind === "publish") {
      const headers = { "wove-receiver": RECEIVER, "retry-after": "0.2" };
      throw new ConnectError("as asked", code, headers);
    }
    const ack = this.acks.get(frame)?.shift() ?? {};
    return { eventId: event.eventId, receiverId: RECEIVER, code: code ?? 0, ...ack };
  }
}

const worker = new Worker().task(
  "wait",
  { seconds: "number" },
  async ({ seconds }, { signal }) => {
    await sleep(seconds * 1000, undefined, { signal });
    return seconds;
  },
);

const beating = { delivery: { delivery_heartbeat_seconds: 0.9 } };
let service: Service;
let receiver: Receiver;
let offer: { callback_grpc: string };

beforeEach(async () => {
  receiver = await Receiver.open();
  service = new Service();
  const port = await service.listen();
  offer = { callback_grpc: `grpc://127.0.0.1:${port}/${encodeURIComponent(GRPC_TOKEN)}` };
});
afterEach(() => {
  service.close();
  receiver.close();
});

describe("gRPC", () => {
  it("carries everything where it is offered", async () => {
    const payload = receiver.payload("wait", { seconds: 1.2 }, { ...offer, ...beating });
    const summary = await worker.run(payload);
    assert.deepEqual([summary.outcome, summary.delivered], ["succeeded", true]);
    assert.deepEqual(service.frames("publish"), ["task_started", "task_result"]);
    assert.deepEqual(service.frames("stream").slice(0, 2), ["heartbeat", "heartbeat"]);
    assert.deepEqual([service.connections, receiver.names.length], [2, 0]);
  });

  it("is not used where another encoding is wished for", async () => {
    await worker.run(receiver.payload("wait", { seconds: 0 }, offer), { encoding: "json" });
    assert.deepEqual([service.calls.length, receiver.names.length], [0, 2]);
  });

  it("retries what it should", async () => {
    service.refusals.set("task_started", [Code.Unavailable, Code.Aborted, Code.Internal]);
    service.refusals.set("task_result", [Code.DeadlineExceeded]);
    const fields = { ...offer, accepts: [] };
    await worker.run(receiver.payload("wait", { seconds: 0 }, fields));
    const started = service.calls.filter(({ frame }) => frame === "task_started");
    assert.equal(started.length, 4);
    assert.equal(new Set(started.map(({ event }) => event.eventId)).size, 1);
    assert.equal(service.connections, 2); // another one after ABORTED
  });

  it("keeps the gate shut after a final answer", async () => {
    for (const code of [
      Code.Unauthenticated,
      Code.FailedPrecondition,
      Code.NotFound,
      Code.PermissionDenied,
    ]) {
      service.refusals.set("task_started", [code]);
      const summary = await worker.run(receiver.payload("wait", { seconds: 0 }, offer));
      assert.equal(summary.outcome, "not_started", Code[code]);
    }
  });

  it("replaces refused events", async () => {
    service.refusals.set("task_result", [Code.ResourceExhausted]);
    await worker.run(receiver.payload("wait", { seconds: 0 }, offer));
    assert.deepEqual(service.frames("publish"), ["task_started", "task_result", "task_error"]);
  });

  it("carries a cancel down at any time", async () => {
    const fields = { ...offer, delivery: { delivery_heartbeat_seconds: 600 } };
    const run = worker.run(receiver.payload("wait", { seconds: 30 }, fields));
    service.mayPush = true;
    while (service.push === undefined) {
      await sleep(10);
    }
    service.push();
    assert.equal((await run).outcome, "cancelled");
  });

  it("carries a cancel in the answer to a heartbeat", async () => {
    service.acks.set("heartbeat", [{ cancel: { runId: "r1" } }]);
    const fields = { ...offer, ...beating };
    const summary = await worker.run(receiver.payload("wait", { seconds: 30 }, fields));
    assert.equal(summary.outcome, "cancelled");
  });

  it("gives way to HTTP where nobody listens", async () => {
    const free = net.createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, "close");
    const address = { callback_grpc: `grpc://127.0.0.1:${port}/x` };
    await worker.run(receiver.payload("wait", { seconds: 0 }, address));
    assert.deepEqual(receiver.names, ["task_started", "task_result"]);
  });

  it("gives way to HTTP where nobody speaks", async () => {
    const mute = net.createServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const address = { callback_grpc: `grpc://127.0.0.1:${port}/x` };
    await worker.run(receiver.payload("wait", { seconds: 0 }, address));
    assert.deepEqual(receiver.names, ["task_started", "task_result"]);
    mute.close();
  });

  it("gives way to HTTP where it is no longer there", async () => {
    const run = worker.run(
      receiver.payload("wait", { seconds: 0.5 }, { ...offer, ...beating }),
    );
    while (service.frames("publish").length === 0) {
      await sleep(10);
    }
    await sleep(100);
    service.close();
    assert.equal((await run).outcome, "succeeded");
    assert.equal(receiver.names.at(-1), "task_result");
  });

  it("is not tried at an address that is none", async () => {
    for (const callback_grpc of ["http://h/x", "grpc://", "grpc:///x", "grpc://h:1/%zz"]) {
      await worker.run(receiver.payload("wait", { seconds: 0 }, { callback_grpc }));
    }
    assert.equal(receiver.names.length, 8);
  });
});

describe("gRPC over TLS", () => {
  let folder: string;
  let secure: Service;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "wove-tls-"));
    const words =
      "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost " +
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem";
    execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "ignore" });
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    secure.close();
    delete process.env["WOVE_GRPC_CA"];
  });

  for (const trusted of [true, false]) {
    it(trusted ? "is used" : "is not used with a stranger", async () => {
      const read = (name: string): Buffer => readFileSync(join(folder, name));
      secure = new Service({ key: read("key.pem"), cert: read("cert.pem") });
      const port = await secure.listen();
      if (trusted) {
        process.env["WOVE_GRPC_CA"] = join(folder, "cert.pem");
      }
      const callback_grpc = `grpcs://localhost:${port}/${encodeURIComponent(GRPC_TOKEN)}`;
      await worker.run(receiver.payload("wait", { seconds: 0 }, { callback_grpc }));
      const counts = [secure.frames("publish").length, receiver.names.length];
      assert.deepEqual(counts, trusted ? [2, 0] : [0, 2]);
    });
  }

  it("says which file cannot be read", async () => {
    secure = new Service();
    const port = await secure.listen();
    process.env["WOVE_GRPC_CA"] = "/nowhere/ca.pem";
    const warned = once(process, "warning");
    const callback_grpc = `grpcs://localhost:${port}/${encodeURIComponent(GRPC_TOKEN)}`;
    await worker.run(receiver.payload("wait", { seconds: 0 }, { callback_grpc }));
    const [warning] = (await warned) as [Error];
    assert.match(warning.message, /^gRPC is not used: WOVE_GRPC_CA: .*\/nowhere\/ca\.pem/);
  });
});

/** A receiver of events over HTTP that answers as a test tells it. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

import { fromBinary, toJson, type JsonObject as ProtoJson } from "@bufbuild/protobuf";

import { frameName } from "../src/contract/messages.js";
import { EventSchema } from "../src/wovepb/v1/event_pb.js";

/** One try to deliver one event. */
export interface Delivery {
  readonly frame: string;
  /** The fields of the envelope and of the frame, as in flat JSON. */
  readonly event: Record<string, unknown>;
  readonly body: Buffer;
  readonly contentType: string;
  readonly connection: unknown;
  readonly at: number;
}

/** What the receiver does with one. */
export interface Reply {
  status?: number;
  ack?: object;
  headers?: Record<string, string>;
  /** The id that the answer carries; null: none. */
  receiver?: string | null;
  /** Cut the connection in place of an answer. */
  drop?: boolean;
  /** Answer when this is done. */
  after?: Promise<unknown>;
}

export const RECEIVER = "rx-1";
export const TOKEN = "t0ken-that-nobody-may-see";

export class Receiver {
  readonly deliveries: Delivery[] = [];
  readonly #server = http.createServer(
    (request, response) => void this.#take(request, response),
  );
  readonly #scripts = new Map<string, Reply[]>();
  #changed: () => void = () => {};

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/wove/events/${TOKEN}`;
  }

  /** A payload that leads here. */
  payload(taskName: string, args: object | string = {}, fields: object = {}): object {
    return {
      version: 1,
      adapter: "test",
      callback_url: this.url,
      run_id: "r1",
      task_id: "t1",
      task_name: taskName,
      delivery: {},
      args_json: typeof args === "string" ? args : JSON.stringify(args),
      receiver_id: RECEIVER,
      attempt: 2,
      accepts: ["heartbeat", "progress", "log"],
      ...fields,
    };
  }

  /** Answer the tries of a frame with these in turn; then accept. */
  on(frame: string, ...replies: Reply[]): void {
    this.#scripts.set(frame, replies);
  }

  frames(name: string): Delivery[] {
    return this.deliveries.filter(({ frame }) => frame === name);
  }

  /** The frames that came, without heartbeats. */
  get names(): string[] {
    return this.deliveries.map(({ frame }) => frame).filter((name) => name !== "heartbeat");
  }

  async waitFor(frame: string, count = 1): Promise<Delivery> {
    for (;;) {
      const found = this.frames(frame)[count - 1];
      if (found) {
        return found;
      }
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request as AsyncIterable<Buffer>) {
        parts.push(part);
      }
    } catch {
      return; // the worker gave up
    }
    const body = Buffer.concat(parts);
    const contentType = request.headers["content-type"] ?? "";
    const delivery = { ...decode(body, contentType), body, contentType };
    this.deliveries.push({ ...delivery, connection: request.socket, at: performance.now() });
    this.#changed();
    const reply = this.#scripts.get(delivery.frame)?.shift() ?? {};
    await reply.after;
    if (reply.drop) {
      request.socket.destroy();
      return;
    }
    const { receiver = RECEIVER, ack, status = ack ? 200 : 204 } = reply;
    const headers = { ...(receiver ? { "Wove-Receiver": receiver } : {}), ...reply.headers };
    response.writeHead(status, headers).end(ack && JSON.stringify(ack));
  }
}

function decode(body: Buffer, contentType: string): Pick<Delivery, "frame" | "event"> {
  if (contentType === "application/json") {
    const event = JSON.parse(body.toString()) as Record<string, unknown>;
    return { frame: String(event["type"]), event };
  }
  const message = fromBinary(EventSchema, body);
  const frame = frameName(message);
  const { [frame]: fields, ...envelope } = toJson(EventSchema, message) as ProtoJson;
  return { frame, event: { ...envelope, ...(fields as ProtoJson) } };
}

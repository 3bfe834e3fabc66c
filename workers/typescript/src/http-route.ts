/** HTTP POST to the callback URL, over kept connections. */

import http from "node:http";
import https from "node:https";

import { judge, noAnswer, retryAfterSeconds, type Answer } from "./answers.js";
import { readAck } from "./contract/messages.js";
import type { Body } from "./events.js";
import type { Line, Route, Try } from "./route.js";
import { tlsFiles } from "./tls-files.js";
import { VERSION } from "./version.js";
import type { EventAck } from "./wovepb/v1/ack_pb.js";

const IDLE_MS = 60_000;
const MAX_IDLE = 16;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Connections of this process that have nothing else in common than what they are for. */
class Pool {
  readonly #http = new http.Agent(Pool.#options());
  #https: https.Agent | undefined;

  static #options(): http.AgentOptions {
    return { keepAlive: true, maxFreeSockets: MAX_IDLE, scheduling: "lifo", timeout: IDLE_MS };
  }

  agentFor(url: URL): http.Agent {
    if (url.protocol !== "https:") {
      return this.#http;
    }
    this.#https ??= new https.Agent({ ...Pool.#options(), ...tlsFiles("WOVE_HTTPS") });
    return this.#https;
  }

  close(): void {
    this.#http.destroy();
    this.#https?.destroy();
  }
}

const events = new Pool();
const beats = new Pool();

/** See `Route`. */
export class HttpRoute implements Route {
  readonly #url: URL;
  readonly #receiverId: string | undefined;
  #pool = events;

  constructor(url: URL, receiverId: string | undefined) {
    this.#url = url;
    this.#receiverId = receiverId;
  }

  post(body: Body, how: Try): Promise<Answer> {
    if (how.fresh) {
      this.close();
      this.#pool = new Pool();
    }
    return this.#try(this.#pool, body, how);
  }

  openLine(): Line {
    let pool = beats;
    const close = (): void => {
      if (pool !== beats) {
        pool.close();
        pool = beats;
      }
    };
    const post = (body: Body, how: Try): Promise<Answer> => {
      if (how.fresh) {
        close();
        pool = new Pool();
      }
      return this.#try(pool, body, how);
    };
    return { pushes: false, post, close };
  }

  close(): void {
    if (this.#pool !== events) {
      this.#pool.close();
      this.#pool = events;
    }
  }

  async #try(pool: Pool, body: Body, how: Try): Promise<Answer> {
    try {
      return await this.#exchange(pool.agentFor(this.#url), body, how);
    } catch (error) {
      return noAnswer(error);
    }
  }

  #exchange(agent: http.Agent, body: Body, how: Try): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const send = this.#url.protocol === "https:" ? https.request : http.request;
      const request = send(this.#url, {
        method: "POST",
        agent,
        headers: {
          "Content-Type": body.contentType,
          "Content-Length": body.data.length,
          "User-Agent": `wove-typescript/${VERSION}`,
          ...(this.#receiverId ? { "Wove-Receiver": this.#receiverId } : {}),
        },
        timeout: Math.max(how.timeout, 0.001) * 1000,
        ...(how.signal ? { signal: how.signal } : {}),
      });
      request.on("timeout", () => request.destroy(new Error("no answer in time")));
      // After the answer this changes nothing: one that came before the body was sent counts.
      request.on("error", reject);
      request.on("response", (response) => {
        read(response).then((data) => resolve(this.#judge(response, data)), reject);
      });
      request.end(body.data);
    });
  }

  #judge(response: http.IncomingMessage, data: Buffer): Answer {
    const status = response.statusCode ?? 0;
    const header = (name: string): string | undefined => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    const ack = readBody(data);
    const parts = {
      status,
      text: `${status} ${http.STATUS_CODES[status] ?? ""}`.trim(),
      answeredBy: header("wove-receiver"),
      retryAfter: retryAfterSeconds(header("retry-after")) ?? ack?.retryAfterSeconds,
      ack,
    };
    return judge(parts, this.#receiverId);
  }
}

async function read(response: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new Error("the answer is too large");
    }
  }
  if (!response.complete) {
    throw new Error("the answer broke off");
  }
  return Buffer.concat(parts);
}

/** The acknowledgement; one that cannot be read is none, and the status holds all the same. */
function readBody(data: Buffer): EventAck | undefined {
  try {
    return data.length > 0 ? readAck(data) : undefined;
  } catch {
    return undefined;
  }
}

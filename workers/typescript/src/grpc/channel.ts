/** HTTP/2 connections for gRPC: one session each, made within three seconds or not at all. */

import http2 from "node:http2";

import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";

import { after, now } from "../timing.js";
import { tlsFiles } from "../tls-files.js";

const CONNECT_SECONDS = 3;
/** For how long an address is not tried again to which no connection could be made. */
const AVOID_SECONDS = 60;

/** One connection. It does not keep the process, except while a call is held. */
export class Channel {
  readonly transport: Transport;
  readonly #session: http2.ClientHttp2Session;
  #holds = 0;

  constructor(origin: string, session: http2.ClientHttp2Session) {
    this.#session = session;
    session.unref();
    // Every call on the session learns of it by its own stream.
    session.on("error", () => {});
    this.transport = createGrpcTransport({
      baseUrl: origin,
      sessionManager: {
        authority: origin,
        request: async (method, path, headers, options) =>
          session.request({ ...headers, ":method": method, ":path": path }, options),
        notifyResponseByteRead: () => {},
      },
    });
  }

  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Keep the process while this is going on. */
  async hold<T>(call: Promise<T>): Promise<T> {
    if (this.#holds++ === 0) {
      this.#session.ref();
    }
    try {
      return await call;
    } finally {
      if (--this.#holds === 0) {
        this.#session.unref();
      }
    }
  }

  /** Take no further call; those that are going on end by themselves. */
  retire(): void {
    if (this.isOpen) {
      this.#session.close();
    }
  }
}

/** This process's channels for one purpose, by origin. */
export class Channels {
  static readonly #avoided = new Map<string, number>();
  readonly #made = new Map<string, Promise<Channel | undefined>>();

  /** A channel that works, or did; undefined where none can be made. */
  async get(origin: string): Promise<Channel | undefined> {
    const made = this.#made.get(origin);
    const channel = await made;
    if (channel?.isOpen) {
      return channel;
    }
    if (this.#made.get(origin) === made) {
      this.#made.set(origin, connect(origin, Channels.#avoided));
    }
    return await this.#made.get(origin);
  }

  /** The next call uses another channel than this one. */
  async replace(origin: string, channel: Channel): Promise<void> {
    if ((await this.#made.get(origin)) === channel) {
      this.#made.delete(origin);
    }
    channel.retire();
  }
}

async function connect(
  origin: string,
  avoided: Map<string, number>,
): Promise<Channel | undefined> {
  if ((avoided.get(origin) ?? 0) > now()) {
    return undefined;
  }
  try {
    const session = await openSession(origin);
    avoided.delete(origin);
    return new Channel(origin, session);
  } catch (error) {
    avoided.set(origin, now() + AVOID_SECONDS);
    if ((error as NodeJS.ErrnoException).syscall === "open") {
      // A file of TLS that is named and not there: somebody wants to know.
      process.emitWarning(`gRPC is not used: ${(error as Error).message}`, "WoveWarning");
    }
    return undefined;
  }
}

async function openSession(origin: string): Promise<http2.ClientHttp2Session> {
  const tls = origin.startsWith("https:") ? tlsFiles("WOVE_GRPC") : {};
  return await new Promise((resolve, reject) => {
    const session = http2.connect(origin, tls);
    const timer = after(CONNECT_SECONDS, () => session.destroy(new Error("no answer in time")));
    session.once("error", reject);
    session.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection was closed"));
    });
    // Whoever merely takes connections never says this.
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      resolve(session);
    });
  });
}

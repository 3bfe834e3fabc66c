/** Calls of EventService, with HTTP behind them for when no channel can be made. */

import { create } from "@bufbuild/protobuf";

import { noAnswer, type Answer } from "../answers.js";
import type { Body } from "../events.js";
import type { Line, Route, Try } from "../route.js";
import { EventService, PublishEventRequestSchema } from "../wovepb/v1/event_service_pb.js";
import { judgeAck, judgeError } from "./answers.js";
import { Channels } from "./channel.js";
import { GrpcLine } from "./grpc-line.js";

/** The address of a service, and what every call of it carries. */
export interface Target {
  readonly origin: string;
  readonly headers: Record<string, string>;
  readonly receiverId: string | undefined;
}

const events = new Channels();

/** See `Route`. */
export class GrpcRoute implements Route {
  readonly #target: Target;
  readonly #otherwise: Route;

  constructor(target: Target, otherwise: Route) {
    this.#target = target;
    this.#otherwise = otherwise;
  }

  /** A route to the address of a payload; undefined if it is none. */
  static to(
    address: string,
    receiverId: string | undefined,
    otherwise: Route,
  ): GrpcRoute | undefined {
    const [, tls, host, path = ""] = /^grpc(s?):\/\/([^/?#@]+)\/(.*)$/.exec(address) ?? [];
    const origin = `http${tls}://${host}`;
    const token = decode(path);
    if (!host || !token || !URL.canParse(origin)) {
      return undefined;
    }
    const headers = {
      authorization: `Bearer ${token}`,
      ...(receiverId ? { "wove-receiver": receiverId } : {}),
    };
    return new GrpcRoute({ origin: new URL(origin).origin, headers, receiverId }, otherwise);
  }

  async post(body: Body, how: Try): Promise<Answer> {
    const { origin, headers, receiverId } = this.#target;
    let channel = await events.get(origin);
    if (channel && how.fresh) {
      await events.replace(origin, channel);
      channel = await events.get(origin);
    }
    if (channel === undefined) {
      return await this.#otherwise.post(body, how);
    }
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), how.timeout * 1000);
    const signal = how.signal ? AbortSignal.any([how.signal, late.signal]) : late.signal;
    const request = create(PublishEventRequestSchema, {
      body: { case: "event", value: body.event },
    });
    const method = EventService.method.publishEvent;
    try {
      const call = channel.transport.unary(method, signal, undefined, headers, request);
      const { message, header } = await channel.hold(call);
      return judgeAck(message.ack, header, receiverId);
    } catch (error) {
      if (late.signal.aborted) {
        // A connection that carries nothing may be dead without knowing.
        await events.replace(origin, channel);
        return noAnswer(new Error("no answer in time"));
      }
      return judgeError(error, receiverId);
    } finally {
      clearTimeout(timer);
    }
  }

  openLine(cancel: (runId: string) => void): Line {
    return new GrpcLine(this.#target, cancel, this.#otherwise.openLine(cancel));
  }

  close(): void {
    this.#otherwise.close();
  }
}

/** Empty where the text is no part of a URL. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** Heartbeats on one call of StreamEvents, which also carries requests to stop down. */

import { create } from "@bufbuild/protobuf";

import { noAnswer, type Answer } from "../answers.js";
import type { Body } from "../events.js";
import type { Line, Try } from "../route.js";
import { after } from "../timing.js";
import {
  EventService,
  StreamEventsRequestSchema,
  type StreamEventsRequest,
} from "../wovepb/v1/event_service_pb.js";
import { judgeAck, judgeError } from "./answers.js";
import { Channels, type Channel } from "./channel.js";
import type { Target } from "./grpc-route.js";

const beats = new Channels();

/** See `Line`. */
export class GrpcLine implements Line {
  readonly pushes = true;
  readonly #target: Target;
  readonly #cancel: (runId: string) => void;
  readonly #otherwise: Line;
  #call: Call | undefined;
  #closed = false;

  constructor(target: Target, cancel: (runId: string) => void, otherwise: Line) {
    this.#target = target;
    this.#cancel = cancel;
    this.#otherwise = otherwise;
  }

  async post(body: Body, how: Try): Promise<Answer> {
    const { origin } = this.#target;
    let channel = await beats.get(origin);
    if (channel && how.fresh) {
      this.#call?.end();
      await beats.replace(origin, channel);
      channel = await beats.get(origin);
    }
    if (this.#closed) {
      return noAnswer(new Error("closed"));
    }
    if (channel === undefined) {
      return await this.#otherwise.post(body, how);
    }
    if (!this.#call || this.#call.ended) {
      this.#call = new Call(channel, this.#target, this.#cancel);
    }
    const answer = await this.#call.exchange(body, how.timeout);
    if (answer === undefined) {
      this.#call.end();
      await beats.replace(origin, channel);
      return noAnswer(new Error("no answer in time"));
    }
    return answer;
  }

  close(): void {
    this.#closed = true;
    this.#call?.end();
    this.#otherwise.close();
  }
}

/** One call of StreamEvents, on which one event at a time is answered. */
class Call {
  ended = false;
  readonly #target: Target;
  readonly #over = new AbortController();
  readonly #requests = new Queue<StreamEventsRequest>();
  #eventId = "";
  #answered: (answer: Answer | undefined) => void = () => {};

  constructor(channel: Channel, target: Target, cancel: (runId: string) => void) {
    this.#target = target;
    void this.#read(channel, cancel);
  }

  /** The answer to an event; undefined if there is none in time. */
  exchange(body: Body, timeout: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const timer = after(timeout, () => resolve(undefined));
      this.#eventId = body.event.eventId;
      this.#answered = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#requests.put(
        create(StreamEventsRequestSchema, { body: { case: "event", value: body.event } }),
      );
    });
  }

  end(): void {
    this.#finish(noAnswer(new Error("closed")));
    this.#over.abort();
  }

  async #read(channel: Channel, cancel: (runId: string) => void): Promise<void> {
    const { headers, receiverId } = this.#target;
    const method = EventService.method.streamEvents;
    const { signal } = this.#over;
    try {
      const call = channel.transport.stream(method, signal, undefined, headers, this.#requests);
      const { message: answers, header } = await call;
      for await (const { message } of answers) {
        if (message.case === "ack" && message.value.eventId === this.#eventId) {
          this.#answered(judgeAck(message.value, header, receiverId));
        } else if (message.case === "cancelTask") {
          cancel(message.value.runId);
        }
      }
      this.#finish(noAnswer(new Error("the receiver ended the call")));
    } catch (error) {
      this.#finish(judgeError(error, receiverId));
    }
  }

  #finish(answer: Answer): void {
    this.ended = true;
    this.#requests.end();
    this.#answered(answer);
  }
}

/** What is put in comes out, in order, to the one who waits. */
class Queue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #ended = false;
  #changed: () => void = () => {};

  put(item: T): void {
    this.#items.push(item);
    this.#changed();
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (!this.#ended) {
      const item = this.#items.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => (this.#changed = resolve));
      } else {
        yield item;
      }
    }
  }
}

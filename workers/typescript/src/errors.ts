import type { Summary } from "./summary.js";

/** What was handed to a worker is no payload, so there is nobody to report to. */
export class InvalidPayloadError extends Error {
  override readonly name = "InvalidPayloadError";
}

/** The last event of a run could not be delivered: the backend's job has failed. */
export class UndeliveredError extends Error {
  override readonly name = "UndeliveredError";
  /** What `run` would have given back; its `delivered` is false. */
  readonly summary: Summary;

  constructor(message: string, summary: Summary) {
    super(message);
    this.summary = summary;
  }
}

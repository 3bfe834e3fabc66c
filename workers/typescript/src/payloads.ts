/** What a backend hands over, in whatever form it carries it. */

import { ContractError } from "./contract/errors.js";
import { readPayload } from "./contract/messages.js";
import { parseObject } from "./contract/read.js";
import { InvalidPayloadError } from "./errors.js";
import type { JsonObject } from "./json.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

/** A payload as the adapter submitted it: its JSON text, base64 of that, or its object. */
export type PayloadInput = string | Uint8Array | object;

const SPACE = /[ \t\r\n]+/g;

/**
 * Decode a payload, and where it reports to.
 *
 * @throws InvalidPayloadError if it is none
 */
export function decodePayload(input: PayloadInput): { payload: TaskPayload; url: URL } {
  try {
    const payload = readPayload(toObject(input));
    if (!payload.runId) {
      // One of a newer version, and nobody to report that to.
      throw new ContractError("missing_field", "run_id", "expected the run's name");
    }
    return { payload, url: callbackUrl(payload.callbackUrl) };
  } catch (error) {
    if (!(error instanceof ContractError)) {
      throw error;
    }
    throw new InvalidPayloadError(
      `this is no Wove payload: ${error.message}. ` +
        "Hand over the payload that the adapter submitted, unchanged.",
    );
  }
}

function toObject(input: PayloadInput): JsonObject {
  if (typeof input === "string" || input instanceof Uint8Array) {
    return parseObject(toJson(input));
  }
  return input as JsonObject;
}

function toJson(data: string | Uint8Array): string | Uint8Array {
  // Only the first characters are looked at: a payload may be large.
  const begin = typeof data === "string" ? data.slice(0, 200) : decodeStart(data);
  if (begin.replace(SPACE, "").startsWith("{")) {
    return data;
  }
  const text = typeof data === "string" ? data : Buffer.from(data).toString("latin1");
  // Shells and schedulers break long lines; what is left must be base64.
  const base64 = text.replace(SPACE, "");
  if (base64.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(base64.replace(/={1,2}$/, ""))) {
    throw new ContractError("invalid_json", "", "neither a JSON object nor base64 of one");
  }
  return Buffer.from(base64, "base64");
}

function decodeStart(data: Uint8Array): string {
  return Buffer.from(data.subarray(0, 200)).toString("latin1");
}

function callbackUrl(text: string): URL {
  // URL drops white space and encodes what is no URL; a wrong address is better refused.
  const url = /^[\x21-\x7e]+$/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new ContractError("wrong_type", "callback_url", "expected a URL of http or https");
  }
  return url;
}

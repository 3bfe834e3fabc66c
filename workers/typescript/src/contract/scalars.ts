/** JSON values to the values of scalar fields, by the rules in event.proto. */

import { ScalarType } from "@bufbuild/protobuf";

import type { JsonValue } from "../json.js";
import { ContractError } from "./errors.js";

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const STANDARD = /^[A-Za-z0-9+/]*$/;
const URL_SAFE = /^[A-Za-z0-9_-]*$/;

/**
 * The value of a scalar field.
 *
 * @throws ContractError with an empty path, which the caller fills in
 */
export function readScalar(
  type: ScalarType,
  value: JsonValue,
): string | number | boolean | Uint8Array {
  switch (type) {
    case ScalarType.STRING:
      return readText(value);
    case ScalarType.BYTES:
      return readBytes(value);
    case ScalarType.BOOL:
      if (typeof value === "boolean") {
        return value;
      }
      throw wrongType("true or false");
    case ScalarType.UINT32:
      return readInteger(value, 0, 0xffff_ffff);
    case ScalarType.INT32:
      return readInteger(value, -0x8000_0000, 0x7fff_ffff);
    case ScalarType.DOUBLE:
      return readDouble(value);
    default:
      throw new Error(`the contract has no scalar ${ScalarType[type]}`);
  }
}

/** The error for a value of another type than the field's. */
export function wrongType(expected: string): ContractError {
  return new ContractError("wrong_type", "", `expected ${expected}`);
}

function readText(value: JsonValue): string {
  if (typeof value !== "string") {
    throw wrongType("text");
  }
  if (!value.isWellFormed()) {
    throw new ContractError(
      "invalid_text",
      "",
      "expected valid Unicode, got an unpaired surrogate",
    );
  }
  return value;
}

function readInteger(value: JsonValue, low: number, high: number): number {
  const expected = `an integer from ${low} to ${high}`;
  const number = asNumber(value);
  if (typeof value !== "bigint" && (number === undefined || !Number.isInteger(number))) {
    throw wrongType(expected);
  }
  if (number === undefined || number < low || number > high) {
    throw new ContractError("out_of_range", "", `expected ${expected}`);
  }
  return number + 0; // -0 is 0
}

function readDouble(value: JsonValue): number {
  const named = value === "NaN" || value === "Infinity" || value === "-Infinity";
  const number = named ? NaN : asNumber(value);
  if (number === undefined) {
    throw wrongType("a number");
  }
  if (!Number.isFinite(number)) {
    throw new ContractError("not_finite", "", "expected a finite number");
  }
  return number;
}

function asNumber(value: JsonValue): number | undefined {
  switch (typeof value) {
    case "number":
      return value;
    case "bigint":
      return Number(value);
    case "string":
      return NUMBER.test(value) ? Number(value) : undefined;
    default:
      return undefined;
  }
}

function readBytes(value: JsonValue): Uint8Array {
  if (typeof value !== "string") {
    throw wrongType("base64 text");
  }
  const digits = value.replace(/={1,2}$/, "");
  const padding = value.length - digits.length;
  if (digits.length % 4 === 1 || (padding > 0 && (digits.length + padding) % 4 !== 0)) {
    throw new ContractError("invalid_base64", "", "expected base64, but its length is wrong");
  }
  if (!STANDARD.test(digits) && !URL_SAFE.test(digits)) {
    const problem = "expected base64 of the standard or the URL-safe alphabet";
    throw new ContractError("invalid_base64", "", problem);
  }
  return new Uint8Array(Buffer.from(digits, "base64url"));
}

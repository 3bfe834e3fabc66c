/** The parts that need no receiver. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

import { judge, retryAfterSeconds, stopReason } from "../src/answers.js";
import { rawResult } from "../src/context.js";
import { redacted } from "../src/endpoint.js";
import { describe as describeError } from "../src/failures.js";
import { formatJson, memberTexts, parseJson } from "../src/json.js";
import { bind } from "../src/parameters.js";
import { decodePayload } from "../src/payloads.js";
import { Stop } from "../src/stop.js";
import { ascii, scrub, scrubMiddle } from "../src/text.js";
import { backoff } from "../src/timing.js";
import { tlsFiles } from "../src/tls-files.js";
import { VERSION } from "../src/version.js";

describe("JSON", () => {
  it("keeps the digits of integers", () => {
    const text =
      '[9007199254740993,-9223372036854775808,18446744073709551617,1,0.1,"12345678901234567890"]';
    const value = parseJson(text);
    const [first, , , small, , quoted] = value as unknown[];
    assert.equal(first, 9007199254740993n);
    assert.equal(small, 1);
    assert.equal(quoted, "12345678901234567890");
    assert.equal(formatJson(value), text);
  });

  it("leaves fractions, exponents and texts alone", () => {
    const text =
      '{"a\\"1":1234567890123456789.5,"b":1e300,"c":"\\\\","1234567890123456789":[]}';
    assert.deepEqual(parseJson(text), JSON.parse(text));
  });

  it("refuses what is no JSON, large integers or not", () => {
    for (const text of [
      "{12345678901234567890:1}",
      "[12345678901234567890,]",
      "012345678901234567890",
      "",
    ]) {
      assert.throws(() => parseJson(text), SyntaxError);
    }
  });

  it("keeps odd names", () => {
    const value = parseJson('{"__proto__": {"x": 12345678901234567890}}');
    assert.deepEqual(Object.keys(value as object), ["__proto__"]);
    assert.equal(formatJson(value), '{"__proto__":{"x":12345678901234567890}}');
  });

  it("finds the text of each member", () => {
    const members = memberTexts(' {"a": 1.50 , "b\\n": [1, {"a": "x,}"}], "c" : "}" } ');
    assert.deepEqual(
      [...members],
      [
        ["a", "1.50"],
        ["b\n", '[1, {"a": "x,}"}]'],
        ["c", '"}"'],
      ],
    );
    assert.equal(memberTexts("{}").size, 0);
  });

  it("writes undefined as null, and refuses what JSON has not", () => {
    assert.equal(formatJson(undefined), "null");
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [
      NaN,
      { a: [-Infinity] },
      () => 1,
      new Map(),
      [new Uint8Array(1)],
      cycle,
    ]) {
      assert.throws(() => formatJson(value), TypeError);
    }
  });

  it("checks raw results", () => {
    assert.equal(rawResult("1.0").text, "1.0");
    assert.throws(() => rawResult("1.0 x"), SyntaxError);
    assert.throws(() => rawResult('"\ud800"'), SyntaxError);
  });
});

describe("parameters", () => {
  const parameters = {
    n: "number",
    b: "bigint",
    x: "numeric",
    s: "string?",
    any: "any",
  } as const;

  it("take what fits", () => {
    const given = { n: 1.5, b: 2, x: 9007199254740993n, s: null, any: null };
    const bound = { n: 1.5, b: 2n, x: 9007199254740993n, any: null };
    assert.deepEqual(bind(parameters, given), bound);
  });

  it("refuse what does not, without its value", () => {
    const fits = { n: 1, b: 2, x: 3, any: 0 };
    const wrong = [
      { ...fits, n: 9007199254740993n },
      { ...fits, n: "secret" },
      { ...fits, b: 1.5 },
      { ...fits, s: 1 },
      { ...fits, more: "secret" },
      { n: 1, b: 2, x: 3 },
    ];
    for (const given of wrong) {
      assert.throws(
        () => bind(parameters, given),
        (error) => error instanceof TypeError && !error.message.includes("secret"),
      );
    }
  });
});

describe("text", () => {
  it("is cut between characters", () => {
    assert.equal(scrub("ü".repeat(10), 10), "üüü...");
    assert.equal(scrub("😀".repeat(4), 12), "😀😀...");
    const cut = scrubMiddle("ab😀".repeat(1000), 1000);
    assert.ok(Buffer.byteLength(cut) <= 1000);
    assert.match(cut, /bytes cut/);
    assert.ok(!cut.includes("\ufffd"));
  });

  it("is valid Unicode, or ASCII", () => {
    assert.equal(scrub("a\ud800b😀"), "a\\ud800b😀");
    assert.equal(ascii("é😀\ud800"), "\\u00e9\\u{1f600}\\ud800");
  });
});

describe("errors", () => {
  it("are described with their causes, to a depth of eight", () => {
    let error = new Error("bottom");
    for (let level = 0; level < 20; level++) {
      error = new RangeError(`level ${level}`, { cause: error });
    }
    let info = describeError(error);
    assert.equal(info.kind, "RangeError");
    assert.equal(info.source, "task");
    assert.match(info.traceback ?? "", /level 19[^]*caused by: RangeError: level 18/);
    let depth = 0;
    for (; info.cause; info = info.cause) {
      depth++;
    }
    assert.equal(depth, 8);
  });

  it("keep to their limits", () => {
    const info = describeError(new Error("ü".repeat(200_000)));
    assert.ok(Buffer.byteLength(info.message) <= 65536);
    assert.ok(Buffer.byteLength(info.traceback ?? "") <= 262144);
  });

  it("may be anything", () => {
    class Mine extends Error {}
    const broken = new Error("x");
    Object.defineProperty(broken, "message", {
      get: () => {
        throw new Error("no");
      },
    });
    const kinds = [new Mine("m"), "text", null, undefined, { a: 1 }, broken].map((thrown) => {
      const { kind, traceback } = describeError(thrown);
      assert.ok(traceback);
      return kind;
    });
    assert.deepEqual(kinds, ["Mine", "string", "null", "undefined", "object", "Error"]);
    const group = describeError(new AggregateError([new TypeError("a"), "b"], "both"));
    assert.deepEqual(
      group.exceptions.map(({ kind }) => kind),
      ["TypeError", "string"],
    );
  });
});

describe("payloads", () => {
  const payload = { version: 1, run_id: "r1", callback_url: "http://h:1/wove/events/secret" };
  const json = JSON.stringify(payload);
  const base64 = Buffer.from(json).toString("base64");

  it("come in every form", () => {
    const broken = base64.replace(/(.{20})/g, "$1\n");
    const forms = [
      payload,
      json,
      `\n ${json} `,
      Buffer.from(json),
      base64,
      broken,
      Buffer.from(base64),
    ];
    for (const form of forms) {
      assert.equal(decodePayload(form).payload.runId, "r1");
    }
  });

  it("are refused without their contents", () => {
    const wrong = [
      "",
      "secret!",
      "secret",
      "[]",
      `${json}x`,
      { ...payload, callback_url: "ftp://secret" },
      { ...payload, callback_url: "http://secret host/" },
      { ...payload, version: "secret" },
      { version: 2, callback_url: payload.callback_url },
      { version: 2, run_id: "r1" },
    ];
    for (const form of wrong) {
      assert.throws(
        () => decodePayload(form),
        (error: Error) =>
          error.name === "InvalidPayloadError" && !error.message.includes("secret"),
      );
    }
  });

  it("have addresses that can be told without their secret", () => {
    assert.equal(
      redacted("http://u:p@h:1/wove/events/secret?x=y"),
      "http://h:1/wove/events/***",
    );
    assert.equal(redacted("secret"), "<not a URL>");
  });
});

describe("answers", () => {
  const verdict = (status: number, answeredBy?: string, receiverId?: string): string =>
    judge({ status, text: "", answeredBy }, receiverId).verdict;

  it("follow the table", () => {
    const table: [number, string][] = [
      [200, "accepted"],
      [204, "accepted"],
      [302, "retry"],
      [400, "invalid"],
      [401, "refused"],
      [404, "refused"],
      [408, "retry"],
      [409, "conflict"],
      [410, "gone"],
      [413, "invalid"],
      [415, "invalid"],
      [418, "refused"],
      [421, "elsewhere"],
      [429, "retry"],
      [503, "retry"],
    ];
    for (const [status, expected] of table) {
      assert.equal(verdict(status), expected, String(status));
      assert.equal(verdict(status, "me", "me"), expected, String(status));
      assert.equal(verdict(status, undefined, "me"), "retry", String(status));
    }
    assert.equal(verdict(404, "other", "me"), "elsewhere");
    assert.equal(verdict(410, "other", "me"), "elsewhere");
    assert.equal(verdict(409, "other", "me"), "conflict");
  });

  it("stop a task only where they say so", () => {
    const reason = (status: number, frame: string, detached = false): string | undefined =>
      stopReason(
        judge({ status, text: "", answeredBy: undefined }, undefined),
        frame,
        detached,
      );
    assert.ok(reason(410, "heartbeat") && reason(404, "log") && reason(400, "task_started"));
    for (const status of [204, 400, 421, 503]) {
      assert.ok(!reason(status, "heartbeat"), String(status));
    }
    assert.ok(!reason(410, "task_result") && !reason(410, "heartbeat", true));
    assert.ok(!reason(410, "task_started", true) && reason(409, "task_started", true));
  });

  it("say when to come back", () => {
    assert.equal(retryAfterSeconds("1.5"), 1.5);
    for (const text of [undefined, "", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "1e12"]) {
      assert.equal(retryAfterSeconds(text), undefined);
    }
    for (const retryAfter of [-1, NaN, Infinity]) {
      const answer = judge(
        { status: 503, text: "", answeredBy: undefined, retryAfter },
        undefined,
      );
      assert.equal(answer.retryAfter, undefined);
    }
    for (let tries = 1; tries < 40; tries++) {
      assert.ok(backoff(tries) <= 10);
    }
  });
});

describe("stopping", () => {
  it("is asked for once, and not after the end", () => {
    const stop = new Stop();
    let asked = 0;
    stop.onAsk = () => asked++;
    stop.ask("first");
    stop.ask("second");
    assert.deepEqual([asked, stop.reason], [1, "first"]);
    assert.ok(stop.caused(stop.signal.reason));
    assert.ok(stop.caused(new Error("so", { cause: stop.signal.reason })));
    assert.ok(!stop.caused(new Error("another")));
    const over = new Stop();
    over.end();
    over.ask("late");
    assert.ok(!over.signal.aborted);
  });
});

it("a file for TLS that cannot be read is named with its variable", () => {
  for (const prefix of ["WOVE_HTTPS", "WOVE_GRPC"] as const) {
    for (const name of ["CA", "CERTIFICATE", "PRIVATE_KEY"]) {
      process.env[`${prefix}_${name}`] = "/nowhere/file.pem";
      try {
        assert.throws(() => tlsFiles(prefix), {
          message: new RegExp(`^${prefix}_${name}: .*/nowhere/file.pem`),
        });
      } finally {
        delete process.env[`${prefix}_${name}`];
      }
    }
  }
});

it("the version is the package's", () => {
  const file = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  assert.equal(VERSION, version);
});

/** gRPC's answers in the words of HTTP, by the table of event_service.proto. */

import { Code, ConnectError } from "@connectrpc/connect";

import { judge, noAnswer, retryAfterSeconds, type Answer } from "../answers.js";
import type { EventAck } from "../wovepb/v1/ack_pb.js";

const STATUSES = new Map<number, number>([
  [0, 200],
  [Code.InvalidArgument, 400],
  [Code.Unauthenticated, 404],
  [Code.FailedPrecondition, 409],
  [Code.NotFound, 410],
  [Code.ResourceExhausted, 413],
  [Code.Aborted, 421],
  [Code.Unavailable, 503],
  [Code.DeadlineExceeded, 504],
  [Code.Canceled, 503],
  [Code.Unknown, 500],
  [Code.Internal, 500],
]);
/** Of all other codes, which are final. */
const OTHER = 403;

/** A call was answered by an acknowledgement. */
export function judgeAck(
  ack: EventAck | undefined,
  headers: Headers,
  receiverId: string | undefined,
): Answer {
  const code = ack?.code ?? 0;
  const parts = {
    status: STATUSES.get(code) ?? OTHER,
    text: code === 0 ? "OK" : (Code[code] ?? `code ${code}`),
    answeredBy: ack?.receiverId || (headers.get("wove-receiver") ?? undefined),
    retryAfter: ack?.retryAfterSeconds,
    ack,
  };
  return judge(parts, receiverId);
}

/** A call failed: by the receiver's status, or because there was none. */
export function judgeError(error: unknown, receiverId: string | undefined): Answer {
  if (!(error instanceof ConnectError)) {
    return noAnswer(error);
  }
  // A receiver may say it in the headers and in the trailers: here they come joined.
  const answeredBy = error.metadata.get("wove-receiver")?.split(",")[0]?.trim();
  if (error.cause !== undefined && answeredBy === undefined) {
    return noAnswer(error.cause); // the connection's own failure, not a status
  }
  const parts = {
    status: STATUSES.get(error.code) ?? OTHER,
    text: Code[error.code],
    answeredBy,
    retryAfter: retryAfterSeconds(error.metadata.get("retry-after")),
  };
  return judge(parts, receiverId);
}

/** Which encoding and which transport the events of a run use. */

import type { BodyEncoding } from "./events.js";
import { HttpRoute } from "./http-route.js";
import type { Route } from "./route.js";
import type { TaskPayload } from "./wovepb/v1/payload_pb.js";

/** `json` is flat JSON, `protobuf` binary over HTTP. */
export type Encoding = "json" | "protobuf" | "grpc";

const ENCODINGS: readonly string[] = ["json", "protobuf", "grpc"];

/** The encoding that a text names, such as `WOVE_ENCODING`; undefined for none. */
export function encodingFrom(text: string | undefined): Encoding | undefined {
  if (text && !ENCODINGS.includes(text)) {
    process.emitWarning(`WOVE_ENCODING must be one of ${ENCODINGS.join(", ")}`, "WoveWarning");
    return undefined;
  }
  return (text || undefined) as Encoding | undefined;
}

/**
 * The way to a payload's receiver.
 *
 * @param wish - undefined: gRPC where it is offered, else binary where the receiver says who it
 *   is, else flat JSON
 */
export async function routeFor(
  payload: TaskPayload,
  url: URL,
  wish: Encoding | undefined,
): Promise<{ route: Route; encoding: BodyEncoding }> {
  const receiverId = payload.receiverId || undefined;
  const http = new HttpRoute(url, receiverId);
  if (payload.callbackGrpc && (wish ?? "grpc") === "grpc") {
    const route = await grpcRoute(payload.callbackGrpc, receiverId, http);
    if (route) {
      return { route, encoding: "protobuf" };
    }
  }
  const plain = wish === "json" || (wish === undefined && !receiverId);
  return { route: http, encoding: plain ? "json" : "protobuf" };
}

/** undefined where the packages are not installed, or the address is none. */
async function grpcRoute(
  address: string,
  receiverId: string | undefined,
  otherwise: Route,
): Promise<Route | undefined> {
  try {
    const { GrpcRoute } = await import("./grpc/grpc-route.js");
    return GrpcRoute.to(address, receiverId, otherwise);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") {
      return undefined;
    }
    throw error;
  }
}

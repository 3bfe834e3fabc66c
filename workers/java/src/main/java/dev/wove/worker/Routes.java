package dev.wove.worker;

import dev.wove.v1.TaskPayload;

/** Which encoding and which transport a payload's events take. */
final class Routes {
  private Routes() {}

  /**
   * Chooses the encoding.
   *
   * @param payload of the run
   * @param wish for one; may be null
   * @return GRPC only where the payload offers it
   */
  static Encoding encoding(TaskPayload payload, Encoding wish) {
    boolean offered = !payload.getCallbackGrpc().isEmpty();
    if (wish == Encoding.GRPC || (wish == null && offered)) {
      return offered ? Encoding.GRPC : Encoding.PROTOBUF;
    }
    if (wish == null) {
      return payload.getReceiverId().isEmpty() ? Encoding.JSON : Encoding.PROTOBUF;
    }
    return wish;
  }

  /**
   * Makes the route.
   *
   * @param payload of the run
   * @param encoding chosen for it
   * @throws InvalidPayloadException its callback_url leads nowhere
   */
  static Route to(TaskPayload payload, Encoding encoding) {
    Route http = new HttpRoute(Endpoint.parse(payload.getCallbackUrl()), payload.getReceiverId());
    if (encoding != Encoding.GRPC) {
      return http;
    }
    GrpcTarget target = GrpcTarget.parse(payload.getCallbackGrpc());
    return target == null ? http : new GrpcRoute(target, payload.getReceiverId(), http);
  }
}

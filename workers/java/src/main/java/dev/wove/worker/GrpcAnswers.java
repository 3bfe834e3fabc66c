package dev.wove.worker;

import dev.wove.v1.EventAck;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Optional;
import java.util.OptionalDouble;

/** Answers of gRPC in the words of HTTP, by the table of event_service.proto. */
final class GrpcAnswers {
  static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  static final Metadata.Key<String> RECEIVER = key("wove-receiver");
  private static final Metadata.Key<String> RETRY_AFTER = key("retry-after");

  private GrpcAnswers() {}

  /**
   * Judges the end of a call that is no acknowledgement.
   *
   * @param status of it
   * @param initial metadata; may be null
   * @param trailing metadata; may be null
   * @param receiverId the payload's
   */
  static Answer judge(Status status, Metadata initial, Metadata trailing, String receiverId) {
    String answeredBy = value(trailing, RECEIVER);
    return Answer.judge(
        http(status.getCode()),
        status.getCode().name(),
        answeredBy == null ? value(initial, RECEIVER) : answeredBy,
        receiverId,
        HttpRoute.retryAfter(Optional.ofNullable(value(trailing, RETRY_AFTER))),
        null);
  }

  /**
   * Judges an acknowledgement.
   *
   * @param ack of an event
   * @param initial metadata of the call; may be null
   * @param receiverId the payload's
   */
  static Answer judge(EventAck ack, Metadata initial, String receiverId) {
    Status.Code code = Status.fromCodeValue(ack.getCode()).getCode();
    OptionalDouble retryAfter = OptionalDouble.empty();
    if (ack.hasRetryAfterSeconds()) {
      retryAfter = HttpRoute.retryAfter(Optional.of(Double.toString(ack.getRetryAfterSeconds())));
    }
    String named = ack.getReceiverId();
    return Answer.judge(
        http(code),
        code.name(),
        named.isEmpty() ? value(initial, RECEIVER) : named,
        receiverId,
        retryAfter,
        ack);
  }

  private static int http(Status.Code code) {
    return switch (code) {
      case OK -> 200;
      case INVALID_ARGUMENT -> 400;
      case UNAUTHENTICATED -> 404;
      case FAILED_PRECONDITION -> 409;
      case NOT_FOUND -> 410;
      case RESOURCE_EXHAUSTED -> 413;
      case ABORTED -> 421;
      case UNKNOWN, INTERNAL -> 500;
      case UNAVAILABLE, CANCELLED -> 503;
      case DEADLINE_EXCEEDED -> 504;
      default -> 403;
    };
  }

  private static String value(Metadata metadata, Metadata.Key<String> key) {
    return metadata == null ? null : metadata.get(key);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}

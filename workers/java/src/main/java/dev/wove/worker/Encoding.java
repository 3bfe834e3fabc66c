package dev.wove.worker;

/** How events are written. */
public enum Encoding {
  /** Flat JSON over HTTP. */
  JSON,
  /** Binary protobuf over HTTP. */
  PROTOBUF,
  /** gRPC where the payload offers it, else binary protobuf over HTTP. */
  GRPC;

  /** The variable that names the encoding. */
  static final String VARIABLE = "WOVE_ENCODING";

  /**
   * The encoding that the environment names.
   *
   * @param text the variable's value; may be null
   * @return null where it names none
   */
  static Encoding named(String text) {
    if (text == null || text.isBlank()) {
      return null;
    }
    switch (text.strip()) {
      case "json":
        return JSON;
      case "protobuf":
        return PROTOBUF;
      case "grpc":
        return GRPC;
      default:
        System.getLogger("dev.wove.worker")
            .log(
                System.Logger.Level.WARNING,
                VARIABLE + " is none of json, protobuf and grpc: it is ignored");
        return null;
    }
  }
}

package dev.wove.worker;

import dev.wove.v1.ErrorInfo;
import java.io.PrintWriter;
import java.io.StringWriter;

/** What a throwable says, as the contract wants it. */
final class Failures {
  private static final int MAX_CAUSES = 8;
  private static final int MAX_MESSAGE = 64 << 10;
  private static final int MAX_TRACEBACK = 256 << 10;

  private Failures() {}

  /**
   * Describes what a task threw.
   *
   * @param thrown by the task; its own code may throw again
   * @return kind, message, stack trace and causes
   */
  static ErrorInfo describe(Throwable thrown) {
    ErrorInfo.Builder info = described(thrown, 0);
    info.setSource("task");
    String trace = trace(thrown);
    if (!trace.isEmpty()) {
      info.setTraceback(Text.cutMiddle(Text.scrub(trace), MAX_TRACEBACK));
    }
    return info.build();
  }

  /**
   * Describes a failure of Wove's own.
   *
   * @param kind of it
   * @param code of the contract's
   * @param message in words
   */
  static ErrorInfo ofWove(String kind, String code, String message) {
    return ErrorInfo.newBuilder()
        .setKind(kind)
        .setCode(code)
        .setMessage(Text.cut(Text.scrub(message), MAX_MESSAGE))
        .setSource("wove")
        .build();
  }

  private static ErrorInfo.Builder described(Throwable thrown, int depth) {
    ErrorInfo.Builder info =
        ErrorInfo.newBuilder()
            .setKind(kind(thrown))
            .setMessage(Text.cut(Text.scrub(message(thrown)), MAX_MESSAGE));
    Throwable cause = cause(thrown);
    if (cause != null && depth < MAX_CAUSES) {
      info.setCause(described(cause, depth + 1));
    }
    return info;
  }

  private static String kind(Throwable thrown) {
    String simple = thrown.getClass().getSimpleName();
    String name = thrown.getClass().getName();
    return Text.scrub(simple.isEmpty() ? name.substring(name.lastIndexOf('.') + 1) : simple);
  }

  private static String message(Throwable thrown) {
    try {
      return thrown.getMessage();
    } catch (Throwable trouble) {
      return "<no message>";
    }
  }

  private static Throwable cause(Throwable thrown) {
    try {
      return thrown.getCause();
    } catch (Throwable trouble) {
      return null;
    }
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    try {
      thrown.printStackTrace(new PrintWriter(text));
      return text.toString();
    } catch (Throwable trouble) {
      return "";
    }
  }
}

package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.wove.v1.ErrorInfo;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What a throwable says. */
class FailuresTest {
  private static final class Hostile extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("from the message");
    }
  }

  private static int size(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  @Test
  void describesACauseToo() {
    ErrorInfo info =
        Failures.describe(new IllegalStateException("outer", new RuntimeException("inner")));
    assertEquals("IllegalStateException", info.getKind());
    assertEquals("outer", info.getMessage());
    assertEquals("task", info.getSource());
    assertEquals("", info.getCode());
    assertEquals("inner", info.getCause().getMessage());
    assertTrue(info.getTraceback().contains("FailuresTest.describesACauseToo"));
    assertTrue(info.getTraceback().contains("Caused by"));
  }

  @Test
  void endsALongOrCircularChain() {
    RuntimeException first = new RuntimeException("0");
    RuntimeException last = first;
    for (int level = 1; level < 99; level++) {
      last = new RuntimeException(Integer.toString(level), last);
    }
    first.initCause(last);
    ErrorInfo info = Failures.describe(last);
    int depth = 0;
    while (info.hasCause()) {
      info = info.getCause();
      depth++;
    }
    assertEquals(8, depth);
  }

  @Test
  void keepsToTheLimits() {
    ErrorInfo info = Failures.describe(new RuntimeException("ü😀".repeat(100_000) + "\ud800"));
    assertTrue(size(info.getMessage()) <= 64 << 10);
    assertTrue(size(info.getMessage()) > 60 << 10);
    assertTrue(size(info.getTraceback()) <= 256 << 10);
    assertTrue(info.getTraceback().contains("... cut ..."));
    assertTrue(info.getTraceback().contains("FailuresTest.keepsToTheLimits"));
    assertTrue(Text.isValid(info.getMessage()) && Text.isValid(info.getTraceback()));
  }

  @Test
  void survivesAHostileThrowable() {
    assertEquals("Hostile", Failures.describe(new Hostile()).getKind());
    assertEquals("", Failures.describe(new RuntimeException((String) null)).getMessage());
    assertFalse(Failures.describe(new RuntimeException() {}).getKind().isEmpty());
  }

  @Test
  void escapesHalfACharacter() {
    assertEquals("a\\ud800b😀\\udc00", Text.scrub("a\ud800b😀\udc00"));
    assertEquals("caf\\u00e9", Text.ascii("café", 100));
    assertEquals("caf", Text.ascii("café", 3));
    assertEquals("ü", Text.cut("üü", 3));
    assertEquals("😀", Text.first("😀😀", 1));
  }
}

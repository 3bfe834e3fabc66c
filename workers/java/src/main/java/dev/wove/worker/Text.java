package dev.wove.worker;

/** Text that fits a field: valid Unicode, and no longer than it may be. */
final class Text {
  private Text() {}

  /**
   * Whether a text holds no half of a surrogate pair.
   *
   * @param text any
   */
  static boolean isValid(String text) {
    return firstLone(text, 0) < 0;
  }

  /**
   * A text without halves of surrogate pairs: each is written as an escape, which inside JSON text
   * means the same.
   *
   * @param text any; null is taken as empty
   */
  static String scrub(String text) {
    if (text == null) {
      return "";
    }
    int lone = firstLone(text, 0);
    if (lone < 0) {
      return text;
    }
    StringBuilder scrubbed = new StringBuilder(text.length() + 16);
    int begin = 0;
    while (lone >= 0) {
      scrubbed.append(text, begin, lone).append(String.format("\\u%04x", (int) text.charAt(lone)));
      begin = lone + 1;
      lone = firstLone(text, begin);
    }
    return scrubbed.append(text, begin, text.length()).toString();
  }

  /**
   * The first characters of a text.
   *
   * @param text valid
   * @param characters at most
   */
  static String first(String text, int characters) {
    return text.codePointCount(0, text.length()) <= characters
        ? text
        : text.substring(0, text.offsetByCodePoints(0, characters));
  }

  /**
   * The beginning of a text.
   *
   * @param text valid
   * @param bytes of UTF-8 that it may take
   */
  static String cut(String text, int bytes) {
    int end = fitting(text, bytes);
    return end == text.length() ? text : text.substring(0, end);
  }

  /**
   * A text without its middle, if it is too long.
   *
   * @param text valid
   * @param bytes of UTF-8 that it may take
   */
  static String cutMiddle(String text, int bytes) {
    if (fitting(text, bytes) == text.length()) {
      return text;
    }
    String gap = "\n... cut ...\n";
    int half = (bytes - gap.length()) / 2;
    int begin = text.length();
    for (int left = half; begin > 0; ) {
      int code = text.codePointBefore(begin);
      left -= size(code);
      if (left < 0) {
        break;
      }
      begin -= Character.charCount(code);
    }
    return text.substring(0, fitting(text, half)) + gap + text.substring(begin);
  }

  /**
   * A text in ASCII, the rest escaped.
   *
   * @param text any; null is taken as empty
   * @param length that it may have
   */
  static String ascii(String text, int length) {
    StringBuilder plain = new StringBuilder();
    String given = text == null ? "" : text;
    for (int at = 0; at < given.length() && plain.length() < length; at++) {
      char next = given.charAt(at);
      if (next < 128) {
        plain.append(next);
      } else {
        plain.append(String.format("\\u%04x", (int) next));
      }
    }
    return plain.length() <= length ? plain.toString() : plain.substring(0, length);
  }

  /** How much of a text fits. */
  private static int fitting(String text, int bytes) {
    if (text.length() <= bytes / 3) {
      return text.length();
    }
    int end = 0;
    for (int left = bytes; end < text.length(); ) {
      int code = text.codePointAt(end);
      left -= size(code);
      if (left < 0) {
        break;
      }
      end += Character.charCount(code);
    }
    return end;
  }

  private static int size(int code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }

  private static int firstLone(String text, int begin) {
    for (int at = begin; at < text.length(); at++) {
      char next = text.charAt(at);
      if (!Character.isSurrogate(next)) {
        continue;
      }
      boolean pair =
          Character.isHighSurrogate(next)
              && at + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(at + 1));
      if (!pair) {
        return at;
      }
      at++;
    }
    return -1;
  }
}

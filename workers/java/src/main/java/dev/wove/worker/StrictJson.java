package dev.wove.worker;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.internal.LazilyParsedNumber;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * RFC 8259 and nothing more, with every number's text kept.
 *
 * <p>Gson's own strict reader takes a byte order mark and a name that comes twice, and refuses a
 * number of more than 1024 digits; the contract wants all three otherwise.
 */
final class StrictJson {
  /** Deeper ones are refused; the contract asks for 64. */
  static final int MAX_DEPTH = 256;

  private final String text;
  private int at;

  /** The names and indexes that lead to what is being read. */
  private final List<Object> path = new ArrayList<>();

  /** Where the object begins that repeats a name: of several, the one that begins first. */
  private int repeats = Integer.MAX_VALUE;

  private String repeated;

  private StrictJson(String text) {
    this.text = text;
  }

  /**
   * Reads one JSON value.
   *
   * @param text the value and nothing else
   * @return Gson's tree; numbers are of a kind that keeps their text
   * @throws ContractException it is not JSON, nests too deep or repeats a name
   */
  static JsonElement parse(String text) throws ContractException {
    StrictJson reader = new StrictJson(text);
    reader.skipSpace();
    JsonElement value = reader.value(0);
    reader.skipSpace();
    if (reader.at < text.length()) {
      throw invalid("there is text after it");
    }
    if (reader.repeated != null) {
      throw new ContractException("duplicate_key", reader.repeated, "the name is given twice");
    }
    return value;
  }

  /**
   * Decodes UTF-8 that has to be valid.
   *
   * @param bytes UTF-8
   * @return the text
   * @throws ContractException it is not UTF-8
   */
  static String decode(byte[] bytes) throws ContractException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException error) {
      throw new ContractException("invalid_utf8", "", "it is not UTF-8");
    }
  }

  private JsonElement value(int depth) throws ContractException {
    if (depth > MAX_DEPTH) {
      throw new ContractException("too_deep", "", "it nests deeper than " + MAX_DEPTH + " levels");
    }
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return new JsonPrimitive(string());
      case 't':
        return literal("true", new JsonPrimitive(true));
      case 'f':
        return literal("false", new JsonPrimitive(false));
      case 'n':
        return literal("null", JsonNull.INSTANCE);
      default:
        return new JsonPrimitive(new LazilyParsedNumber(number()));
    }
  }

  private JsonObject object(int depth) throws ContractException {
    JsonObject found = new JsonObject();
    int begin = at++;
    skipSpace();
    if (peek() == '}') {
      at++;
      return found;
    }
    while (true) {
      if (peek() != '"') {
        throw invalid("a name is not in quotes");
      }
      String name = string();
      skipSpace();
      expect(':');
      skipSpace();
      path.add(name);
      if (found.has(name) && begin < repeats) {
        repeats = begin;
        repeated = pathText();
      }
      found.add(name, value(depth + 1));
      path.remove(path.size() - 1);
      if (!another('}')) {
        return found;
      }
    }
  }

  private JsonArray array(int depth) throws ContractException {
    JsonArray found = new JsonArray();
    at++;
    skipSpace();
    if (peek() == ']') {
      at++;
      return found;
    }
    path.add(0);
    do {
      path.set(path.size() - 1, found.size());
      found.add(value(depth + 1));
    } while (another(']'));
    path.remove(path.size() - 1);
    return found;
  }

  private String pathText() {
    StringBuilder words = new StringBuilder();
    for (Object step : path) {
      if (step instanceof Integer index) {
        words.append('[').append(index).append(']');
      } else {
        words.append(words.length() == 0 ? "" : ".").append(step);
      }
    }
    return words.toString();
  }

  /** Goes past a comma, or past the end of the list; whether it was a comma. */
  private boolean another(char end) throws ContractException {
    skipSpace();
    char next = peek();
    if (next != ',' && next != end) {
      throw invalid("a comma or an end is missing");
    }
    at++;
    if (next == ',') {
      skipSpace();
    }
    return next == ',';
  }

  private String string() throws ContractException {
    int begin = ++at;
    StringBuilder unescaped = null;
    while (true) {
      char next = peek();
      if (next == '"') {
        String rest = text.substring(begin, at++);
        return unescaped == null ? rest : unescaped.append(rest).toString();
      }
      if (next < ' ') {
        throw invalid("a text holds a control character");
      }
      if (next != '\\') {
        at++;
        continue;
      }
      if (unescaped == null) {
        unescaped = new StringBuilder();
      }
      unescaped.append(text, begin, at++).append(escaped());
      begin = at;
    }
  }

  private char escaped() throws ContractException {
    char kind = peek();
    at++;
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        return kind;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        int code = 0;
        for (int digits = 0; digits < 4; digits++) {
          char next = peek();
          int digit = next < 128 ? Character.digit(next, 16) : -1;
          if (digit < 0) {
            throw invalid("an escape is none of JSON's");
          }
          code = code << 4 | digit;
          at++;
        }
        return (char) code;
      default:
        throw invalid("an escape is none of JSON's");
    }
  }

  private String number() throws ContractException {
    int begin = at;
    if (peek() == '-') {
      at++;
    }
    if (peek() == '0') {
      at++;
    } else {
      digits();
    }
    if (at < text.length() && text.charAt(at) == '.') {
      at++;
      digits();
    }
    if (at < text.length() && (text.charAt(at) | 0x20) == 'e') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
    }
    return text.substring(begin, at);
  }

  private void digits() throws ContractException {
    int begin = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    if (at == begin) {
      throw invalid("there is something that is no JSON value");
    }
  }

  private JsonElement literal(String word, JsonElement value) throws ContractException {
    if (!text.startsWith(word, at)) {
      throw invalid("there is something that is no JSON value");
    }
    at += word.length();
    return value;
  }

  private void expect(char wanted) throws ContractException {
    if (peek() != wanted) {
      throw invalid("a colon is missing");
    }
    at++;
  }

  private char peek() throws ContractException {
    if (at >= text.length()) {
      throw invalid("it breaks off");
    }
    return text.charAt(at);
  }

  private void skipSpace() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private static ContractException invalid(String problem) {
    return new ContractException("invalid_json", "", "it is no JSON: " + problem);
  }
}

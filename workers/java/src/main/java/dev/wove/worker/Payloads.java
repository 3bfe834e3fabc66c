package dev.wove.worker;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.wove.v1.TaskPayload;
import java.util.Base64;
import java.util.List;

/** Payloads, in the forms in which backends carry them. */
final class Payloads {
  /** What this worker knows. */
  static final int VERSION = 1;

  private static final int MAX_RUN_ID = 255;

  /** All that may be read of a newer version: the rest may have become anything. */
  private static final List<String> READ_OF_ANY_VERSION =
      List.of("version", "callback_url", "run_id", "task_id");

  private Payloads() {}

  /**
   * Reads a payload.
   *
   * @param text its JSON, or base64 of that
   * @return the payload; one of a newer version holds what could be read
   * @throws InvalidPayloadException it is none
   */
  static TaskPayload decode(String text) {
    String stripped = text.strip();
    try {
      TaskPayload payload = parse(stripped.startsWith("{") ? stripped : fromBase64(stripped));
      if (payload.getRunId().isEmpty() || payload.getCallbackUrl().isEmpty()) {
        throw new InvalidPayloadException("it does not say whom to report to");
      }
      return payload;
    } catch (ContractException error) {
      throw new InvalidPayloadException(error.getMessage());
    }
  }

  /**
   * Reads a payload.
   *
   * @param data its JSON in UTF-8, or base64 of that
   * @return the payload
   * @throws InvalidPayloadException it is none
   */
  static TaskPayload decode(byte[] data) {
    try {
      return decode(StrictJson.decode(data));
    } catch (ContractException error) {
      throw new InvalidPayloadException(error.getMessage());
    }
  }

  /**
   * Reads a payload's JSON.
   *
   * @param text JSON
   * @return the payload; one of a newer version may hold nothing else
   * @throws ContractException it is none
   */
  static TaskPayload parse(String text) throws ContractException {
    JsonElement json = StrictJson.parse(text);
    TaskPayload.Builder payload = TaskPayload.newBuilder();
    if (json instanceof JsonObject object && version(object) > VERSION) {
      readWhatCanBe(object, payload);
      return payload.build();
    }
    MessageReader.read(json, payload);
    require(payload.getVersion() != 0, "version");
    require(!payload.getRunId().isEmpty(), "run_id");
    require(!payload.getCallbackUrl().isEmpty(), "callback_url");
    if (payload.getRunId().codePointCount(0, payload.getRunId().length()) > MAX_RUN_ID) {
      throw new ContractException("invalid_id", "run_id", "it is too long");
    }
    return payload.build();
  }

  /** The version, unsigned, before anything else is read. */
  private static long version(JsonObject object) throws ContractException {
    TaskPayload.Builder alone = TaskPayload.newBuilder();
    if (object.has("version")) {
      FieldDescriptor field = TaskPayload.getDescriptor().findFieldByName("version");
      MessageReader.readField(object.get("version"), alone, field, "version");
    }
    return Integer.toUnsignedLong(alone.getVersion());
  }

  /** Of a newer version only so much is needed as to say that it is newer. */
  private static void readWhatCanBe(JsonObject object, TaskPayload.Builder payload) {
    for (String name : READ_OF_ANY_VERSION) {
      FieldDescriptor field = TaskPayload.getDescriptor().findFieldByName(name);
      try {
        if (object.has(name)) {
          MessageReader.readField(object.get(name), payload, field, name);
        }
      } catch (ContractException error) {
        payload.clearField(field);
      }
    }
  }

  private static void require(boolean present, String name) throws ContractException {
    if (!present) {
      throw new ContractException("missing_field", name, "it is missing");
    }
  }

  private static String fromBase64(String text) throws ContractException {
    try {
      // Shells and schedulers break long lines.
      String words = text.replaceAll("[ \t\r\n]+", "");
      if (!words.isEmpty() && words.length() % 4 == 0) { // Java would take it unpadded, too
        return StrictJson.decode(Base64.getDecoder().decode(words));
      }
    } catch (IllegalArgumentException error) {
      // it holds a character that base64 has not
    }
    throw new InvalidPayloadException("neither a JSON object nor base64 of one");
  }
}

package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.Message;
import dev.wove.v1.Event;
import dev.wove.v1.RunSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What the contract's vectors say, in the directions that a worker has. */
class ContractTest {
  private static final Map<String, String> MESSAGES =
      Map.of(
          "events", "Event",
          "payloads", "TaskPayload",
          "acks", "EventAck",
          "summaries", "RunSummary",
          "commands", "Command");

  @TestFactory
  List<DynamicTest> messages() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (Map.Entry<String, String> file : MESSAGES.entrySet()) {
      for (JsonObject vector : Vectors.of(file.getKey())) {
        String name = file.getKey() + ": " + vector.get("name").getAsString();
        tests.add(dynamicTest(name, () -> message(file.getValue(), vector)));
      }
    }
    return tests;
  }

  private static void message(String kind, JsonObject vector) throws Exception {
    Message expected = Vectors.binary(kind, vector);
    JsonObject json = vector.getAsJsonObject("json");
    JsonElement nested = vector.has("nested") ? vector.get("nested") : json;
    assertEquals(expected, Vectors.nested(kind, nested));
    assertEquals(
        expected, json.has("type") ? Vectors.flat(kind, json) : Vectors.nested(kind, json));
    assertEquals(expected, Vectors.builder(kind).mergeFrom(expected.toByteArray()).build());
    if (kind.equals("TaskPayload")) {
      assertEquals(expected, Payloads.parse(json.toString()));
      assertEquals(expected, Payloads.parse(nested.toString()));
    }
    if (kind.equals("EventAck")) {
      assertEquals(expected, Acks.parse(json.toString()));
    }
    if (vector.has("nested")) {
      same(nested, MessageWriter.nested(expected));
    }
    if (expected instanceof Event event) {
      same(json, MessageWriter.flat(event));
    }
    if (expected instanceof RunSummary summary) {
      same(json, MessageWriter.summary(summary));
    }
  }

  private static void same(JsonElement expected, String written) throws Exception {
    assertTrue(Vectors.equal(expected, StrictJson.parse(written)), written);
  }

  @TestFactory
  List<DynamicTest> accepted() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("accepted")) {
      String kind = vector.get("message").getAsString();
      if (isRead(kind)) {
        tests.add(
            dynamicTest(
                vector.get("name").getAsString(),
                () ->
                    assertEquals(Vectors.nested(kind, vector.get("expect")), read(kind, vector))));
      }
    }
    return tests;
  }

  @TestFactory
  List<DynamicTest> refused() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("refused")) {
      String kind = vector.get("message").getAsString();
      if (isRead(kind)) {
        tests.add(dynamicTest(vector.get("name").getAsString(), () -> refused(kind, vector)));
      }
    }
    return tests;
  }

  private static void refused(String kind, JsonObject vector) {
    ContractException error = assertThrows(ContractException.class, () -> read(kind, vector));
    assertEquals(vector.get("code").getAsString(), error.code);
    assertEquals(vector.get("path").getAsString(), error.path);
  }

  /** The JSON text that no reader of RFC 8259 may take, whatever the message. */
  @TestFactory
  List<DynamicTest> refusedJson() throws Exception {
    List<String> codes = List.of("invalid_json", "invalid_utf8", "duplicate_key");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("refused")) {
      boolean deep =
          vector.has("body_parts") && vector.get("code").getAsString().equals("too_deep");
      if (codes.contains(vector.get("code").getAsString()) || deep) {
        tests.add(
            dynamicTest(
                vector.get("name").getAsString(),
                () -> {
                  ContractException error =
                      assertThrows(
                          ContractException.class,
                          () -> StrictJson.parse(StrictJson.decode(Vectors.body(vector))));
                  assertEquals(vector.get("code").getAsString(), error.code);
                }));
      }
    }
    return tests;
  }

  private static boolean isRead(String kind) {
    return kind.equals("TaskPayload") || kind.equals("EventAck");
  }

  private static Message read(String kind, JsonObject vector) throws ContractException {
    String text = StrictJson.decode(Vectors.body(vector));
    return kind.equals("EventAck") ? Acks.parse(text) : Payloads.parse(text);
  }
}

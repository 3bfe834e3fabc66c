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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
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

  private static final Set<Event.FrameCase> TERMINAL =
      EnumSet.of(
          Event.FrameCase.TASK_RESULT, Event.FrameCase.TASK_ERROR, Event.FrameCase.TASK_CANCELLED);

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
    assertTrue(codes(vector).contains(error.code), error.code);
    // JSON that is not read at all has no path.
    boolean whole = error.code.equals("invalid_json") || error.code.equals("invalid_utf8");
    assertEquals(whole ? "" : vector.get("path").getAsString(), error.path);
  }

  /** The JSON text that no reader of RFC 8259 may take, whatever the message. */
  @TestFactory
  List<DynamicTest> refusedJson() throws Exception {
    List<String> codes = List.of("invalid_json", "invalid_utf8", "duplicate_key");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("refused")) {
      boolean deep = vector.has("body_parts") && codes(vector).get(0).equals("too_deep");
      if (codes.contains(codes(vector).get(0)) || deep) {
        tests.add(
            dynamicTest(
                vector.get("name").getAsString(),
                () -> {
                  ContractException error =
                      assertThrows(
                          ContractException.class,
                          () -> StrictJson.parse(StrictJson.decode(Vectors.body(vector))));
                  assertTrue(codes(vector).contains(error.code), error.code);
                  assertEquals(vector.get("path").getAsString(), error.path);
                }));
      }
    }
    return tests;
  }

  /** Payloads as an environment variable or an argument holds them. */
  @TestFactory
  List<DynamicTest> texts() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("texts")) {
      tests.add(dynamicTest(vector.get("name").getAsString(), () -> text(vector)));
    }
    return tests;
  }

  private static void text(JsonObject vector) throws Exception {
    String text = vector.get("text").getAsString();
    if (vector.has("refused")) {
      assertThrows(InvalidPayloadException.class, () -> Payloads.decode(text));
      return;
    }
    Message expected = Vectors.nested("TaskPayload", vector.get("expect"));
    assertEquals(expected, Payloads.decode(text));
    assertEquals(expected, Payloads.decode(text.getBytes(StandardCharsets.UTF_8)));
    assertEquals(expected, Payloads.decode(Handover.take(new String[] {text}, null)));
    assertEquals(expected, Payloads.decode(Handover.take(new String[0], text)));
  }

  /** What is done about an answer. */
  @TestFactory
  List<DynamicTest> answers() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonObject vector : Vectors.of("answers")) {
      tests.add(dynamicTest(vector.get("name").getAsString(), () -> answer(vector)));
    }
    return tests;
  }

  private static void answer(JsonObject vector) {
    String receiverId = textOrNull(vector, "receiver_id");
    Answer answer =
        HttpRoute.judge(
            vector.get("status").getAsInt(),
            textOrNull(vector, "wove_receiver"),
            Optional.empty(),
            vector.get("body").getAsString().getBytes(StandardCharsets.UTF_8),
            receiverId == null ? "" : receiverId);
    Event.FrameCase frame =
        Event.FrameCase.valueOf(vector.get("event").getAsString().toUpperCase(Locale.ROOT));
    boolean terminal = TERMINAL.contains(frame);
    String verdict =
        switch (answer.verdict()) {
          case ACCEPTED -> "accepted";
          case RETRY -> "retry";
          case ELSEWHERE -> "elsewhere";
          default -> terminal && answer.asksForAnother() ? "replace" : "final";
        };
    assertEquals(vector.get("verdict").getAsString(), verdict);
    boolean detached = vector.get("detach").getAsBoolean();
    assertEquals(vector.get("stop").getAsBoolean(), answer.stops(frame, detached));
  }

  private static String textOrNull(JsonObject vector, String name) {
    return vector.get(name).isJsonNull() ? null : vector.get(name).getAsString();
  }

  /** The words for a fault, any of which will do. */
  private static List<String> codes(JsonObject vector) {
    JsonElement code = vector.get("code");
    if (!code.isJsonArray()) {
      return List.of(code.getAsString());
    }
    return code.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList();
  }

  /** Which object repeats a name, where several do. */
  @Test
  void namesTheRepetitionThatBeginsFirst() {
    Map<String, String> paths =
        Map.of(
            "{\"a\":{\"b\":1,\"b\":2},\"a\":3}", "a",
            "[0,{\"a\":[{\"b\":1,\"b\":2}],\"c\":{\"d\":1,\"d\":2}}]", "[1].a[0].b",
            "{\"a\":1,\"b\":2,\"b\":3,\"a\":4}", "b");
    paths.forEach(
        (text, path) -> {
          ContractException error =
              assertThrows(ContractException.class, () -> StrictJson.parse(text));
          assertEquals("duplicate_key", error.code);
          assertEquals(path, error.path);
        });
  }

  private static boolean isRead(String kind) {
    return kind.equals("TaskPayload") || kind.equals("EventAck");
  }

  private static Message read(String kind, JsonObject vector) throws ContractException {
    String text = StrictJson.decode(Vectors.body(vector));
    return kind.equals("EventAck") ? Acks.parse(text) : Payloads.parse(text);
  }
}

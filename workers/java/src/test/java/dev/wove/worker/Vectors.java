package dev.wove.worker;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.Message;
import dev.wove.v1.Command;
import dev.wove.v1.Event;
import dev.wove.v1.EventAck;
import dev.wove.v1.RunSummary;
import dev.wove.v1.TaskPayload;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** The contract's golden vectors, and how JSON values are compared. */
final class Vectors {
  private static final Path ROOT = Path.of(System.getProperty("wove.root", "../.."));

  private Vectors() {}

  static List<JsonObject> of(String file) throws IOException, ContractException {
    Path path = ROOT.resolve("tests/contract/vectors/" + file + ".json");
    List<JsonObject> found = new ArrayList<>();
    for (JsonElement vector : StrictJson.parse(Files.readString(path)).getAsJsonArray()) {
      found.add(vector.getAsJsonObject());
    }
    return found;
  }

  static Message.Builder builder(String message) {
    return switch (message) {
      case "Event" -> Event.newBuilder();
      case "TaskPayload" -> TaskPayload.newBuilder();
      case "EventAck" -> EventAck.newBuilder();
      case "RunSummary" -> RunSummary.newBuilder();
      case "Command" -> Command.newBuilder();
      default -> throw new IllegalArgumentException(message);
    };
  }

  static Message nested(String message, JsonElement json) throws ContractException {
    Message.Builder builder = builder(message);
    MessageReader.read(json, builder);
    return builder.build();
  }

  /** Reads the flat form, which only receivers have to. */
  static Message flat(String message, JsonObject json) throws ContractException {
    JsonObject outer = new JsonObject();
    JsonObject frame = new JsonObject();
    Message.Builder builder = builder(message);
    for (String name : json.keySet()) {
      boolean own = builder.getDescriptorForType().findFieldByName(name) != null;
      if (!name.equals("type")) {
        (own ? outer : frame).add(name, json.get(name));
      }
    }
    outer.add(json.get("type").getAsString(), frame);
    return nested(message, outer);
  }

  static Message binary(String message, JsonObject vector) throws IOException {
    byte[] data = Base64.getDecoder().decode(vector.get("binary").getAsString());
    return builder(message).mergeFrom(data).build();
  }

  static byte[] body(JsonObject vector) {
    if (vector.has("body_base64")) {
      return Base64.getDecoder().decode(vector.get("body_base64").getAsString());
    }
    if (vector.has("body_parts")) {
      StringBuilder body = new StringBuilder();
      for (JsonElement part : vector.getAsJsonArray("body_parts")) {
        JsonArray pair = part.getAsJsonArray();
        body.append(pair.get(0).getAsString().repeat(pair.get(1).getAsInt()));
      }
      return body.toString().getBytes(StandardCharsets.UTF_8);
    }
    return vector.get("body").getAsString().getBytes(StandardCharsets.UTF_8);
  }

  /** Whether two JSON values are equal, numbers by value. */
  static boolean equal(JsonElement one, JsonElement other) {
    if (one instanceof JsonObject a && other instanceof JsonObject b) {
      return a.keySet().equals(b.keySet())
          && a.keySet().stream().allMatch(name -> equal(a.get(name), b.get(name)));
    }
    if (one instanceof JsonArray a && other instanceof JsonArray b) {
      boolean same = a.size() == b.size();
      for (int index = 0; same && index < a.size(); index++) {
        same = equal(a.get(index), b.get(index));
      }
      return same;
    }
    if (isNumber(one) && isNumber(other)) {
      BigDecimal a = new BigDecimal(one.getAsString());
      BigDecimal b = new BigDecimal(other.getAsString());
      // Two texts of one double, such as 5e-324 and 4.9E-324, are equal; integers are exact.
      return a.compareTo(b) == 0 || (a.scale() != 0 && a.doubleValue() == b.doubleValue());
    }
    return one.equals(other) && isNumber(one) == isNumber(other);
  }

  private static boolean isNumber(JsonElement value) {
    return value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
  }
}

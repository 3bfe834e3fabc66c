package dev.wove.worker;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.ToNumberStrategy;
import com.google.gson.TypeAdapter;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;

/** Java's values and their JSON, by way of Gson. */
final class Values {
  /** A number where any value may stand: what holds all of its digits. */
  private static final ToNumberStrategy EXACT =
      in -> {
        String text = in.nextString();
        if (!text.chars().allMatch(next -> next == '-' || (next >= '0' && next <= '9'))) {
          return new BigDecimal(text);
        }
        BigInteger whole = new BigInteger(text);
        return whole.bitLength() < 64 ? (Number) whole.longValue() : whole;
      };

  private final Gson gson;

  /**
   * Adds what the contract needs.
   *
   * @param users the user's own settings
   */
  Values(Gson users) {
    this.gson =
        users
            .newBuilder()
            .setObjectToNumberStrategy(EXACT)
            .registerTypeAdapter(RawJson.class, new RawJsonAdapter())
            .create();
  }

  /** What a user who says nothing gets. */
  static Gson defaultGson() {
    return new GsonBuilder().disableHtmlEscaping().serializeNulls().create();
  }

  /**
   * Writes a task's result.
   *
   * @param value what the function returned
   * @return JSON text, valid Unicode
   * @throws ContractException a {@link RawJson} is no JSON
   * @throws RuntimeException the value has no JSON
   */
  String toJson(Object value) throws ContractException {
    String text;
    if (value instanceof RawJson raw) {
      StrictJson.parse(raw.text());
      text = raw.text();
    } else if (value instanceof Optional<?> optional) {
      return toJson(optional.orElse(null));
    } else {
      text = gson.toJson(value);
    }
    return Text.scrub(text);
  }

  /**
   * Reads an argument.
   *
   * @param json its value
   * @param type wanted
   * @return the value; null for JSON's null
   * @throws IllegalArgumentException it does not fit; the message and cause may hold the value
   */
  Object fromJson(JsonElement json, Type type) {
    if (type == RawJson.class) {
      return new RawJson(json.toString());
    }
    if (type instanceof Class<?> plain && JsonElement.class.isAssignableFrom(plain)) {
      if (plain.isInstance(json)) {
        return json;
      }
      throw new IllegalArgumentException();
    }
    if (json.isJsonNull()) {
      return null;
    }
    requireKind(json, TypeToken.get(type).getRawType());
    try {
      // By way of text: from a tree, Gson cuts integers that are too large.
      Object value = gson.fromJson(json.toString(), type);
      if (value instanceof Double number && number.isInfinite()) {
        throw new IllegalArgumentException();
      }
      return value;
    } catch (JsonParseException error) {
      throw new IllegalArgumentException(error);
    }
  }

  /** Gson would take `"5"` for a number and 5 for text. */
  private static void requireKind(JsonElement json, Class<?> type) {
    boolean plain = json.isJsonPrimitive();
    boolean fits = true;
    if (type == String.class || type == Character.class || type == char.class) {
      fits = plain && json.getAsJsonPrimitive().isString();
    } else if (type == Boolean.class || type == boolean.class) {
      fits = plain && json.getAsJsonPrimitive().isBoolean();
    } else if (Number.class.isAssignableFrom(type) || type.isPrimitive()) {
      fits = plain && json.getAsJsonPrimitive().isNumber();
    }
    if (!fits) {
      throw new IllegalArgumentException();
    }
  }

  private final class RawJsonAdapter extends TypeAdapter<RawJson> {
    @Override
    public void write(JsonWriter out, RawJson value) throws IOException {
      if (value == null) {
        out.nullValue();
        return;
      }
      try {
        StrictJson.parse(value.text());
      } catch (ContractException error) {
        throw new JsonParseException(error);
      }
      out.jsonValue(value.text());
    }

    @Override
    public RawJson read(JsonReader in) {
      JsonElement value = gson.fromJson(in, JsonElement.class);
      return new RawJson(value.toString());
    }
  }
}

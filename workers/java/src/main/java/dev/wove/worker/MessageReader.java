package dev.wove.worker;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Messages from their JSON, by the rules of event.proto.
 *
 * <p>protobuf's own mapping takes what the contract refuses, such as unquoted names, and NaN.
 */
final class MessageReader {
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");
  private static final Pattern STANDARD = Pattern.compile("[A-Za-z0-9+/]*={0,2}");
  private static final Pattern URL_SAFE = Pattern.compile("[A-Za-z0-9_-]*={0,2}");

  private MessageReader() {}

  /**
   * Fills a message.
   *
   * @param json its JSON; names that the message does not have are ignored
   * @param builder is filled
   * @throws ContractException a value is not what its field takes
   */
  static void read(JsonElement json, Message.Builder builder) throws ContractException {
    read(json, builder, "");
  }

  /**
   * Fills one field.
   *
   * @param json the field's value; null sets nothing
   * @param builder is filled
   * @param field of the builder's message
   * @param path of the field
   * @throws ContractException the value is not what the field takes
   */
  static void readField(
      JsonElement json, Message.Builder builder, FieldDescriptor field, String path)
      throws ContractException {
    if (json.isJsonNull()) {
      return;
    }
    if (field.isRepeated()) {
      if (!(json instanceof JsonArray list)) {
        throw wrong(path, "a list");
      }
      for (int index = 0; index < list.size(); index++) {
        builder.addRepeatedField(
            field, value(list.get(index), builder, field, path + "[" + index + "]"));
      }
      return;
    }
    if (field.getRealContainingOneof() != null
        && builder.hasOneof(field.getRealContainingOneof())) {
      throw new ContractException("conflicting_value", path, "another of its kind is set, too");
    }
    builder.setField(field, value(json, builder, field, path));
  }

  private static void read(JsonElement json, Message.Builder builder, String path)
      throws ContractException {
    if (!(json instanceof JsonObject object)) {
      throw wrong(path, "an object");
    }
    for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
      String name = entry.getKey();
      // Every field's JSON name is its name.
      FieldDescriptor field = builder.getDescriptorForType().findFieldByName(name);
      if (field != null) {
        readField(entry.getValue(), builder, field, path.isEmpty() ? name : path + "." + name);
      }
    }
  }

  private static Object value(
      JsonElement json, Message.Builder builder, FieldDescriptor field, String path)
      throws ContractException {
    if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
      Message.Builder below = builder.newBuilderForField(field);
      read(json, below, path);
      return below.build();
    }
    if (!(json instanceof JsonPrimitive plain)) {
      throw wrong(path, "a plain value");
    }
    switch (field.getJavaType()) {
      case STRING:
        return text(plain, path);
      case BYTE_STRING:
        return bytes(plain, path);
      case BOOLEAN:
        if (!plain.isBoolean()) {
          throw wrong(path, "true or false");
        }
        return plain.getAsBoolean();
      case DOUBLE:
        return number(plain, path);
      case INT:
        boolean unsigned = field.getType() == FieldDescriptor.Type.UINT32;
        return integer(numberText(plain, path), unsigned, path);
      default:
        throw new IllegalStateException("the contract has no such fields: " + field.getType());
    }
  }

  private static String text(JsonPrimitive plain, String path) throws ContractException {
    if (!plain.isString()) {
      throw wrong(path, "text");
    }
    String text = plain.getAsString();
    if (!Text.isValid(text)) {
      throw new ContractException("invalid_text", path, "the text holds half a character");
    }
    return text;
  }

  private static ByteString bytes(JsonPrimitive plain, String path) throws ContractException {
    if (!plain.isString()) {
      throw wrong(path, "base64");
    }
    String text = plain.getAsString();
    try {
      if (STANDARD.matcher(text).matches()) {
        return ByteString.copyFrom(Base64.getDecoder().decode(text));
      }
      if (URL_SAFE.matcher(text).matches()) {
        return ByteString.copyFrom(Base64.getUrlDecoder().decode(text));
      }
    } catch (IllegalArgumentException error) {
      // half a padding, or a length that base64 does not have
    }
    throw new ContractException("invalid_base64", path, "it is no base64");
  }

  private static double number(JsonPrimitive plain, String path) throws ContractException {
    boolean named = plain.isString() && NOT_FINITE.contains(plain.getAsString());
    double number = named ? Double.NaN : Double.parseDouble(numberText(plain, path));
    if (!Double.isFinite(number)) {
      throw new ContractException("not_finite", path, "it is not a finite number");
    }
    return number;
  }

  private static String numberText(JsonPrimitive plain, String path) throws ContractException {
    if (plain.isBoolean() || !NUMBER.matcher(plain.getAsString()).matches()) {
      throw wrong(path, "a number");
    }
    return plain.getAsString();
  }

  private static int integer(String text, boolean unsigned, String path) throws ContractException {
    BigDecimal number;
    try {
      number = new BigDecimal(text);
    } catch (NumberFormatException error) {
      throw new ContractException("out_of_range", path, "the number is out of range");
    }
    // The size first: to write out 1e999999999 takes a gigabyte.
    if (number.signum() != 0 && (long) number.precision() - number.scale() > 11) {
      throw new ContractException("out_of_range", path, "the number is out of range");
    }
    if (number.signum() != 0 && number.stripTrailingZeros().scale() > 0) {
      throw wrong(path, "a whole number");
    }
    BigInteger whole = number.signum() == 0 ? BigInteger.ZERO : number.toBigInteger();
    int bits = unsigned ? 32 : 31;
    if (whole.bitLength() > bits || (unsigned && whole.signum() < 0)) {
      throw new ContractException("out_of_range", path, "the number is out of range");
    }
    return whole.intValue();
  }

  private static ContractException wrong(String path, String wanted) {
    return new ContractException("wrong_type", path, "it is not " + wanted);
  }
}

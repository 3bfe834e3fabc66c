package dev.wove.worker;

import com.google.gson.stream.JsonWriter;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.wove.v1.Event;
import dev.wove.v1.RunSummary;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The JSON of messages, by the rules of event.proto. */
final class MessageWriter {
  private MessageWriter() {}

  /**
   * Writes an event as flat JSON: the frame's fields beside the event's own, and its name as {@code
   * type}.
   *
   * @param event with a frame
   * @return the text
   */
  static String flat(Event event) {
    return written(
        out -> {
          Map.Entry<FieldDescriptor, Object> frame = null;
          out.beginObject();
          for (Map.Entry<FieldDescriptor, Object> entry : event.getAllFields().entrySet()) {
            if (entry.getKey().getRealContainingOneof() != null) {
              frame = entry;
              out.name("type").value(entry.getKey().getName());
            } else {
              write(out, entry.getKey(), entry.getValue());
            }
          }
          if (frame != null) {
            fields(out, (Message) frame.getValue());
          }
          out.endObject();
        });
  }

  /**
   * Writes a message as protojson.
   *
   * @param message any
   * @return the text
   */
  static String nested(Message message) {
    return written(
        out -> {
          out.beginObject();
          fields(out, message);
          out.endObject();
        });
  }

  /**
   * Writes a summary with all of its keys.
   *
   * @param summary any
   * @return the text, on one line
   */
  static String summary(RunSummary summary) {
    return written(
        out -> {
          out.beginObject();
          for (FieldDescriptor field : RunSummary.getDescriptor().getFields()) {
            if (field.hasPresence() && !summary.hasField(field)) {
              out.name(field.getName()).nullValue();
            } else {
              write(out, field, summary.getField(field));
            }
          }
          out.endObject();
        });
  }

  @FunctionalInterface
  private interface Writing {
    void to(JsonWriter out) throws IOException;
  }

  private static String written(Writing writing) {
    StringWriter text = new StringWriter();
    try {
      writing.to(new JsonWriter(text));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return text.toString();
  }

  private static void fields(JsonWriter out, Message message) throws IOException {
    for (Map.Entry<FieldDescriptor, Object> entry : message.getAllFields().entrySet()) {
      write(out, entry.getKey(), entry.getValue());
    }
  }

  private static void write(JsonWriter out, FieldDescriptor field, Object value)
      throws IOException {
    out.name(field.getName());
    if (field.isRepeated()) {
      out.beginArray();
      for (Object member : (List<?>) value) {
        value(out, field, member);
      }
      out.endArray();
    } else {
      value(out, field, value);
    }
  }

  private static void value(JsonWriter out, FieldDescriptor field, Object value)
      throws IOException {
    switch (field.getJavaType()) {
      case MESSAGE -> {
        out.beginObject();
        fields(out, (Message) value);
        out.endObject();
      }
      case BYTE_STRING ->
          out.value(Base64.getEncoder().encodeToString(((ByteString) value).toByteArray()));
      case STRING -> out.value((String) value);
      case BOOLEAN -> out.value((Boolean) value);
      case INT -> {
        int number = (Integer) value;
        boolean unsigned = field.getType() == FieldDescriptor.Type.UINT32;
        out.value(unsigned ? Integer.toUnsignedLong(number) : number);
      }
      default -> out.value((Double) value);
    }
  }
}

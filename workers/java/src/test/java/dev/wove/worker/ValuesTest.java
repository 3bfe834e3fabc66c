package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Arguments and results. */
class ValuesTest {
  record Everything(
      String text,
      int small,
      long large,
      BigInteger huge,
      BigDecimal exact,
      double number,
      boolean yes,
      List<Long> list,
      Map<String, Object> map,
      RawJson raw,
      JsonElement tree,
      Optional<String> given,
      Optional<Integer> absent) {}

  record One(int value) {}

  record Checked(String name) {
    Checked {
      if (name.isEmpty()) {
        throw new IllegalArgumentException("a name is needed");
      }
    }
  }

  private final Values values = new Values(Values.defaultGson());

  private static JsonObject json(String text) throws ContractException {
    return StrictJson.parse(text).getAsJsonObject();
  }

  @Test
  void readsEveryType() throws Exception {
    String huge = "1".repeat(4000);
    Everything found =
        new ArgumentsReader<>(Everything.class)
            .read(
                json(
                    "{\"text\":\"ü\",\"small\":1.0,\"large\":9007199254740993,\"huge\":"
                        + huge
                        + ",\"exact\":0.10,\"number\":2,\"yes\":true,\"list\":[9007199254740993],"
                        + "\"map\":{\"a\":9007199254740993,\"b\":0.1},"
                        + "\"raw\":[9007199254740993, 0.10,\"\\u0001\",null],\"tree\":1e400,"
                        + "\"given\":\"x\"}"),
                values);
    assertEquals("ü", found.text());
    assertEquals(1, found.small());
    assertEquals(9007199254740993L, found.large());
    assertEquals(new BigInteger(huge), found.huge());
    assertEquals(new BigDecimal("0.10"), found.exact());
    assertEquals(2.0, found.number());
    assertTrue(found.yes());
    assertEquals(List.of(9007199254740993L), found.list());
    assertEquals(Map.of("a", 9007199254740993L, "b", new BigDecimal("0.1")), found.map());
    assertEquals("[9007199254740993,0.10,\"\\u0001\",null]", found.raw().text());
    assertEquals("1e400", found.tree().toString());
    assertEquals(Optional.of("x"), found.given());
    assertEquals(Optional.empty(), found.absent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"value\":1,\"other\":2}",
        "{\"value\":null}",
        "{\"value\":\"secret\"}",
        "{\"value\":\"1\"}",
        "{\"value\":3000000000}",
        "{\"value\":1.5}",
        "{\"value\":true}",
        "{\"value\":[1]}"
      })
  void refusesWhatDoesNotFit(String text) throws Exception {
    JsonObject arguments = json(text);
    ArgumentsReader<One> reader = new ArgumentsReader<>(One.class);
    Exception error =
        assertThrows(ArgumentsReader.ArgumentException.class, () -> reader.read(arguments, values));
    assertFalse(error.getMessage().contains("secret"));
    assertNull(error.getCause());
  }

  @Test
  void letsARecordCheckItsComponents() throws Exception {
    JsonObject arguments = json("{\"name\":\"\"}");
    ArgumentsReader<Checked> reader = new ArgumentsReader<>(Checked.class);
    Exception error =
        assertThrows(IllegalArgumentException.class, () -> reader.read(arguments, values));
    assertEquals("a name is needed", error.getMessage());
  }

  @Test
  void writesResults() throws Exception {
    assertEquals("null", values.toJson(null));
    assertEquals("\"<\"", values.toJson("<"));
    assertEquals("9007199254740993", values.toJson(9007199254740993L));
    assertEquals("0.10", values.toJson(new BigDecimal("0.10")));
    assertEquals("[1,null,\"x\"]", values.toJson(Arrays.asList(1, null, "x")));
    assertEquals("{\"value\":1}", values.toJson(new One(1)));
    assertEquals(" [ 1 ] ", values.toJson(new RawJson(" [ 1 ] ")));
    assertEquals("{\"a\":[1]}", values.toJson(Map.of("a", new RawJson("[1]"))));
    assertEquals("null", values.toJson(Optional.empty()));
    assertEquals("\"\\ud800\"", values.toJson("\ud800"));
    assertEquals("{\"n\":1e400}", values.toJson(json("{\"n\":1e400}")));
  }

  @Test
  void refusesWhatHasNoJson() {
    assertThrows(Exception.class, () -> values.toJson(Double.NaN));
    assertThrows(Exception.class, () -> values.toJson(List.of(Double.POSITIVE_INFINITY)));
    assertThrows(Exception.class, () -> values.toJson(new RawJson("{")));
    assertThrows(Exception.class, () -> values.toJson(Map.of("a", new RawJson(""))));
    assertThrows(Exception.class, () -> values.toJson(Thread.currentThread()));
  }
}

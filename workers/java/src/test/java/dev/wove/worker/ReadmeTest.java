package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.wove.worker.examples.Tasks;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The examples do what the README says. */
class ReadmeTest {
  @Test
  void theReadmesProgramIsTheOneThatIsCompiled() throws Exception {
    Path source = Path.of("src/examples/java/dev/wove/worker/examples/Reports.java");
    String readme = Files.readString(Path.of("README.md"));
    assertTrue(readme.contains("```java\n" + Files.readString(source) + "```"));
    assertTrue(readme.contains("<version>" + Version.TEXT + "</version>"));
  }

  @Test
  void theReadmesProgramRuns() throws Exception {
    Field field = Class.forName("dev.wove.worker.examples.Reports").getDeclaredField("WORKER");
    field.setAccessible(true);
    try (Receiver receiver = new Receiver()) {
      String arguments = "{\"account\": \"a-1\", \"amounts\": [0.10, 0.20, 5]}";
      ((Worker) field.get(null)).run(receiver.payload("statement", arguments).toString());
      assertEquals(
          JsonParser.parseString("{\"balance\": 5.30, \"currency\": \"EUR\"}"),
          JsonParser.parseString(receiver.ending().getTaskResult().getResultJson()));
    }
  }

  @Test
  void theFiveTasksRun() throws Exception {
    try (Receiver receiver = new Receiver()) {
      String value = "{\"value\": [9007199254740993, \"ü\"]}";
      Tasks.worker().run(receiver.payload("echo", value).toString());
      assertEquals("[9007199254740993,\"ü\"]", receiver.ending().getTaskResult().getResultJson());
    }
  }
}

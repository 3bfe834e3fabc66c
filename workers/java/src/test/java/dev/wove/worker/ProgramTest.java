package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.wove.v1.ErrorInfo;
import dev.wove.worker.Receiver.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The program, as a process of its own. */
class ProgramTest {
  @TempDir private Path folder;
  private Receiver receiver;

  record Ended(int status, String output, String error) {
    JsonObject summary() {
      List<String> lines = output.strip().lines().toList();
      return JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
    }
  }

  @BeforeEach
  void listen() throws IOException {
    receiver = new Receiver();
  }

  @AfterEach
  void close() {
    receiver.close();
  }

  private Process start(String variable, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ProgramTasks.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile());
    builder.environment().remove(Encoding.VARIABLE);
    builder.environment().put("LC_ALL", "C");
    if (variable != null) {
      builder.environment().put(Handover.VARIABLE, variable);
    }
    return builder.start();
  }

  private Ended end(Process process) throws Exception {
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the program does not end");
    } finally {
      process.destroyForcibly();
    }
    Ended ended =
        new Ended(
            process.exitValue(),
            Files.readString(folder.resolve("out")),
            Files.readString(folder.resolve("err")));
    assertFalse((ended.output() + ended.error()).contains(Receiver.TOKEN));
    return ended;
  }

  /** This process itself must be able to write what the program reads. */
  private static void assumeUnicode() {
    assumeTrue("UTF-8".equals(System.getProperty("sun.jnu.encoding")));
  }

  private Ended run(String task) throws Exception {
    return end(start(null, receiver.payload(task, "{}").toString()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void takesThePayloadFromAFile(boolean encoded) throws Exception {
    byte[] data = receiver.payload("print", "{}").toString().getBytes(StandardCharsets.UTF_8);
    Path file = folder.resolve("payload");
    Files.write(file, encoded ? Base64.getMimeEncoder().encode(data) : data);
    Ended ended = end(start("something else", "@" + file));
    assertEquals(0, ended.status());
    assertTrue(ended.output().startsWith("not the last line\n"));
    assertEquals("succeeded", ended.summary().get("outcome").getAsString());
    assertEquals("null", receiver.ending().getTaskResult().getResultJson());
  }

  @Test
  void takesThePayloadFromTheVariable() throws Exception {
    assumeUnicode();
    JsonObject payload = receiver.payload("print", "{}");
    payload.addProperty("task_id", "żółw");
    Ended ended = end(start(payload.toString()));
    assertEquals(0, ended.status());
    assertTrue(ended.error().contains(Handover.VARIABLE));
    assertEquals("żółw", receiver.ending().getTaskId());
  }

  @Test
  void takesAnArgumentBeyondAscii() throws Exception {
    assumeUnicode();
    JsonObject payload = receiver.payload("print", "{}");
    payload.addProperty("task_id", "żółw");
    assertEquals(0, end(start(null, payload.toString())).status());
    assertEquals("żółw", receiver.ending().getTaskId());
  }

  /** The script's Java is one that shows what it was given. */
  @Test
  void theScriptHidesTheVariable() throws Exception {
    Path java = Files.createDirectory(folder.resolve("bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\nfor last; do :; done\nenv\ncat \"${last#@}\"\n");
    assertTrue(java.toFile().setExecutable(true));
    ProcessBuilder builder = new ProcessBuilder("sh", "bin/tasks").redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", folder.toString());
    builder.environment().put(Handover.VARIABLE, "{\"a $HOME `id` \\\\\": '1'}");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor());
    assertFalse(output.contains(Handover.VARIABLE), output);
    assertTrue(output.endsWith("\n{\"a $HOME `id` \\\\\": '1'}\n"), output);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "garbage", "@/nonexistent", "[1]"})
  void exits2WithoutAPayload(String text) throws Exception {
    Ended ended = end(start(null, text));
    assertEquals(2, ended.status());
    assertEquals("", ended.output());
    assertFalse(ended.error().isBlank());
    assertFalse(ended.error().contains("garbage"));
  }

  @Test
  void exits1WhenTheEndIsUndelivered() throws Exception {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.ACCEPT : Reply.DROP;
    JsonObject payload = receiver.payload("print", "{}");
    payload.addProperty("delivery_retry_seconds", 0.3);
    Ended ended = end(start(null, payload.toString()));
    assertEquals(1, ended.status());
    assertFalse(ended.summary().get("delivered").getAsBoolean());
  }

  @Test
  void exits0WhenNobodyIsThereToHearADetachedEnd() throws Exception {
    receiver.rule = found -> found.frame().equals("task_started") ? Reply.ACCEPT : Reply.DROP;
    JsonObject payload = receiver.payload("print", "{}");
    payload.addProperty("delivery_retry_seconds", 0.3);
    JsonObject delivery = new JsonObject();
    delivery.addProperty("delivery_orphan_policy", "detach");
    payload.add("delivery", delivery);
    Ended ended = end(start(null, payload.toString()));
    assertEquals(0, ended.status());
    assertFalse(ended.summary().get("delivered").getAsBoolean());
  }

  @Test
  void reportsAnExitOfTheTask() throws Exception {
    assertEquals(0, run("exit").status());
    ErrorInfo info = receiver.ending().getTaskError().getError();
    assertEquals("task", info.getSource());
    assertEquals("SystemExit", info.getKind());
  }

  @Test
  void reportsAnErrorOfTheTask() throws Exception {
    assertEquals(0, run("error").status());
    assertEquals("StackOverflowError", receiver.ending().getTaskError().getError().getKind());
  }

  @Test
  void reportsSigterm() throws Exception {
    Process process = start(null, receiver.payload("sleep", "{}").toString());
    receiver.await("task_started", 1);
    process.destroy();
    Ended ended = end(process);
    assertEquals(0, ended.status());
    assertEquals("cancelled", ended.summary().get("outcome").getAsString());
    assertEquals("its worker is shutting down", receiver.ending().getTaskCancelled().getReason());
  }

  @Test
  void endsWithATaskThatDoesNotStop() throws Exception {
    receiver.rule = found -> found.frame().equals("heartbeat") ? Reply.CANCEL : Reply.ACCEPT;
    JsonObject payload = receiver.payload("deaf", "{}");
    JsonArray accepts = new JsonArray();
    accepts.add("heartbeat");
    payload.add("accepts", accepts);
    JsonObject delivery = new JsonObject();
    delivery.addProperty("delivery_heartbeat_seconds", 0.6);
    payload.add("delivery", delivery);
    assertEquals(0, end(start(null, payload.toString())).status());
    assertTrue(receiver.ending().getTaskCancelled().getForced());
  }

  @Test
  void keepsTheVersionOfThePackage() {
    assertEquals(System.getProperty("wove.version"), Version.TEXT);
  }
}

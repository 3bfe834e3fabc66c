package dev.wove.worker;

import dev.wove.v1.TaskPayload;
import java.util.Map;
import java.util.TreeMap;

/** The functions of a worker, by the name of their task. */
final class Tasks {
  private final Map<String, Task> functions;
  private final Values values;

  Tasks(Map<String, Task> functions, Values values) {
    this.functions = new TreeMap<>(functions);
    this.values = values;
  }

  /**
   * The name of a payload's task.
   *
   * @param payload of a run
   */
  static String name(TaskPayload payload) {
    return payload.getTaskName().isEmpty() ? payload.getTaskId() : payload.getTaskName();
  }

  /**
   * Finds a function.
   *
   * @param name of its task
   * @return null if there is none
   */
  Task find(String name) {
    return functions.get(name);
  }

  /** What reads arguments and writes results. */
  Values values() {
    return values;
  }

  /**
   * Says that there is no function of a name.
   *
   * @param name of a task
   */
  String unknown(String name) {
    String known = functions.isEmpty() ? "none" : String.join(", ", functions.keySet());
    return "this worker has no task \"" + name + "\"; it has: " + known;
  }
}

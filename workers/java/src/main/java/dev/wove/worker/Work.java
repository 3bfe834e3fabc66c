package dev.wove.worker;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.wove.v1.ErrorInfo;
import dev.wove.v1.TaskPayload;

/** What lies between leave and the terminal event: the function, its arguments, its call. */
final class Work {
  private final TaskPayload payload;
  private final String name;
  private final Tasks tasks;
  private final Messages messages;
  private final Endings endings;
  private final Extras extras;
  private final Call call;
  private boolean left;

  Work(
      TaskPayload payload,
      Tasks tasks,
      Messages messages,
      Endings endings,
      Extras extras,
      Call call) {
    this.payload = payload;
    this.name = Tasks.name(payload);
    this.tasks = tasks;
    this.messages = messages;
    this.endings = endings;
    this.extras = extras;
    this.call = call;
  }

  /** Does it. */
  Ending run() {
    Task task = tasks.find(name);
    if (task == null) {
      return endings.wove("UnknownTask", "unknown_task", tasks.unknown(name));
    }
    JsonElement arguments;
    try {
      arguments = payload.hasArgsJson() ? StrictJson.parse(payload.getArgsJson()) : null;
    } catch (ContractException error) {
      return notLoadable("its args_json cannot be read (" + error.code + ")");
    }
    if (arguments == null) {
      return notLoadable("there is no args_json, and this worker reads no Python pickles");
    }
    if (!(arguments instanceof JsonObject object)) {
      return notLoadable("its args_json is no object");
    }
    TaskRun run = new RunContext(payload, name, messages, extras, call, endings);
    Call.Outcome outcome = call.run(() -> task.call(object, run, tasks.values()));
    extras.close();
    return ending(outcome);
  }

  /** The function was left behind, and still runs. */
  boolean isLeft() {
    return left;
  }

  private Ending ending(Call.Outcome outcome) {
    return switch (outcome.kind()) {
      case RETURNED -> endings.returned(outcome.value(), tasks.values());
      case RAISED -> endings.raised(outcome.thrown());
      case STOPPED -> endings.stopped(call.reason(), false);
      case LEFT -> {
        left = true;
        yield endings.stopped(call.reason(), true);
      }
      case EXITED ->
          endings.failed(
              ErrorInfo.newBuilder()
                  .setKind("SystemExit")
                  .setMessage("the task called System.exit: return, or throw an exception")
                  .setSource("task")
                  .build());
    };
  }

  private Ending notLoadable(String problem) {
    return endings.wove(
        "PayloadNotLoadable",
        "payload_not_loadable",
        "the arguments of task \"" + name + "\" cannot be loaded: " + problem + ".");
  }
}

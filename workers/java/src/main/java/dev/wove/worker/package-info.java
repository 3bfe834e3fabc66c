/**
 * A worker for weaves: serve their tasks from Java.
 *
 * <p>A {@link dev.wove.worker.Worker} holds functions by the name of their task. It is handed
 * payloads, as a program that is started once for each of them or inside a process that takes them
 * from a queue, calls the function that a payload names, and reports to the weave how that went.
 * What crosses the wire is the contract of {@code proto/wovepb/v1}.
 *
 * <pre>{@code
 * record Sum(BigDecimal a, BigDecimal b) {}
 *
 * Worker worker = Worker.builder()
 *     .task("add", Sum.class, (sum, run) -> sum.a().add(sum.b()))
 *     .build();
 * worker.main(args);              // the program
 * worker.run(message.getBody());  // or inside a consumer of a queue
 * }</pre>
 *
 * <p>A task is cancelled by interrupting its thread. The library starts threads of its own for the
 * task and for heartbeats; all of them are daemons.
 */
package dev.wove.worker;

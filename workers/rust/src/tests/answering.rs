//! What every answer does to a task, by the contract's vectors.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::receiver::{Answer, ID, Receiver, Seen, answer};
use super::{LIMITS, payload};
use crate::limits::Limits;
use crate::{BoxError, Cancelled, Context, Encoding, Level, Outcome, Progress};
use crate::{RunError, Summary, Worker};

const CANCEL: &str = r#"{"cancel": {"run_id": "r1"}}"#;
const TERMINAL: [&str; 3] = ["task_result", "task_error", "task_cancelled"];
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Vector {
    name: String,
    status: u16,
    wove_receiver: Option<String>,
    body: String,
    receiver_id: Option<String>,
    event: String,
    detach: bool,
    start_gate: Option<String>,
    verdict: String,
    stop: bool,
}

impl Vector {
    fn repeats(&self) -> bool {
        matches!(self.verdict.as_str(), "retry" | "elsewhere")
    }

    /// The answer, of the receiver that tests have where it is the payload's.
    fn answer(&self) -> Answer {
        let told = answer(self.status).body(&self.body);
        match &self.wove_receiver {
            Some(id) if Some(id) == self.receiver_id.as_ref() => told,
            Some(id) => told.of_nobody().header(&format!("Wove-Receiver: {id}")),
            None => told.of_nobody(),
        }
    }
}

/// A run whose first event of the vector's kind has the vector's answer.
struct Case {
    vector: Vector,
    receiver: Receiver,
    called: AtomicBool,
    stopped: AtomicBool,
}

#[test]
fn answers_do_what_the_contract_says() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract/vectors/answers.json");
    let vectors: Vec<Vector> =
        serde_json::from_slice(&std::fs::read(file).expect("the vectors")).expect("a list");
    assert!(vectors.len() > 200);
    let cases: Vec<Arc<Case>> = vectors.into_iter().map(Case::new).collect();
    let next = AtomicUsize::new(0);
    let (results, failures) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..24 {
            // They mostly wait.
            let (next, cases, results) = (&next, &cases, results.clone());
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = case.run() {
                        let mut kinds = case.receiver.kinds();
                        kinds.dedup();
                        let text = format!("{}: {problem}; {kinds:?}", case.vector.name);
                        results.send(text).expect("a list of failures");
                    }
                }
            });
        }
    });
    drop(results);
    let failures: Vec<String> = failures.iter().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn ensure(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

impl Case {
    fn new(vector: Vector) -> Arc<Self> {
        let receiver = Receiver::start();
        if vector.event == "task_cancelled" {
            receiver.script("task_started", [answer(200).body(CANCEL)]);
        }
        receiver.script(&vector.event, [vector.answer()]);
        let (called, stopped) = Default::default();
        Arc::new(Self { vector, receiver, called, stopped })
    }

    fn run(self: &Arc<Self>) -> Result<(), String> {
        let vector = &self.vector;
        let patient = Limits { start: PATIENCE, ungated: PATIENCE, ..LIMITS };
        let mut worker = Worker::new().with_encoding(Encoding::Json).with_limits(patient);
        let case = Arc::clone(self);
        worker.register("task", move |ctx: &Context, (): ()| case.task(ctx));
        let mut delivery = json!({"delivery_heartbeat_seconds": 0.06});
        if vector.detach {
            delivery["delivery_orphan_policy"] = "detach".into();
        }
        let more = json!({
            "receiver_id": vector.receiver_id.as_ref().map(|_| ID),
            "start_gate": vector.start_gate,
            "accepts": [vector.event],
            "delivery": delivery,
        });
        let result = worker.run(payload(&self.receiver, "task", more));
        if TERMINAL.contains(&vector.event.as_str()) {
            self.check_terminal(&result)
        } else {
            self.check(&result)
        }
    }

    /// Goes on until it is stopped, or until what follows on the answer says that it was not.
    fn task(&self, ctx: &Context) -> Result<(), BoxError> {
        let Vector { event, stop, .. } = &self.vector;
        self.called.store(true, Ordering::Relaxed);
        let patience = match event.as_str() {
            "task_error" => return Err("failed".into()),
            kind if TERMINAL.contains(&kind) => return Ok(()),
            "task_started" if !self.vector.repeats() => Duration::from_millis(10),
            // The answer may have changed how often beats come.
            _ if !stop && !self.vector.repeats() => Duration::from_millis(500),
            _ => PATIENCE,
        };
        let end = Instant::now() + patience;
        while Instant::now() < end && !ctx.cancelled() {
            match event.as_str() {
                "progress" => ctx.progress(Progress::default()),
                "log" => ctx.log(Level::Info, "line"),
                _ => {}
            }
            if !stop && self.receiver.of(event).len() > 1 {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.stopped.store(ctx.cancelled(), Ordering::Relaxed);
        if ctx.cancelled() { Err(Cancelled.into()) } else { Ok(()) }
    }

    /// About an event that is not terminal.
    fn check(&self, result: &Result<Summary, RunError>) -> Result<(), String> {
        let Vector { event, stop, verdict, .. } = &self.vector;
        let summary = result.as_ref().map_err(ToString::to_string)?;
        let events = self.receiver.of(event);
        let tries = tries_of_first(&events);
        let start = event == "task_started";
        let called = self.called.load(Ordering::Relaxed);
        ensure(!start || called != *stop, format!("called: {called}"))?;
        let stopped = self.stopped.load(Ordering::Relaxed);
        ensure(stopped == (*stop && !start), format!("stopped: {stopped}"))?;
        let repeated = start && self.vector.repeats();
        ensure(repeated == (tries > 1), format!("{tries} tries"))?;
        if verdict == "elsewhere" {
            ensure(events[0].connection != events[1].connection, "over the same connection")?;
        }
        let (outcome, end) = match (stop, start && verdict == "final") {
            (false, _) => (Outcome::Succeeded, Some("task_result")),
            (true, false) => (Outcome::Cancelled, Some("task_cancelled")),
            (true, true) => (Outcome::NotStarted, None),
        };
        ensure(summary.outcome == outcome, format!("{:?}", summary.outcome))?;
        let ends = self.ends();
        let kinds: Vec<&str> = ends.iter().map(Seen::kind).collect();
        ensure(kinds == Vec::from_iter(end), format!("ended by {kinds:?}"))
    }

    fn check_terminal(&self, result: &Result<Summary, RunError>) -> Result<(), String> {
        let ends = self.ends();
        let tries = tries_of_first(&ends);
        let mut expected = (1, 1);
        let mut delivered = true;
        match self.vector.verdict.as_str() {
            "retry" | "elsewhere" => {
                expected = (2, 2);
                ensure(ends.len() == 2 && ends[0].body == ends[1].body, "another body")?;
                let same = ends[0].connection == ends[1].connection;
                ensure(self.vector.verdict == "retry" || !same, "over the same connection")?;
            }
            "replace" => {
                expected = (1, 2);
                let code =
                    if self.vector.status == 413 { "result_too_large" } else { "event_refused" };
                let replaced = ends.get(1).is_some_and(|end| end.event["error"]["code"] == code);
                ensure(replaced, "not replaced")?;
            }
            "final" => delivered = matches!(self.vector.status, 409 | 410),
            _ => {}
        }
        ensure((tries, ends.len()) == expected, format!("{tries} tries"))?;
        ensure(ends[0].kind() == self.vector.event, "another end")?;
        let summary = result.as_ref().map_or_else(RunError::summary, Some).ok_or("no summary")?;
        let told = (summary.delivered, result.is_ok());
        ensure(told == (delivered, delivered), format!("delivered, no failure: {told:?}"))
    }

    fn ends(&self) -> Vec<Seen> {
        let all = self.receiver.seen().into_iter();
        all.filter(|seen| TERMINAL.contains(&seen.kind())).collect()
    }
}

/// How often the first of the events was sent.
fn tries_of_first(events: &[Seen]) -> usize {
    let first = events.first().map(|seen| &seen.event["event_id"]);
    events.iter().filter(|seen| Some(&seen.event["event_id"]) == first).count()
}

/// A start that need not be waited for is refused while the function runs.
#[test]
fn a_late_refusal_of_the_start_stops_the_task() {
    for (status, reason) in [
        (400, "the weave refused its start"),
        (403, "the weave refused its start"),
        (404, "the weave no longer waits for it"),
        (409, "the weave no longer waits for it"),
    ] {
        for policy in ["cancel", "detach"] {
            let receiver = Receiver::start();
            receiver.script("task_started", [answer(421), answer(status)]);
            let more = json!({
                "start_gate": "none", "delivery": {"delivery_orphan_policy": policy},
            });
            let mut worker = Worker::new().with_encoding(Encoding::Json).with_limits(LIMITS);
            let detached = policy == "detach";
            worker.register("task", move |ctx: &Context, (): ()| -> Result<(), Cancelled> {
                let wait = if detached { Duration::from_millis(400) } else { PATIENCE };
                ctx.wait(wait)
            });
            let summary = worker.run(payload(&receiver, "task", more)).expect("delivered");
            let starts = receiver.of("task_started");
            assert!(starts.len() == 2 && starts[0].connection != starts[1].connection);
            if detached {
                assert_eq!(summary.outcome, Outcome::Succeeded, "{status}");
            } else {
                assert_eq!(summary.outcome, Outcome::Cancelled, "{status}");
                assert_eq!(receiver.of("task_cancelled")[0].event["reason"], reason);
            }
        }
    }
}

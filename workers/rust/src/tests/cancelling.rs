//! Stopping: heard wherever it is said, ignored where it comes too late.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::receiver::{Receiver, answer};
use super::{payload, worker};
use crate::Outcome;
use crate::options::Job;

const CANCEL: &str = r#"{"cancel": {"run_id": "r1"}}"#;

fn beating() -> Value {
    json!({"accepts": ["heartbeat"], "delivery": {"delivery_heartbeat_seconds": 0.15}})
}

#[test]
fn a_cancel_stops_the_task() {
    for (kind, asked) in [
        ("task_started", answer(200).body(CANCEL)),
        ("heartbeat", answer(200).body(CANCEL)),
        ("heartbeat", answer(410)),
    ] {
        let receiver = Receiver::start();
        receiver.script(kind, [asked]);
        let summary = worker().run(payload(&receiver, "wait", beating())).expect("delivered");
        assert_eq!(summary.outcome, Outcome::Cancelled);
        let ending = &receiver.of("task_cancelled")[0].event;
        assert!(ending["reason"].is_string() && ending["forced"].is_null());
    }
}

#[test]
fn a_task_that_does_not_stop_is_left_behind_by_the_program_only() {
    let receiver = Receiver::start();
    receiver.script("heartbeat", [answer(200).body(CANCEL)]);
    let began = Instant::now();
    let body = payload(&receiver, "stubborn", beating());
    let summary = worker().run_or_leave(body.as_bytes(), Job::default(), true).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Cancelled);
    assert!(began.elapsed() < Duration::from_millis(2900));
    assert_eq!(receiver.of("task_cancelled")[0].event["forced"], true);

    let receiver = Receiver::start();
    receiver.script("heartbeat", [answer(200).body(CANCEL)]);
    // It returned all the same: that is its ending.
    let summary = worker().run(payload(&receiver, "stubborn", beating())).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Succeeded);
}

#[test]
fn a_cancel_after_the_return_is_ignored() {
    let receiver = Receiver::start();
    receiver.script("task_result", [answer(503).header("Retry-After: 0.4")]);
    receiver.script("heartbeat", [answer(200).body(CANCEL), answer(410)]);
    let summary = worker().run(payload(&receiver, "add", beating())).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Succeeded);
    assert_eq!(receiver.of("task_cancelled").len(), 0);
}

#[test]
fn a_detached_run_hears_no_cancel() {
    let receiver = Receiver::start();
    receiver.script("task_started", [answer(410)]);
    let more = json!({
        "start_gate": "none", "delivery": {"delivery_orphan_policy": "detach"},
    });
    let summary = worker().run(payload(&receiver, "add", more)).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Succeeded);
}

#[test]
fn a_detached_run_needs_no_receiver() {
    let receiver = Receiver::start();
    receiver.script("task_started", vec![answer(0); 1000]);
    receiver.script("task_result", vec![answer(0); 1000]);
    let more = json!({
        "start_gate": "none", "delivery": {"delivery_orphan_policy": "detach"},
        "delivery_retry_seconds": 0.5,
    });
    let summary = worker().run(payload(&receiver, "add", more)).expect("no failure");
    assert_eq!((summary.outcome, summary.delivered), (Outcome::Succeeded, false));
}

#[test]
fn shutting_down_stops_all_runs() {
    let receiver = Receiver::start();
    let worker = worker();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| worker.run(payload(&receiver, "wait", json!({}))));
        receiver.wait_for("task_started");
        worker.shut_down();
        let summary = run.join().expect("no panic").expect("delivered");
        assert_eq!(summary.outcome, Outcome::Cancelled);
    });
    let ending = &receiver.of("task_cancelled")[0].event;
    assert_eq!(ending["reason"], "its worker is shutting down");
}

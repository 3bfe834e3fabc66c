//! Runs that go well, in the end.

use serde_json::json;

use super::receiver::{Receiver, TOKEN, answer};
use super::{payload, worker};
use crate::{Job, Outcome, RunError};

#[test]
fn a_result_is_delivered() {
    let receiver = Receiver::start();
    let job = Job { id: Some("job-7".into()), delivery: Some(2), ..Job::default() };
    let summary = worker().run_job(payload(&receiver, "add", json!({"attempt": 4})), job);
    let summary = summary.expect("delivered");
    assert_eq!(summary.outcome, Outcome::Succeeded);
    assert!(summary.delivered && summary.error.is_none());
    assert!(summary.callback_url.ends_with("/wove/events/***"));
    let [started, result] = &receiver.seen()[..] else { panic!("{:?}", receiver.kinds()) };
    assert_eq!(started.event["backend_job_id"], "job-7");
    assert_eq!(result.event["result_json"], "3");
    for (number, seen) in [started, result].into_iter().enumerate() {
        assert_eq!(seen.event["sequence"], number + 1);
        assert_eq!(seen.event["attempt"], 4);
        assert_eq!(seen.event["backend_attempt"], 2);
        assert_eq!(seen.event["execution_id"], started.event["execution_id"]);
    }
    assert_eq!(started.connection, result.connection);
}

#[test]
fn json_text_goes_through_as_it_is() {
    let receiver = Receiver::start();
    let text = r#"{"a": [123456789012345678901234567890, 1.0]}"#;
    worker().run(payload(&receiver, "raw", json!({"args_json": text}))).expect("delivered");
    assert_eq!(receiver.of("task_result")[0].event["result_json"], text);
}

#[test]
fn one_worker_runs_several_payloads_at_once() {
    let receiver = Receiver::start();
    let worker = worker();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| worker.run(payload(&receiver, "add", json!({}))).expect("delivered"));
        }
    });
    assert_eq!(receiver.of("task_result").len(), 8);
}

#[test]
fn retries_repeat_the_body() {
    let receiver = Receiver::start();
    let answers = || {
        let late = answer(503).header("Retry-After: 0.2");
        [answer(0), answer(500), late, answer(204).of_nobody(), answer(404).of_nobody()]
    };
    receiver.script("task_started", answers());
    receiver.script("task_result", answers());
    worker().run(payload(&receiver, "add", json!({}))).expect("delivered");
    for kind in ["task_started", "task_result"] {
        let tries = receiver.of(kind);
        assert_eq!(tries.len(), 6);
        assert!(tries.iter().all(|seen| seen.body == tries[0].body));
    }
}

#[test]
fn another_receivers_answer_is_retried_on_a_new_connection() {
    let receiver = Receiver::start();
    let other = |status| answer(status).of_nobody().header("Wove-Receiver: rx-2");
    receiver.script("task_result", [other(421), other(410)]);
    worker().run(payload(&receiver, "add", json!({}))).expect("delivered");
    let connections: Vec<usize> =
        receiver.of("task_result").iter().map(|seen| seen.connection).collect();
    assert_eq!(connections.len(), 3);
    assert!(connections[0] < connections[1] && connections[1] < connections[2]);
}

#[test]
fn a_payload_without_receiver_id_has_the_plain_table() {
    let receiver = Receiver::start();
    receiver.script("task_started", [answer(204).of_nobody()]);
    receiver.script("task_result", [answer(410).of_nobody()]);
    let summary = worker().run(payload(&receiver, "add", json!({"receiver_id": null})));
    assert!(summary.expect("410 at the end is no failure").delivered);
    assert_eq!(receiver.kinds(), ["task_started", "task_result"]);
}

#[test]
fn without_leave_nothing_is_called() {
    for status in [401, 403, 404, 409, 410] {
        let receiver = Receiver::start();
        receiver.script("task_started", [answer(status)]);
        let summary = worker().run(payload(&receiver, "panic", json!({}))).expect("no failure");
        assert_eq!(summary.outcome, Outcome::NotStarted);
        assert_eq!(receiver.kinds(), ["task_started"]);
    }
}

#[test]
fn the_start_is_given_up_after_its_deadline() {
    let receiver = Receiver::start();
    receiver.script("task_started", vec![answer(500); 1000]);
    let error = worker().run(payload(&receiver, "add", json!({}))).expect_err("not delivered");
    assert!(matches!(&error, RunError::Undelivered(found) if found.part == "the start"));
    assert!(!error.to_string().contains(TOKEN));
    assert_eq!(error.summary().expect("a summary").outcome, Outcome::NotStarted);
    assert!(receiver.kinds().iter().all(|kind| kind == "task_started"));
}

#[test]
fn heartbeats_go_on_until_the_end_is_acknowledged() {
    let receiver = Receiver::start();
    receiver.script("task_result", [answer(503).header("Retry-After: 0.5")]);
    receiver.script("heartbeat", [answer(0)]);
    let more = json!({"accepts": ["heartbeat"], "delivery": {"delivery_heartbeat_seconds": 0.15}});
    worker().run(payload(&receiver, "add", more)).expect("delivered");
    let beats = receiver.of("heartbeat");
    assert!(beats.len() >= 3, "{:?}", receiver.kinds());
    let mut names: Vec<String> =
        beats.iter().map(|seen| seen.event["event_id"].to_string()).collect();
    names.dedup();
    assert_eq!(names.len(), beats.len());
    let others = receiver.of("task_started")[0].connection;
    assert!(beats.iter().all(|seen| seen.connection != others));
}

#[test]
fn a_redirect_is_no_leave() {
    let receiver = Receiver::start();
    receiver.script("task_started", [answer(307).header("Location: /elsewhere")]);
    worker().run(payload(&receiver, "add", json!({}))).expect("delivered");
    assert_eq!(receiver.kinds(), ["task_started", "task_started", "task_result"]);
    assert_eq!(receiver.of("task_started").len(), 2);
}

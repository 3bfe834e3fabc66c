//! Failures: each is a `task_error`, never silence.

use serde_json::{Value, json};

use super::receiver::{Receiver, TOKEN, answer};
use super::{payload, worker};
use crate::{Outcome, RunError};

/// The error that a task is reported with.
fn error_of(task: &str, more: Value) -> Value {
    let receiver = Receiver::start();
    let summary = worker().run(payload(&receiver, task, more)).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Failed);
    receiver.of("task_error")[0].event["error"].clone()
}

#[test]
fn errors_have_kind_cause_and_traceback() {
    let error = error_of("fail", json!({}));
    assert_eq!((&error["kind"], &error["message"]), (&json!("Outer"), &json!("outer")));
    assert_eq!((&error["source"], &error["retryable"]), (&json!("task"), &json!(true)));
    assert_eq!(error["cause"]["kind"], "std::io::Error");
    let trace = error["traceback"].as_str().expect("a traceback");
    assert!(trace.contains("tests/mod.rs") && trace.contains("caused by std::io::Error"));
}

#[test]
fn panics_are_reported_with_their_backtrace() {
    let error = error_of("panic", json!({}));
    assert_eq!((&error["kind"], &error["message"]), (&json!("panic"), &json!("oh 1")));
    assert!(error["traceback"].as_str().expect("a traceback").contains("panicked at"));
}

#[test]
fn what_cannot_be_run_is_woves_failure() {
    for (task, more, code) in [
        ("nobody", json!({}), "unknown_task"),
        ("add", json!({"args_json": null}), "payload_not_loadable"),
        ("add", json!({"args_json": "[]"}), "payload_not_loadable"),
        ("nan", json!({}), "result_not_picklable"),
    ] {
        let error = error_of(task, more);
        assert_eq!((&error["source"], &error["code"]), (&json!("wove"), &json!(code)));
    }
    let error = error_of("add", json!({"args_json": r#"{"surplus": "s3cret"}"#}));
    assert_eq!(error["source"], "task");
    assert!(error.to_string().contains("surplus") && !error.to_string().contains("s3cret"));
}

#[test]
fn a_newer_version_is_refused_before_the_start() {
    let receiver = Receiver::start();
    worker().run(payload(&receiver, "add", json!({"version": 2}))).expect("delivered");
    assert_eq!(receiver.kinds(), ["task_error"]);
    assert_eq!(receiver.seen()[0].event["error"]["code"], "version_mismatch");
}

#[test]
fn a_refused_ending_is_replaced_once() {
    for (status, code) in [(400, "event_refused"), (413, "result_too_large")] {
        let receiver = Receiver::start();
        receiver.script("task_result", [answer(status)]);
        receiver.script("task_error", [answer(400)]);
        let error = worker().run(payload(&receiver, "add", json!({}))).expect_err("refused");
        assert!(matches!(&error, RunError::Undelivered(found) if found.refused));
        let text = error.to_string();
        assert!(text.contains("answered 400") && !text.contains("callback_url in"), "{text}");
        assert_eq!(receiver.kinds(), ["task_started", "task_result", "task_error"]);
        assert_eq!(receiver.seen()[2].event["error"]["code"], code);
        assert_ne!(receiver.seen()[2].event["event_id"], receiver.seen()[1].event["event_id"]);
    }
}

#[test]
fn an_event_that_is_too_large_is_not_sent() {
    let text = json!({ "text": "x".repeat(5000) }).to_string();
    let error = error_of("raw", json!({"args_json": text, "max_event_bytes": 2000}));
    assert_eq!(error["code"], "result_too_large");
}

#[test]
fn an_end_that_cannot_be_delivered_is_the_jobs_failure() {
    let receiver = Receiver::start();
    receiver.script("task_result", vec![answer(503); 1000]);
    let more = json!({"delivery_retry_seconds": 0.5});
    let error = worker().run(payload(&receiver, "add", more)).expect_err("not delivered");
    assert!(matches!(&error, RunError::Undelivered(found) if found.part == "the end"));
    let summary = error.summary().expect("a summary");
    assert_eq!((summary.outcome, summary.delivered), (Outcome::Succeeded, false));
    assert!(!format!("{error}{summary}").contains(TOKEN));
}

#[test]
fn what_is_no_payload_is_told_without_its_values() {
    for text in ["", "s3cret!", "[]", r#"{"version": 1, "run_id": "s3cret"}"#] {
        let error = worker().run(text).expect_err("no payload");
        assert!(matches!(&error, RunError::NotAPayload(_)) && error.summary().is_none());
        assert!(!error.to_string().contains("s3cret"));
    }
}

//! Whole runs against a scripted receiver.

mod answering;
mod cancelling;
mod failing;
#[cfg(feature = "grpc")]
mod over_grpc;
mod receiver;
mod running;

use std::time::Duration;

use serde_json::{Value, json};

use crate::limits::Limits;
use crate::{BoxError, Context, Encoding, Failure, Worker};
use receiver::Receiver;

/// The contract's times, made short.
const LIMITS: Limits = Limits {
    start: Duration::from_secs(2),
    ungated: Duration::from_millis(200),
    patience: Duration::from_millis(200),
    hurry: Duration::from_secs(2),
};

fn worker() -> Worker {
    let mut worker = Worker::new().with_encoding(Encoding::Json).with_limits(LIMITS);
    worker.register("add", |_: &Context, (): ()| Ok::<i32, BoxError>(3));
    worker.register("wait", |ctx: &Context, (): ()| -> Result<(), BoxError> {
        ctx.wait(Duration::from_secs(30))?;
        Ok(())
    });
    worker.register("stubborn", |_: &Context, (): ()| -> Result<(), BoxError> {
        std::thread::sleep(Duration::from_secs(3));
        Ok(())
    });
    worker.register("fail", |_: &Context, (): ()| -> Result<(), Failure> {
        let inner = std::io::Error::from(std::io::ErrorKind::NotFound);
        Err(Failure::new("outer").kind("Outer").retryable(true).caused_by(inner))
    });
    worker.register("panic", |_: &Context, (): ()| -> Result<(), BoxError> { panic!("oh {}", 1) });
    worker.register("nan", |_: &Context, (): ()| Ok::<f64, BoxError>(f64::NAN));
    worker.register_json("raw", |_: &Context, text: &str| Ok::<String, BoxError>(text.to_owned()));
    worker
}

/// A payload for a task without arguments.
fn payload(receiver: &Receiver, task: &str, more: Value) -> String {
    let mut payload = json!({
        "version": 1, "adapter": "test", "callback_url": receiver.url(), "run_id": "r1",
        "task_id": "t1", "task_name": task, "callable_pickle": "", "args_pickle": "",
        "delivery": {}, "args_json": "{}", "receiver_id": receiver::ID,
    });
    let fields = payload.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    payload.to_string()
}

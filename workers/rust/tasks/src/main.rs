//! A worker of five small tasks, which show and test what a worker does.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use wove_worker::{BoxError, Cancelled, Context, Failure, Level, Progress, Worker, program};

fn main() -> ExitCode {
    let mut worker = Worker::new();
    worker.register("add", add);
    worker.register("echo", echo);
    worker.register("fail", fail);
    worker.register("slow", slow);
    worker.register("progress", progress);
    program(worker)
}

#[derive(Deserialize)]
struct Add {
    a: Box<RawValue>,
    b: Box<RawValue>,
}

/// Exact where both numbers are whole.
fn add(_: &Context, args: Add) -> Result<Box<RawValue>, BoxError> {
    let whole = |text: &RawValue| serde_json::from_str::<i128>(text.get());
    let sum = if let (Ok(a), Ok(b)) = (whole(&args.a), whole(&args.b)) {
        a.checked_add(b).ok_or("the sum has more than 128 bits")?.to_string()
    } else {
        let number = |name: &str, text: &RawValue| {
            serde_json::from_str::<f64>(text.get()).map_err(|_| format!("{name} is no number"))
        };
        let sum = number("a", &args.a)? + number("b", &args.b)?;
        if !sum.is_finite() {
            return Err("the sum is larger than a double can be".into());
        }
        serde_json::to_string(&sum)?
    };
    Ok(RawValue::from_string(sum)?)
}

#[derive(Deserialize)]
struct Echo {
    value: Box<RawValue>,
}

fn echo(_: &Context, args: Echo) -> Result<Box<RawValue>, BoxError> {
    Ok(args.value)
}

#[derive(Deserialize)]
struct Fail {
    message: String,
    cause: Option<String>,
}

fn fail(_: &Context, args: Fail) -> Result<(), Failure> {
    let failed = Failure::new(args.message).kind("TaskFailed");
    Err(match args.cause {
        Some(cause) => failed.caused_by(Failure::new(cause).kind("CauseOfIt")),
        None => failed,
    })
}

#[derive(Deserialize)]
struct Slow {
    seconds: f64,
}

fn slow(ctx: &Context, args: Slow) -> Result<f64, BoxError> {
    const STEP: Duration = Duration::from_millis(50);
    let until = Instant::now() + Duration::try_from_secs_f64(args.seconds)?;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(args.seconds);
        }
        ctx.wait(left.min(STEP))?; // ends at once when the weave cancels
    }
}

#[derive(Deserialize)]
struct Steps {
    steps: u32,
}

fn progress(ctx: &Context, args: Steps) -> Result<u32, Cancelled> {
    for step in 1..=args.steps {
        ctx.check()?;
        ctx.progress(Progress::of(step.into(), args.steps.into(), "steps"));
        if step == args.steps / 2 {
            ctx.log(Level::Info, "halfway");
        }
    }
    Ok(args.steps)
}

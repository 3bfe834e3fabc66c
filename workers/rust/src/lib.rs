//! Runs tasks of [Wove](https://github.com/wove-dev/wove)'s weaves in Rust.
//!
//! A weave in Python calls a task by name, a backend hands its payload to this worker, and the
//! result is back in the weave:
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use wove_worker::{BoxError, Context, Progress, Worker, program};
//!
//! /// Arguments come by name. `limit` may be left out.
//! #[derive(Deserialize)]
//! struct Arguments {
//!     balances: Vec<i64>,
//!     limit: Option<i64>,
//! }
//!
//! /// What the weave gets as a dictionary.
//! #[derive(Serialize)]
//! struct Report {
//!     balance: i64,
//!     over: usize,
//! }
//!
//! fn report(ctx: &Context, args: Arguments) -> Result<Report, BoxError> {
//!     let mut found = Report { balance: 0, over: 0 };
//!     for (number, balance) in args.balances.iter().enumerate() {
//!         ctx.check()?; // the weave has cancelled the task
//!         found.balance += balance;
//!         found.over += usize::from(args.limit.is_some_and(|limit| *balance > limit));
//!         ctx.progress(Progress::of(number as f64, args.balances.len() as f64, "accounts"));
//!     }
//!     Ok(found)
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     let mut worker = Worker::new();
//!     worker.register("report", report);
//!     program(worker)
//! }
//! ```
//!
//! [`program`] serves one payload and ends, for batch jobs, containers and the `process`
//! executor. A consumer of a queue keeps one [`Worker`] and hands every message to
//! [`Worker::run`], from several threads at once if it likes.
//!
//! # What the weave gets
//!
//! | the function | the weave gets |
//! |---|---|
//! | returns a value | what serde makes of it; NaN and infinities are an error |
//! | returns an error | the name of its type, its message, whether it is [`Failure::retryable`], and what [`std::error::Error::source`] gives |
//! | panics | the message and the backtrace |
//! | returns an error after a cancel | that the task was cancelled |
//! | ignores a cancel for five seconds | in [`program`]: that it was cancelled by force, and the process ends. [`Worker::run`] waits for it |
//!
//! Neither `std::process::exit` nor a panic of a program that is built with `panic = "abort"` can
//! be caught: the process is gone, and the weave learns it from its backend.
//!
//! # Exact numbers
//!
//! Integers of Rust's types are exact. Take `Box<serde_json::value::RawValue>` for what has more
//! digits, or [`Worker::register_json`] for all arguments as text. Inside a `serde_json::Value`
//! numbers beyond 64 bits are exact if your crate enables serde_json's `arbitrary_precision`.
//!
//! # Features
//!
//! - `tls` (on): `https://` callback URLs.
//! - `grpc`: gRPC, where a payload offers it. HTTP stays the way when no channel can be made.
//!
//! # Environment
//!
//! | variable | |
//! |---|---|
//! | `WOVE_BACKEND_PAYLOAD` | the payload, where there is no argument |
//! | `WOVE_ENCODING` | `json`, `protobuf` or `grpc`; unset: what the payload offers |
//! | `WOVE_HTTPS_CA` | PEM file of the authorities for `https://`, in place of the system's |
//! | `WOVE_HTTPS_CERTIFICATE`, `WOVE_HTTPS_PRIVATE_KEY` | PEM files of the worker's own certificate and key |
//! | `WOVE_GRPC_CA` | PEM file of the authorities for `grpcs://`, in place of the system's |
//! | `WOVE_GRPC_CERTIFICATE`, `WOVE_GRPC_PRIVATE_KEY` | the same for `grpcs://` |

mod arguments;
mod context;
mod contract;
mod delivery;
mod endings;
mod errors;
mod execution;
mod extras;
mod failures;
#[cfg(feature = "grpc")]
mod grpc;
mod hearing;
mod limits;
mod messages;
mod options;
mod panics;
mod program;
mod pulse;
mod reporting;
mod results;
mod stop;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod worker;

pub use arguments::ArgumentError;
pub use context::{Cancelled, Context, Level, Progress};
pub use errors::{RunError, Undelivered};
pub use failures::{BoxError, Failure};
pub use options::{Encoding, Job};
pub use program::program;
pub use summary::{Outcome, Summary, SummaryError};
pub use worker::Worker;

/// Also the `wove_version` of summaries.
const USER_AGENT: &str = concat!("wove-rust/", env!("CARGO_PKG_VERSION"));

/// The examples of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! What a function may know of its run, and how it says how far it is.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wove_proto::v1::{self, event::Frame};

use crate::extras::Extras;
use crate::failures::{MAX_KIND_BYTES, MAX_MESSAGE_BYTES};
use crate::stop::Stop;
use crate::text::cut;

/// The run that a function is called for. Clones are of the same run; any thread may use them.
///
/// ```
/// use wove_worker::{Cancelled, Context};
///
/// fn count(ctx: &Context, up_to: u64) -> Result<u64, Cancelled> {
///     let mut counted = 0;
///     while counted < up_to {
///         ctx.check()?; // the weave has cancelled the task: give up
///         counted += 1;
///     }
///     Ok(counted)
/// }
///
/// // A function can be tested without a worker.
/// assert_eq!(count(&Context::unconnected("count"), 3).unwrap(), 3);
/// ```
#[derive(Clone)]
pub struct Context {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub task: String,
    pub run_id: String,
    pub task_id: String,
    pub attempt: u32,
    pub traceparent: Option<String>,
    pub stop: Arc<Stop>,
    pub extras: Option<Arc<Extras>>,
}

impl Context {
    /// A context that belongs to no run, for tests of functions.
    pub fn unconnected(task: impl Into<String>) -> Self {
        Self { inner: Arc::new(Inner { task: task.into(), ..Inner::default() }) }
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.inner.task
    }

    /// Names this run.
    pub fn run_id(&self) -> &str {
        &self.inner.run_id
    }

    /// Names the task in its weave.
    pub fn task_id(&self) -> &str {
        &self.inner.task_id
    }

    /// Counts the submissions of this task before this one.
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// The W3C trace context of the weave.
    pub fn traceparent(&self) -> Option<&str> {
        self.inner.traceparent.as_deref()
    }

    /// Whether the function was asked to stop.
    pub fn cancelled(&self) -> bool {
        self.inner.stop.asked()
    }

    /// An error once the function was asked to stop, to leave it by `?`.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] then.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Waits so long, or until the function is asked to stop.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] then.
    pub fn wait(&self, wait: Duration) -> Result<(), Cancelled> {
        if self.inner.stop.wait_asked(wait) { Err(Cancelled) } else { Ok(()) }
    }

    /// Tells the weave how far the task is, if the weave listens. It does not wait for the weave,
    /// except when a great many are on their way; none is sent twice.
    pub fn progress(&self, progress: Progress) {
        self.send("progress", || {
            let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
            Frame::Progress(v1::Progress {
                current: finite(progress.current),
                total: finite(progress.total),
                unit: cut(progress.unit, MAX_KIND_BYTES),
                message: cut(progress.message, MAX_MESSAGE_BYTES),
            })
        });
    }

    /// Sends one line of the task's log to the weave, as [`Context::progress`] does.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.send("log", || {
            Frame::Log(v1::Log {
                level: level.name().to_owned(),
                message: cut(message.into(), MAX_MESSAGE_BYTES),
                ..v1::Log::default()
            })
        });
    }

    fn send(&self, name: &str, frame: impl FnOnce() -> Frame) {
        if let Some(extras) = &self.inner.extras {
            extras.send(name, frame);
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Context");
        shown.field("task", &self.inner.task).field("run_id", &self.inner.run_id);
        shown.finish_non_exhaustive()
    }
}

/// The function was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was asked to stop")
    }
}

impl Error for Cancelled {}

/// How far a task is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// How much is done.
    pub current: Option<f64>,
    /// How much there is, where that is known.
    pub total: Option<f64>,
    /// What is counted, such as "rows".
    pub unit: String,
    /// For people.
    pub message: String,
}

impl Progress {
    /// So many of so many.
    pub fn of(current: f64, total: f64, unit: impl Into<String>) -> Self {
        let (current, total) = (Some(current), Some(total));
        Self { current, total, unit: unit.into(), message: String::new() }
    }
}

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }
}

//! What `run` fails with.

use std::error::Error;
use std::fmt;

use crate::Summary;
use crate::worker::worker_id;

/// Why a backend's job should count as failed. What the task itself did is no such reason.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// This is no payload, so that there is nobody to report to. The text holds no value of it.
    NotAPayload(String),
    /// The receiver has not taken the last event: it could not be reached, or has refused it. The
    /// weave does not know what became of the task.
    Undelivered(Box<Undelivered>),
}

impl RunError {
    /// The summary of the run, where there was one.
    pub fn summary(&self) -> Option<&Summary> {
        match self {
            RunError::NotAPayload(_) => None,
            RunError::Undelivered(found) => Some(&found.summary),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::NotAPayload(reason) => write!(f, "this is no Wove payload: {reason}"),
            RunError::Undelivered(found) => found.fmt(f),
        }
    }
}

impl Error for RunError {}

/// An event could not be delivered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// What could not be reported: "the start" or "the end".
    pub part: &'static str,
    /// The task's name.
    pub task: String,
    /// What the tries met.
    pub reason: String,
    /// The receiver was reached.
    pub refused: bool,
    /// The run's summary, whose `callback_url` is where the events should have gone.
    pub summary: Summary,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the worker {} could not report {} of task {:?} to {}: {}",
            worker_id(),
            self.part,
            self.task,
            self.summary.callback_url,
            self.reason
        )?;
        if self.refused {
            return Ok(());
        }
        f.write_str(
            ". That address must lead from the worker to the weave's process: see callback_url in \
             executor_config.",
        )
    }
}

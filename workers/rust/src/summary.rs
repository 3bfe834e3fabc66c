//! What a worker gives back to its backend.

use std::fmt;

use serde::Serialize;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The function returned.
    Succeeded,
    /// It returned an error or panicked, or could not be run.
    Failed,
    /// It was stopped.
    Cancelled,
    /// It was not called, because the receiver did not let it start or could not be reached.
    NotStarted,
}

/// What a worker gives back to its backend. Its JSON is small and plain enough for every backend
/// to store; it never holds the task's value or the token of the callback URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// This library and its version.
    pub wove_version: String,
    /// The run's name.
    pub run_id: String,
    /// What it came to.
    pub outcome: Outcome,
    /// The receiver has answered the last event finally.
    pub delivered: bool,
    /// None where there is nothing to say beyond the outcome.
    pub error: Option<SummaryError>,
    /// Where the events went, with the token cut out.
    pub callback_url: String,
}

/// The short form of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SummaryError {
    /// The name of its type.
    pub kind: String,
    /// At most 1000 characters.
    pub message: String,
}

impl SummaryError {
    pub(crate) fn new(kind: &str, message: &str) -> Option<Self> {
        const LONGEST: usize = 1000;
        if kind.is_empty() && message.is_empty() {
            return None;
        }
        Some(Self { kind: kind.to_owned(), message: message.chars().take(LONGEST).collect() })
    }
}

/// The JSON of it, as the program prints it.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

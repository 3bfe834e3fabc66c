//! The messages of `wove.v1` as a worker meets them: payloads and acknowledgements in, events
//! out. The rules are the comments of the `.proto` files.

mod events;
mod json;
mod payload;
mod quoted;
mod scalars;
mod schema;

use std::fmt;

pub(crate) use events::{binary, flat_json};
pub(crate) use payload::{VERSION, read_ack, read_payload};

/// What a message did wrong. It never holds a value of the message, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContractError {
    /// One of the closed set that the golden vectors name.
    pub code: &'static str,
    /// The field, such as `delivery.delivery_timeout` or `accepts[1]`; empty when the message as
    /// a whole is wrong.
    pub path: String,
    /// What is wrong, for people.
    pub problem: String,
}

impl ContractError {
    fn new(code: &'static str, path: &str, problem: impl Into<String>) -> Self {
        Self { code, path: path.to_owned(), problem: problem.into() }
    }

    /// The same error, seen from the message that holds this one as `outer`.
    fn inside(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ContractError {}

#[cfg(test)]
mod vectors;

//! Errors as the weave is told of them.

use std::error::Error;
use std::fmt::{self, Write as _};

use wove_proto::v1::ErrorInfo;

use crate::panics::{Panic, safely};
use crate::text::{cut, cut_middle};

/// How many levels of causes are described below an error.
const MAX_CAUSES: usize = 8;
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 << 10;
const MAX_TRACEBACK_BYTES: usize = 256 << 10;
pub(crate) const MAX_KIND_BYTES: usize = 1 << 10;

/// Any error of a task.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// An error that says more than a text: its kind, its cause, and whether another try may succeed.
///
/// ```
/// use wove_worker::Failure;
///
/// fn fetch() -> Result<String, Failure> {
///     let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
///     Err(Failure::new("the bank is closed").kind("BankClosed").retryable(true).caused_by(refused))
/// }
/// # assert_eq!(fetch().unwrap_err().to_string(), "the bank is closed");
/// ```
#[derive(Debug)]
pub struct Failure {
    message: String,
    kind: Option<String>,
    retryable: Option<bool>,
    cause: Option<BoxError>,
}

impl Failure {
    /// A failure with a message for people.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: None, retryable: None, cause: None }
    }

    /// The name of the failure's type, as the weave sees it.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Whether another try may succeed.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }

    /// The error that led to this one.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// Describes an error that a function returned. Rust's errors have no stack: who returned it
/// stands for one, with what the error says of itself in detail (`{:?}`). `kind` is the name of
/// its type, where the function's signature tells.
pub(crate) fn task_error(error: &BoxError, kind: Option<&str>, place: &str) -> ErrorInfo {
    let error: &(dyn Error + 'static) = error.as_ref();
    let mut info = describe(error, MAX_CAUSES);
    if let Some(kind) = kind.filter(|_| !error.is::<Failure>()) {
        info.kind = cut(kind.to_owned(), MAX_KIND_BYTES);
    }
    let mut trace = format!("returned by {place}\n");
    let mut at = Some(&info);
    let mut prefix = "";
    while let Some(described) = at {
        let _ = writeln!(trace, "{prefix}{}: {}", described.kind, described.message);
        at = described.cause.as_deref();
        prefix = "caused by ";
    }
    let detail = safely(|| format!("{error:?}"));
    if detail != info.message {
        let _ = write!(trace, "\n{detail}\n");
    }
    info.source = "task".to_owned();
    info.traceback = Some(cut_middle(trace, MAX_TRACEBACK_BYTES));
    info.retryable = retryable(error);
    info
}

/// Describes a panic.
pub(crate) fn panic_error(panic: Panic) -> ErrorInfo {
    ErrorInfo {
        kind: "panic".to_owned(),
        message: cut(panic.message, MAX_MESSAGE_BYTES),
        traceback: Some(cut_middle(panic.trace, MAX_TRACEBACK_BYTES)),
        source: "task".to_owned(),
        ..ErrorInfo::default()
    }
}

/// Describes a failure in running or delivering a task.
pub(crate) fn wove_error(code: &str, kind: &str, message: String) -> ErrorInfo {
    ErrorInfo {
        kind: kind.to_owned(),
        message: cut(message, MAX_MESSAGE_BYTES),
        source: "wove".to_owned(),
        code: code.to_owned(),
        ..ErrorInfo::default()
    }
}

fn describe(error: &(dyn Error + 'static), depth: usize) -> ErrorInfo {
    let message = safely(|| error.to_string());
    ErrorInfo {
        kind: cut(kind_of(error, &message), MAX_KIND_BYTES),
        message: cut(message, MAX_MESSAGE_BYTES),
        cause: if depth == 0 {
            None
        } else {
            error.source().map(|cause| Box::new(describe(cause, depth - 1)))
        },
        ..ErrorInfo::default()
    }
}

/// The name of an error's type. Behind `dyn Error` it is gone, but nearly every error's `Debug`
/// begins with it: `ParseIntError { kind: InvalidDigit }`.
fn kind_of(error: &(dyn Error + 'static), message: &str) -> String {
    if let Some(kind) = error.downcast_ref::<Failure>().and_then(|found| found.kind.clone()) {
        return kind;
    }
    if error.is::<std::io::Error>() {
        return "std::io::Error".to_owned();
    }
    let debug = safely(|| format!("{error:?}"));
    let end = debug.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(debug.len());
    let (name, rest) = debug.split_at(end);
    let is_type = name.starts_with(char::is_uppercase)
        && (rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {"));
    if is_type && !debug.starts_with(message) { name.to_owned() } else { "Error".to_owned() }
}

/// Whether another try may succeed, of the first in the chain that knows.
fn retryable(error: &(dyn Error + 'static)) -> Option<bool> {
    let mut at = Some(error);
    for _ in 0..=MAX_CAUSES {
        let found = at?;
        if let Some(known) = found.downcast_ref::<Failure>().and_then(|found| found.retryable) {
            return Some(known);
        }
        at = found.source();
    }
    None
}

/// The name of a function's error type, if it is one that tells something.
pub(crate) fn kind_of_type<E>() -> Option<&'static str> {
    let name = std::any::type_name::<E>();
    let open = ["&", "alloc::", "anyhow::", "eyre::", "core::"];
    (!open.iter().any(|prefix| name.starts_with(prefix))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{BoxError, Failure, kind_of_type, task_error};

    #[test]
    fn the_chain_is_described_eight_levels_deep() {
        let mut error = Failure::new("0").retryable(false);
        for level in 1..20 {
            error = Failure::new(level.to_string()).kind("Level").caused_by(error);
        }
        let info = task_error(&BoxError::from(error), None, "here");
        let mut depth = 0;
        let mut at = &info;
        while let Some(cause) = at.cause.as_deref() {
            depth += 1;
            at = cause;
        }
        assert_eq!((depth, info.kind.as_str(), info.message.as_str()), (8, "Level", "19"));
        assert_eq!(info.source, "task");
        assert!(info.traceback.expect("a traceback").starts_with("returned by here\nLevel: 19\n"));
    }

    #[test]
    fn kinds_are_types_names() {
        let parse: BoxError = "x".parse::<i32>().expect_err("no number").into();
        assert_eq!(task_error(&parse, None, "").kind, "ParseIntError");
        assert_eq!(task_error(&BoxError::from("Boom"), None, "").kind, "Error");
        assert_eq!(kind_of_type::<std::num::ParseIntError>(), None);
        assert_eq!(kind_of_type::<BoxError>(), None);
        assert!(kind_of_type::<Failure>().is_some_and(|name| name.ends_with("Failure")));
    }

    #[test]
    fn retryable_is_found_in_the_chain() {
        let inner = Failure::new("inner").retryable(true);
        let info = task_error(&BoxError::from(Failure::new("outer").caused_by(inner)), None, "");
        assert_eq!(info.retryable, Some(true));
    }
}

//! Panics of a task's code: caught, and with their backtrace.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug)]
pub(crate) struct Panic {
    pub message: String,
    /// Where it was, and how it came there.
    pub trace: String,
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static TRACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Calls what may panic. Its panics are not printed: they are reported to the weave, and their
/// text may hold an argument's value.
pub(crate) fn catch<R>(call: impl FnOnce() -> R) -> Result<R, Panic> {
    watch_panics();
    let before = WATCHED.replace(true);
    // What the call leaves broken is not used again by this library.
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    WATCHED.set(before);
    result.map_err(|reason| Panic { message: text_of(reason.as_ref()), trace: TRACE.take() })
}

/// A text that a task's own code makes.
pub(crate) fn safely(text: impl FnOnce() -> String) -> String {
    catch(text).unwrap_or_else(|_| "<no text: its method panicked>".to_owned())
}

fn text_of(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| reason.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic of a value that is no text".to_owned())
}

/// Installs, once, a hook that keeps the trace of a watched panic. Others go where they went.
fn watch_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !WATCHED.try_with(Cell::get).unwrap_or(false) {
                return previous(info);
            }
            let place =
                info.location().map_or_else(String::new, |at| format!("panicked at {at}\n"));
            let trace = format!("{place}{}", Backtrace::force_capture());
            TRACE.set(trace);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::{catch, safely};

    #[test]
    fn panics_are_caught_with_their_place() {
        let found = catch(|| panic!("boom {}", 1)).expect_err("a panic");
        assert_eq!(found.message, "boom 1");
        assert!(found.trace.contains("panics.rs"));
        assert_eq!(safely(|| panic!("no")), "<no text: its method panicked>");
        assert_eq!(catch(|| 1).expect("no panic"), 1);
    }
}

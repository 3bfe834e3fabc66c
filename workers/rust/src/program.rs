//! The program of a worker that is started once for each payload.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::{fs, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::options::{Encoding, Job};
use crate::{RunError, Worker};

/// Carries the payload where there is no argument.
const VARIABLE: &str = "WOVE_BACKEND_PAYLOAD";

const UNDELIVERED: u8 = 1;
const NO_PAYLOAD: u8 = 2;

/// Runs the one payload that this process was started for: the whole `main` of a worker program.
///
/// The payload is the first argument, or else the environment variable `WOVE_BACKEND_PAYLOAD`:
/// its JSON, or base64 of that. An argument `@path` names a file that holds either. The last line
/// of standard output is the run's summary. The exit status is 0 when the last event was answered
/// finally, whatever the task did; 1 when it could not be delivered; 2 when there is no payload.
/// SIGTERM and SIGINT stop the task and report that; a second one ends the process.
///
/// Call it before the process has other threads: it takes the payload out of the environment,
/// which children of the task inherit.
///
/// A function that does not stop when the weave asks is left behind after five seconds. Return
/// the exit code from `main`: that ends the process, and the function with it.
pub fn program(worker: Worker) -> ExitCode {
    let payload = match payload(env::args_os().nth(1)) {
        Ok(payload) => payload,
        Err(problem) => return fail(NO_PAYLOAD, &problem),
    };
    if env::var(Encoding::VARIABLE).is_ok_and(|name| Encoding::named(&name).is_none()) {
        say(&"WOVE_ENCODING is none of json, protobuf, grpc: ignored");
    }
    let worker = Arc::new(worker);
    if let Err(error) = stop_on_signals(&worker) {
        say(&format!("signals cannot be heard: {error}"));
    }
    let result = worker.run_or_leave(&payload, Job::default(), true);
    if let Some(summary) = result.as_ref().map_or_else(RunError::summary, Some) {
        // A line of its own, whatever the task left unfinished there. Nobody may be listening.
        let mut out = std::io::stdout().lock();
        let _ = write!(out, "\n{summary}\n").and_then(|()| out.flush());
    }
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error @ RunError::Undelivered(_)) => fail(UNDELIVERED, &error),
        Err(error) => fail(NO_PAYLOAD, &error),
    }
}

/// Finds the payload, and takes it out of the environment.
fn payload(argument: Option<OsString>) -> Result<Vec<u8>, String> {
    let variable = env::var_os(VARIABLE);
    if variable.is_some() {
        // SAFETY: the documentation asks for a process without other threads.
        #[allow(unsafe_code)]
        unsafe {
            env::remove_var(VARIABLE);
        }
    }
    let found = match argument.map(OsString::into_encoded_bytes) {
        Some(text) => match text.strip_prefix(b"@") {
            Some(path) => fs::read(String::from_utf8_lossy(path).as_ref())
                .map_err(|error| format!("the payload cannot be read: {error}"))?,
            None => text,
        },
        None => variable.unwrap_or_default().into_encoded_bytes(),
    };
    if found.trim_ascii().is_empty() {
        return Err(format!("no payload: give it as an argument, or in {VARIABLE}"));
    }
    Ok(found)
}

fn stop_on_signals(worker: &Arc<Worker>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let worker = Arc::downgrade(worker);
    let hear = move || {
        let mut heard = false;
        for signal in signals.forever() {
            if heard {
                std::process::exit(128 + signal); // by now the first one has been heard
            }
            heard = true;
            if let Some(worker) = worker.upgrade() {
                worker.shut_down();
            }
        }
    };
    thread::Builder::new().name("wove-signals".into()).spawn(hear).map(|_| ())
}

fn fail(status: u8, problem: &dyn Display) -> ExitCode {
    say(problem);
    ExitCode::from(status)
}

fn say(problem: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "wove: {problem}"); // nobody may be listening
}

//! Workers: functions by name, and payloads to run.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::arguments::{Arguments, bind};
use crate::contract::read_payload;
use crate::delivery::{Endpoint, Pool};
use crate::execution::{Execution, Running};
use crate::failures::kind_of_type;
use crate::limits::Limits;
use crate::options::{Encoding, Job};
use crate::results::text_of;
use crate::{BoxError, Context, RunError, Summary};

/// Why a call gave no text.
pub(crate) enum CallError {
    /// The function returned an error; the name of its type, where that tells something.
    Returned(BoxError, Option<&'static str>),
    /// Its value cannot be written.
    NotEncodable { kind: &'static str, problem: String },
}

type Call = dyn Fn(&Context, &str, &Arguments<'_>) -> Result<String, CallError> + Send + Sync;

pub(crate) struct Function {
    /// Its name, and where it was registered.
    pub place: String,
    pub call: Box<Call>,
}

/// Has functions by the name of their task, and runs payloads: several at once, if several
/// threads like.
pub struct Worker {
    pub(crate) functions: BTreeMap<String, Arc<Function>>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) limits: Limits,
    running: Mutex<Vec<Weak<Running>>>,
    shut_down: AtomicBool,
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}

impl Worker {
    /// A worker without functions. Its encoding is that of the variable `WOVE_ENCODING`.
    pub fn new() -> Self {
        let encoding = std::env::var(Encoding::VARIABLE).ok();
        Self {
            functions: BTreeMap::new(),
            encoding: encoding.and_then(|name| Encoding::named(&name)),
            pool: Arc::new(Pool::shared()),
            limits: Limits::default(),
            running: Mutex::default(),
            shut_down: AtomicBool::new(false),
        }
    }

    /// Uses one encoding, whatever the environment says.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    #[cfg(test)]
    pub(crate) fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes `function` the one of a task's name.
    ///
    /// `In` is a struct with a field for each argument (those of `Option` or with a default may
    /// be left out), `()` for a function without arguments, or a map. `Out` is anything that
    /// serde can write. `Box<serde_json::value::RawValue>` takes and gives JSON text as it is.
    ///
    /// # Panics
    ///
    /// If the name is empty or taken: that is a mistake in the program.
    #[track_caller]
    pub fn register<In, Out, E, F>(&mut self, name: &str, function: F)
    where
        In: DeserializeOwned,
        Out: Serialize,
        E: Into<BoxError> + 'static,
        F: Fn(&Context, In) -> Result<Out, E> + Send + Sync + 'static,
    {
        let at = Location::caller();
        self.insert::<F>(name, at, move |ctx, _, given| {
            let given = bind(given)
                .map_err(|error| CallError::Returned(error.into(), Some("ArgumentError")))?;
            let value = function(ctx, given)
                .map_err(|error| CallError::Returned(error.into(), kind_of_type::<E>()))?;
            text_of(&value).map_err(|problem| CallError::NotEncodable {
                kind: std::any::type_name::<Out>(),
                problem,
            })
        });
    }

    /// The same for a function of JSON text: all its arguments are one object, what it returns
    /// must be JSON. Nothing is converted, so that everything is exact.
    ///
    /// # Panics
    ///
    /// As [`Worker::register`].
    #[track_caller]
    pub fn register_json<E, F>(&mut self, name: &str, function: F)
    where
        E: Into<BoxError> + 'static,
        F: Fn(&Context, &str) -> Result<String, E> + Send + Sync + 'static,
    {
        let at = Location::caller();
        self.insert::<F>(name, at, move |ctx, text, _| {
            let value = function(ctx, text)
                .map_err(|error| CallError::Returned(error.into(), kind_of_type::<E>()))?;
            match RawValue::from_string(value) {
                Ok(value) => Ok(value.get().to_owned()),
                Err(_) => Err(CallError::NotEncodable {
                    kind: "text",
                    problem: "it is no JSON".to_owned(),
                }),
            }
        });
    }

    fn insert<F>(
        &mut self,
        name: &str,
        at: &Location<'_>,
        call: impl Fn(&Context, &str, &Arguments<'_>) -> Result<String, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        let free = !name.is_empty() && !self.functions.contains_key(name);
        assert!(free, "cannot register task {name:?}: the name is empty or taken");
        let place = format!("{}, registered at {at}", std::any::type_name::<F>());
        let function = Function { place, call: Box::new(call) };
        self.functions.insert(name.to_owned(), Arc::new(function));
    }

    /// Runs a payload, as the adapter submitted it or in base64, and reports to its weave. It
    /// returns when that is done; what the task itself did is in the summary.
    ///
    /// # Errors
    ///
    /// If this is no payload, or the last event could not be delivered. The backend's job should
    /// count as failed only then.
    pub fn run(&self, payload: impl AsRef<[u8]>) -> Result<Summary, RunError> {
        self.run_job(payload, Job::default())
    }

    /// [`Worker::run`] for a worker that knows its backend's job.
    ///
    /// # Errors
    ///
    /// As [`Worker::run`].
    pub fn run_job(&self, payload: impl AsRef<[u8]>, job: Job) -> Result<Summary, RunError> {
        self.run_or_leave(payload.as_ref(), job, false)
    }

    /// Stops all runs, now and from now on, and reports that: the worker is shutting down. A
    /// function that goes on for five seconds after that is left behind in its thread.
    pub fn shut_down(&self) {
        self.shut_down.store(true, Ordering::SeqCst);
        for running in self.running().drain(..).filter_map(|found| found.upgrade()) {
            running.shut_down(self.limits.hurry);
        }
    }

    /// With `leave` a function that does not stop when the weave asks is left behind, too: its
    /// process ends next.
    pub(crate) fn run_or_leave(
        &self,
        data: &[u8],
        job: Job,
        leave: bool,
    ) -> Result<Summary, RunError> {
        let payload =
            read_payload(data).map_err(|error| RunError::NotAPayload(error.to_string()))?;
        if payload.run_id.is_empty() || payload.callback_url.is_empty() {
            let reason = "its version is newer than this worker, and it does not say where to \
                          report that";
            return Err(RunError::NotAPayload(reason.to_owned()));
        }
        let endpoint = Endpoint::parse(&payload.callback_url)
            .map_err(|problem| RunError::NotAPayload(format!("callback_url: {problem}")))?;
        let execution = Execution::new(self, payload, endpoint, job);
        self.watch(&execution.running);
        execution.run(leave)
    }

    fn watch(&self, execution: &Arc<Running>) {
        let mut running = self.running();
        running.retain(|found| found.strong_count() > 0);
        running.push(Arc::downgrade(execution));
        drop(running);
        if self.shut_down.load(Ordering::SeqCst) {
            execution.shut_down(self.limits.hurry);
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<Weak<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tasks: Vec<&String> = self.functions.keys().collect();
        f.debug_struct("Worker").field("tasks", &tasks).finish_non_exhaustive()
    }
}

/// Names this process for people.
pub(crate) fn worker_id() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        format!("{}:{}", crate::text::cut(host, 200), std::process::id())
    })
}

//! One start of one payload, from `task_started` to the terminal event's answer.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use wove_proto::v1::TaskPayload;

use crate::context::Inner;
use crate::contract::VERSION;
use crate::delivery::{Endpoint, HttpRoute, Reporter, Route};
use crate::endings::{Ending, Endings};
use crate::extras::Extras;
use crate::failures::{panic_error, task_error, wove_error};
use crate::hearing::Hearing;
use crate::limits::{Limits, heartbeat_interval, max_bytes};
use crate::messages::Messages;
use crate::options::{Encoding, Job};
use crate::panics::catch;
use crate::pulse::Pulse;
use crate::stop::{Stop, Waited};
use crate::worker::{CallError, Function, Worker};
use crate::{Context, RunError, Summary, USER_AGENT, arguments};

const SHUTTING_DOWN: &str = "its worker is shutting down";

pub(crate) struct Execution<'w> {
    worker: &'w Worker,
    pub(crate) limits: Limits,
    pub(crate) payload: Arc<TaskPayload>,
    pub(crate) endpoint: Endpoint,
    pub(crate) task: String,
    pub(crate) detached: bool,
    pub(crate) began: Instant,
    pub(crate) messages: Arc<Messages>,
    pub(crate) endings: Arc<Endings>,
    pub(crate) route: Arc<dyn Route>,
    pub(crate) hearing: Arc<Hearing>,
    extras: Arc<Extras>,
    pub(crate) running: Arc<Running>,
}

/// What others may do to an execution.
pub(crate) struct Running {
    pub stop: Arc<Stop>,
    pub reporter: Reporter,
}

impl Running {
    pub(crate) fn shut_down(&self, hurry: Duration) {
        self.stop.shut_down(SHUTTING_DOWN);
        self.reporter.hurry(hurry);
    }
}

impl<'w> Execution<'w> {
    pub(crate) fn new(
        worker: &'w Worker,
        payload: TaskPayload,
        endpoint: Endpoint,
        job: Job,
    ) -> Self {
        let payload = Arc::new(payload);
        let named = payload.task_name.as_ref().filter(|name| !name.is_empty());
        let task = named.unwrap_or(&payload.task_id).clone();
        let policy = payload.delivery.as_ref().and_then(|d| d.delivery_orphan_policy.as_deref());
        let detached = policy == Some("detach");
        let stop = Arc::new(Stop::default());
        let heartbeat = heartbeat_interval(&payload);
        let hearing = Arc::new(Hearing::new(Arc::clone(&stop), detached, heartbeat));
        let route = route(worker, &payload, &endpoint);
        let binary = match worker.encoding {
            Some(Encoding::Json) => false,
            Some(Encoding::Protobuf) => true,
            Some(Encoding::Grpc) | None => payload.receiver_id.is_some(),
        };
        let messages = Arc::new(Messages::new(Arc::clone(&payload), job, binary));
        let endings = Arc::new(Endings {
            messages: Arc::clone(&messages),
            task: task.clone(),
            max_bytes: max_bytes(&payload),
        });
        let extras = Arc::new(Extras::new(
            Arc::clone(&payload),
            Arc::clone(&messages),
            Arc::clone(&route),
            Arc::clone(&hearing),
        ));
        let reporter = Reporter::new(Arc::clone(&route));
        Self {
            worker,
            limits: worker.limits,
            payload,
            endpoint,
            task,
            detached,
            began: Instant::now(),
            messages,
            endings,
            route,
            hearing,
            extras,
            running: Arc::new(Running { stop, reporter }),
        }
    }

    pub(crate) fn run(&self, leave: bool) -> Result<Summary, RunError> {
        if self.payload.version > VERSION {
            let message = format!(
                "the payload has version {}, and this worker ({USER_AGENT}) reads version {VERSION}",
                self.payload.version
            );
            let info = wove_error("version_mismatch", "VersionMismatch", message);
            return self.report(self.endings.failed(info));
        }
        let started = match self.start() {
            Ok(started) => started,
            Err(ended) => return *ended,
        };
        let beats = Pulse::start(
            Arc::clone(&self.route),
            Arc::clone(&self.messages),
            Arc::clone(&self.hearing),
        );
        let ending = self.call(leave);
        self.extras.close();
        let result = self.report(ending);
        drop(beats); // they go on until the end is acknowledged
        drop(started);
        result
    }

    /// Calls the function, which has leave to start, and gives its ending.
    fn call(&self, leave: bool) -> Ending {
        let stop = &self.running.stop;
        if let Some(reason) = stop.reason() {
            return self.endings.stopped(&reason, false);
        }
        let Some(function) = self.worker.functions.get(&self.task) else {
            let known: Vec<&str> = self.worker.functions.keys().map(String::as_str).collect();
            return self.endings.unknown_task(&known.join(", "));
        };
        let calling = Calling {
            function: Arc::clone(function),
            context: self.context(),
            payload: Arc::clone(&self.payload),
            endings: Arc::clone(&self.endings),
            stop: Arc::clone(stop),
        };
        let thread = thread::Builder::new().name("wove-task".into());
        if let Err(error) = thread.spawn(move || calling.run()) {
            let message = format!("the worker could not start a thread for the task: {error}");
            return self.endings.failed(wove_error("worker_failed", "ThreadNotStarted", message));
        }
        match stop.wait(leave, self.limits.patience) {
            Waited::Ended(ending) => *ending,
            Waited::Abandoned { reason } => self.endings.stopped(&reason, true),
        }
    }

    fn context(&self) -> Context {
        let inner = Inner {
            task: self.task.clone(),
            run_id: self.payload.run_id.clone(),
            task_id: self.payload.task_id.clone(),
            attempt: self.payload.attempt,
            traceparent: self.payload.traceparent.clone(),
            stop: Arc::clone(&self.running.stop),
            extras: Some(Arc::clone(&self.extras)),
        };
        Context { inner: Arc::new(inner) }
    }
}

/// The way to the payload's receiver, by gRPC where that is offered and wanted.
fn route(worker: &Worker, payload: &TaskPayload, endpoint: &Endpoint) -> Arc<dyn Route> {
    let receiver_id = payload.receiver_id.clone().filter(|id| !id.is_empty());
    let http = HttpRoute::new(endpoint.clone(), receiver_id, Arc::clone(&worker.pool));
    #[cfg(feature = "grpc")]
    if !matches!(worker.encoding, Some(Encoding::Json | Encoding::Protobuf)) {
        return crate::grpc::route(payload, Arc::new(http));
    }
    Arc::new(http)
}

/// The call of a function, in a thread of its own.
struct Calling {
    function: Arc<Function>,
    context: Context,
    payload: Arc<TaskPayload>,
    endings: Arc<Endings>,
    stop: Arc<Stop>,
}

impl Calling {
    fn run(self) {
        let ending = self.call();
        self.stop.end(ending);
    }

    fn call(&self) -> Ending {
        let Some(text) = &self.payload.args_json else {
            let problem = "the payload has no args_json, and this worker reads no pickles";
            return self.endings.not_loadable(problem);
        };
        let Some(given) = arguments::read(text) else {
            return self.endings.not_loadable("args_json is not the text of a JSON object");
        };
        let result = catch(|| (self.function.call)(&self.context, text, &given));
        self.stop.returned();
        match result {
            Ok(Ok(text)) => self.endings.returned(text),
            Ok(Err(CallError::NotEncodable { kind, problem })) => {
                let message = format!(
                    "task {:?} returned a {kind} that cannot be written as JSON: {problem}",
                    self.context.task()
                );
                let code = "result_not_picklable";
                self.endings.failed(wove_error(code, "ResultNotEncodable", message))
            }
            // A function that is being stopped fails in many ways: its check's error, a killed
            // command's, a closed connection's.
            Ok(Err(CallError::Returned(error, kind))) => match self.stop.reason() {
                Some(reason) => self.endings.stopped(&reason, false),
                None => self.endings.failed(task_error(&error, kind, &self.function.place)),
            },
            Err(panic) => self.endings.failed(panic_error(panic)),
        }
    }
}

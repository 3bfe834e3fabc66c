//! gRPC, where a payload offers it (event_service.proto).

mod answers;
mod channels;
mod line;
mod target;
mod watched;

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use wove_proto::v1::event_service_client::EventServiceClient;
use wove_proto::v1::{PublishEventRequest, TaskPayload, publish_event_request};

use crate::delivery::{Answer, Body, Line, Route};
use answers::{judge_ack_of_call, judge_status};
use channels::{Purpose, acquire, avoid};
use line::GrpcLine;
use target::Target;

/// The route of a payload: by gRPC if that is offered, else `otherwise`, which is also the way
/// while no channel can be made.
pub(crate) fn route(payload: &TaskPayload, otherwise: Arc<dyn Route>) -> Arc<dyn Route> {
    let offered = payload.callback_grpc.as_deref().filter(|address| !address.is_empty());
    let Some(target) = offered.and_then(|address| Target::parse(address).ok()) else {
        return otherwise;
    };
    let (Some(runtime), Ok(token)) = (runtime(), format!("Bearer {}", target.token).parse()) else {
        return otherwise;
    };
    let receiver_id = payload.receiver_id.clone().filter(|id| !id.is_empty());
    Arc::new(GrpcRoute(Arc::new(Call {
        runtime,
        target,
        token,
        receiver: receiver_id.as_deref().and_then(|id| id.parse().ok()),
        receiver_id,
        run_id: payload.run_id.clone(),
        otherwise,
    })))
}

/// The process's own runtime, with one thread. None where the system refuses it.
fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let make = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("wove-grpc")
            .enable_all()
            .build()
            .ok()
    };
    RUNTIME.get_or_init(make).as_ref()
}

/// What all calls of one run share.
struct Call {
    runtime: &'static Runtime,
    target: Target,
    token: MetadataValue<Ascii>,
    receiver: Option<MetadataValue<Ascii>>,
    receiver_id: Option<String>,
    run_id: String,
    otherwise: Arc<dyn Route>,
}

impl Call {
    /// A request with the metadata that each one carries.
    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.token.clone());
        if let Some(receiver) = &self.receiver {
            metadata.insert("wove-receiver", receiver.clone());
        }
        request
    }

    /// Waits for a future, until the deadline.
    fn wait<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        self.runtime.block_on(async { tokio::time::timeout_at(deadline.into(), future).await.ok() })
    }
}

/// Makes a call of PublishEvent for each event.
struct GrpcRoute(Arc<Call>);

impl Route for GrpcRoute {
    fn post(&self, body: &Body, fresh: bool, deadline: Instant) -> Answer {
        let call = &self.0;
        let connect = acquire(&call.target, Purpose::Events, fresh, deadline);
        let Some(channel) = call.runtime.block_on(connect) else {
            return call.otherwise.post(body, fresh, deadline);
        };
        let mut client = EventServiceClient::new(channel.grpc.clone());
        let request = call.request(PublishEventRequest {
            body: Some(publish_event_request::Body::Event(body.event.clone())),
        });
        let receiver_id = call.receiver_id.as_deref();
        match call.wait(deadline, client.publish_event(request)) {
            None => Answer::none("no answer in time"),
            Some(Ok(response)) => {
                channel.answered.store(true, Ordering::Relaxed);
                judge_ack_of_call(response, receiver_id)
            }
            Some(Err(_)) if channel.was_refused(&call.target) => {
                avoid(&call.target);
                call.otherwise.post(body, fresh, deadline)
            }
            Some(Err(status)) => judge_status(&status, receiver_id),
        }
    }

    fn line(&self, cancelled: Arc<dyn Fn() + Send + Sync>) -> Box<dyn Line> {
        const PATIENCE: Duration = Duration::from_secs(6);
        let call = &self.0;
        let otherwise = call.otherwise.line(Arc::clone(&cancelled));
        let deadline = Instant::now() + PATIENCE;
        let connect = acquire(&call.target, Purpose::Heartbeats, false, deadline);
        match call.runtime.block_on(connect) {
            Some(channel) => {
                Box::new(GrpcLine::new(Arc::clone(call), channel, cancelled, otherwise))
            }
            None => otherwise,
        }
    }
}

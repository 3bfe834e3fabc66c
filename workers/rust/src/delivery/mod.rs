//! Brings events to a receiver: one try over a route, what its answer means (the table of
//! ack.proto), and the tries after it.

mod answers;
mod connection;
mod endpoint;
mod http;
mod pool;
mod reporter;
mod response;
#[cfg(feature = "tls")]
mod tls;

use std::sync::Arc;
use std::time::Instant;

#[cfg(feature = "grpc")]
pub(crate) use answers::retry_after;
pub(crate) use answers::{Answer, Response, Verdict, judge, seconds};
pub(crate) use endpoint::Endpoint;
#[cfg(feature = "grpc")]
pub(crate) use endpoint::host_and_port;
pub(crate) use http::HttpRoute;
pub(crate) use pool::Pool;
pub(crate) use reporter::{Reporter, Undelivered, backoff};

/// What is sent of an event on every try.
pub(crate) struct Body {
    /// gRPC encodes it itself.
    #[cfg(feature = "grpc")]
    pub event: wove_proto::v1::Event,
    /// The event encoded for HTTP.
    pub data: Vec<u8>,
    pub content_type: &'static str,
    /// The event is never sent a second time.
    pub once: bool,
}

/// The way from one execution to its receiver.
pub(crate) trait Route: Send + Sync {
    /// One try. Having no answer is an answer too. With `fresh` it uses a new connection.
    fn post(&self, body: &Body, fresh: bool, deadline: Instant) -> Answer;

    /// A connection of its own, for heartbeats. `cancelled` is called, from any thread, when the
    /// receiver asks out of turn to stop the run.
    fn line(&self, cancelled: Arc<dyn Fn() + Send + Sync>) -> Box<dyn Line>;
}

/// A connection of its own, used by one thread.
pub(crate) trait Line: Send {
    /// As [`Route::post`].
    fn post(&mut self, body: &Body, fresh: bool, deadline: Instant) -> Answer;

    /// Whether the receiver can ask out of turn once there has been a heartbeat.
    fn pushes(&self) -> bool;

    /// What makes a try in another thread end at once, and every later one.
    fn breaker(&self) -> Box<dyn Fn() + Send + Sync>;
}

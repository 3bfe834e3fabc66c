//! The route of POST requests to the callback URL.

use std::sync::Arc;
use std::time::Instant;

use super::answers::{retry_after, seconds};
use super::pool::{Breaker, Pool};
use super::response::Raw;
use super::{Answer, Body, Endpoint, Line, Response, Route, judge};
use crate::USER_AGENT;
use crate::contract::read_ack;

#[derive(Clone)]
pub(crate) struct HttpRoute {
    endpoint: Endpoint,
    receiver_id: Option<String>,
    pool: Arc<Pool>,
}

impl HttpRoute {
    /// `receiver_id` is the payload's.
    pub(crate) fn new(endpoint: Endpoint, receiver_id: Option<String>, pool: Arc<Pool>) -> Self {
        Self { endpoint, receiver_id, pool }
    }

    fn head(&self, body: &Body) -> String {
        let Endpoint { path, authority, .. } = &self.endpoint;
        let receiver = match &self.receiver_id {
            // What no header can hold cannot be the id of a receiver that answers.
            Some(id) if id.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') => {
                format!("Wove-Receiver: {id}\r\n")
            }
            _ => String::new(),
        };
        format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n\
             Content-Type: {}\r\nContent-Length: {}\r\n{receiver}\r\n",
            body.content_type,
            body.data.len()
        )
    }

    fn post_over(&self, pool: &Pool, body: &Body, fresh: bool, deadline: Instant) -> Answer {
        if fresh {
            pool.renew();
        }
        let head = self.head(body);
        match pool.exchange(&self.endpoint, &head, &body.data, body.once, deadline) {
            Ok(found) => judge(understood(&found), self.receiver_id.as_deref()),
            Err(problem) => Answer::none(problem),
        }
    }
}

impl Route for HttpRoute {
    fn post(&self, body: &Body, fresh: bool, deadline: Instant) -> Answer {
        self.post_over(&self.pool, body, fresh, deadline)
    }

    fn line(&self, _cancelled: Arc<dyn Fn() + Send + Sync>) -> Box<dyn Line> {
        let breaker = Arc::new(Breaker::default());
        let pool = Pool::single(Arc::clone(&breaker));
        Box::new(HttpLine { route: self.clone(), pool, breaker })
    }
}

struct HttpLine {
    route: HttpRoute,
    pool: Pool,
    breaker: Arc<Breaker>,
}

impl Line for HttpLine {
    fn post(&mut self, body: &Body, fresh: bool, deadline: Instant) -> Answer {
        self.route.post_over(&self.pool, body, fresh, deadline)
    }

    fn pushes(&self) -> bool {
        false
    }

    fn breaker(&self) -> Box<dyn Fn() + Send + Sync> {
        let breaker = Arc::clone(&self.breaker);
        Box::new(move || breaker.trip())
    }
}

/// The answer's parts. A body that is no acknowledgement changes nothing.
fn understood(found: &Raw) -> Response {
    let ack = if found.body.trim_ascii_start().starts_with(b"{") {
        read_ack(&found.body).ok()
    } else {
        None
    };
    let asked = match found.header("Retry-After") {
        Some(text) => retry_after(text),
        None => seconds(ack.as_ref().and_then(|ack| ack.retry_after_seconds).unwrap_or_default()),
    };
    Response {
        status: found.status,
        text: format!("{} {}", found.status, found.reason).trim_end().to_owned(),
        answered_by: found.header("Wove-Receiver").map(str::to_owned),
        retry_after: asked,
        ack,
    }
}

//! Runs over gRPC, against a server of the same stubs.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use wove_proto::v1::event_service_server::{EventService, EventServiceServer};
use wove_proto::v1::{
    CancelTask, Event, EventAck, PublishEventRequest, PublishEventResponse, StreamEventsRequest,
    StreamEventsResponse, event::Frame, publish_event_request, stream_events_request,
    stream_events_response::Message,
};

use super::receiver::{ID, Receiver};
use super::{payload, worker};
use crate::{Encoding, Outcome};

/// Accepts everything but the first try of a result, and asks to stop after a heartbeat.
#[derive(Clone, Default)]
struct Server {
    events: Arc<Mutex<Vec<Event>>>,
}

impl Server {
    fn start(&self, runtime: &Runtime) -> String {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let service = EventServiceServer::new(self.clone());
        let serve = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(serve);
        format!("grpc://{address}/tok")
    }

    fn take<M>(&self, request: &Request<M>, event: Event) -> Result<EventAck, Status> {
        let header = |name| request.metadata().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("authorization"), Some("Bearer tok"));
        assert_eq!(header("wove-receiver"), Some(ID));
        let mut events = self.events.lock().expect("the events");
        events.push(event.clone());
        let same = events.iter().filter(|seen| seen.event_id == event.event_id).count();
        if matches!(event.frame, Some(Frame::TaskResult(_))) && same == 1 {
            let mut status = Status::unavailable("later");
            status.metadata_mut().insert("wove-receiver", ID.parse().expect("ASCII"));
            return Err(status);
        }
        Ok(EventAck { event_id: event.event_id, ..EventAck::default() })
    }

    fn count(&self, wanted: fn(&Frame) -> bool) -> usize {
        let events = self.events.lock().expect("the events");
        events.iter().filter_map(|event| event.frame.as_ref()).filter(|frame| wanted(frame)).count()
    }
}

fn named<M>(message: M) -> Response<M> {
    let mut response = Response::new(message);
    response.metadata_mut().insert("wove-receiver", ID.parse().expect("ASCII"));
    response
}

#[tonic::async_trait]
impl EventService for Server {
    async fn publish_event(
        &self,
        request: Request<PublishEventRequest>,
    ) -> Result<Response<PublishEventResponse>, Status> {
        let Some(publish_event_request::Body::Event(event)) = request.get_ref().body.clone() else {
            return Err(Status::invalid_argument("no event"));
        };
        let ack = Some(self.take(&request, event)?);
        Ok(named(PublishEventResponse { ack }))
    }

    type StreamEventsStream =
        Pin<Box<dyn Stream<Item = Result<StreamEventsResponse, Status>> + Send>>;

    async fn stream_events(
        &self,
        request: Request<Streaming<StreamEventsRequest>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let (answers, outgoing) = mpsc::channel(4);
        let server = self.clone();
        let (metadata, _, mut incoming) = request.into_parts();
        tokio::spawn(async move {
            while let Some(Ok(request)) = incoming.next().await {
                let Some(stream_events_request::Body::Event(event)) = request.body else {
                    return;
                };
                let mut call = Request::new(());
                *call.metadata_mut() = metadata.clone();
                let stop = CancelTask { run_id: event.run_id.clone(), ..CancelTask::default() };
                let ack = server.take(&call, event).expect("a heartbeat is accepted");
                for message in [Message::Ack(ack), Message::CancelTask(stop)] {
                    let response = StreamEventsResponse { message: Some(message) };
                    if answers.send(Ok(response)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(named(Box::pin(ReceiverStream::new(outgoing).map(|found| found))))
    }
}

#[test]
fn events_go_by_calls_and_are_retried() {
    let runtime = Runtime::new().expect("a runtime");
    let (receiver, server) = (Receiver::start(), Server::default());
    let more = json!({"callback_grpc": server.start(&runtime)});
    let worker = worker().with_encoding(Encoding::Grpc);
    let summary = worker.run(payload(&receiver, "add", more)).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Succeeded);
    assert_eq!(server.count(|frame| matches!(frame, Frame::TaskStarted(_))), 1);
    assert_eq!(server.count(|frame| matches!(frame, Frame::TaskResult(_))), 2);
    assert!(receiver.seen().is_empty());
}

#[test]
fn a_pushed_cancel_stops_the_task() {
    let runtime = Runtime::new().expect("a runtime");
    let (receiver, server) = (Receiver::start(), Server::default());
    let more = json!({
        "callback_grpc": server.start(&runtime), "accepts": ["heartbeat"],
        "delivery": {"delivery_heartbeat_seconds": 60},
    });
    let worker = worker().with_encoding(Encoding::Grpc);
    let summary = worker.run(payload(&receiver, "wait", more)).expect("delivered");
    assert_eq!(summary.outcome, Outcome::Cancelled);
    assert_eq!(server.count(|frame| matches!(frame, Frame::TaskCancelled(_))), 1);
}

#[test]
fn http_takes_over_where_there_is_no_channel() {
    // Taken, and silent: nobody accepts.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let receiver = Receiver::start();
    let began = Instant::now();
    let mut worker = worker().with_encoding(Encoding::Grpc);
    worker.limits.start = Duration::from_secs(60);
    for _ in 0..2 {
        // Binary over HTTP is what the scripted receiver does not read.
        let more = json!({
            "callback_grpc": format!("grpc://{address}/tok"), "receiver_id": null,
        });
        worker.run(payload(&receiver, "add", more)).expect("delivered");
    }
    assert_eq!(receiver.of("task_result").len(), 2);
    assert!(began.elapsed() < Duration::from_secs(20));
}

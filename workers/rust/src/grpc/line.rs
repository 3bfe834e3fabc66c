//! Heartbeats of one run on a call of StreamEvents.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::Stream;
use tonic::{Status, Streaming};
use wove_proto::v1::event_service_client::EventServiceClient;
use wove_proto::v1::{
    Event, EventAck, StreamEventsRequest, StreamEventsResponse, stream_events_request,
    stream_events_response,
};

use super::Call;
use super::answers::{judge_ack, judge_status, receiver_of};
use super::channels::{Channel, Purpose, acquire};
use crate::delivery::{Answer, Body, Line};

type Cancelled = Arc<dyn Fn() + Send + Sync>;

/// Opens another call when one has ended. Between its heartbeats it takes what the receiver
/// pushes.
pub(super) struct GrpcLine {
    call: Arc<Call>,
    channel: Arc<Channel>,
    cancelled: Cancelled,
    exchange: Option<Exchange>,
    /// Takes the heartbeats while there is no channel.
    otherwise: Box<dyn Line>,
    broken: watch::Sender<bool>,
}

impl GrpcLine {
    pub(super) fn new(
        call: Arc<Call>,
        channel: Arc<Channel>,
        cancelled: Cancelled,
        otherwise: Box<dyn Line>,
    ) -> Self {
        let broken = watch::Sender::new(false);
        Self { call, channel, cancelled, exchange: None, otherwise, broken }
    }

    /// The answer, and whether the stream is still of use.
    async fn send(&mut self, event: Event) -> Result<Answer, Answer> {
        let receiver_id = self.call.receiver_id.as_deref();
        let event_id = event.event_id.clone();
        let refused = |status: &Status| judge_status(status, receiver_id);
        let exchange = match &mut self.exchange {
            Some(exchange) => {
                exchange.send(event).await;
                exchange
            }
            none => {
                let opened = Exchange::open(&self.call, &self.channel, &self.cancelled, event);
                none.insert(opened.await.map_err(|status| refused(&status))?)
            }
        };
        let answer = exchange.answer(&event_id).await;
        answer
            .map(|ack| judge_ack(ack, exchange.receiver.as_ref(), receiver_id))
            .map_err(|status| refused(&status))
    }
}

impl Line for GrpcLine {
    fn post(&mut self, body: &Body, fresh: bool, deadline: Instant) -> Answer {
        let call = Arc::clone(&self.call);
        if self.exchange.as_ref().is_some_and(|found| found.reading.is_finished()) {
            self.exchange = None;
        }
        if fresh || self.exchange.is_none() && !self.channel.is_alive() {
            let connect = acquire(&call.target, Purpose::Heartbeats, fresh, deadline);
            match call.runtime.block_on(connect) {
                Some(channel) => (self.channel, self.exchange) = (channel, None),
                None => return self.otherwise.post(body, fresh, deadline),
            }
        }
        let mut broken = self.broken.subscribe();
        let send = async {
            tokio::select! {
                result = self.send(body.event.clone()) => result,
                _ = broken.wait_for(|broken| *broken) => Err(Answer::none("given up")),
            }
        };
        let result = call.wait(deadline, send);
        result.unwrap_or_else(|| Err(Answer::none("no answer in time"))).unwrap_or_else(|answer| {
            self.exchange = None;
            answer
        })
    }

    fn pushes(&self) -> bool {
        true
    }

    fn breaker(&self) -> Box<dyn Fn() + Send + Sync> {
        let (broken, otherwise) = (self.broken.clone(), self.otherwise.breaker());
        Box::new(move || {
            broken.send_replace(true);
            otherwise();
        })
    }
}

/// One call of StreamEvents. Dropping it ends the call.
struct Exchange {
    requests: mpsc::Sender<StreamEventsRequest>,
    acks: mpsc::Receiver<EventAck>,
    /// How the call ended.
    ended: Option<oneshot::Receiver<Status>>,
    reading: JoinHandle<()>,
    /// Who answers, by the call's metadata.
    receiver: Option<String>,
}

impl Exchange {
    /// Opens a call with its first event, which some receivers wait for before they answer.
    async fn open(
        call: &Call,
        channel: &Channel,
        cancelled: &Cancelled,
        first: Event,
    ) -> Result<Self, Status> {
        let (requests, queued) = mpsc::channel(4);
        let _ = requests.send(request(first)).await;
        let mut client = EventServiceClient::new(channel.grpc.clone());
        let outgoing: std::pin::Pin<Box<dyn Stream<Item = StreamEventsRequest> + Send>> =
            Box::pin(tokio_stream::wrappers::ReceiverStream::new(queued));
        let response = client.stream_events(call.request(outgoing)).await?;
        let receiver = receiver_of(response.metadata());
        let (acks_in, acks) = mpsc::channel(4);
        let (end, ended) = oneshot::channel();
        let (run_id, cancelled) = (call.run_id.clone(), Arc::clone(cancelled));
        let stream = response.into_inner();
        let reading = call.runtime.spawn(async move {
            let status = read(stream, acks_in, &run_id, &cancelled).await;
            let _ = end.send(status); // nobody may be waiting
        });
        Ok(Self { requests, acks, ended: Some(ended), reading, receiver })
    }

    async fn send(&self, event: Event) {
        // Where the call has ended, that is what its answer says.
        let _ = self.requests.send(request(event)).await;
    }

    async fn answer(&mut self, event_id: &str) -> Result<EventAck, Status> {
        while let Some(ack) = self.acks.recv().await {
            if ack.event_id.is_empty() || ack.event_id == event_id {
                return Ok(ack);
            } // else of a heartbeat that was given up
        }
        let over = || Status::unavailable("the call has ended");
        match self.ended.take() {
            Some(ended) => Err(ended.await.unwrap_or_else(|_| over())),
            None => Err(over()),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

fn request(event: Event) -> StreamEventsRequest {
    StreamEventsRequest { body: Some(stream_events_request::Body::Event(event)) }
}

/// Takes what comes down, until the call ends.
async fn read(
    mut stream: Streaming<StreamEventsResponse>,
    acks: mpsc::Sender<EventAck>,
    run_id: &str,
    cancelled: &Cancelled,
) -> Status {
    use stream_events_response::Message;
    loop {
        match stream.message().await {
            Ok(Some(StreamEventsResponse { message: Some(Message::Ack(ack)) })) => {
                if acks.send(ack).await.is_err() {
                    return Status::cancelled("the call was given up");
                }
            }
            Ok(Some(StreamEventsResponse { message: Some(Message::CancelTask(stop)) })) => {
                if stop.run_id == run_id {
                    cancelled();
                }
            }
            Ok(Some(_)) => {} // a message of a later version
            Ok(None) => return Status::unavailable("the call has ended"),
            Err(status) => return status,
        }
    }
}

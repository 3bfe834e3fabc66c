//! A receiver over HTTP that answers as a test has written.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

pub(super) const ID: &str = "rx-1";
pub(super) const TOKEN: &str = "s3cret-token";

/// The status line's number and more of the answer; 0 cuts the connection.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    headers: String,
    body: String,
}

pub(super) fn answer(status: u16) -> Answer {
    Answer { status, headers: format!("Wove-Receiver: {ID}\r\n"), body: String::new() }
}

impl Answer {
    pub(super) fn header(mut self, line: &str) -> Self {
        self.headers += &format!("{line}\r\n");
        self
    }

    /// As if a balancer had answered.
    pub(super) fn of_nobody(mut self) -> Self {
        self.headers.clear();
        self
    }

    pub(super) fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }
}

#[derive(Clone)]
pub(super) struct Seen {
    pub body: String,
    pub event: Value,
    /// Counts the connections.
    pub connection: usize,
}

impl Seen {
    pub(super) fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    scripts: HashMap<String, VecDeque<Answer>>,
}

pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let state = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let state = Arc::clone(&state);
                thread::spawn(move || serve(&stream, number, &state));
            }
        });
        Self { address, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/wove/events/{TOKEN}", self.address)
    }

    /// The answers to events of one type, one after the other; then 204.
    pub(super) fn script(&self, kind: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut state = self.shared.0.lock().expect("the state");
        state.scripts.insert(kind.to_owned(), answers.into_iter().collect());
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.shared.0.lock().expect("the state").seen.clone()
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.kind().to_owned()).collect()
    }

    pub(super) fn of(&self, kind: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.kind() == kind).collect()
    }

    pub(super) fn wait_for(&self, kind: &str) {
        let (state, changed) = &*self.shared;
        let missing = |state: &mut State| !state.seen.iter().any(|seen| seen.kind() == kind);
        let waited = changed.wait_timeout_while(
            state.lock().expect("the state"),
            Duration::from_secs(10),
            missing,
        );
        assert!(!waited.expect("the state").1.timed_out(), "no {kind} came");
    }
}

fn serve(stream: &TcpStream, connection: usize, shared: &(Mutex<State>, Condvar)) {
    let mut reader = BufReader::new(stream);
    while let Some(body) = request(&mut reader) {
        let event: Value = serde_json::from_str(&body).expect("flat JSON");
        let seen = Seen { body, event, connection };
        let answer = {
            let mut state = shared.0.lock().expect("the state");
            let script = state.scripts.get_mut(seen.kind());
            let answer = script.and_then(VecDeque::pop_front).unwrap_or_else(|| answer(204));
            state.seen.push(seen);
            answer
        };
        shared.1.notify_all();
        if answer.status == 0 {
            return;
        }
        let Answer { status, headers, body } = answer;
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status} Told\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        if (&mut &*stream).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of a request; none when there is no other.
fn request(reader: &mut impl BufRead) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

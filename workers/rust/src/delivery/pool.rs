//! Connections that are kept alive between requests.

use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Endpoint;
use super::connection::{Connection, Failure};
use super::response::Raw;

/// Connections of one kind. Any thread may use it.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    limit: usize,
    /// How long an idle connection is kept.
    kept: Option<Duration>,
    breaker: Option<Arc<Breaker>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Kept>,
    /// Counts the renewals; connections of an earlier one are not kept.
    generation: u64,
}

struct Kept {
    to: (String, u16, bool),
    since: Instant,
    connection: Connection,
}

impl Pool {
    /// The pool that all executions of a worker use.
    pub(crate) fn shared() -> Self {
        let kept = Some(Duration::from_secs(60));
        Self { idle: Mutex::default(), limit: 16, kept, breaker: None }
    }

    /// A pool of one connection that can be broken from another thread.
    pub(super) fn single(breaker: Arc<Breaker>) -> Self {
        Self { idle: Mutex::default(), limit: 1, kept: None, breaker: Some(breaker) }
    }

    /// Makes all later requests use new connections.
    pub(super) fn renew(&self) {
        let mut idle = self.lock();
        idle.generation += 1;
        idle.connections.clear();
    }

    /// Makes one request. One that is not to be sent twice is not; another whose kept connection
    /// turns out dead is sent on a new one, which says nothing about the receiver.
    pub(super) fn exchange(
        &self,
        to: &Endpoint,
        head: &str,
        body: &[u8],
        once: bool,
        deadline: Instant,
    ) -> Result<Raw, String> {
        loop {
            let generation = self.lock().generation;
            let mut connection = match self.take(to) {
                Some(found) => found,
                None => self.open(to, deadline).map_err(|error| error.to_string())?,
            };
            let kept = connection.used;
            match connection.exchange(head, body, deadline) {
                Ok(found) => {
                    if found.reusable {
                        self.put(to, connection, generation);
                    }
                    return Ok(found);
                }
                Err(Failure { silent: true, .. }) if kept && !once && Instant::now() < deadline => {
                }
                Err(failure) => return Err(failure.problem),
            }
        }
    }

    fn open(&self, to: &Endpoint, deadline: Instant) -> std::io::Result<Connection> {
        let connection = Connection::open(to, deadline)?;
        if let Some(breaker) = &self.breaker {
            breaker.watch(connection.tcp().try_clone()?);
        }
        Ok(connection)
    }

    fn take(&self, to: &Endpoint) -> Option<Connection> {
        let mut idle = self.lock();
        if let Some(kept) = self.kept {
            idle.connections.retain(|found| found.since.elapsed() < kept);
        }
        let key = key(to);
        while let Some(at) = idle.connections.iter().rposition(|found| found.to == key) {
            let found = idle.connections.swap_remove(at).connection;
            if found.is_alive() {
                return Some(found);
            }
        }
        None
    }

    fn put(&self, to: &Endpoint, connection: Connection, generation: u64) {
        let mut idle = self.lock();
        if idle.generation == generation {
            if idle.connections.len() >= self.limit {
                idle.connections.remove(0);
            }
            idle.connections.push(Kept { to: key(to), since: Instant::now(), connection });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(to: &Endpoint) -> (String, u16, bool) {
    (to.host.clone(), to.port, to.tls)
}

/// Ends what a connection is doing in another thread.
#[derive(Default)]
pub(super) struct Breaker(Mutex<(bool, Option<TcpStream>)>);

impl Breaker {
    fn watch(&self, tcp: TcpStream) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            let _ = tcp.shutdown(Shutdown::Both);
        }
        state.1 = Some(tcp);
    }

    /// Breaks the connection, and every later one.
    pub(super) fn trip(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(tcp) = &state.1 {
            let _ = tcp.shutdown(Shutdown::Both); // it may have ended
        }
    }
}

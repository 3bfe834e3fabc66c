//! This process's channels. Those of events are shared by all runs that report to one receiver,
//! and so are those of heartbeats.

use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::transport::{Endpoint, Uri};
use tower::service_fn;

use super::target::{Target, tls_config};
use super::watched::{State, Watched};

/// How long a channel may take to be made before HTTP is used instead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For how long an address is not tried again after that.
const AVOID_FOR: Duration = Duration::from_secs(60);
/// How long a channel is kept for the next run.
const LINGER_FOR: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Events,
    Heartbeats,
}

/// One connection. It is never made again: a new one is a new channel.
pub(super) struct Channel {
    pub grpc: tonic::transport::Channel,
    /// An event has been answered on it.
    pub answered: AtomicBool,
    state: watch::Receiver<State>,
}

impl Channel {
    pub(super) fn is_alive(&self) -> bool {
        *self.state.borrow() == State::Alive
    }

    /// Whether it has ended without an answer, over TLS: a server that wants another certificate
    /// of the worker says so only after the worker takes the channel for made.
    pub(super) fn was_refused(&self, to: &Target) -> bool {
        to.tls && !self.is_alive() && !self.answered.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Table {
    open: HashMap<(Target, Purpose), (Arc<Channel>, Instant)>,
    avoid: HashMap<Target, Instant>,
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

fn table() -> MutexGuard<'static, Table> {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    table.avoid.retain(|_, until| now < *until);
    table.open.retain(|_, (channel, used)| {
        channel.is_alive() && (Arc::strong_count(channel) > 1 || now < *used + LINGER_FOR)
    });
    table
}

/// A channel that is connected; with `fresh` a new one. None says to use HTTP, for which it
/// leaves time.
pub(super) async fn acquire(
    to: &Target,
    purpose: Purpose,
    fresh: bool,
    deadline: Instant,
) -> Option<Arc<Channel>> {
    let key = (to.clone(), purpose);
    {
        let mut table = table();
        if fresh {
            table.open.remove(&key);
        } else if let Some((channel, used)) = table.open.get_mut(&key) {
            *used = Instant::now();
            return Some(Arc::clone(channel));
        }
        if table.avoid.contains_key(to) {
            return None;
        }
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let patience = CONNECT_TIMEOUT.min(left / 2);
    let connected = tokio::time::timeout(patience, connect(to)).await.ok().flatten();
    let mut table = table();
    match connected {
        Some(channel) => {
            let channel = Arc::new(channel);
            table.open.insert(key, (Arc::clone(&channel), Instant::now()));
            Some(channel)
        }
        None => {
            drop(table);
            avoid(to);
            None
        }
    }
}

/// Makes HTTP the way for a while.
pub(super) fn avoid(to: &Target) {
    table().avoid.insert(to.clone(), Instant::now() + AVOID_FOR);
}

async fn connect(to: &Target) -> Option<Channel> {
    let (state, mut watching) = watch::channel(State::Silent);
    let state = Arc::new(state);
    let mut endpoint = Endpoint::from_shared(to.uri())
        .ok()?
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    if to.tls {
        let secured = tls_config().and_then(|config| {
            endpoint.tls_config(config).map_err(|error| {
                let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                format!("the files that WOVE_GRPC_* name: {why}")
            })
        });
        match secured {
            Ok(secured) => endpoint = secured,
            Err(problem) => {
                // Nobody else would learn that what is configured is not used.
                eprintln!("wove: no gRPC, events go by HTTP: {problem}");
                return None;
            }
        }
    }
    let address = (to.host.clone(), to.port);
    let connector = service_fn(move |_: Uri| {
        let (address, state) = (address.clone(), Arc::clone(&state));
        async move {
            if *state.borrow() != State::Silent {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            let tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            Ok(TokioIo::new(Watched::new(tcp, state)))
        }
    });
    let grpc = endpoint.connect_with_connector(connector).await.ok()?;
    let found = *watching.wait_for(|state| *state != State::Silent).await.ok()?;
    (found == State::Alive).then_some(Channel {
        grpc,
        answered: AtomicBool::new(false),
        state: watching,
    })
}

//! One connection of HTTP/1.1: a request, its answer, the next request.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::Endpoint;
use super::response::{self, Raw};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long sending may go without progress.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer may take that is looked for after the request could not be sent whole.
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(1);
const CHUNK: usize = 64 << 10;

pub(super) struct Connection {
    stream: Stream,
    /// It has carried a request before, so that it may have died meanwhile.
    pub used: bool,
}

enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<super::tls::TlsStream>),
}

/// Why there is no answer.
pub(super) struct Failure {
    pub problem: String,
    /// Nothing at all came back.
    pub silent: bool,
}

impl Connection {
    pub(super) fn open(to: &Endpoint, deadline: Instant) -> io::Result<Self> {
        let tcp = connect(to, deadline)?;
        tcp.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if to.tls {
            let stream = super::tls::wrap(tcp, &to.host)?;
            return Ok(Self { stream: Stream::Tls(Box::new(stream)), used: false });
        }
        Ok(Self { stream: Stream::Plain(tcp), used: false })
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => &stream.sock,
        }
    }

    /// Whether a kept connection can still be used: nothing has come, not even its end.
    pub(super) fn is_alive(&self) -> bool {
        let tcp = self.tcp();
        if tcp.set_nonblocking(true).is_err() {
            return false;
        }
        let quiet = matches!(
            tcp.peek(&mut [0]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock
        );
        tcp.set_nonblocking(false).is_ok() && quiet
    }

    /// Sends a request and reads its answer.
    pub(super) fn exchange(
        &mut self,
        head: &str,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Raw, Failure> {
        self.used = true;
        let mut limited = Limited { connection: self, deadline };
        match limited.send(head, body) {
            Ok(()) => response::read(&mut limited),
            Err(error) => {
                // A receiver that refuses a body early says so before it breaks the connection.
                limited.deadline = Instant::now() + LEFTOVER_TIMEOUT;
                let mut found = response::read(&mut limited)
                    .map_err(|_| Failure { problem: error.to_string(), silent: true })?;
                found.reusable = false;
                Ok(found)
            }
        }
    }
}

fn connect(to: &Endpoint, deadline: Instant) -> io::Result<TcpStream> {
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (to.host.as_str(), to.port).to_socket_addrs()? {
        let left = left(deadline)?;
        match TcpStream::connect_timeout(&address, left.min(CONNECT_TIMEOUT)) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    }
    Ok(left)
}

/// A connection whose every operation ends at the deadline.
pub(super) struct Limited<'a> {
    connection: &'a mut Connection,
    deadline: Instant,
}

impl Limited<'_> {
    fn send(&mut self, head: &str, body: &[u8]) -> io::Result<()> {
        if head.len() + body.len() <= CHUNK {
            return self.write_all(&[head.as_bytes(), body].concat()); // in one packet
        }
        self.write_all(head.as_bytes())?;
        body.chunks(CHUNK).try_for_each(|chunk| self.write_all(chunk))
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        let patience = left(self.deadline)?.min(STALL_TIMEOUT);
        self.connection.tcp().set_write_timeout(Some(patience))?;
        let result = match &mut self.connection.stream {
            Stream::Plain(tcp) => tcp.write_all(data),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => {
                // The handshake, which comes with the first write, also reads.
                stream.sock.set_read_timeout(Some(patience))?;
                stream.write_all(data).and_then(|()| stream.flush())
            }
        };
        result.map_err(in_words)
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.connection.tcp().set_read_timeout(Some(left(self.deadline)?))?;
        let result = match &mut self.connection.stream {
            Stream::Plain(tcp) => tcp.read(into),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.read(into),
        };
        result.map_err(in_words)
    }
}

fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
        }
        _ => error,
    }
}

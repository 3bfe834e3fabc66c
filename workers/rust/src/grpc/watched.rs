//! A connection that tells whether somebody is there at its other end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has come yet. A TCP connection alone says little: a balancer or a full backlog
    /// takes it, too.
    Silent,
    /// Something has come.
    Alive,
    /// It has ended.
    Ended,
}

pub(super) struct Watched {
    tcp: TcpStream,
    state: Arc<watch::Sender<State>>,
}

impl Watched {
    pub(super) fn new(tcp: TcpStream, state: Arc<watch::Sender<State>>) -> Self {
        Self { tcp, state }
    }

    fn end(&self) {
        self.state.send_replace(State::Ended);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let room = into.remaining() > 0;
        let polled = Pin::new(&mut self.tcp).poll_read(cx, into);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if into.filled().len() > before => {
                self.state.send_if_modified(|state| {
                    let first = *state == State::Silent;
                    if first {
                        *state = State::Alive;
                    }
                    first
                });
            }
            Poll::Ready(Ok(())) if !room => {}
            Poll::Ready(_) => self.end(),
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}

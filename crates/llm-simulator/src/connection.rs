//! A connection that can be broken off, and that knows when it wrote.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use http::Extensions;
use service_defaults::serve::Label;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::exchange::Exchange;

/// What the requests of a connection can do to it.
#[derive(Clone, Default)]
pub struct Connection(Arc<State>);

#[derive(Default)]
struct State {
    reset: AtomicBool,
    /// Whether `waiting` has anybody, so that a write needs no lock.
    watched: AtomicBool,
    waiting: Mutex<Vec<Exchange>>,
}

/// The connection's bytes.
pub struct ConnectionStream {
    stream: TcpStream,
    connection: Connection,
}

impl Connection {
    pub(crate) fn reset(&self) {
        self.0.reset.store(true, Ordering::Release);
    }

    /// Tells the exchange once the next bytes were written.
    pub(crate) fn note_next_write(&self, exchange: Exchange) {
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.push(exchange);
        self.0.watched.store(true, Ordering::Release);
    }

    fn note_written(&self) {
        if !self.0.watched.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for exchange in waiting.drain(..) {
            exchange.note_first_token_sent();
        }
    }
}

impl Label for Connection {
    fn put_on(&self, request: &mut Extensions) {
        request.insert(self.clone());
    }
}

impl ConnectionStream {
    pub(crate) fn new(stream: TcpStream) -> (Self, Connection) {
        let connection = Connection::default();
        let label = connection.clone();
        (Self { stream, connection }, label)
    }

    /// The error that ends a connection whose reset was asked for. Nothing that
    /// was not sent yet will be: closing sends a reset instead.
    fn check(&self) -> io::Result<()> {
        if self.connection.0.reset.load(Ordering::Acquire) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }

    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = written {
            self.connection.note_written();
        }
        written
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

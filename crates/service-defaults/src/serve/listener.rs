//! Where connections come from: a TCP listener, unless a test tool must meddle with them.

use std::{future::Future, io};

use http::Extensions;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

/// Something that connections arrive at.
pub trait Listener: Send + Sync + 'static {
    /// A connection's bytes.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// What its requests are told about it.
    type Label: Label;

    /// Waits for the next connection; dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Self::Label)>> + Send;
}

/// What every request of a connection carries.
pub trait Label: Send + Sync + Clone + 'static {
    /// Adds it to a request.
    fn put_on(&self, request: &mut Extensions);
}

impl Listener for TcpListener {
    type Stream = TcpStream;
    type Label = ();

    async fn accept(&self) -> io::Result<(TcpStream, ())> {
        let (stream, _) = TcpListener::accept(self).await?;
        // Without this a small last packet waits for the peer's delayed acknowledgement: 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        Ok((stream, ()))
    }
}

/// Nothing to tell.
impl Label for () {
    fn put_on(&self, _: &mut Extensions) {}
}

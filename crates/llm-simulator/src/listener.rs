//! The listener of a simulator: it can refuse connections, and reset those it took.

use std::{io, net::SocketAddr, sync::Arc};

use service_defaults::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use crate::{
    connection::{Connection, ConnectionStream},
    engine::Engine,
    faults::Refusing,
};

/// Listens on the address of a TCP listener, as long as the fault rules let it.
pub struct SimulatorListener {
    engine: Arc<Engine>,
    address: SocketAddr,
    /// Absent while connections are refused.
    socket: Mutex<Option<TcpListener>>,
}

impl SimulatorListener {
    pub(crate) fn new(listener: TcpListener, engine: Arc<Engine>) -> io::Result<Self> {
        Ok(Self {
            engine,
            address: listener.local_addr()?,
            socket: Mutex::new(Some(listener)),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, or nothing when the rules changed meanwhile.
    async fn try_accept(&self) -> io::Result<Option<TcpStream>> {
        let mut changes = self.engine.changes();
        let mut socket = self.socket.lock().await;
        let refusing = self.engine.settings().faults.refusing();
        if let Refusing::Until(end) = refusing {
            // Without a listening socket the kernel itself refuses.
            drop(socket.take());
            drop(tokio::time::timeout_at(end, changes.changed()).await);
            return Ok(None);
        }
        let listener = match socket.take() {
            Some(listener) => listener,
            None => TcpListener::bind(self.address).await?,
        };
        let listener = socket.insert(listener);
        let begins = async {
            match refusing {
                Refusing::From(begin) => tokio::time::sleep_until(begin).await,
                Refusing::Until(_) | Refusing::Never => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = listener.accept() => accepted.map(|(stream, _)| Some(stream)),
            _ = changes.changed() => Ok(None),
            () = begins => Ok(None),
        }
    }
}

impl Listener for SimulatorListener {
    type Stream = ConnectionStream;
    type Label = Connection;

    async fn accept(&self) -> io::Result<(ConnectionStream, Connection)> {
        loop {
            let Some(stream) = self.try_accept().await? else {
                continue;
            };
            if self.engine.resets_connection() {
                stream.set_zero_linger()?;
                continue;
            }
            // Without this a small last packet waits for the peer's delayed acknowledgement.
            stream.set_nodelay(true)?;
            return Ok(ConnectionStream::new(stream));
        }
    }
}

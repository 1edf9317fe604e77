//! A TCP proxy on loopback that delays, throttles, cuts, silences, resets or
//! refuses the connections to one upstream, and changes its ways while it runs.

mod behaviour;
mod connection;

pub use behaviour::{Behaviour, Mode};

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

/// Connections carried at once; more are closed unread. Each holds two sockets
/// and at most 8 MiB of delayed data.
pub const MAX_CONNECTIONS: usize = 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// After a failed attempt to accept: as long as the services wait.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running proxy; dropping it resets its connections and frees its port.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    ending: Arc<Notify>,
    accepting: tokio::task::JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy to `upstream` (`host:port`) on a free loopback port.
    ///
    /// # Errors
    /// No port can be bound.
    pub fn start(upstream: impl Into<String>) -> io::Result<Self> {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (behaviour, watched) = watch::channel(Behaviour::default());
        let ending = Arc::new(Notify::new());
        let door = Door {
            address,
            upstream: upstream.into(),
            ending: Arc::clone(&ending),
        };
        let accepting = tokio::spawn(accept(listener, door, watched));
        Ok(Self {
            address,
            behaviour,
            ending,
            accepting,
        })
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the behaviour of open connections and of those to come.
    pub fn set(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Closes the connections that are open; new ones behave as they did.
    pub fn end_connections(&self) {
        self.ending.notify_one();
    }

    /// Passes everything again.
    pub fn heal(&self) {
        self.set(Behaviour::default());
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Where connections come in, and where they go.
struct Door {
    address: SocketAddr,
    upstream: String,
    /// Told when the open connections are to end.
    ending: Arc<Notify>,
}

async fn accept(mut listener: TcpListener, door: Door, mut behaviour: watch::Receiver<Behaviour>) {
    let address = door.address;
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        if behaviour.borrow_and_update().mode == Mode::Refuse {
            match refuse(listener, address, &mut behaviour).await {
                Ok(reopened) => listener = reopened,
                Err(error) => {
                    tracing::error!(%error, %address, "cannot reopen the port");
                    return;
                }
            }
        }
        tokio::select! {
            changed = behaviour.changed() => if changed.is_err() { return },
            () = door.ending.notified() => connections.abort_all(),
            // Finished tasks are collected, so that the set does not grow.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                        let carried = connection::carry(client, door.upstream.clone(), behaviour.clone());
                        connections.spawn(hold(place, carried));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    pause().await;
                }
            },
        }
    }
}

/// Lets connections end: without file descriptors the next attempt fails at once, too.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no event for a free file descriptor"
)]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Closes the port and keeps it, unheard, until connections are wanted again.
async fn refuse(
    listener: TcpListener,
    address: SocketAddr,
    behaviour: &mut watch::Receiver<Behaviour>,
) -> io::Result<TcpListener> {
    drop(listener);
    let kept = bind(address)?;
    // An error means that the proxy is gone, and this task with it.
    drop(behaviour.wait_for(|now| now.mode != Mode::Refuse).await);
    kept.listen(BACKLOG)
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Connections of the closed listener may linger on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn hold(place: OwnedSemaphorePermit, connection: impl Future<Output = ()>) {
    connection.await;
    drop(place);
}

//! TLS in front of the models' vendor, whose handshakes can go wrong.

mod certificates;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use self::certificates::Certificates;
use crate::plan::Handshake;

/// Connections at once; as many as the API opens to one vendor.
const MAX_CONNECTIONS: usize = 512;

/// Both ends are on this machine.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// A server of HTTP that was sent a greeting of TLS.
const PLAIN_ANSWER: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What ends TLS; dropping it closes its connections and its port.
#[derive(Debug)]
pub(super) struct TlsFront {
    address: SocketAddr,
    handshakes: watch::Sender<Vec<Handshake>>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// Begins to listen, and leaves the certificate of who signs its own ones in a file, for those
    /// who are to trust it. What it takes goes on to `upstream` in the clear.
    ///
    /// # Errors
    /// No port is free, or no certificate can be made.
    pub(super) async fn start(upstream: SocketAddr, authority: &Path) -> anyhow::Result<Self> {
        let certificates = Certificates::new().context("certificates")?;
        std::fs::write(authority, &certificates.authority).context("the authority's file")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (handshakes, watched) = watch::channel(Vec::new());
        let front = Front {
            upstream,
            certificates,
        };
        let accepting = tokio::spawn(accept(listener, Arc::new(front), watched));
        Ok(Self {
            address,
            handshakes,
            accepting,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections meet these in turn; none of them: all is well. Open ones are closed.
    pub(super) fn set(&self, handshakes: Vec<Handshake>) {
        self.handshakes.send_replace(handshakes);
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Front {
    upstream: SocketAddr,
    certificates: Certificates,
}

async fn accept(
    listener: TcpListener,
    front: Arc<Front>,
    mut handshakes: watch::Receiver<Vec<Handshake>>,
) {
    let mut connections = JoinSet::new();
    let mut turn = 0_usize;
    loop {
        tokio::select! {
            // A connection that comes after a change meets it.
            biased;
            changed = handshakes.changed() => {
                if changed.is_err() { return }
                connections.abort_all();
                turn = 0;
            }
            // Finished ones are collected, so that the set does not grow.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // Without sockets no experiment means anything.
                let Ok((client, _)) = accepted else { return };
                let meant = handshakes.borrow().iter().cycle().nth(turn).copied();
                turn += 1;
                if connections.len() < MAX_CONNECTIONS {
                    connections.spawn(carry(client, meant, Arc::clone(&front)));
                }
            }
        }
    }
}

/// One connection to its end, whose errors are its client's business.
async fn carry(mut client: TcpStream, meant: Option<Handshake>, front: Arc<Front>) {
    let carried = async {
        let acceptor = match meant {
            Some(Handshake::Closed) => return greeted(&mut client).await,
            Some(Handshake::Silent) => {
                greeted(&mut client).await?;
                // Until the client gives up: what else it sends is not answered either.
                return tokio::io::copy(&mut client, &mut tokio::io::sink())
                    .await
                    .map(drop);
            }
            Some(Handshake::Plain) => {
                greeted(&mut client).await?;
                client.write_all(PLAIN_ANSWER).await?;
                return client.shutdown().await;
            }
            Some(Handshake::WrongName) => &front.certificates.wrong_name,
            Some(Handshake::Expired) => &front.certificates.expired,
            Some(Handshake::UnknownIssuer) => &front.certificates.unknown_issuer,
            None => &front.certificates.right,
        };
        pass(acceptor, client, front.upstream).await
    };
    drop(carried.await);
}

/// Waits for the first bytes: a socket that is closed with unread ones is reset.
async fn greeted(client: &mut TcpStream) -> std::io::Result<()> {
    let mut greeting = [0; 4_096];
    timeout(HANDSHAKE_DEADLINE, client.read(&mut greeting)).await??;
    Ok(())
}

async fn pass(
    acceptor: &TlsAcceptor,
    client: TcpStream,
    upstream: SocketAddr,
) -> std::io::Result<()> {
    let mut client = timeout(HANDSHAKE_DEADLINE, acceptor.accept(client)).await??;
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// What the API waits at most for a handshake, and then some.
    const LONG: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn a_silent_handshake_stays_open_and_says_nothing_until_all_is_well() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().expect("a directory");
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let authority = directory.path().join("authority.pem");
        let front = TlsFront::start(nobody, &authority).await.expect("a port");
        front.set(vec![Handshake::Silent]);
        let mut client = TcpStream::connect(front.address())
            .await
            .expect("a connection");
        client.write_all(b"a greeting").await.expect("to send");
        let mut answer = [0; 1];
        let silent = timeout(LONG, client.read(&mut answer)).await;
        assert!(silent.is_err(), "{silent:?}");
        front.set(Vec::new());
        let ended = timeout(HANDSHAKE_DEADLINE, client.read(&mut answer)).await;
        assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    }
}

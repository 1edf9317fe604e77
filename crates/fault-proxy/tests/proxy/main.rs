//! The proxy against a real echo server over real sockets.
#![expect(
    clippy::unwrap_used,
    reason = "in a test of sockets every failure is the test's"
)]

use std::{
    io::ErrorKind,
    net::SocketAddr,
    num::NonZeroU64,
    time::{Duration, Instant},
};

use fault_proxy::{Behaviour, FaultProxy, Mode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// No step of these tests takes nearly as long.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long nothing must happen to call it silence.
const QUIET: Duration = Duration::from_millis(300);

async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reads, mut writes) = stream.split();
                tokio::io::copy(&mut reads, &mut writes).await
            });
        }
    });
    address
}

async fn proxy() -> FaultProxy {
    FaultProxy::start(echo_server().await.to_string()).unwrap()
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends `bytes` and gives back as many, with the time that took.
async fn echo(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<(Vec<u8>, Duration)> {
    let started = Instant::now();
    let (mut reads, mut writes) = stream.split();
    let mut back = vec![0; bytes.len()];
    let both = async { tokio::try_join!(writes.write_all(bytes), reads.read_exact(&mut back)) };
    timeout(DEADLINE, both)
        .await
        .map_err(|_| ErrorKind::TimedOut)??;
    Ok((back, started.elapsed()))
}

#[tokio::test]
async fn passes_every_byte_and_the_end_of_a_stream() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (back, _) = echo(&mut stream, &sent).await.unwrap();
    assert!(back == sent, "bytes changed on the way");
    stream.shutdown().await.unwrap();
    let rest = timeout(DEADLINE, stream.read(&mut [0; 1])).await.unwrap();
    assert_eq!(rest.unwrap(), 0);
}

#[tokio::test]
async fn open_connections_can_be_ended_and_new_ones_pass() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream, b"before").await.unwrap();
    proxy.end_connections();
    let end = timeout(DEADLINE, stream.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    let (back, _) = echo(&mut connect(&proxy).await, b"after").await.unwrap();
    assert_eq!(back, b"after");
}

#[tokio::test]
async fn latency_delays_without_slowing_down() {
    let proxy = proxy().await;
    proxy.set(Behaviour {
        latency_ms: 50,
        jitter_ms: 5,
        ..Behaviour::default()
    });
    let mut stream = connect(&proxy).await;
    let (_, ping) = echo(&mut stream, b"ping").await.unwrap();
    assert!(ping >= Duration::from_millis(100), "{ping:?}");
    // 64 pieces one after the other would take 6 seconds.
    let (_, bulk) = echo(&mut stream, &vec![7; 1 << 20]).await.unwrap();
    assert!(bulk < Duration::from_secs(3), "{bulk:?}");
}

#[tokio::test]
async fn bandwidth_is_limited() {
    let proxy = proxy().await;
    let bytes_per_second = NonZeroU64::new(100_000);
    proxy.set(Behaviour {
        bytes_per_second,
        ..Behaviour::default()
    });
    let (_, took) = echo(&mut connect(&proxy).await, &[7; 40_000])
        .await
        .unwrap();
    assert!(took >= Duration::from_millis(380), "{took:?}");
}

#[tokio::test]
async fn a_cut_comes_after_exactly_so_many_bytes() {
    let proxy = proxy().await;
    proxy.set(Behaviour {
        cut_after_bytes: Some(1234),
        ..Behaviour::default()
    });
    let mut stream = connect(&proxy).await;
    stream.write_all(&[7; 5000]).await.unwrap();
    let mut back = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut back))
        .await
        .unwrap();
    // The unread rest of the request may turn the end into a reset.
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    assert_eq!(back.len(), 1234);
}

#[tokio::test]
async fn silence_keeps_connections_open_and_is_healed() {
    let proxy = proxy().await;
    let mut old = connect(&proxy).await;
    echo(&mut old, b"before").await.unwrap();
    proxy.set(Behaviour::mode(Mode::Silent));
    let mut new = connect(&proxy).await;
    for stream in [&mut old, &mut new] {
        stream.write_all(b"hello").await.unwrap();
        assert!(
            timeout(QUIET, stream.read(&mut [0; 8])).await.is_err(),
            "not silent"
        );
    }
    proxy.heal();
    for stream in [&mut old, &mut new] {
        let mut back = [0; 5];
        timeout(DEADLINE, stream.read_exact(&mut back))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&back, b"hello");
    }
}

#[tokio::test]
async fn reset_ends_open_and_new_connections() {
    let proxy = proxy().await;
    let mut old = connect(&proxy).await;
    echo(&mut old, b"before").await.unwrap();
    proxy.set(Behaviour::mode(Mode::Reset));
    let mut new = connect(&proxy).await;
    for stream in [&mut old, &mut new] {
        let read = timeout(DEADLINE, stream.read(&mut [0; 8])).await.unwrap();
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    proxy.heal();
    echo(&mut connect(&proxy).await, b"after").await.unwrap();
}

#[tokio::test]
async fn refusal_closes_the_port_and_healing_reopens_it() {
    let proxy = proxy().await;
    let mut old = connect(&proxy).await;
    echo(&mut old, b"before").await.unwrap();
    proxy.set(Behaviour::mode(Mode::Refuse));
    assert!(
        timeout(DEADLINE, old.read(&mut [0; 8]))
            .await
            .unwrap()
            .is_err()
    );
    until(async || match TcpStream::connect(proxy.address()).await {
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
        Ok(_) => false,
    })
    .await;
    proxy.heal();
    until(async || TcpStream::connect(proxy.address()).await.is_ok()).await;
    echo(&mut connect(&proxy).await, b"after").await.unwrap();
}

#[tokio::test]
async fn a_missing_upstream_resets_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let proxy = FaultProxy::start(nobody.to_string()).unwrap();
    let read = timeout(DEADLINE, connect(&proxy).await.read(&mut [0; 8]))
        .await
        .unwrap();
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// Polls a condition that has no event of its own.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let poll = async {
        let mut interval = tokio::time::interval(Duration::from_millis(10));
        while !condition().await {
            interval.tick().await;
        }
    };
    timeout(DEADLINE, poll).await.unwrap();
}

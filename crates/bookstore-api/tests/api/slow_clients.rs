//! Clients that send slowly or nothing: closed in time, and nobody else waits for them.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    test_api::{Setup, TestApi},
    wire::{replies, rest, status},
};

/// The API's limits are ten seconds; the rest is room for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);

/// Sends a beginning and gives what came until the API closed, which must be in time.
async fn begin(api: &TestApi, bytes: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    let mut connection = TcpStream::connect(api.address()).await?;
    connection.write_all(bytes.as_bytes()).await?;
    let reply = rest(&mut connection).await?;
    ensure!(
        began.elapsed() < CLOSED_WITHIN,
        "closed after {:?}",
        began.elapsed()
    );
    Ok(reply)
}

#[tokio::test]
async fn silent_connections_and_half_requests_are_closed() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let head =
        "POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = format!("{head}Content-Length: 100\r\n\r\n{{\"title\":");
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"a");
    let caller = api.caller()?;
    let (silent, word, half, body, chunk, others) = tokio::join!(
        begin(&api, ""),
        begin(&api, "GET"),
        begin(&api, head),
        begin(&api, &body),
        begin(&api, &chunk),
        async {
            for n in 0..20 {
                caller.create_book(&format!("Book {n}")).await?;
            }
            anyhow::Ok(())
        }
    );
    others?;
    for nothing in [silent?, word?, half?] {
        // There is no request to answer; hyper may still say what it waited for.
        assert!(matches!(status(&nothing), 0 | 408), "{nothing}");
    }
    for late in [body?, chunk?] {
        assert_eq!(status(&late), 408, "{late}");
        assert!(late.contains("application/problem+json"), "{late}");
        assert_eq!(replies(&late), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_full_house_makes_others_wait_and_not_fail() -> anyhow::Result<()> {
    let api = Setup::default()
        .with("BOOKSTORE_MAX_CONNECTIONS", "4")
        .start()
        .await?;
    // The probe's connection that made it ready is kept by a client that is gone by now.
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(api.address()).await?);
    }
    let caller = api.caller()?;
    let request = caller.create_book("T");
    tokio::pin!(request);
    // The idle ones are closed after their ten seconds, or by us now: either way it gets its turn.
    let early = tokio::time::timeout(Duration::from_millis(300), &mut request).await;
    assert!(early.is_err(), "nobody waited for a place");
    drop(idle);
    request.await?;
    Ok(())
}

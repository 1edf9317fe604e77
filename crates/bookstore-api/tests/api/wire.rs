//! HTTP by hand: bytes that no client library would send.

use std::time::Duration;

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than any limit of the API for a connection that asked to be closed.
const DEADLINE: Duration = Duration::from_secs(30);

/// Sends bytes and reads until the API closes the connection.
pub(crate) async fn exchange(address: &str, request: &[u8]) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    // An API that has seen enough closes before it has read everything; its reply says why.
    drop(connection.write_all(request).await);
    rest(&mut connection).await
}

/// Everything that comes until the API closes the connection.
pub(crate) async fn rest(connection: &mut TcpStream) -> anyhow::Result<String> {
    let mut reply = Vec::new();
    let read = async {
        let mut part = [0; 4_096];
        // A reset after the reply is an end as well: the API closes without reading the rest.
        while let Ok(length @ 1..) = connection.read(&mut part).await {
            reply.extend(part.iter().take(length));
        }
    };
    timeout(DEADLINE, read)
        .await
        .context("the connection is still open")?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// The status of the first reply in `text`; 0 without one.
pub(crate) fn status(text: &str) -> u16 {
    let status = text.strip_prefix("HTTP/1.1 ");
    status
        .and_then(|rest| rest.split(' ').next())
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

/// How many replies `text` has.
pub(crate) fn replies(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

//! The simulator and the fault proxy, started together: a client reaches the
//! one through the other until the other lets nothing pass.

use std::time::Duration;

use test_support::fault_proxy::{Behaviour, Mode};
use test_support::{fault_proxy, http, redis, simulator, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a change of the proxy's behaviour may take.
const SOON: Duration = Duration::from_secs(10);

/// How long silence must last to count as silence.
const SILENCE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn the_simulator_is_reached_through_the_proxy_until_it_refuses() -> anyhow::Result<()> {
    let simulator = simulator().await?;
    let proxy = fault_proxy(simulator.address().to_string())?;
    let url = format!("http://{}/", proxy.address());
    let greeting = http::client()?.get(&url).send().await?.text().await?;
    assert!(greeting.contains("Ollama is running"), "{greeting}");

    // The proxy closes and opens its port in its own time.
    proxy.set(Behaviour::mode(Mode::Refuse));
    wait::until("the proxy refuses", SOON, async || {
        let reply = http::client()?.get(&url).send().await;
        anyhow::ensure!(reply.is_err(), "it still answers");
        Ok(())
    })
    .await?;
    proxy.heal();
    let healed = wait::until("the proxy lets pass", SOON, async || {
        Ok(http::client()?.get(&url).send().await?)
    });
    assert_eq!(healed.await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn an_open_connection_falls_silent() -> anyhow::Result<()> {
    let redis = redis().await?;
    let proxy = fault_proxy(format!("127.0.0.1:{}", redis.port()))?;
    let mut connection = TcpStream::connect(proxy.address()).await?;
    let mut reply = [0; 7];
    connection.write_all(b"PING\r\n").await?;
    connection.read_exact(&mut reply).await?;
    assert_eq!(&reply, b"+PONG\r\n");

    proxy.set(Behaviour::mode(Mode::Silent));
    wait::until("the connection is silent", SOON, async || {
        connection.write_all(b"PING\r\n").await?;
        let answer = timeout(SILENCE, connection.read_exact(&mut reply)).await;
        anyhow::ensure!(answer.is_err(), "it still answers");
        Ok(())
    })
    .await?;
    Ok(())
}

//! The events over a WebSocket.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::test_service::{RUN_DEADLINE, TestService};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::test]
async fn a_client_joins_and_leaves_runs() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut socket = connect(&service, "").await?;
    say(&mut socket, &json!({"type": "joinAll"})).await?;
    say(&mut socket, &json!({"type": "joinTest", "test": "0"})).await?;
    let refused = hear(&mut socket).await?;
    assert_eq!(
        (&refused["type"], &refused["data"]["status"]),
        (&json!("error"), &json!(404))
    );
    say(&mut socket, &json!({"type": "subscribe"})).await?;
    assert_eq!(hear(&mut socket).await?["data"]["status"], 400);

    let id = service.begin(&short()).await?;
    let first = hear(&mut socket).await?;
    assert_eq!(first["data"]["testId"], id.as_str(), "{first}");
    assert!(first.get("id").is_none(), "{first}");
    say(&mut socket, &json!({"type": "leaveAll"})).await?;
    service.wait_for_end(&id).await?;

    say(
        &mut socket,
        &json!({"type": "joinTest", "test": id, "after": 1}),
    )
    .await?;
    let mut seen = Vec::new();
    loop {
        let event = hear(&mut socket).await?;
        // What was under way when the group of all runs was left has no id.
        let Some(number) = event["id"].as_u64() else {
            continue;
        };
        seen.push(number);
        if event["type"] == "end" {
            break;
        }
    }
    assert!(seen.len() > 2 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.first(), Some(&2));
    Ok(())
}

#[tokio::test]
async fn a_run_in_the_address_is_joined_at_once() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin(&short()).await?;
    let mut socket = connect(&service, &format!("?test={id}")).await?;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&json!("end")) {
        kinds.push(hear(&mut socket).await?["type"].clone());
    }
    assert!(kinds.contains(&json!("TestStarted")), "{kinds:?}");
    assert!(kinds.contains(&json!("TestCompleted")), "{kinds:?}");
    Ok(())
}

/// Browsers ask no other site before they open one.
#[tokio::test]
async fn pages_of_other_sites_get_none() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let host = service.base_url.trim_start_matches("http://").to_owned();
    for (origin, admitted) in [
        (format!("http://{host}"), true),
        ("http://evil.example".to_owned(), false),
        (format!("http://{host}.evil.example"), false),
        ("null".to_owned(), false),
    ] {
        let mut request = address(&service, "").into_client_request()?;
        request.headers_mut().insert("origin", origin.parse()?);
        match connect_async(request).await {
            Ok(_) => assert!(admitted, "{origin}"),
            Err(Error::Http(reply)) => {
                assert!(!admitted, "{origin}");
                assert_eq!(reply.status(), 403);
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn short() -> Value {
    json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "2s"}})
}

fn address(service: &TestService, query: &str) -> String {
    let base = service.base_url.replacen("http", "ws", 1);
    format!("{base}/performance-hub{query}")
}

async fn connect(service: &TestService, query: &str) -> anyhow::Result<Socket> {
    Ok(connect_async(address(service, query)).await?.0)
}

async fn say(socket: &mut Socket, message: &Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// The next message with text.
async fn hear(socket: &mut Socket) -> anyhow::Result<Value> {
    loop {
        let message = timeout(RUN_DEADLINE, socket.next()).await?;
        match message.ok_or_else(|| anyhow::anyhow!("the connection ended"))?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            _ => continue,
        }
    }
}

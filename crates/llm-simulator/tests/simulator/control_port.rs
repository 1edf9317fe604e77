//! The controls on an address of their own, while the other one refuses connections.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::json;
use tokio::time::timeout;

use crate::client::{DEADLINE, json};

/// A refusal without a window lasts longer.
const BEFORE_ITS_END: Duration = Duration::from_secs(8);

/// A simulator as a process, which is ended with the test.
struct Process(Child);

impl Process {
    #[expect(
        clippy::disallowed_methods,
        reason = "the setting is read by the process; test-support stands above this crate"
    )]
    fn start(models: &str, controls: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_llm-simulator"))
            .env_clear()
            .env("SIMULATOR_HTTP_ADDR", models)
            .env("SIMULATOR_CONTROL_ADDR", controls)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Two addresses that nobody listens on.
fn free_addresses() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}

/// Waits until a request to the address is answered, or is refused.
async fn wait_until(client: &Client, address: &str, path: &str, answered: bool) {
    let asked = async {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        loop {
            interval.tick().await;
            let reply = client.get(format!("http://{address}{path}")).send().await;
            match reply {
                Ok(reply) if answered => break assert_eq!(reply.status(), 200),
                Err(error) if !answered && error.is_connect() => break,
                _ => {}
            }
        }
    };
    timeout(DEADLINE, asked).await.unwrap();
}

#[tokio::test]
async fn the_controls_are_reachable_while_connections_are_refused() {
    drop(rustls::crypto::ring::default_provider().install_default());
    // A kept connection would not meet the listener.
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let client = builder.timeout(DEADLINE).build().unwrap();
    let [models, controls] = free_addresses();
    let _process = Process::start(&models, &controls);
    wait_until(&client, &controls, "/control/seed", true).await;
    wait_until(&client, &models, "/control/seed", true).await;
    let other = client.get(format!("http://{controls}/api/version"));
    assert_eq!(other.send().await.unwrap().status(), 404);

    let set = |rules| {
        let request = client.put(format!("http://{controls}/control/faults"));
        json(request.json(&json!({"rules": rules})))
    };
    let begun = Instant::now();
    let (status, shown) = set(json!([{"fault": {"refused": {}}}])).await;
    assert_eq!(
        (status, &shown["rules"][0]["window"]["toMs"]),
        (200, &json!(10_000))
    );
    wait_until(&client, &models, "/api/version", false).await;
    let (status, _) = set(json!([])).await;
    assert_eq!(status, 200);
    wait_until(&client, &models, "/api/version", true).await;
    assert!(begun.elapsed() < BEFORE_ITS_END, "{:?}", begun.elapsed());
}

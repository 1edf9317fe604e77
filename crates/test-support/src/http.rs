//! HTTP as a test needs it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::de::DeserializeOwned;

/// Longer than any deadline of the services, so that a test sees their answer
/// and not its own impatience; short enough that a hang fails the test.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Loopback connects at once or never.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client for loopback: no proxy, no redirects, with timeouts.
///
/// # Errors
/// When the client cannot be built.
pub fn client() -> anyhow::Result<reqwest::Client> {
    builder().build().context("an HTTP client")
}

/// The same whose every call goes to a Unix socket, by a connection of its own: tests on several
/// runtimes may share it.
pub(crate) fn over_socket(socket: &Path) -> anyhow::Result<reqwest::Client> {
    let client = builder()
        .unix_socket(socket)
        .pool_max_idle_per_host(0)
        .build();
    client.context("an HTTP client")
}

fn builder() -> reqwest::ClientBuilder {
    // `Err` says that a provider is installed already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
}

/// Reads a JSON document; any status but 200 is an error that quotes the body.
pub(crate) async fn get_json<T: DeserializeOwned>(
    client: &reqwest::Client,
    url: &str,
    query: &[(&str, &str)],
) -> anyhow::Result<T> {
    let full = reqwest::Url::parse_with_params(url, query)?;
    let response = client.get(full).send().await?;
    let status = response.status();
    let body: String = response.text().await?;
    ensure!(status.as_u16() == 200, "{url} answered {status}: {body}");
    serde_json::from_str(&body).with_context(|| format!("{url} answered {body}"))
}

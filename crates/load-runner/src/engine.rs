//! A container engine that speaks Docker's API over its Unix socket, as far as load in
//! containers needs it.
//!
//! One connection for each call, HTTP/1.1 and no TLS: who may open the socket is the file system's
//! matter. Calls name no version of the API, so that an engine answers by its own.

mod container;
mod output;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::time::timeout;

pub(crate) use self::container::Container;
pub(crate) use self::output::copy_log;

/// Making a container copies the files of its image where the storage driver knows no layers.
const CALL_DEADLINE: Duration = Duration::from_secs(60);

/// The description of a container has some 10 KB; lists of ours hold one entry per k6.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Characters of a refusal that an error quotes.
const MAX_REASON: usize = 600;

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Engine {
    socket: PathBuf,
}

/// Why an engine did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No answer.
    #[error("the container engine at {socket} does not answer: {reason}")]
    Unreachable {
        /// Its socket.
        socket: String,
        /// What happened.
        reason: String,
    },
    /// It refuses.
    #[error("the container engine refuses ({status}): {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its own words.
        reason: String,
    },
    /// An answer that is not as its documentation has it.
    #[error("the container engine's answer cannot be read: {0}")]
    Unreadable(String),
}

impl Engine {
    pub(crate) const fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), EngineError> {
        self.call(Method::GET, "/_ping", None).await.map(drop)
    }

    /// Removes every container whose labels say this, also those that run. Gives how many.
    pub(crate) async fn remove_labelled(&self, labels: &[String]) -> Result<usize, EngineError> {
        let found = self.labelled(labels).await?;
        for container in &found {
            container.remove().await?;
        }
        Ok(found.len())
    }

    /// Every container whose labels say this, as `name=value`, in whatever state.
    pub(crate) async fn labelled(&self, labels: &[String]) -> Result<Vec<Container>, EngineError> {
        let filters = json!({"label": labels}).to_string();
        let path = format!("/containers/json?all=true&filters={}", encoded(&filters));
        let listed: Vec<container::Listed> = self.ask(Method::GET, &path, None).await?;
        let of = |listed| Container::found(self.clone(), listed);
        Ok(listed.into_iter().map(of).collect())
    }

    /// A call whose answer is a JSON document.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, EngineError> {
        let answer = self.call(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| EngineError::Unreadable(error.to_string()))
    }

    /// A call with a short answer.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, EngineError> {
        let answered = async { self.whole(self.open(method, path, body).await?).await };
        let late = |_| self.unreachable(format!("no answer within {CALL_DEADLINE:?}"));
        timeout(CALL_DEADLINE, answered).await.map_err(late)?
    }

    /// A call whose answer goes on for as long as a container runs. What is not 2xx is an error.
    async fn open(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, EngineError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.unreachable(error.to_string()))?;
        let broken = |error: hyper::Error| self.unreachable(error.to_string());
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(broken)?;
        // It ends with the answer, or with whoever reads it. What breaks it shows there.
        tokio::spawn(async move { drop(connection.await) });
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::new(Full::new(Bytes::from(text)));
        *request.method_mut() = method;
        *request.uri_mut() = path
            .parse()
            .map_err(|error| EngineError::Unreadable(format!("{path}: {error}")))?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = sender.send_request(request).await.map_err(broken)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let reason = reason(&self.whole(answer).await?);
        Err(EngineError::Refused { status, reason })
    }

    async fn whole(&self, answer: Response<Incoming>) -> Result<Bytes, EngineError> {
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| self.unreachable(error.to_string()))?;
        Ok(body.to_bytes())
    }

    fn unreachable(&self, reason: String) -> EngineError {
        EngineError::Unreachable {
            socket: self.socket.display().to_string(),
            reason,
        }
    }
}

impl EngineError {
    /// The container or image is not there.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

/// The sentence in `{"message": …}`.
fn reason(answer: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let text = match serde_json::from_slice::<Refusal>(answer) {
        Ok(refusal) => refusal.message,
        Err(_) => String::from_utf8_lossy(answer).into_owned(),
    };
    text.trim().chars().take(MAX_REASON).collect()
}

/// Percent-encoded for a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_quoted_and_queries_encoded() {
        assert_eq!(
            reason(br#"{"message":"No such image: x"}"#),
            "No such image: x"
        );
        assert_eq!(reason(b" <html> "), "<html>");
        assert_eq!(reason(&[b'x'; 5_000]).len(), MAX_REASON);
        assert_eq!(
            encoded(r#"{"a b":["ö"]}"#),
            "%7B%22a%20b%22%3A%5B%22%C3%B6%22%5D%7D"
        );
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_named() {
        let error = Engine::at("/nowhere/docker.sock".into()).ping().await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/docker.sock does not answer"),
            "{error}"
        );
    }
}

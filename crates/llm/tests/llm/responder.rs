//! A server that sends exactly the bytes of a script, then closes or falls silent.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// What one connection gets.
#[derive(Clone)]
pub(crate) enum Script {
    /// These bytes, then the end of the connection.
    Close(Vec<u8>),
    /// These bytes, then silence until the client leaves.
    Silence(Vec<u8>),
}

/// A listening server; gone when dropped.
pub(crate) struct Responder {
    base: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<String>>,
    left: AtomicUsize,
    client_left: Notify,
}

impl Responder {
    /// Serves the scripts, one a connection, the last one again and again.
    pub(crate) async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            let mut scripts = scripts.into_iter().peekable();
            while let Ok((stream, _)) = listener.accept().await {
                let script = match scripts.len() {
                    1 => scripts.peek().cloned(),
                    _ => scripts.next(),
                };
                let script = script.expect("at least one script");
                tokio::spawn(serve(stream, script, Arc::clone(&shared)));
            }
        });
        Self {
            base,
            state,
            serving,
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The requests received, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().expect("not poisoned").clone()
    }

    /// Waits until a client has closed a silent connection.
    pub(crate) async fn client_left(&self) {
        while self.state.left.load(Ordering::SeqCst) == 0 {
            self.state.client_left.notified().await;
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Script, state: Arc<State>) {
    let request = read_request(&mut stream).await;
    state.requests.lock().expect("not poisoned").push(request);
    match script {
        Script::Close(bytes) => {
            // The client may leave before the last byte; what it saw is what is tested.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
        }
        Script::Silence(bytes) => {
            drop(stream.write_all(&bytes).await);
            let mut rest = Vec::new();
            drop(stream.read_to_end(&mut rest).await);
            state.left.fetch_add(1, Ordering::SeqCst);
            state.client_left.notify_one();
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            length.is_some_and(|length| body.len() >= length.parse().expect("a length"))
        });
        if complete || stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return String::from_utf8_lossy(&request).into_owned();
        }
    }
}

/// A response whose body ends with the connection.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

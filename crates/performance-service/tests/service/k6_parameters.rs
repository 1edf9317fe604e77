//! What reaches k6 of a request, as one table: the row "k6 params" of the bad inputs that this
//! service is held to. What k6 must not get is refused with the field that held it; what is data
//! arrives as it was sent, in real k6 and on the pages, and does nothing there.

mod rows;

use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use reqwest::StatusCode;
use serde_json::{Value, json};

use self::rows::{Answer, rows};
use crate::test_service::TestService;

/// Tells the target what it was given, and what came of asking elsewhere.
const SCRIPT: &str = r"
import http from 'k6/http';

export const options = { vus: 1, iterations: 1, hosts: { 'private.test': '127.0.0.2' } };

export default function () {
  const port = __ENV.BASE_URL.split(':').pop();
  const elsewhere = {};
  for (const host of [
    '127.0.0.2', '2130706434', '0x7f000002', '017700000002', '0177.0.0.2', '[::1]', '[::ffff:127.0.0.2]',
    '169.254.169.254', '2852039166', 'private.test', 'user:secret@127.0.0.2',
  ]) {
    elsewhere[host] = http.get(`http://${host}:${port}/told`, { timeout: '2s' }).error_code;
  }
  elsewhere.database = http.get('http://127.0.0.1:27017/', { timeout: '2s' }).error_code;
  elsewhere.redirect = http.get(`${__ENV.BASE_URL}/redirect`, { timeout: '2s', redirects: 1 }).error_code;
  http.post(`${__ENV.BASE_URL}/told`, JSON.stringify({ environment: __ENV, elsewhere }));
}
";

/// Addresses that the script asks and must not reach.
const ELSEWHERE: usize = 13;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_data_stays_data_and_the_rest_is_refused() -> anyhow::Result<()> {
    let told = ToldTarget::start().await?;
    let scripts = scripts()?;
    let directory = scripts.path().join("k6").display().to_string();
    let targets = format!("local={}", told.base_url);
    let service = TestService::start_with(&[
        ("PERFORMANCE_TARGETS", &targets),
        ("PERFORMANCE_SCRIPTS_DIR", &directory),
    ])
    .await?;
    let mut runs = 0_usize;
    let rows = rows(told.port);
    let all = rows.len();
    for (what, body, answer) in rows {
        let checked = match answer {
            Answer::Refused(status, field) => refused(&service, body, status, field).await,
            Answer::Data(text) => {
                runs += 1;
                arrives(&service, &told, body, (runs, text)).await
            }
            Answer::Target => {
                runs += 1;
                runs_to_its_end(&service, body, runs).await.map(drop)
            }
        };
        checked.with_context(|| what)?;
    }
    let made = service.get_json("/api/v1/performancetest/tests").await?;
    assert_eq!(
        made.as_array().map(Vec::len),
        Some(runs),
        "what is refused makes no run"
    );
    println!(
        "k6 params: {all} values, {} refused, {runs} arrived verbatim",
        all - runs
    );
    check_what_was_told(&told, runs)
}

async fn refused(
    service: &TestService,
    mut body: Value,
    status: u16,
    field: &str,
) -> anyhow::Result<()> {
    if body["testScript"].is_null() {
        body["testScript"] = json!("tests/told.js");
    }
    let reply = service.ask(&body).await?;
    let found = reply.status();
    let text = reply.text().await?;
    ensure!(found == status, "{found}: {text}");
    let problem: Value = serde_json::from_str(&text)?;
    let detail = problem["detail"].as_str().unwrap_or_default();
    let named = problem["errors"][field].is_array() || (status == 403 && detail.contains(field));
    ensure!(named, "{text}");
    ensure!(!text.contains("secret@"), "a password is repeated: {text}");
    Ok(())
}

/// Asks for a run, by both k6 in turn, and gives it when it is over.
async fn runs_to_its_end(
    service: &TestService,
    mut body: Value,
    number: usize,
) -> anyhow::Result<Value> {
    body["testScript"] = json!("tests/told.js");
    body["options"]["k6Version"] = json!(if number.is_multiple_of(2) { "v2" } else { "v1" });
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    ensure!(run["status"] == "Completed", "{run}");
    Ok(run)
}

async fn arrives(
    service: &TestService,
    told: &ToldTarget,
    body: Value,
    (number, text): (usize, &str),
) -> anyhow::Result<()> {
    let run = runs_to_its_end(service, body, number).await?;
    ensure!(run["testName"] == text, "{run}");
    let heard = told.heard();
    let heard = heard.last().context("what k6 was given")?;
    ensure!(heard["environment"]["SEED"] == text, "{heard}");
    let id = run["testId"].as_str().context("an id")?;
    let report = format!("/api/v1/performancetest/{id}/export?format=html");
    for path in [format!("/runs/{id}"), report] {
        let page = service.get_text(&path).await?;
        ensure!(page.contains(&escaped(text)), "{path}: {page}");
        ensure!(!page.contains("<script>alert"), "{path}: {page}");
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '<' | '>' | '&' | '"' | '\'' => format!("&#{};", u32::from(c)),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Every run had the target's address, and reached no other.
fn check_what_was_told(told: &ToldTarget, runs: usize) -> anyhow::Result<()> {
    let heard = told.heard();
    ensure!(heard.len() == runs, "{heard:?}");
    for report in heard {
        let environment = report["environment"]
            .as_object()
            .context("an environment")?;
        ensure!(environment["BASE_URL"] == told.base_url, "{report}");
        let known = ["BASE_URL", "SCENARIO", "SEED", "TEST_ID"];
        let strange = environment
            .keys()
            .find(|name| !known.contains(&name.as_str()));
        ensure!(strange.is_none(), "{strange:?}");
        let elsewhere = report["elsewhere"].as_object().context("addresses")?;
        ensure!(elsewhere.len() == ELSEWHERE, "{report}");
        let reached = elsewhere.iter().find(|(_, code)| code.as_u64() == Some(0));
        ensure!(reached.is_none(), "{reached:?}");
    }
    Ok(())
}

/// A directory of scripts with links that lead out of it.
fn scripts() -> anyhow::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    let tests = root.path().join("k6/tests");
    std::fs::create_dir_all(&tests)?;
    std::fs::write(tests.join("told.js"), SCRIPT)?;
    std::fs::write(root.path().join("secret.js"), SCRIPT)?;
    symlink("../../secret.js", tests.join("out.js"))?;
    symlink("/etc/passwd", tests.join("passwd.js"))?;
    Ok(root)
}

/// A target that keeps what it is told, and sends who asks for it elsewhere.
struct ToldTarget {
    base_url: String,
    port: u16,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl ToldTarget {
    async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let elsewhere = format!("http://127.0.0.2:{port}/told");
        let heard = Arc::<Mutex<Vec<Value>>>::default();
        let router = Router::new()
            .route("/told", post(keep))
            .route(
                "/redirect",
                get(move || async move { Redirect::temporary(&elsewhere) }),
            )
            .with_state(Arc::clone(&heard));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            base_url: format!("http://127.0.0.1:{port}"),
            port,
            heard,
        })
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }
}

async fn keep(State(heard): State<Arc<Mutex<Vec<Value>>>>, body: String) -> StatusCode {
    let Ok(report) = serde_json::from_str(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    heard.lock().unwrap().push(report);
    StatusCode::NO_CONTENT
}

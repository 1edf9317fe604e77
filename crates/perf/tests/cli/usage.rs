//! The command line itself.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::command::{end, perf};

const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn mistakes_have_a_code_of_their_own() -> anyhow::Result<()> {
    for (arguments, reason) in [
        (&["run"][..], "SCENARIO|SCRIPT"),
        (&["rum"], "run"),
        (
            &["run", "smoke", "--threshold", "http_req_duration"],
            "METRIC:EXPRESSION",
        ),
        (&["run", "smoke", "--thresholds", "["], "--thresholds"),
        (&["run", "smoke", "--vus", "many"], "--vus"),
        (&["run", "smoke", "--env", "SCALE"], "KEY=VALUE"),
        (&["gate", "smoke"], "--test"),
        (
            &["gate", "--test", "a", "--run", "1", "--runs", "2"],
            "--runs",
        ),
        (&["--url", "ftp://a", "list"], "PERFORMANCE_URL"),
        (&["--token-file", "/nowhere", "list"], "/nowhere"),
        (&["list"], "does not answer"),
    ] {
        let told = end(&perf(NOWHERE, arguments)?.start()?)
            .await?
            .ended_with(3);
        assert!(told.contains(reason), "{arguments:?}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn help_and_completions_need_no_service() -> anyhow::Result<()> {
    let help = end(&perf(NOWHERE, &["--help"])?.start()?)
        .await?
        .ended_with(0);
    assert!(help.contains("Exit codes:"), "{help}");
    assert!(help.contains("  3  no judgement"), "{help}");
    for (shell, word) in [
        ("bash", "complete"),
        ("zsh", "#compdef perf"),
        ("fish", "complete -c perf"),
    ] {
        let script = end(&perf(NOWHERE, &["completions", shell])?.start()?).await?;
        let script = script.ended_with(0);
        assert!(
            script.contains(word) && script.contains("baseline"),
            "{script}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_token_is_sent_and_never_shown() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("token");
    std::fs::write(&file, "from-a-file\n")?;
    for (by_file, token) in [(false, "from-a-variable"), (true, "from-a-file")] {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let path = file.to_str().unwrap();
        let arguments = if by_file {
            vec!["list", "--token-file", path]
        } else {
            vec!["list"]
        };
        let call = perf(&url, &arguments)?
            .env("PERFORMANCE_TOKEN", "from-a-variable")
            .start()?;
        let (mut connection, _) = listener.accept().await?;
        let mut head = vec![0; 4_096];
        let read = connection.read(&mut head).await?;
        let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
        assert!(
            head.contains(&format!("authorization: bearer {token}")),
            "{head}"
        );
        let refusal =
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 26\r\n\r\n{\"detail\":\"no such token\"}";
        connection.write_all(refusal.as_bytes()).await?;
        let told = end(&call).await?.ended_with(3);
        assert!(told.contains("401 Unauthorized no such token"), "{told}");
        assert!(!told.contains(token), "{told}");
    }
    Ok(())
}

//! Redis and `FerretDB`: started, frozen, killed, started again, gone at the end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use test_support::process::Program;
use test_support::{ferretdb, redis, redis_with, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a test gives a server that should answer.
const SOON: Duration = Duration::from_secs(10);

/// How long silence must last to count as silence.
const SILENCE: Duration = Duration::from_millis(200);

/// Sends one inline command to Redis and returns the reply's first bytes.
async fn redis_command(port: u16, command: &str) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    connection
        .write_all(format!("{command}\r\n").as_bytes())
        .await?;
    let mut reply = [0; 256];
    let length = connection.read(&mut reply).await?;
    Ok(String::from_utf8_lossy(&reply[..length]).into_owned())
}

fn alive(pid: u32) -> bool {
    // A zombie still has its directory, but it is no running process.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn redis_is_silent_while_frozen_and_empty_after_a_kill() -> anyhow::Result<()> {
    let redis = redis().await?;
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
    assert_eq!(
        redis_command(redis.port(), "SET book 1984").await?,
        "+OK\r\n"
    );

    redis.freeze()?;
    assert!(
        timeout(SILENCE, redis_command(redis.port(), "GET book"))
            .await
            .is_err()
    );
    redis.thaw()?;
    assert_eq!(
        redis_command(redis.port(), "GET book").await?,
        "$4\r\n1984\r\n"
    );

    redis.kill();
    assert!(redis_command(redis.port(), "GET book").await.is_err());
    assert!(redis.freeze().is_err(), "a killed server cannot be frozen");
    redis.restart().await?;
    assert_eq!(redis_command(redis.port(), "GET book").await?, "$-1\r\n");
    Ok(())
}

#[tokio::test]
async fn redis_takes_further_arguments() -> anyhow::Result<()> {
    let full = redis_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]).await?;
    let reply = redis_command(full.port(), "SET book 1984").await?;
    assert!(reply.starts_with("-OOM"), "{reply}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_start_fails_at_once_with_its_output() -> anyhow::Result<()> {
    let failure = timeout(SOON, redis_with(&["--no-such-setting", "1"]))
        .await?
        .unwrap_err();
    let text = format!("{failure:#}");
    assert!(
        text.contains("no-such-setting") && text.contains("ended during its start"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone() -> anyhow::Result<()> {
    let redis = redis().await?;
    let pid = redis.process().pid().context("it runs")?;
    let directory = redis.process().directory().to_owned();
    redis.freeze()?;
    drop(redis);
    assert!(!alive(pid));
    assert!(!directory.exists());
    Ok(())
}

#[tokio::test]
async fn ferretdb_keeps_its_port_and_refuses_while_killed() -> anyhow::Result<()> {
    let server = ferretdb().await?;
    assert_eq!(
        server.uri(),
        format!("mongodb://127.0.0.1:{}/", server.port())
    );
    server.kill();
    assert!(
        TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .is_err()
    );
    server.restart().await?;
    assert!(
        TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .is_ok()
    );
    Ok(())
}

/// Set in the copy of the test process that is going to be killed.
const DOOMED: &str = "TEST_SUPPORT_DOOMED";

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "tells the two roles of this test apart"
)]
async fn a_process_does_not_outlive_a_killed_test_process() -> anyhow::Result<()> {
    if std::env::var(DOOMED).is_ok() {
        let sleeper = Program::new("sleeper", "/bin/sleep")?.arg("600").start()?;
        let pid = sleeper.pid().context("it runs")?;
        println!("sleeper={pid} {} ", sleeper.directory().display());
        return std::future::pending().await;
    }
    let doomed = Program::new("doomed", std::env::current_exe()?)?
        .args([
            "--exact",
            "servers::a_process_does_not_outlive_a_killed_test_process",
        ])
        .arg("--nocapture")
        .env(DOOMED, "1")
        .start()?;
    let (pid, directory) = wait::until("the sleeper is named", SOON, async || {
        let log = doomed.log();
        let (_, rest) = log.split_once("sleeper=").context("no output")?;
        let mut words = rest
            .split_inclusive(' ')
            .filter_map(|word| word.strip_suffix(' '));
        let pid: u32 = words.next().context("half a line")?.parse()?;
        Ok((pid, PathBuf::from(words.next().context("half a line")?)))
    })
    .await?;
    assert!(alive(pid) && directory.exists());
    doomed.kill();
    wait::until("the sleeper and its files are gone", SOON, async || {
        anyhow::ensure!(!alive(pid), "{pid} lives");
        anyhow::ensure!(!directory.exists(), "{} is there", directory.display());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_environment_of_the_test_run_stays_outside() -> anyhow::Result<()> {
    let env = Program::new("env", "/usr/bin/env")?
        .env("GIVEN", "yes")
        .start()?;
    assert!(env.wait(SOON).await?.success());
    let log = env.log();
    let mut names: Vec<_> = log
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GIVEN", "HOME", "PATH"]);
    Ok(())
}

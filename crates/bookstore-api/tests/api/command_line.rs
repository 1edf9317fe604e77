//! The binary's options, and what it says of wrong settings, before it serves.

use std::{net::TcpListener, time::Duration};

use anyhow::ensure;
use serde_json::{Value, json};
use test_support::{port, process::Program};

use crate::test_api::Setup;

/// Options are answered at once; the rest is room for a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the binary to its end: the exit code and what it said.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<(i32, String)> {
    let mut program = Program::new("bookstore-api", env!("CARGO_BIN_EXE_bookstore-api"))?;
    program = program.args(arguments.iter().copied());
    for (name, value) in environment {
        program = program.env(*name, *value);
    }
    let process = program.start()?;
    let status = process.wait(DEADLINE).await?;
    Ok((status.code().unwrap_or(-1), process.log()))
}

#[tokio::test]
async fn help_lists_every_setting() -> anyhow::Result<()> {
    for option in ["--help", "-h"] {
        let (code, text) = run(&[option], &[]).await?;
        assert_eq!(code, 0, "{text}");
        for name in [
            "BOOKSTORE_HTTP_ADDR",
            "BOOKSTORE_STATE_DIR",
            "BOOKSTORE_MAX_CONNECTIONS",
            "BOOKSTORE_AUTH_MODE",
            "BOOKSTORE_SUMMARY_CACHE",
            "BOOKSTORE_SIMULATED_PROVIDERS",
            "BOOKSTORE_TRACE_SAMPLING",
            "MONGODB_URI",
            "MONGODB_DATABASE",
            "REDIS_URL",
            "LLM_PROVIDER",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_MODEL",
            "OLLAMA_HOST",
            "OLLAMA_MODEL",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_SERVICE_NAME",
            "RUST_LOG",
            "127.0.0.1:7002",
            "claude-sonnet-5-5",
            "--check-config",
            "--healthcheck",
            "prices check",
            "cost [FILE]",
        ] {
            assert!(text.contains(name), "{name} is not in {text}");
        }
    }
    let (code, text) = run(&["--version"], &[]).await?;
    assert_eq!(
        (code, text.trim()),
        (0, concat!("bookstore-api ", env!("CARGO_PKG_VERSION")))
    );
    Ok(())
}

#[tokio::test]
async fn check_config_shows_what_holds_without_secrets() -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), "canary-4\n")?;
    let path = file.path().display().to_string();
    let (code, text) = run(
        &["--check-config"],
        &[
            ("MONGODB_URI", "mongodb://ana:canary-1@127.0.0.1:27017/"),
            ("REDIS_URL", "redis://:canary-2@127.0.0.1:6379"),
            ("ANTHROPIC_API_KEY_FILE", &path),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://ana:canary-3@127.0.0.1:4317",
            ),
            ("OLLAMA_MODEL", "llama9"),
        ],
    )
    .await?;
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("canary"), "{text}");
    for line in [
        "OLLAMA_MODEL=llama9",
        "MONGODB_URI=(set)",
        "REDIS_URL=(set)",
        "ANTHROPIC_API_KEY=(set)",
        "BOOKSTORE_HTTP_ADDR=127.0.0.1:7002",
        "LLM_PROVIDER=ollama",
    ] {
        assert!(
            text.lines().any(|shown| shown == line),
            "{line} is not in {text}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn wrong_settings_are_all_named_before_anything_starts() -> anyhow::Result<()> {
    let wrong = [
        ("BOOKSTORE_HTTP_ADDR", "here"),
        ("BOOKSTORE_MAX_CONNECTIONS", "many"),
        ("BOOKSTORE_AUTH_MODE", "none"),
        ("BOOKSTORE_SUMMARY_CACHE", "maybe"),
        ("BOOKSTORE_SIMULATED_PROVIDERS", "claude,nobody"),
        ("BOOKSTORE_TRACE_SAMPLING", "ai=2"),
        ("BOOKSTORE_LOG_FORMAT", "xml"),
        ("LLM_PROVIDER", "gpt"),
        ("ANTHROPIC_BASE_URL", "https://canary-5@api.anthropic.com"),
        ("ANTHROPIC_MODEL", "a b"),
        ("OLLAMA_HOST", "::"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url"),
        ("RUST_LOG", "api=loud=very"),
        ("MONGODB_URI_FILE", "/nonexistent/secret"),
    ];
    for options in [&[][..], &["--check-config"]] {
        let (code, text) = run(options, &wrong).await?;
        assert_eq!(code, 64, "{text}");
        for (name, _) in wrong {
            let named = text
                .lines()
                .any(|line| line.starts_with(&format!("bookstore-api: {name}: ")));
            assert!(named, "{name} is not named in {text}");
        }
        assert!(!text.contains("canary-5"), "{text}");
    }
    for (name, value) in wrong {
        let (code, text) = run(&[], &[(name, value)]).await?;
        assert_eq!(code, 64, "{name}: {text}");
    }
    let twice = [
        ("ANTHROPIC_API_KEY", "canary-6"),
        ("ANTHROPIC_API_KEY_FILE", "/dev/null"),
    ];
    let (code, text) = run(&[], &twice).await?;
    assert_eq!(code, 64, "{text}");
    assert!(
        text.contains("ANTHROPIC_API_KEY_FILE") && !text.contains("canary-6"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn wrong_addresses_of_stores_are_named() -> anyhow::Result<()> {
    for (name, value) in [
        ("MONGODB_URI", "canary-7"),
        ("MONGODB_URI", "mongodb://ana:canary-7@"),
        ("REDIS_URL", "canary-7"),
        ("REDIS_URL", "http://canary-7@127.0.0.1"),
    ] {
        let address = format!("127.0.0.1:{}", port::free()?);
        let (code, text) = run(&[], &[(name, value), ("BOOKSTORE_HTTP_ADDR", &address)]).await?;
        assert!(matches!(code, 1 | 64), "{name}={value}: {code}: {text}");
        assert!(text.contains(name), "{name} is not named in {text}");
        assert!(!text.contains("canary-7"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn other_networks_are_refused_without_a_word() -> anyhow::Result<()> {
    let address = format!("0.0.0.0:{}", port::free()?);
    let (code, text) = run(&[], &[("BOOKSTORE_HTTP_ADDR", &address)]).await?;
    assert_eq!(code, 64, "{text}");
    assert!(text.contains("BOOKSTORE_HTTP_ADDR"), "{text}");
    let allowed = [
        ("BOOKSTORE_HTTP_ADDR", address.as_str()),
        ("BOOKSTORE_ALLOW_REMOTE", "yes"),
    ];
    let (code, text) = run(&["--check-config"], &allowed).await?;
    assert_eq!(code, 0, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_named() -> anyhow::Result<()> {
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let address = holder.local_addr()?.to_string();
    let (code, text) = run(&[], &[("BOOKSTORE_HTTP_ADDR", &address)]).await?;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("BOOKSTORE_HTTP_ADDR") && text.contains(&address),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn the_healthcheck_asks_the_running_service() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let (code, text) = run(
        &["--healthcheck"],
        &[("BOOKSTORE_HTTP_ADDR", api.address())],
    )
    .await?;
    assert_eq!(code, 0, "{text}");
    api.kill();
    let (code, text) = run(
        &["--healthcheck"],
        &[("BOOKSTORE_HTTP_ADDR", api.address())],
    )
    .await?;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(api.address()), "{text}");
    Ok(())
}

#[tokio::test]
async fn unknown_options_are_refused() -> anyhow::Result<()> {
    for options in [&["--port"][..], &["serve"], &["--help", "me"]] {
        let (code, text) = run(options, &[]).await?;
        ensure!(
            code == 64 && text.contains("--help"),
            "{options:?}: {code}: {text}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_price_list_is_checked_and_shown() -> anyhow::Result<()> {
    let (code, text) = run(&["prices", "check"], &[]).await?;
    assert!(
        code == 0 && text.contains("checked on 2026-"),
        "{code}: {text}"
    );
    let (code, text) = run(
        &["prices", "show", "claude-sonnet-5-5", "--at", "2026-10-06"],
        &[],
    )
    .await?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("cache read     0.2\n"), "{text}");
    assert!(text.contains("disputed"), "{text}");
    let (code, text) = run(&["prices", "show", "gpt-99"], &[]).await?;
    assert!(code == 0 && text.contains("ollama *"), "{code}: {text}");

    let file = tempfile::NamedTempFile::new()?;
    let path = file.path().display().to_string();
    let line = "provider = \"openai\", source = \"s\", checked_on = \"2026-11-20\", output = \"1\"";
    std::fs::write(
        file.path(),
        format!(
            "price = [\n{{ match = \"m\", input = \"1\", {line} }},\n{{ match = \"m\", input = \"2\", {line} }},\n]"
        ),
    )?;
    let (code, text) = run(&["prices", "check", &path], &[]).await?;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("line 3") && text.contains("line 2"), "{text}");
    // The same file as a setting stops the service before it serves.
    for options in [&[][..], &["--check-config"], &["cost", "/dev/null"]] {
        let (code, text) = run(options, &[("BOOKSTORE_PRICES", &path)]).await?;
        assert!(
            code == 64 && text.contains("BOOKSTORE_PRICES"),
            "{code}: {text}"
        );
    }
    for options in [&["prices"][..], &["prices", "show"], &["cost", "a", "b"]] {
        let (code, text) = run(options, &[]).await?;
        assert!(
            code == 64 && text.contains("use "),
            "{options:?}: {code}: {text}"
        );
    }
    let (code, text) = run(&["prices", "show", "o3", "--at", "soon"], &[]).await?;
    assert!(code == 64 && text.contains("--at soon"), "{code}: {text}");
    Ok(())
}

#[tokio::test]
async fn calls_are_priced_line_by_line() -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let path = file.path().display().to_string();
    let call = |model: &str| {
        format!(
            "{{\"provider\":\"openai\",\"model\":\"{model}\",\"at\":\"2026-11-20T00:00:00Z\",\
             \"input_tokens\":272001,\"cache_read\":272000,\"output_tokens\":1}}\n"
        )
    };
    std::fs::write(file.path(), call("gpt-6.1-sol") + &call("gpt-0"))?;
    let (code, text) = run(&["cost", &path], &[]).await?;
    assert_eq!(code, 0, "{text}");
    let expected = 4_000_000 + 272_000 * 200_000 + 15_000_000_i64;
    let costs: Vec<Value> = text
        .lines()
        .map(|line| Ok(serde_json::from_str::<Value>(line)?["cost_pico_usd"].clone()))
        .collect::<anyhow::Result<_>>()?;
    assert_eq!(costs, [json!(expected), Value::Null]);

    std::fs::write(file.path(), call("o3") + "{}\n" + &call("o3"))?;
    let (code, text) = run(&["cost", &path], &[]).await?;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("line 2: missing field"), "{text}");
    assert_eq!(text.matches("cost_pico_usd").count(), 2, "{text}");
    let (code, text) = run(&["cost", "/nonexistent/calls"], &[]).await?;
    assert!(
        code == 1 && text.contains("/nonexistent/calls"),
        "{code}: {text}"
    );
    Ok(())
}

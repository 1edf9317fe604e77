//! Texts that would like to be code stay data.

use anyhow::{Context, ensure};
use proptest::prelude::*;
use script_generation::configuration::{Configuration, Journey, Load, Method, Step};
use script_generation::har::{self, HarOptions};
use script_generation::openapi::{self, OpenApiOptions};
use script_generation::script;
use serde_json::{Value, json};
use test_support::tools;

use crate::echo::Echo;
use crate::k6::{Script, told};

/// Texts that end something somewhere, or look as if.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "'); throw new Error('out'); ('",
        "\"); throw 1; (\"",
        "`${__ENV.BASE_URL}${1+1}`",
        "line\nline\r\nline\ttab",
        "\u{2028}\u{2029}\u{feff}\u{202e}",
        "*/ throw 1; /*",
        "// comment <!-- comment --> </script><script>alert(1)</script>",
        "\\' \\\" \\u0027 \\x27 \\",
        "{thing} {{thing}} %7Bthing%7D $& $1 $`",
        "__proto__ constructor",
        "\0\u{1}\u{7f}",
        "\u{1f4a3} ünïcode 漢字",
        "'; import 'https://example.com/x.js'; '",
        "+%20&=#?/..;a=b",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x'\"`$\n".repeat(2_048));
    texts
}

/// A script with a text in every place that takes one.
fn with_text(text: &str) -> Configuration {
    let mut step = Step::new(Method::Post, "/things/{value}?query={value}");
    step.status = 201;
    step.values.insert("value".to_owned(), text.into());
    step.body = Some(json!({ "text": text, text: [text] }));
    Configuration {
        title: format!("t{}", text.chars().take(100).collect::<String>()),
        about: text.chars().take(4_000).collect(),
        trace_sample: 1.0,
        load: Load::default(),
        thresholds: [].into(),
        rows: vec![json!({ "row": text }).as_object().unwrap().clone()],
        journeys: vec![Journey {
            name: "j".to_owned(),
            weight: 1,
            think: Some([0.05, 0.05]),
            make: [].into(),
            steps: vec![step],
        }],
    }
}

/// One script whose steps send every hostile text as path, query, header and body.
fn with_all_texts() -> Configuration {
    let mut configuration = with_text("all");
    let steps = hostile().into_iter().map(|text| {
        let mut step = with_text(&text).journeys.remove(0).steps.remove(0);
        // Servers refuse addresses beyond 8 KB and controls in headers.
        let short: String = text.chars().take(500).collect();
        step.values.insert("value".to_owned(), short.into());
        let header: String = text
            .chars()
            .filter(|it| it.is_ascii() && !it.is_control())
            .collect();
        let header = header.trim().chars().take(500).collect();
        step.headers.insert("X-Text".to_owned(), header);
        step.name = Some("send".to_owned());
        step
    });
    configuration.journeys[0].steps = steps.collect();
    configuration.journeys[0].think = None;
    configuration.about = hostile().join("\n").chars().take(4_000).collect();
    configuration.load.stages[0].seconds = 2;
    configuration
}

#[tokio::test]
async fn a_target_gets_every_text_unchanged() -> anyhow::Result<()> {
    let configuration = with_all_texts();
    let script = Script::of(&configuration, &hostile())?;
    script.inspect().await?;
    for k6 in [tools::k6()?, tools::k6_v1()?] {
        let echo = Echo::start().await?;
        let log = script.run(k6, &echo.base_url).await?;
        ensure!(!log.contains("wrong answer"), "{log}");
        let seen = echo.seen();
        for (text, step) in hostile().iter().zip(&configuration.journeys[0].steps) {
            let body = json!({ "text": text, text: [text] });
            let same =
                |it: &&crate::echo::Seen| serde_json::from_str(&it.body).ok() == Some(body.clone());
            let request = seen.iter().find(same).with_context(|| text.clone())?;
            let value = step.values["value"].as_str().context("a text")?;
            ensure!(request.query["query"] == value, "{request:?}");
            ensure!(request.path == format!("/things/{value}"), "{request:?}");
            let header = request.headers["x-text"].to_str()?;
            ensure!(header == step.headers["X-Text"], "{header}");
        }
    }
    Ok(())
}

#[test]
fn no_text_reaches_the_code() {
    let files = |text: &str| {
        script::write(&with_text(text), "d.json", &[])
            .map_err(|it| told(&it))
            .unwrap()
    };
    let code = |script: &str| -> Vec<String> {
        script
            .lines()
            .skip_while(|it| it.starts_with("//"))
            .map(str::to_owned)
            .collect()
    };
    let plain = code(&files("plain").script);
    for text in hostile() {
        let written = files(&text);
        assert_eq!(code(&written.script), plain, "{text}");
        let head = written.script.lines().take_while(|it| it.starts_with("//"));
        assert!(
            head.into_iter()
                .all(|it| !it.contains(['\u{2028}', '\u{2029}', '\r', '<']))
        );
    }
}

proptest! {
    #[test]
    fn any_text_lands_in_the_data_unchanged(text in any::<String>()) {
        let files = script::write(&with_text(&text), "d.json", &[]).map_err(|it| told(&it)).unwrap();
        let data: Value = serde_json::from_str(&files.data.to_string()).unwrap();
        let step = &data["steps"][0];
        prop_assert_eq!(&step["values"]["value"], &json!(text));
        prop_assert_eq!(&step["body"], &json!({ "text": text, &text: [text] }));
        prop_assert_eq!(&data["rows"][0]["row"], &json!(text));
    }

    #[test]
    fn any_text_as_a_literal_is_the_same_text(text in any::<String>()) {
        let written = script_generation::text::literal(&text);
        let inner = written.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
        let read = match inner {
            Some(plain) => plain.to_owned(),
            None => serde_json::from_str(&written).unwrap(),
        };
        prop_assert_eq!(read, text);
        let ends_a_line = written.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
        prop_assert!(!ends_a_line && !written.contains("</") && !written.contains("*/"));
    }

    #[test]
    fn what_is_no_description_is_refused(text in any::<String>()) {
        prop_assert!(Configuration::parse(&text).is_err());
        prop_assert!(har::draft(&text, &HarOptions::default()).is_err());
        prop_assert!(openapi::draft(&text, &OpenApiOptions::default()).is_err());
    }
}

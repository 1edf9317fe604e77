//! The form that starts runs: without scripts, and what is wrong stands at its field.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::json;
use test_support::access::{ADMIN, ENGINEER};

use crate::access::Guarded;
use crate::test_service::TestService;

const HOSTILE: &str = "\"><script>alert(1)</script>";

impl TestService {
    /// Sends the form as a browser does.
    async fn fill_in(&self, fields: &[(&str, &str)]) -> anyhow::Result<Response> {
        let url = format!("{}/new", self.base_url);
        Ok(form(self.client.post(url), fields).send().await?)
    }

    /// Asks for the forecast of what stands in the form, as its button and its script do.
    async fn forecast_of_form(&self, fields: &[(&str, &str)]) -> anyhow::Result<String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query
            .extend_pairs(fields)
            .append_pair("do", "forecast")
            .finish();
        self.get_text(&format!("/new?{query}")).await
    }
}

fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    let body = body.extend_pairs(fields).finish();
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body)
}

fn address(reply: &Response) -> &str {
    reply.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn two_clicks_start_a_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let home = service.get_text("/").await?;
    assert!(home.contains("Nothing has run yet"), "{home}");
    assert!(home.contains("href=\"/new?scenario=spike\""), "{home}");
    let form = service.get_text("/new?scenario=spike").await?;
    for filled in [
        "name=\"options.virtualUsers\" value=\"50\"",
        "name=\"options.duration\" value=\"3m\"",
        "name=\"p95\" value=\"10000\"",
        "<option value=\"Spike\" selected>",
        "<option value=\"tests/smoke.js\">",
    ] {
        assert!(form.contains(filled), "{filled}: {form}");
    }
    // The plan is in the form before anything starts, and again for what was changed.
    assert!(form.contains("Start: 3 min"), "{form}");
    let changed = [("options.virtualUsers", "1"), ("options.duration", "9s")];
    let changed = service.forecast_of_form(&changed).await?;
    assert!(changed.contains("Start: 9"), "{changed}");
    // What is wrong stands at its field before anything was to start.
    let wrong = service
        .forecast_of_form(&[("options.duration", "soon")])
        .await?;
    assert!(
        wrong.contains("id=\"options.duration-hint\"><span class=\"wrong\">"),
        "{wrong}"
    );
    assert!(wrong.contains("There is none:") && !wrong.contains("Nothing was started"));
    let started = service
        .fill_in(&[
            ("scenario", "Spike"),
            ("options.virtualUsers", "50"),
            ("options.duration", "3m"),
            ("environment.SEED", "7"),
            ("p95", "10000"),
            ("failed", "10"),
        ])
        .await?;
    assert_eq!(started.status(), StatusCode::SEE_OTHER);
    let id = address(&started).rsplit('/').next().unwrap().to_owned();
    let run = service.run(&id).await?;
    assert_eq!(run["scenario"], "Spike");
    assert_eq!(run["options"]["virtualUsers"], 50);
    assert_eq!(run["environment"], json!({"SEED": "7"}));
    let thresholds = json!({
        "http_req_duration": ["p(95)<10000"],
        "http_req_failed": ["rate<0.1"],
    });
    assert_eq!(run["options"]["thresholds"], thresholds);

    // The same once more: the row of the test leads to a form that is filled with it.
    let home = service.get_text("/").await?;
    assert!(home.contains("Stop"), "{home}");
    let again = service.get_text(&format!("/new?run={id}")).await?;
    assert!(
        again.contains("name=\"environment.SEED\" value=\"7\""),
        "{again}"
    );
    assert!(again.contains("As in <a href="), "{again}");
    Ok(())
}

#[tokio::test]
async fn each_refusal_stands_at_its_field_and_input_is_kept() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (field, value, reason) in [
        ("options.virtualUsers", "many", "must be a whole number"),
        ("options.virtualUsers", "100000", "must be"),
        ("options.duration", "soon", "must be"),
        ("options.iterations", "-1", "must be a whole number"),
        ("options.processes", "0", "must be"),
        ("p95", "slow", "must be a number above 0"),
        ("failed", "-3", "must be a number above 0"),
        (
            "options.thresholds",
            "http_reqs",
            "must be metric: expression",
        ),
        ("options.thresholds", "http_reqs: fast", "http_reqs"),
        ("scenario", HOSTILE, "must be one of"),
        ("testScript", "../../etc/passwd", "must be a relative path"),
        ("testScript", "tests/none.js", "there is no such script"),
        ("environment.BASE_URL", "no address", "relative URL"),
        ("options.k6Version", "v9", "must be v1 or v2"),
    ] {
        let reply = service
            .fill_in(&[(field, value), ("testName", HOSTILE)])
            .await?;
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST, "{field}={value}");
        let page = reply.text().await?;
        assert!(page.contains("Nothing was started"), "{page}");
        let input = page.find(&format!("name=\"{field}\"")).unwrap();
        let (_, after) = page.split_at(input);
        let own = after.split("<div class=\"field\">").next().unwrap();
        assert!(own.contains("aria-invalid=\"true\""), "{field}: {own}");
        assert!(own.contains(reason), "{field}: {own}");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("value=\"&#34;&#62;&#60;script"), "{page}");
    }
    let elsewhere = [("environment.BASE_URL", "http://127.0.0.1:9")];
    let refused = service.fill_in(&elsewhere).await?;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.text().await?.contains("is not an allowed target"));
    assert_eq!(
        service.get_json("/api/v1/performancetest/tests").await?,
        json!([])
    );
    Ok(())
}

#[tokio::test]
async fn a_production_target_asks_for_its_name() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[("PERFORMANCE_PRODUCTION_TARGETS", "local")]).await?;
    let submit = async |token, name: &'static str| {
        let url = format!("{}/new", guarded.service.base_url);
        let fields = [("scenario", "Smoke"), ("confirmProduction", name)];
        let request = guarded.service.client.post(url).bearer_auth(token);
        anyhow::Ok(form(request, &fields).send().await?.status().as_u16())
    };
    assert_eq!(submit(ADMIN, "").await?, 403);
    assert_eq!(submit(ENGINEER, "local").await?, 403);
    assert_eq!(submit(ADMIN, "local").await?, 303);
    Ok(())
}

#[tokio::test]
async fn what_people_cannot_see_is_told_as_a_page() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (path, status) in [
        ("/runs/0", 404),
        ("/new?scenario=chaos", 400),
        ("/runs?limit=x", 400),
    ] {
        let url = format!("{}{path}", service.base_url);
        let reply = service
            .client
            .get(&url)
            .header("accept", "text/html")
            .send()
            .await?;
        assert_eq!(reply.status().as_u16(), status, "{path}");
        assert_eq!(reply.headers()["content-type"], "text/html; charset=utf-8");
        let page = reply.text().await?;
        assert!(page.contains("href=\"/new\""), "{page}");
        // Programs get the document.
        let kind = service.get(path).await?;
        assert_eq!(kind.headers()["content-type"], "application/problem+json");
    }
    Ok(())
}

#[tokio::test]
async fn what_stands_in_the_form_is_kept_and_told_as_commands() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let fields = [
        ("testName", HOSTILE),
        ("scenario", "Stress"),
        ("testScript", "tests/smoke.js"),
        ("options.duration", "9s"),
        ("p95", "500"),
    ];
    let kept = service
        .fill_in(&[&fields[..], &[("do", "keep")]].concat())
        .await?;
    assert_eq!(kept.status(), StatusCode::SEE_OTHER);
    let place = address(&kept).to_owned();
    let form = service.get_text(&place).await?;
    for expected in [
        "value=\"9s\"",
        "<option value=\"Stress\" selected>",
        "<h2 id=\"kept\">Kept tests</h2>",
        "<td>stress, staging</td>",
        "perf run tests/smoke.js --name &#39;",
        "/api/v1/performancetest/start&#34;",
        "testScript: &#34;tests/smoke.js&#34;",
    ] {
        assert!(form.contains(expected), "{expected}: {form}");
    }
    assert!(!form.contains("<script>"), "{form}");
    // The limits of smoke-stress.toml, of which no earlier run tells.
    let bound = "<td>rate of http_req_failed</td><td class=\"n\">≤ 1.00 %</td>";
    assert!(form.contains(bound), "{form}");
    let tests = service.get_json("/api/performance/tests").await?;
    assert_eq!(tests[0]["testType"], "stress", "{tests}");
    assert_eq!(service.target.requests(), 0);

    // The other family has no type for it.
    let smoke = service
        .fill_in(&[("scenario", "Smoke"), ("do", "keep")])
        .await?;
    assert_eq!(smoke.status(), StatusCode::BAD_REQUEST);
    let smoke = smoke.text().await?;
    assert!(
        smoke.contains("one of Load, Stress, Spike, Soak"),
        "{smoke}"
    );

    let id = place.rsplit('=').next().unwrap();
    let gone = service.post(&format!("/new/tests/{id}/delete")).await?;
    assert_eq!(gone.status(), StatusCode::SEE_OTHER);
    let form = service.get_text("/new").await?;
    assert!(!form.contains("Kept tests"), "{form}");
    Ok(())
}

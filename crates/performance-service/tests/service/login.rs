//! Browsers, which send no token with a page, open a session with one.

use reqwest::{RequestBuilder, Response};
use test_support::access::{ENGINEER, VIEWER};

use crate::access::Guarded;

/// What a browser says that it takes.
const HTML: &str = "text/html,application/xhtml+xml;q=0.9";

impl Guarded {
    async fn show(&self, path: &str, cookie: Option<&str>) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.service.base_url);
        let request = self.service.client.get(url).header("accept", HTML);
        Ok(with(request, cookie).send().await?)
    }

    async fn submit(
        &self,
        path: &str,
        body: &str,
        cookie: Option<&str>,
    ) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.service.base_url);
        let request = self.service.client.post(url);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin");
        Ok(with(request, cookie).body(body.to_owned()).send().await?)
    }

    /// Logs in and gives the cookie as it is sent back.
    async fn log_in(&self, token: &str) -> anyhow::Result<String> {
        let reply = self
            .submit("/login", &format!("token={token}"), None)
            .await?;
        assert_eq!((reply.status().as_u16(), address(&reply)), (303, "/"));
        let cookie = reply.headers()["set-cookie"].to_str()?;
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("canary"), "{cookie}");
        Ok(cookie.split(';').next().unwrap().to_owned())
    }
}

fn with(request: RequestBuilder, cookie: Option<&str>) -> RequestBuilder {
    match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    }
}

fn address(reply: &Response) -> &str {
    reply.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_browser_logs_in_looks_and_logs_out() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let sent_away = guarded.show("/", None).await?;
    assert_eq!(
        (sent_away.status().as_u16(), address(&sent_away)),
        (303, "/login")
    );
    assert_eq!(guarded.show("/login", None).await?.status(), 200);
    assert_eq!(guarded.show("/assets/style.css", None).await?.status(), 200);

    let cookie = guarded.log_in(VIEWER).await?;
    let home = guarded.show("/", Some(&cookie)).await?;
    assert_eq!(home.status(), 200);
    assert!(home.text().await?.contains("vera, viewer of acme"));

    let gone = guarded.submit("/logout", "", Some(&cookie)).await?;
    assert_eq!((gone.status().as_u16(), address(&gone)), (303, "/login"));
    assert_eq!(guarded.show("/", Some(&cookie)).await?.status(), 303);
    Ok(())
}

#[tokio::test]
async fn a_session_is_no_more_than_its_token() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let viewer = guarded.log_in(VIEWER).await?;
    let (path, form) = ("/new", "scenario=Smoke");
    let refused = guarded.submit(path, form, Some(&viewer)).await?;
    assert_eq!(refused.status(), 403);
    let shown = guarded.show(path, Some(&viewer)).await?.text().await?;
    assert!(shown.contains("<button disabled>Start</button>"), "{shown}");
    let engineer = guarded.log_in(ENGINEER).await?;
    let started = guarded.submit(path, form, Some(&engineer)).await?;
    assert_eq!(started.status(), 303);
    assert!(address(&started).starts_with("/runs/"));
    // Another site's page is refused also where the browser would send the cookie.
    let url = format!("{}{path}", guarded.service.base_url);
    let foreign = guarded.service.client.post(url).header("cookie", engineer);
    let foreign = foreign
        .header("sec-fetch-site", "cross-site")
        .send()
        .await?;
    assert_eq!(foreign.status(), 403);
    Ok(())
}

/// A form's answer is a page, with the reason and a way on, whoever refuses.
#[tokio::test]
async fn a_form_that_is_refused_answers_with_a_page() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let viewer = guarded.log_in(VIEWER).await?;
    let engineer = guarded.log_in(ENGINEER).await?;
    let base = &guarded.service.base_url;
    for (cookie, path, status, reason) in [
        (
            &viewer,
            "/new",
            403,
            "this needs the role engineer, yours is viewer",
        ),
        (&viewer, "/schedules", 403, "this needs the role engineer"),
        (&engineer, "/webhooks", 403, "this needs the role admin"),
        (&engineer, "/schedules/none/pause", 404, "no such schedule"),
        (&"none=1".to_owned(), "/schedules", 401, "a token"),
    ] {
        let request = guarded.service.client.post(format!("{base}{path}"));
        let request = request.header("accept", HTML).header("cookie", cookie);
        let request = request.header("referer", format!("{base}/schedules?a=1&b=2"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let reply = request.body("name=nightly&cron=0+2+*+*+*").send().await?;
        assert_eq!(reply.status().as_u16(), status, "{path}");
        let headers = reply.headers().clone();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert!(headers.contains_key("content-security-policy"), "{path}");
        let page = reply.text().await?;
        assert!(page.contains(reason), "{path}: {page}");
        assert!(
            page.contains("<a href=\"/schedules?a=1&#38;b=2\">Back</a>"),
            "{page}"
        );
        let log_in = page.contains("<a href=\"/login\">");
        assert_eq!(log_in, status != 404, "{path}: {page}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_token_opens_nothing() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    for body in ["", "token=", "token=guess", "other=1", "token=%ff%fe"] {
        let reply = guarded.submit("/login", body, None).await?;
        assert_eq!(reply.status(), 401, "{body}");
        assert!(!reply.headers().contains_key("set-cookie"), "{body}");
        assert!(reply.text().await?.contains("does not know the token"));
    }
    for cookie in ["performance-session=", "performance-session=guess", "a"] {
        assert_eq!(guarded.show("/", Some(cookie)).await?.status(), 303);
    }
    Ok(())
}

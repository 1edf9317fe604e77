//! What a browser keeps of its user: the colours of the pages, and whether single keys act.

use reqwest::{Response, StatusCode};

use crate::test_service::TestService;

impl TestService {
    /// Sends the form of the settings as a browser does.
    async fn prefer(&self, form: &'static str) -> anyhow::Result<Response> {
        let request = self.client.post(format!("{}/preferences", self.base_url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Ok(request.body(form).send().await?)
    }

    /// What a browser is shown that keeps these cookies.
    async fn shown(&self, path: &str, cookies: &str) -> anyhow::Result<String> {
        let request = self.client.get(format!("{}{path}", self.base_url));
        let reply = request.header("cookie", cookies).send().await?;
        Ok(reply.error_for_status()?.text().await?)
    }
}

#[tokio::test]
async fn a_browser_keeps_what_its_user_prefers() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    assert_eq!(service.shown("/assets/theme.css", "").await?, "");
    let form = "performance-theme=dark&performance-shortcuts=off&other=1";
    let reply = service.prefer(form).await?;
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    let set = reply.headers().get_all("set-cookie").into_iter();
    let set: Vec<&str> = set.map(|cookie| cookie.to_str().unwrap()).collect();
    let kept = "Path=/; Max-Age=31536000; SameSite=Lax";
    let expected = ["performance-theme=dark", "performance-shortcuts=off"];
    assert_eq!(set, expected.map(|pair| format!("{pair}; {kept}")));

    let cookies = expected.join("; ");
    let theme = service.shown("/assets/theme.css", &cookies).await?;
    assert!(theme.contains("color-scheme: dark"), "{theme}");
    let settings = service.shown("/settings", &cookies).await?;
    for chosen in ["\"dark\" selected", "\"off\" selected"] {
        assert!(settings.contains(chosen), "{settings}");
    }
    // What no form of ours set is nothing.
    let hostile = "performance-theme=}body{display:none}";
    assert_eq!(service.shown("/assets/theme.css", hostile).await?, "");
    let unsaid = service.shown("/settings", hostile).await?;
    assert!(unsaid.contains("\"auto\" selected") && unsaid.contains("\"on\" selected"));
    Ok(())
}

#[tokio::test]
async fn nothing_else_is_kept() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for form in [
        "performance-theme=",
        "performance-theme=dark%0d%0aSet-Cookie:a=b",
        "performance-theme=dark&performance-shortcuts=maybe",
    ] {
        let reply = service.prefer(form).await?;
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST, "{form}");
        assert!(!reply.headers().contains_key("set-cookie"), "{form}");
    }
    Ok(())
}

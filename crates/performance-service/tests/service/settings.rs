//! The page of settings: what is in force, and nothing that is secret.

use test_support::access::{ADMIN, VIEWER};

use crate::access::Guarded;

#[tokio::test]
async fn settings_are_shown_with_their_source_to_those_who_may() -> anyhow::Result<()> {
    let settings = [("PERFORMANCE_TENANT_QUEUED", "7"), ("REDIS_URL", "ignored")];
    let guarded = Guarded::start(&settings).await?;
    let page = guarded.get(ADMIN, "/settings").await?.text().await?;
    let row = |name: &str| {
        let begin = page.find(&format!("<code>{name}</code>")).unwrap();
        let (_, rest) = page.split_at(begin);
        rest.split("</tr>").next().unwrap().to_owned()
    };
    let queued = row("PERFORMANCE_TENANT_QUEUED");
    assert!(
        queued.contains("<td>7</td><td>environment</td><td>50</td>"),
        "{queued}"
    );
    let kept = row("PERFORMANCE_RUNS_KEPT");
    assert!(kept.contains("<td>500</td><td>default</td>"), "{kept}");
    row("PERFORMANCE_TOKENS_FILE");
    assert!(page.contains("POST /new"), "{page}");
    assert!(
        page.contains(guarded.service.target.base_url.as_str()),
        "{page}"
    );
    for secret in [ADMIN, VIEWER] {
        assert!(!page.contains(secret));
    }

    let page = guarded.get(VIEWER, "/settings").await?.text().await?;
    assert!(page.contains("viewer, your role"), "{page}");
    assert!(page.contains("PERFORMANCE_TENANT_QUEUED"), "{page}");
    assert!(!page.contains("PERFORMANCE_TOKENS_FILE</code>"), "{page}");
    Ok(())
}

//! Scripts from `OpenAPI` documents, of our own API first.

use anyhow::{Context, ensure};
use script_generation::Draft;
use script_generation::configuration::Step;
use script_generation::openapi::{OpenApiOptions, draft};
use serde_json::{Value, json};
use test_support::tools;

use crate::echo::Echo;
use crate::k6::{Script, told};

/// What the API serves; a test of the API compares it.
const BOOKSTORE: &str = include_str!("bookstore-api.json");

fn drafted(document: &str, options: &OpenApiOptions) -> anyhow::Result<Draft> {
    draft(document, options).map_err(|it| told(&it))
}

fn names(draft: &Draft) -> Vec<String> {
    draft.configuration.journeys[0]
        .steps
        .iter()
        .map(Step::name)
        .collect()
}

#[tokio::test]
async fn reading_our_api_takes_ids_from_lists() -> anyhow::Result<()> {
    let draft = drafted(BOOKSTORE, &OpenApiOptions::default())?;
    let names = names(&draft);
    ensure!(
        names.iter().all(|name| name.starts_with("GET ")),
        "{names:?}"
    );
    let place = |name: &str| {
        names
            .iter()
            .position(|it| it == name)
            .context(name.to_owned())
    };
    let (list, one) = (
        place("GET /api/v1/books")?,
        place("GET /api/v1/books/{id}")?,
    );
    let steps = &draft.configuration.journeys[0].steps;
    ensure!(
        list < one && steps[list].find["booksId"] == "/books/0/id",
        "{:?}",
        steps[list]
    );
    ensure!(
        steps[one].path == "/api/v1/books/{booksId}",
        "{}",
        steps[one].path
    );
    let search = &steps[place("GET /api/v1/books/search")?];
    ensure!(search.path.ends_with("?query={query}") && search.values["query"] == "text");
    let warnings = draft.warnings.join("\n");
    ensure!(
        warnings.contains("Operations left out because they change something"),
        "{warnings}"
    );
    ensure!(
        warnings.contains("GET /api/v1/errortest/{code} is left out"),
        "{warnings}"
    );
    Script::of_draft(&draft)?.inspect().await?;
    Ok(())
}

#[tokio::test]
async fn writing_our_api_changes_only_what_was_created() -> anyhow::Result<()> {
    let options = OpenApiOptions {
        tags: vec!["books".to_owned(), "authors".to_owned()],
        writes: true,
        ..OpenApiOptions::default()
    };
    let draft = drafted(BOOKSTORE, &options)?;
    let names = names(&draft);
    let steps = &draft.configuration.journeys[0].steps;
    let step = |name: &str| {
        let place = names.iter().position(|it| it == name);
        place
            .map(|place| &steps[place])
            .with_context(|| format!("{name}: {names:?}"))
    };
    let created = step("POST /api/v1/books")?;
    ensure!(
        created.save["booksId"] == "/id" && created.status == 201,
        "{created:?}"
    );
    let body = created.body.as_ref().context("a body")?;
    ensure!(
        body["title"] == "text" && body.get("id").is_none(),
        "{body}"
    );
    ensure!(
        step("GET /api/v1/books")?.find.is_empty(),
        "a list must not hide what was created"
    );
    ensure!(step("DELETE /api/v1/books/{id}")?.path == "/api/v1/books/{booksId}");
    ensure!(
        names.last().is_some_and(|name| name.starts_with("DELETE")),
        "{names:?}"
    );
    Script::of_draft(&draft)?.inspect().await?;
    Ok(())
}

#[tokio::test]
async fn what_is_drafted_runs() -> anyhow::Result<()> {
    let thing = json!({"type": "object", "required": ["name"], "properties": {
        "id": {"type": "string", "readOnly": true}, "name": {"type": "string", "minLength": 6},
        "again": {"$ref": "#/components/schemas/Thing"}}});
    let reply = json!({"description": "", "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Thing"}}}});
    let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "Things */ \u{2028} '`${x}", "version": "1"},
        "servers": [{"url": "https://elsewhere.example/base"}],
        "paths": {
            "/things": {"post": {"requestBody": body, "responses": {"201": reply}}},
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {"parameters": [{"name": "a'b", "in": "query", "example": "</script>\u{2028}"}],
                        "responses": {"200": reply}},
                "delete": {"responses": {"204": {"description": ""}}},
            },
            "/odd'`${x}\n/{n}": {"get": {"responses": {"2XX": reply}}},
        },
        "components": {"schemas": {"Thing": thing}},
    });
    let options = OpenApiOptions {
        writes: true,
        ..OpenApiOptions::default()
    };
    let mut draft = drafted(&document.to_string(), &options)?;
    draft.configuration.load.stages[0].seconds = 4;
    let script = Script::of_draft(&draft)?;
    script.inspect().await?;
    let echo = Echo::start().await?;
    let log = script.run(tools::k6()?, &echo.base_url).await?;
    ensure!(!log.contains("wrong answer"), "{log}");
    let seen = echo.seen();
    let body: Value = serde_json::from_str(&seen[0].body)?;
    ensure!(
        seen[0].path == "/base/things" && body["name"] == "textte",
        "{:?}",
        seen[0]
    );
    let read = seen
        .iter()
        .find(|it| it.path == "/base/things/made-0")
        .context("it is read")?;
    ensure!(read.query["a'b"] == "</script>\u{2028}", "{read:?}");
    // What stands in braces is a value there, too.
    ensure!(
        seen.iter().any(|it| it.path == "/base/odd'`$1\n/1"),
        "{seen:?}"
    );
    Ok(())
}

#[test]
fn only_what_is_chosen() -> anyhow::Result<()> {
    let options = OpenApiOptions {
        operations: vec![
            "GET /health".to_owned(),
            "metrics".to_owned(),
            "nothing".to_owned(),
        ],
        ..OpenApiOptions::default()
    };
    let draft = drafted(BOOKSTORE, &options)?;
    assert_eq!(names(&draft), ["GET /health", "GET /metrics"]);
    assert_eq!(draft.warnings, ["nothing is not in the document."]);
    Ok(())
}

#[test]
fn what_is_no_document_is_named() {
    for (document, place) in [
        (json!({}), "openapi"),
        (json!({"swagger": "2.0", "paths": {}}), "openapi"),
        (json!({"openapi": "3.1.0"}), "paths"),
        (json!({"openapi": "3.1.0", "paths": {}}), "paths"),
        (json!({"openapi": "3.1.0", "paths": {"x": {}}}), "paths.x"),
        (json!([]), "openapi"),
    ] {
        let refused = draft(&document.to_string(), &OpenApiOptions::default()).unwrap_err();
        assert_eq!(refused[0].place, place, "{document}");
    }
}

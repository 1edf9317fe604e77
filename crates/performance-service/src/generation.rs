//! `POST /generate`: a script from a description.

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use script_generation::configuration::Configuration;
use script_generation::script::{self, Files};
use script_generation::{Draft, Invalid, MAX_DOCUMENT_BYTES, har, openapi, read_options};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::{FieldError, Problem};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit::changes;
use crate::conductor::blocking;
use crate::generated_scripts::{GeneratedScripts, MAX_SCRIPTS, SaveError, data_file};
use crate::idempotency::{self, MadeNothing, Repeated};
use crate::tenant_limits;

/// A document as a text needs twice its length for its escapes at worst; options are small.
const MAX_BODY_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// The name of the files of a script that is not saved.
const UNNAMED: &str = "script";

/// The routes with their own bound on bodies, which holds for what reads them before the call too.
pub(crate) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(generate))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            idempotency::once,
        ))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// What a script is made from.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct GenerateBody {
    /// The kind of document.
    from: Kind,
    /// The document: an object, or its text. A configuration's text may be TOML.
    #[schema(value_type = Value)]
    document: Box<RawValue>,
    /// Of `OpenAPI` documents `tags`, `operations`, `writes`, `load`; of recordings `target`,
    /// `assets`, `load`.
    #[schema(value_type = Option<Value>)]
    options: Option<Box<RawValue>>,
    /// A name to save the script under; runs find it as `generated/NAME.js`.
    save: Option<String>,
}

/// Kinds of documents.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Journeys, as in `k6/journeys`.
    Configuration,
    /// An `OpenAPI` 3 document.
    OpenApi,
    /// A recording of a browser, HAR 1.2.
    Har,
}

/// No options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOptions {}

/// A script with its data.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GeneratedBody {
    /// k6 code, for a file of any name. Absent when the answer is repeated for a key: the script is
    /// saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    /// What it sends, for the file that it names, in the same directory. Absent as `script` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    /// The name of that file.
    data_file: String,
    /// What was left out or made up.
    warnings: Vec<String>,
    /// Its name for runs, when it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_script: Option<String>,
}

/// Writes a k6 script from a configuration, an `OpenAPI` document or a recording.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/generate",
    tag = "scripts",
    params(idempotency::KeyHeader),
    request_body = GenerateBody,
    responses(
        (status = 200, description = "The script", body = GeneratedBody),
        (status = 201, description = "The script, saved as `testScript`", body = GeneratedBody),
        (status = 400, description = "The document is refused; `errors` names the places"),
        (status = 409, description = "A script of this name is saved already"),
        (status = 413, description = "The document is too large"),
        (status = 429, description = "There are as many scripts as are kept, or too many are asked for"),
        (status = 507, description = "There is no room on the disk"),
    )
)]
pub(crate) async fn generate(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<GenerateBody>,
) -> Result<Response, Problem> {
    app.conductor.count_trigger(&caller.tenant)?;
    if let Some(name) = &body.save {
        GeneratedScripts::check_name(name).map_err(not_saved)?;
    }
    let save = body.save.clone();
    // A large recording takes a moment.
    let (draft, files) = blocking(move || write(&body)).await??;
    let name = save.clone().unwrap_or_else(|| UNNAMED.to_owned());
    let mut reply = GeneratedBody {
        script: Some(files.script.clone()),
        data: Some(files.data.clone()),
        data_file: data_file(&name),
        warnings: draft.warnings,
        test_script: None,
    };
    if save.is_none() {
        let mut response = Json(reply).into_response();
        response.extensions_mut().insert(MadeNothing);
        return Ok(response);
    }
    let again = idempotency::id_of_made().is_some();
    let saved = move || match app.generated.save(&caller.tenant, &name, &files) {
        Err(SaveError::Exists) if again => app.generated.saved(&caller.tenant, &name, &files),
        saved => saved,
    };
    reply.test_script = Some(blocking(saved).await?.map_err(not_saved)?);
    changes::made(&(&reply.script, &reply.data));
    let mut response = (StatusCode::CREATED, Json(&reply)).into_response();
    (reply.script, reply.data) = (None, None);
    let repeated = serde_json::to_vec(&reply).map_err(|_| Problem::internal())?;
    response.extensions_mut().insert(Repeated(repeated.into()));
    Ok(response)
}

fn write(body: &GenerateBody) -> Result<(Draft, Files), Problem> {
    let raw = body.document.get();
    let text = if raw.starts_with('"') {
        serde_json::from_str(raw)
            .map_err(|error| Problem::invalid_field("document", error.to_string()))?
    } else {
        raw.to_owned()
    };
    let options = body.options.as_ref().map_or("{}", |options| options.get());
    let draft = match body.from {
        Kind::Configuration => {
            read_options::<NoOptions>(options).map_err(|it| refused("options", it))?;
            Configuration::parse(&text).map(|configuration| Draft {
                configuration,
                warnings: Vec::new(),
            })
        }
        Kind::OpenApi => {
            let options = read_options(options).map_err(|it| refused("options", it))?;
            openapi::draft(&text, &options)
        }
        Kind::Har => {
            let options = read_options(options).map_err(|it| refused("options", it))?;
            har::draft(&text, &options)
        }
    };
    let draft = draft.map_err(|it| refused("document", it))?;
    let data_file = data_file(body.save.as_deref().unwrap_or(UNNAMED));
    let files = script::write(&draft.configuration, &data_file, &draft.warnings);
    let files = files.map_err(|it| refused("document", it))?;
    Ok((draft, files))
}

/// Every refused place, below the member of the body that it is in.
fn refused(member: &str, refusals: Vec<Invalid>) -> Problem {
    let errors = refusals.into_iter().map(|Invalid { place, reason }| {
        let field = match place.as_str() {
            "" => member.to_owned(),
            // An option that only the document shows to be wrong.
            place if place.starts_with("options.") => place.to_owned(),
            place => format!("{member}.{place}"),
        };
        FieldError::new(field, reason)
    });
    Problem::invalid(errors.collect())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn not_saved(error: SaveError) -> Problem {
    match &error {
        SaveError::InvalidName(_) => Problem::invalid_field("save", error.to_string()),
        SaveError::Exists => Problem::conflict(error.to_string()).with_kind("script-exists"),
        SaveError::TooMany => tenant_limits::as_many_as_kept("saved scripts", MAX_SCRIPTS as u64),
        SaveError::Failed(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
            Problem::insufficient_storage("there is no room on the disk")
        }
        SaveError::Failed(cause) => {
            tracing::error!("a generated script is not saved: {cause}");
            Problem::internal()
        }
    }
}

//! `/login`: where a browser, which sends no token with a page, opens a session with one.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, body::Bytes};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use service_defaults::access::Authentication;
use service_defaults::problem::Problem;

use super::{page, see_other};
use crate::app::App;

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    /// Whether a token was refused.
    refused: bool,
}

/// The page that asks for a token; in development mode there is nothing to ask for.
pub(super) async fn form(State(app): State<App>) -> Result<Response, Problem> {
    match &app.authentication {
        Authentication::Development(_) => Ok(see_other("/")),
        Authentication::Tokens(_) => page(&Login { refused: false }),
    }
}

/// Opens a session for a token's principal, who is told to the journal.
pub(super) async fn log_in(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    let Authentication::Tokens(tokens) = &app.authentication else {
        return Ok(see_other("/"));
    };
    let mut fields = url::form_urlencoded::parse(&body);
    let token = fields.find_map(|(name, value)| (name == "token").then_some(value));
    let token = token.unwrap_or_default();
    let Some(principal) = tokens.principal(token.trim()) else {
        let mut response = page(&Login { refused: true })?;
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = HeaderValue::from_static("Bearer");
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
        return Ok(response);
    };
    let to_home = with_cookie(see_other("/"), app.sessions.open(principal));
    Ok((Extension(principal.clone()), to_home).into_response())
}

/// Ends the session.
pub(super) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    with_cookie(see_other("/login"), app.sessions.close(&headers))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

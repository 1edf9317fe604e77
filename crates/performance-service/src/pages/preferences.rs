//! What somebody prefers: the colours of the pages, and whether single keys act. It is kept by
//! their browser, in cookies that hold nothing else.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use service_defaults::access::cookie;
use service_defaults::problem::Problem;

use super::see_other;

/// A year: browsers cut longer ones (RFC 6265bis 5.5 allows 400 days).
const KEPT_SECONDS: u32 = 365 * 86_400;

/// The fields of the form are the cookies that it sets. Cookies know no ports, so that they have
/// the name of the service.
const THEME: &str = "performance-theme";
const SHORTCUTS: &str = "performance-shortcuts";

/// Which colours a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// Those of the system.
    Auto,
    Light,
    Dark,
}

/// A choice of the form: value, words, and whether it is the present one.
pub(super) type Choice = (&'static str, &'static str, bool);

impl Theme {
    const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// What a browser keeps; `Auto` where it keeps nothing.
    fn of(headers: &HeaderMap) -> Self {
        let kept = cookie(headers, THEME).and_then(Self::parse);
        kept.unwrap_or(Self::Auto)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Auto => "as the system has it",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The style that goes after that of all pages, whose colours come in pairs. Paper is light.
    const fn style(self) -> &'static str {
        match self {
            Self::Auto => "",
            Self::Light => "@media screen { :root { color-scheme: light; } }",
            Self::Dark => "@media screen { :root { color-scheme: dark; } }",
        }
    }
}

/// The themes to choose from.
pub(super) fn themes(headers: &HeaderMap) -> Vec<Choice> {
    let present = Theme::of(headers);
    let choice = |theme: Theme| (theme.name(), theme.words(), theme == present);
    Theme::ALL.map(choice).into()
}

/// Whether single keys act.
pub(super) fn shortcuts(headers: &HeaderMap) -> Vec<Choice> {
    let off = cookie(headers, SHORTCUTS) == Some("off");
    vec![("on", "act", !off), ("off", "do nothing", off)]
}

/// The style of the theme that the browser keeps.
pub(super) async fn theme_style(headers: HeaderMap) -> Response {
    let about = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        // The page after the form looks as it says.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (about, Theme::of(&headers).style()).into_response()
}

/// The form of the settings.
pub(super) async fn change(body: Bytes) -> Result<Response, Problem> {
    let mut response = see_other("/settings#preferences");
    for (name, value) in url::form_urlencoded::parse(&body) {
        let (name, value) = match (name.as_ref(), value.as_ref()) {
            (THEME, value) => {
                let theme = Theme::parse(value).map(Theme::name);
                (THEME, theme.ok_or("must be auto, light or dark"))
            }
            (SHORTCUTS, "on") => (SHORTCUTS, Ok("on")),
            (SHORTCUTS, "off") => (SHORTCUTS, Ok("off")),
            (SHORTCUTS, _) => (SHORTCUTS, Err("must be on or off")),
            _ => continue,
        };
        let value = value.map_err(|reason| Problem::invalid_field(name, reason))?;
        let set = format!("{name}={value}; Path=/; Max-Age={KEPT_SECONDS}; SameSite=Lax");
        if let Ok(set) = HeaderValue::try_from(set) {
            response.headers_mut().append(header::SET_COOKIE, set);
        }
    }
    Ok(response)
}

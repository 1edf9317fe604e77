//! Addresses and model names, as settings give them.

use std::str::FromStr;

use reqwest::Url;

use crate::is_model_name;

/// Ollama's own port, meant where its address names none.
const OLLAMA_PORT: u16 = 11_434;

/// Longest name of a region; the longest known ones have 14 letters.
const MAX_REGION: usize = 32;

/// An http or https URL without credentials, query or fragment.
pub(super) struct BaseUrl(pub(super) Url);

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Url = text
            .parse()
            .map_err(|error| format!("is no URL: {error}"))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
            Ok(Self(url))
        } else {
            Err("must be an http or https URL without credentials, query or fragment".to_owned())
        }
    }
}

/// An address in any form that Ollama's own programs take.
pub(super) struct OllamaHost(pub(super) Url);

impl FromStr for OllamaHost {
    type Err = String;

    /// Ollama's own forms: a URL, `host:port` or `host`; the address that a server listens on
    /// everywhere is reached on loopback.
    fn from_str(text: &str) -> Result<Self, String> {
        let bare = !text.contains("://");
        let with_scheme = if bare {
            format!("http://{text}")
        } else {
            text.to_owned()
        };
        let BaseUrl(mut url) = with_scheme.parse()?;
        if bare && url.port().is_none() && !text.ends_with(":80") {
            url.set_port(Some(OLLAMA_PORT))
                .map_err(|()| "takes no port".to_owned())?;
        }
        if url.host_str() == Some("0.0.0.0") {
            url.set_host(Some("127.0.0.1"))
                .map_err(|error| error.to_string())?;
        }
        Ok(Self(url))
    }
}

/// A name that [`is_model_name`] takes.
pub(super) struct ModelName(pub(super) String);

impl FromStr for ModelName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_model_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be 1 to 200 of A-Z a-z 0-9 . _ : / @ -")
        }
    }
}

/// The name of an Amazon region; it becomes part of a host name.
pub(super) struct Region(pub(super) String);

impl FromStr for Region {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=MAX_REGION).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a region such as eu-west-1")
        }
    }
}

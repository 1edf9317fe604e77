//! Images by their content, not by a name that may stand for another one tomorrow.

use std::fmt;
use std::str::FromStr;

/// The longest reference; registries allow less.
const MAX_LENGTH: usize = 400;

/// `NAME@sha256:DIGEST`, or `sha256:ID` of an image that was loaded or imported here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedImage(String);

/// The text names no image for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be NAME@sha256:DIGEST or sha256:ID, with 64 hexadecimal digits")]
pub struct UnpinnedImage;

impl FromStr for PinnedImage {
    type Err = UnpinnedImage;

    fn from_str(text: &str) -> Result<Self, UnpinnedImage> {
        let (name, digest) = text.rsplit_once("sha256:").ok_or(UnpinnedImage)?;
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
        let named = match name.strip_suffix('@') {
            Some(name) => {
                name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(allowed)
            }
            None => name.is_empty(),
        };
        let hexadecimal = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
        let content = digest.len() == 64 && digest.chars().all(hexadecimal);
        if named && content && text.len() <= MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnpinnedImage)
        }
    }
}

impl fmt::Display for PinnedImage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_names_an_image() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for good in [
            digest.clone(),
            format!("grafana/k6@{digest}"),
            format!("registry.test:5000/load/k6:2.2.0@{digest}"),
        ] {
            assert_eq!(good.parse::<PinnedImage>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "grafana/k6",
            "grafana/k6:2.2.0",
            "grafana/k6@sha256:12",
            &digest.to_uppercase(),
            &format!("grafana/k6:{digest}"),
            &format!("@{digest}"),
            &format!("-k6@{digest}"),
            &format!("a b@{digest}"),
        ] {
            assert_eq!(bad.parse::<PinnedImage>(), Err(UnpinnedImage), "{bad}");
        }
    }
}

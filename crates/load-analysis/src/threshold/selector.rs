//! `http_req_duration{scenario:browse}`: a metric, or the part of it with some tags.

use super::{InvalidThreshold, MAX_TEXT_LENGTH, invalid};
use crate::sample::Tags;

/// Which samples a threshold looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The text as it was written: k6 names the submetric so.
    pub source: String,
    /// The metric's name.
    pub metric: String,
    /// The tags that a sample must carry, all of them.
    pub tags: Vec<(String, String)>,
}

impl Selector {
    /// Reads a metric name, or a name and tags in braces.
    ///
    /// # Errors
    /// [`InvalidThreshold`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidThreshold> {
        if text.len() > MAX_TEXT_LENGTH {
            return Err(invalid(text, "longer than 500 bytes"));
        }
        let (metric, tags) = match text.split_once('{') {
            None => (text, Vec::new()),
            Some((metric, rest)) => {
                let inner = rest
                    .strip_suffix('}')
                    .ok_or_else(|| invalid(text, "opens a brace that does not close it"))?;
                (
                    metric,
                    parse_tags(inner).ok_or_else(|| {
                        invalid(text, "tags must be `name:value`, separated by commas")
                    })?,
                )
            }
        };
        let is_name = !metric.is_empty()
            && metric
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !metric.starts_with(|c: char| c.is_ascii_digit());
        if !is_name {
            return Err(invalid(
                text,
                "a metric name is made of letters, digits and underscores",
            ));
        }
        Ok(Self {
            source: text.to_owned(),
            metric: metric.to_owned(),
            tags,
        })
    }

    /// Whether a sample of the metric carries all the tags.
    #[must_use]
    pub fn matches(&self, tags: &Tags<'_>) -> bool {
        self.tags
            .iter()
            .all(|(name, value)| tags.get(name) == Some(value))
    }
}

fn parse_tags(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(|pair| {
            let (name, value) = pair.split_once(':')?;
            let name = unquote(name.trim());
            (!name.is_empty()).then(|| (name.to_owned(), unquote(value.trim()).to_owned()))
        })
        .collect()
}

/// k6 takes tag values with and without quotes.
fn unquote(text: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_tags() {
        let plain = Selector::parse("http_reqs").unwrap();
        assert_eq!((plain.metric.as_str(), plain.tags.len()), ("http_reqs", 0));
        let tagged = Selector::parse("http_req_duration{scenario:browse, name:'GET /x'}").unwrap();
        assert_eq!(
            tagged.tags,
            [
                ("scenario".into(), "browse".into()),
                ("name".into(), "GET /x".into())
            ]
        );
        assert!(
            tagged.matches(
                &[("scenario", "browse"), ("name", "GET /x")]
                    .into_iter()
                    .collect()
            )
        );
        assert!(!tagged.matches(&[("scenario", "browse")].into_iter().collect()));
        assert_eq!(
            Selector::parse("d{group:::setup}").unwrap().tags,
            [("group".into(), "::setup".into())]
        );
    }

    #[test]
    fn refuses_what_is_no_selector() {
        for text in [
            "", "a b", "a{", "a{}", "a{b}", "a{:c}", "1a", "a{b:c}d", "ä",
        ] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}

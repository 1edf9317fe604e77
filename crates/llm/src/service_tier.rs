//! The class of service that a call is answered at, and paid.

use std::{borrow::Cow, fmt};

/// What who asks for nothing gets.
const STANDARD: &str = "standard";

/// The words of the vendors and of the price list, so that they are not allocated for each call.
const KNOWN: [&str; 7] = [
    STANDARD, "batch", "flex", "priority", "fast", "scale", "reserved",
];

/// Stands for a word that is none, in rows and spans.
const UNKNOWN: &str = "unknown";

/// Longest word that is believed to be one; the vendors' own have at most eight letters.
const MAX_WORD: usize = 32;

/// A class of service: `standard`, or a dearer or cheaper one in the vendor's own word, such as
/// `flex` or `priority`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceTier(Cow<'static, str>);

impl ServiceTier {
    /// The usual class.
    pub const STANDARD: Self = Self(Cow::Borrowed(STANDARD));

    /// The class that a request asks for with its vendor's word, or without one.
    #[must_use]
    pub fn asked(word: Option<&str>) -> Self {
        Self::of(normalised(word.unwrap_or_default()))
    }

    /// The class that a reply names. `auto` names none: it leaves the choice to the vendor, which
    /// has not said yet what it chose.
    #[must_use]
    pub fn reported(word: Option<&str>) -> Option<Self> {
        let word = word.filter(|word| !matches!(*word, "" | "auto"))?;
        Some(Self::of(normalised(word)))
    }

    /// The word in prices, rows and spans.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(word: &str) -> Self {
        if let Some(known) = KNOWN.into_iter().find(|known| *known == word) {
            return Self(Cow::Borrowed(known));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if word.len() <= MAX_WORD && word.bytes().all(plain) {
            return Self(Cow::Owned(word.to_owned()));
        }
        Self(Cow::Borrowed(UNKNOWN))
    }
}

impl fmt::Display for ServiceTier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The vendors have several words for their usual service, which are one for a price; a choice that
/// is left to the vendor is taken for it until the reply says otherwise.
pub(crate) fn normalised(word: &str) -> &str {
    match word {
        "" | "default" | "auto" | "standard_only" => STANDARD,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_are_one() {
        for (word, asked, reported) in [
            (None, "standard", None),
            (Some(""), "standard", None),
            (Some("auto"), "standard", None),
            (Some("default"), "standard", Some("standard")),
            (Some("standard"), "standard", Some("standard")),
            (Some("standard_only"), "standard", Some("standard")),
            (Some("flex"), "flex", Some("flex")),
            (Some("priority"), "priority", Some("priority")),
            (Some("ultrafast"), "ultrafast", Some("ultrafast")),
            (Some("a\nb"), "unknown", Some("unknown")),
            (Some("ä"), "unknown", Some("unknown")),
        ] {
            assert_eq!(ServiceTier::asked(word).as_str(), asked, "{word:?}");
            let read = ServiceTier::reported(word);
            assert_eq!(read.as_ref().map(ServiceTier::as_str), reported, "{word:?}");
        }
        let endless = "x".repeat(MAX_WORD + 1);
        assert_eq!(ServiceTier::asked(Some(&endless)).as_str(), UNKNOWN);
    }
}

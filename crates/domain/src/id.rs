//! Identifiers of twelve bytes, written as 24 hexadecimal digits.

use std::{fmt, str::FromStr};

/// Bytes of an identifier.
const LENGTH: usize = 12;

/// A text that is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 24 hexadecimal digits")]
pub struct InvalidId;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// The identifier of these twelve bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; LENGTH]) -> Self {
                Self(bytes)
            }

            /// The twelve bytes.
            #[must_use]
            pub const fn bytes(&self) -> [u8; LENGTH] {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
        }
    };
}

identifier! {
    /// Identifies a book within its tenant.
    BookId
}
identifier! {
    /// Identifies an author within its tenant.
    AuthorId
}

fn parse_hex(text: &str) -> Result<[u8; LENGTH], InvalidId> {
    let text = text.as_bytes();
    if text.len() != 2 * LENGTH {
        return Err(InvalidId);
    }
    let mut bytes = [0; LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = [hex_digit(pair[0])?, hex_digit(pair[1])?];
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

fn hex_digit(byte: u8) -> Result<u8, InvalidId> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(InvalidId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_survive_the_round_trip() {
        let id: BookId = "65a1B2c3d4e5f60718293a4b".parse().unwrap();
        assert_eq!(id.to_string(), "65a1b2c3d4e5f60718293a4b");
        assert_eq!(BookId::from_bytes(id.bytes()), id);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "65a1",
            "65a1b2c3d4e5f60718293a4g",
            "65a1b2c3d4e5f60718293a4b0",
            "é",
        ] {
            assert_eq!(text.parse::<BookId>(), Err(InvalidId), "{text}");
        }
    }
}

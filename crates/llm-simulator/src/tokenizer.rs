//! The simulator's own tokenizer: simple, deterministic, and shared with
//! nobody, so that its counts are an independent reading of every prompt.
//!
//! A token is a run of letters of at most eight bytes with the single space
//! before it, a run of at most three digits with the single space before it,
//! one mark of punctuation, or a run of other white space.

/// Longest word piece, in bytes: a long English word is two tokens, a word of
/// a language with three-byte letters about one token per two letters.
const WORD_BYTES: usize = 8;
/// Longest run of digits in one token.
const DIGITS: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Letter,
    Digit,
    Space,
    Mark,
}

/// The number of tokens in `text`; 0 for an empty one.
pub(crate) fn count(text: &str) -> u64 {
    let mut tokens = 0;
    let mut current: Option<(Class, usize)> = None;
    let mut lone_space = false;
    for character in text.chars() {
        let class = classify(character);
        let weight = if class == Class::Letter {
            character.len_utf8()
        } else {
            1
        };
        current = match current {
            Some((same, used)) if same == class && used + weight <= room(class) => {
                lone_space = false;
                Some((class, used + weight))
            }
            // One space belongs to the word that follows it.
            Some((Class::Space, _)) if lone_space && class != Class::Mark => {
                lone_space = false;
                Some((class, weight))
            }
            _ => {
                tokens += 1;
                lone_space = character == ' ';
                Some((class, weight))
            }
        };
    }
    tokens
}

fn classify(character: char) -> Class {
    if character.is_whitespace() {
        Class::Space
    } else if character.is_ascii_digit() {
        Class::Digit
    } else if character.is_alphabetic() {
        Class::Letter
    } else {
        Class::Mark
    }
}

/// How much one token of this class may hold.
fn room(class: Class) -> usize {
    match class {
        Class::Letter => WORD_BYTES,
        Class::Digit => DIGITS,
        Class::Space => usize::MAX,
        Class::Mark => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_are_what_the_rules_say() {
        let cases = [
            ("", 0),
            ("word", 1),
            (" word", 1),
            ("two words", 2),
            ("incomprehensible", 2),
            ("Hello, world!", 4),
            ("1984", 2),
            ("a  b", 3),
            ("line\n\nline", 3),
            ("本の要約", 2),
            ("a\u{0}b", 3),
        ];
        for (text, tokens) in cases {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }
}

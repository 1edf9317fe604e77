//! The text of an answer: plain sentences about a book, one token at a time.
//!
//! Every piece below is exactly one token of [`crate::tokenizer`], so the
//! length of an answer is known before it is written.

const ADJECTIVES: [&str; 16] = [
    " quiet",
    " restless",
    " bitter",
    " tender",
    " modern",
    " weary",
    " naïve",
    " stubborn",
    " fragile",
    " distant",
    " vivid",
    " hopeful",
    " divided",
    " patient",
    " uneasy",
    " gifted",
];
const NOUNS: [&str; 16] = [
    " narrator",
    " family",
    " village",
    " secret",
    " journey",
    " letter",
    " city",
    " garden",
    " memory",
    " stranger",
    " café",
    " winter",
    " promise",
    " debt",
    " island",
    " rival",
];
const VERBS: [&str; 12] = [
    " follows",
    " reveals",
    " divides",
    " haunts",
    " rescues",
    " betrays",
    " explores",
    " mourns",
    " doubts",
    " mirrors",
    " shelters",
    " shapes",
];
const LINKS: [&str; 4] = [" while", " because", " until", " and"];

/// An endless answer, told by one generator.
pub(crate) struct Answer {
    generator: fastrand::Rng,
    place: usize,
    opened: bool,
}

impl Answer {
    pub(crate) fn new(generator: fastrand::Rng) -> Self {
        Self {
            generator,
            place: 0,
            opened: false,
        }
    }

    /// The next token: a word with the space before it, or a full stop.
    pub(crate) fn next_token(&mut self) -> &'static str {
        let token = match self.place {
            0 if self.opened => " The",
            0 => "The",
            1 | 8 => self.pick(&ADJECTIVES),
            2 | 5 | 9 => self.pick(&NOUNS),
            3 | 10 => self.pick(&VERBS),
            4 | 11 => " a",
            6 => self.pick(&LINKS),
            7 => " the",
            12 => self.pick(&NOUNS),
            _ => ".",
        };
        self.opened = true;
        self.place = (self.place + 1) % 14;
        token
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.generator.usize(..words.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::{ADJECTIVES, Answer, LINKS, NOUNS, VERBS};
    use crate::{seed::generator, tokenizer};

    #[test]
    fn every_piece_is_one_token_also_when_joined() {
        for word in ADJECTIVES.iter().chain(&NOUNS).chain(&VERBS).chain(&LINKS) {
            assert_eq!(tokenizer::count(word), 1, "{word}");
        }
        for length in [1, 13, 14, 15, 120] {
            let mut answer = Answer::new(generator(5, length));
            let text: String = (0..length).map(|_| answer.next_token()).collect();
            assert_eq!(tokenizer::count(&text), length, "{text}");
        }
    }
}

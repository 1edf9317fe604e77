//! The text of a summary without the white space around it.

/// Leaves out the white space around a text that comes in pieces, so that the pieces together are
/// the summary that is kept.
#[derive(Default)]
pub(super) struct Trimmed {
    begun: bool,
    /// White space that stays if more text comes.
    held: String,
}

impl Trimmed {
    pub(super) fn push(&mut self, piece: &str) -> Option<String> {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(if self.begun {
            piece
        } else {
            piece.trim_start()
        });
        self.held = text.split_off(text.trim_end().len());
        self.begun |= !text.is_empty();
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_add_up_to_the_trimmed_whole() {
        for pieces in [
            &[" \n", "A", " b", " ", " ", "c \n", " "][..],
            &["ä ", "\u{a0}", "ö"],
            &["  "],
            &["x"],
            &["", " ", "x", ""],
        ] {
            let mut trimmed = Trimmed::default();
            let texts: Vec<String> = pieces.iter().filter_map(|p| trimmed.push(p)).collect();
            assert!(texts.iter().all(|text| !text.is_empty()));
            assert_eq!(texts.concat(), pieces.concat().trim(), "{pieces:?}");
        }
    }
}

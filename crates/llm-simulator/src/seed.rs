//! Where every drawn number comes from: one generator per call, made from the
//! seed and the call's number, so that a call's answer and pace do not depend
//! on what runs beside it.

/// Separates the streams of neighbouring seeds and numbers (the odd constant
/// of `SplitMix64`, 2⁶⁴ divided by the golden ratio).
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The generator of call `number` under `seed`.
pub(crate) fn generator(seed: u64, number: u64) -> fastrand::Rng {
    let mixed = finalise(seed).wrapping_add(number.wrapping_mul(GOLDEN_GAMMA));
    fastrand::Rng::with_seed(finalise(mixed))
}

/// An identifier of `length` letters and digits.
pub(crate) fn identifier(generator: &mut fastrand::Rng, prefix: &str, length: usize) -> String {
    let mut text = String::with_capacity(prefix.len() + length);
    text.push_str(prefix);
    text.extend((0..length).map(|_| generator.alphanumeric()));
    text
}

/// `SplitMix64`'s finaliser: neighbouring inputs give unrelated outputs.
fn finalise(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(GOLDEN_GAMMA);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{generator, identifier};

    #[test]
    fn same_seed_and_number_repeat_and_any_other_does_not() {
        let first = generator(7, 1).u64(..);
        assert_eq!(first, generator(7, 1).u64(..));
        assert_ne!(first, generator(7, 2).u64(..));
        assert_ne!(first, generator(8, 1).u64(..));
    }

    #[test]
    fn identifiers_have_their_prefix_and_length() {
        let id = identifier(&mut generator(1, 1), "msg_", 24);
        assert!(id.starts_with("msg_"), "{id}");
        assert_eq!(id.len(), 28);
    }
}

//! A short stable mark of texts, to see whether they changed.

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>), with each text's end marked.
#[must_use]
pub fn fingerprint(texts: &[&str]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = OFFSET_BASIS;
    for text in texts {
        // 0xff occurs in no UTF-8 text, so two texts never run into each other.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash
}

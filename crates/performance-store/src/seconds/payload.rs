//! The bytes of one second: series number, length and value, one after the other.

use std::collections::HashMap;

use load_analysis::series::{SeriesKey, SeriesValue};

use crate::error::StoreError;

/// The value of one series.
pub(super) struct Part {
    pub(super) series: u64,
    pub(super) value: Vec<u8>,
}

pub(super) fn encode(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.value.len() + 6).sum());
    for part in parts {
        write_number(&mut bytes, part.series);
        write_number(&mut bytes, part.value.len() as u64);
        bytes.extend_from_slice(&part.value);
    }
    bytes
}

/// Reads the values of the series in `keys` and skips all others.
pub(super) fn decode(
    mut bytes: &[u8],
    keys: &HashMap<u64, SeriesKey>,
) -> Result<Vec<(SeriesKey, SeriesValue)>, StoreError> {
    let mut series = Vec::new();
    while !bytes.is_empty() {
        let id = read_number(&mut bytes)?;
        let length = usize::try_from(read_number(&mut bytes)?).map_err(|_| damaged())?;
        let (value, rest) = bytes.split_at_checked(length).ok_or_else(damaged)?;
        bytes = rest;
        if let Some(key) = keys.get(&id) {
            let value = SeriesValue::from_bytes(value)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            series.push((key.clone(), value));
        }
    }
    Ok(series)
}

/// LEB128: seven bits a byte, lowest first, the top bit says that more follow.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn read_number(bytes: &mut &[u8]) -> Result<u64, StoreError> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged())
}

fn damaged() -> StoreError {
    StoreError::Corrupt("a second of a run is damaged".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_sizes_come_back() {
        for number in [0, 1, 127, 128, 300, 1 << 20, (1 << 62) - 1] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut rest = bytes.as_slice();
            assert_eq!(read_number(&mut rest).expect("readable"), number);
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        for bytes in [&[0x80_u8][..], &[1, 5, 0], &[0xff; 12]] {
            assert!(decode(bytes, &HashMap::new()).is_err(), "{bytes:?}");
        }
    }
}

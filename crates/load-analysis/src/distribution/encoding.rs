//! The bytes of a distribution: sorted pairs of value and count as variable-length integers.
//!
//! The same form serves lists and buckets and is smaller than the histogram crate's own V2 form,
//! which starts with 40 bytes: most series hold a handful of values a second.

use super::values::Values;
use super::{Distribution, LARGEST_STEP};

/// Why bytes are no distribution or series value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("the bytes end in the middle of a value")]
    Truncated,
    /// A number is out of its range, or something unknown stands where a tag belongs.
    #[error("the bytes hold a number that cannot stand there")]
    Invalid,
}

impl Distribution {
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.sum, self.min, self.max] {
            write_float(bytes, number);
        }
        let pairs = self.values.pairs();
        write_unsigned(bytes, pairs.len() as u64);
        let mut previous = 0_i64;
        for (step, times) in pairs {
            write_unsigned(bytes, zigzag(step.wrapping_sub(previous)));
            write_unsigned(bytes, times);
            previous = step;
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [sum, min, max] = [reader.float()?, reader.float()?, reader.float()?];
        if !(sum.is_finite() && min.is_finite() && max.is_finite() && min <= max) {
            return Err(DecodeError::Invalid);
        }
        let mut values = Values::default();
        let mut step = 0_i64;
        let mut count = 0_u64;
        for _ in 0..reader.unsigned()? {
            let distance = unzigzag(reader.unsigned()?);
            step = step.checked_add(distance).ok_or(DecodeError::Invalid)?;
            let times = reader.unsigned()?;
            count = count.checked_add(times).ok_or(DecodeError::Invalid)?;
            if times == 0 || step.unsigned_abs() > LARGEST_STEP.unsigned_abs() {
                return Err(DecodeError::Invalid);
            }
            values.record_many(step, times);
        }
        Ok(Self {
            sum,
            min,
            max,
            values,
        })
    }
}

/// Reads what the writers of this module wrote.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn float(&mut self) -> Result<f64, DecodeError> {
        let (first, rest) = self
            .bytes
            .split_first_chunk()
            .ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(f64::from_le_bytes(*first))
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Invalid);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Invalid)
    }
}

pub(crate) fn write_float(bytes: &mut Vec<u8>, number: f64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

/// LEB128: seven bits a byte, lowest first, the top bit says that more follow.
pub(crate) fn write_unsigned(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// Signed to unsigned so that small distances of either sign stay short.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

//! Exact decimal text to scaled integers and back.

/// Longest decimal text that is looked at; longer text is no number that anybody means.
const MAX_LENGTH: usize = 64;

/// Why a text is no decimal number of the wanted scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not a number.
    #[error("is not a number")]
    Malformed,
    /// More decimals than the scale keeps.
    #[error("has more than {0} decimals")]
    TooPrecise(u32),
    /// The value does not fit.
    #[error("is out of range")]
    OutOfRange,
}

/// Reads a decimal number, with an optional exponent, as an integer of 10⁻ˢᶜᵃˡᵉ units.
///
/// `parse_decimal("12.5", 4)` is `125_000`.
///
/// # Errors
/// Text that is no number, has more decimals than `scale` (trailing zeros do not count), or does
/// not fit.
pub fn parse_decimal(text: &str, scale: u32) -> Result<i128, DecimalError> {
    if text.len() > MAX_LENGTH {
        return Err(DecimalError::OutOfRange);
    }
    let (mantissa, exponent) = split_exponent(text)?;
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let mut value: i128 = 0;
    for digit in digits() {
        value = value
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::OutOfRange)?;
    }
    let decimals = i64::try_from(fraction.len()).map_err(|_| DecimalError::OutOfRange)?;
    let shift = i64::from(scale) + exponent - decimals;
    let scaled = shift_decimal(value, shift, scale)?;
    Ok(if negative { -scaled } else { scaled })
}

/// Writes an integer of 10⁻ˢᶜᵃˡᵉ units as decimal text without trailing zeros.
#[must_use]
pub fn format_decimal(value: i128, scale: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    let scale = scale as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

fn split_exponent(text: &str) -> Result<(&str, i64), DecimalError> {
    match text.split_once(['e', 'E']) {
        None => Ok((text, 0)),
        Some((mantissa, exponent)) => {
            let exponent: i64 = exponent.parse().map_err(|_| DecimalError::Malformed)?;
            if exponent.abs() > 1_000_000 {
                return Err(DecimalError::OutOfRange);
            }
            Ok((mantissa, exponent))
        }
    }
}

fn shift_decimal(value: i128, shift: i64, scale: u32) -> Result<i128, DecimalError> {
    if value == 0 {
        return Ok(0);
    }
    if shift >= 0 {
        let power = u32::try_from(shift).map_err(|_| DecimalError::OutOfRange)?;
        return 10_i128
            .checked_pow(power)
            .and_then(|factor| value.checked_mul(factor))
            .ok_or(DecimalError::OutOfRange);
    }
    let power = u32::try_from(-shift).map_err(|_| DecimalError::TooPrecise(scale))?;
    let divisor = 10_i128
        .checked_pow(power)
        .ok_or(DecimalError::TooPrecise(scale))?;
    if value % divisor != 0 {
        return Err(DecimalError::TooPrecise(scale));
    }
    Ok(value / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, scale, expected) in [
            ("12.99", 4, Ok(129_900)),
            ("0", 4, Ok(0)),
            ("0e999", 4, Ok(0)),
            ("1.5e1", 4, Ok(150_000)),
            ("15e-1", 4, Ok(15_000)),
            ("-0.1", 2, Ok(-10)),
            ("1.00000", 4, Ok(10_000)),
            ("1.00001", 4, Err(DecimalError::TooPrecise(4))),
            ("1e999", 4, Err(DecimalError::OutOfRange)),
            ("1e-999", 4, Err(DecimalError::TooPrecise(4))),
            ("", 4, Err(DecimalError::Malformed)),
            (".", 4, Err(DecimalError::Malformed)),
            ("abc", 4, Err(DecimalError::Malformed)),
            ("NaN", 4, Err(DecimalError::Malformed)),
            ("1.2.3", 4, Err(DecimalError::Malformed)),
            ("1 ", 4, Err(DecimalError::Malformed)),
        ] {
            assert_eq!(parse_decimal(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn decimals_are_written_without_trailing_zeros() {
        for (value, scale, expected) in [
            (129_900, 4, "12.99"),
            (0, 4, "0"),
            (-5, 2, "-0.05"),
            (10_000, 4, "1"),
            (7, 0, "7"),
        ] {
            assert_eq!(format_decimal(value, scale), expected);
        }
    }
}

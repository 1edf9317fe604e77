//! Small files that settings name.

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// Says why: it is missing, too long, or no text.
pub(crate) fn read(path: &str, limit: u64) -> Result<String, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if length > limit {
        return Err(format!("longer than {limit} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

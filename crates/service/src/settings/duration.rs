//! Durations as people write them.

use std::time::Duration;

/// Reads `500ms`, `2s`, `30m`, `24h` or `14d`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "expected a whole number with ms, s, m, h or d behind it, such as 30m";
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| FORM)?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(FORM),
    };
    // Ten years are far beyond any window here and far below what dates can hold.
    match number.checked_mul(milliseconds) {
        Some(total) if total <= 10 * 365 * 86_400_000 => Ok(Duration::from_millis(total)),
        _ => Err("at most ten years"),
    }
}

//! Durations as people write them, on the command line and in settings.

use std::time::Duration;

/// A duration with its unit, such as `10s`, `2m 30s` or `500ms`.
///
/// # Errors
///
/// What is wrong with the text, if it is not one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text.parse::<f64>().is_ok() {
        return Err(format!("`{text}` has no unit; write `{text}s` for seconds"));
    }
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration such as `10s` or `5m`"))?;
    match Duration::try_from(parsed) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        Ok(_) => Err(format!("`{text}` is longer than a year")),
        Err(_) => Err(format!("`{text}` is negative")),
    }
}

/// Deadlines are added to the time of now, which must not overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("10s", 10.0), ("2m 30s", 150.0), ("500ms", 0.5), ("1h", 3600.0), ("0s", 0.0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        assert_eq!(parse("10").unwrap_err(), "`10` has no unit; write `10s` for seconds");
        for text in ["", "soon", "-5s", "10 parsecs", "400d", "100000h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

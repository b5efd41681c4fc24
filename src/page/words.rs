//! Figures as people read them.

/// A time to come or gone by, in at most two units.
pub(crate) fn time(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 if !seconds.is_multiple_of(60) => format!("{minutes} min {} s", seconds % 60),
        60..3600 => format!("{minutes} min"),
        3600..86_400 if !minutes.is_multiple_of(60) => format!("{hours} h {} min", minutes % 60),
        3600..86_400 => format!("{hours} h"),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// How long something took.
pub(crate) fn took(seconds: f64) -> String {
    let millis = seconds * 1000.0;
    match millis {
        ..1.0 => "< 1 ms".to_owned(),
        ..9.95 => format!("{millis:.1} ms"),
        ..999.5 => format!("{millis:.0} ms"),
        ..9_950.0 => format!("{seconds:.1} s"),
        _ => time(seconds.round() as u64),
    }
}

/// So many a second.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        0.0 => "0".to_owned(),
        ..0.05 => "< 0.1".to_owned(),
        ..9.95 => format!("{per_second:.1}"),
        _ => format!("{per_second:.0}"),
    }
}

/// `1 request`, `2 requests`.
pub(crate) fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (312, "5 min 12 s"),
            (700, "11 min"),
            (3600, "1 h"),
            (3900, "1 h 5 min"),
            (86_400, "1 day"),
            (300_000, "3 days"),
        ] {
            assert_eq!(time(seconds), expected);
        }
        for (seconds, expected) in [
            (0.0004, "< 1 ms"),
            (0.0012, "1.2 ms"),
            (0.0123, "12 ms"),
            (0.9999, "1.0 s"),
            (75.0, "1 min 15 s"),
        ] {
            assert_eq!(took(seconds), expected);
        }
        for (per_second, expected) in [(0.0, "0"), (0.01, "< 0.1"), (0.25, "0.2"), (1234.5, "1234")] {
            assert_eq!(rate(per_second), expected);
        }
        assert_eq!(
            (count(1, "request"), count(2, "request")),
            ("1 request".to_owned(), "2 requests".to_owned())
        );
    }
}

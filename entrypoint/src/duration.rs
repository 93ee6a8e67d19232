//! Durations in the notation of Docker Compose: `8s`, `500ms`, `1m30s`.

use std::time::Duration;

/// What a duration may look like, for messages.
pub const ALLOWED: &str = "a duration such as 8s, 500ms or 1m30s (units: h, m, s, ms, us)";

/// Reads a duration; `None` when it is not one.
///
/// A bare number is refused, `0` excepted, since nobody knows which unit was meant.
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let number;
        let unit;
        (number, rest) = split_where(rest, |c| !c.is_ascii_digit());
        (unit, rest) = split_where(rest, |c| c.is_ascii_digit());
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "s" => Duration::from_secs(number),
            "ms" => Duration::from_millis(number),
            "us" => Duration::from_micros(number),
            _ => return None,
        };
        total = total.checked_add(part)?;
    }
    // A deadline is an instant in the future; some centuries from now the clock has no word for it.
    (!text.is_empty() && total <= Duration::from_secs(365 * 24 * 3600)).then_some(total)
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(parse(text), expected.map(Duration::from_millis), "{text:?}");
    }

    #[test]
    fn composes_notation_is_understood() {
        check("8s", Some(8_000));
        check("500ms", Some(500));
        check("1m30s", Some(90_000));
        check("2h", Some(7_200_000));
        check("0", Some(0));
        check("0s", Some(0));
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for text in ["", "8", "s", "8 s", "-1s", "1.5s", "8parsecs", "1s2", "99999999999999999999s", "9000000h"] {
            check(text, None);
        }
    }
}

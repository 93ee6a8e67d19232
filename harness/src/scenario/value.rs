//! The small values a scenario is written in: sizes, durations, policies.
//!
//! Each knows how to read itself from the way Compose writes it, and says what
//! it expected when it cannot.

use std::fmt;
use std::str::FromStr;
use std::time;

use serde::{Deserialize, Serialize};

/// A value that could not be read, as the end of a sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(String);

/// A span of time in Compose's notation: `500ms`, `10s`, `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(pub time::Duration);

/// A number of bytes in Docker's notation: `64m` is 64 · 1024 · 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

/// A share of the processors: `0.5` is half of one core.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Cpus(f64);

/// What the engine does when the process ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Restart {
    /// Nothing.
    #[default]
    No,
    /// Starts it again, whatever its exit code.
    Always,
    /// As `Always`, but for a container that was stopped before the engine was.
    UnlessStopped,
    /// Starts it again after a non-zero exit code, at most so many times.
    OnFailure(Option<u32>),
}

/// A signal by its name, such as `SIGTERM`; the prefix may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(String);

/// The owner of a file, by numbers: `1000:1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// Permission bits in octal, written as a string: `"0750"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(pub u32);

/// A regular expression; it matches anywhere in a line unless it is anchored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(regex::Regex);

impl Pattern {
    /// Whether it matches somewhere in `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Cpus {
    /// Billionths of a processor, the unit of Docker's API.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "bounded when it was read")]
    pub fn nano(self) -> i64 {
        (self.0 * 1e9).round() as i64
    }
}

impl Signal {
    /// The name with its prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl FromStr for Duration {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue(format!("`{text}` is not a duration; write `500ms`, `10s` or `1m30s`"));
        let mut rest = text;
        let mut total = 0.0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            total += number
                * match &rest[..letters] {
                    "us" => 1e-6,
                    "ms" => 1e-3,
                    "s" => 1.0,
                    "m" => 60.0,
                    "h" => 3600.0,
                    _ => return Err(bad()),
                };
            rest = &rest[letters..];
        }
        if text.is_empty() {
            return Err(bad());
        }
        time::Duration::try_from_secs_f64(total).map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis {
            0..1000 => write!(f, "{millis}ms"),
            _ if millis.is_multiple_of(60_000) => write!(f, "{}m", millis / 60_000),
            _ => write!(f, "{}s", self.0.as_secs_f64()),
        }
    }
}

impl FromStr for ByteSize {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue(format!("`{text}` is not a size; write `512k`, `64m` or `2g`"));
        let lower = text.to_ascii_lowercase();
        let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
        let number: u64 = lower[..digits].parse().map_err(|_| bad())?;
        let unit: u64 = match &lower[digits..] {
            "" | "b" => 1,
            "k" | "kb" => 1 << 10,
            "m" | "mb" => 1 << 20,
            "g" | "gb" => 1 << 30,
            _ => return Err(bad()),
        };
        number.checked_mul(unit).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1u64 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")];
        match units.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, letter)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}b", self.0),
        }
    }
}

impl TryFrom<f64> for Cpus {
    type Error = BadValue;

    fn try_from(number: f64) -> Result<Self, BadValue> {
        if (0.01..=1024.0).contains(&number) {
            return Ok(Self(number));
        }
        Err(BadValue(format!("{number} is not a number of processors; write one from 0.01 up, such as 0.25")))
    }
}

impl From<Cpus> for f64 {
    fn from(cpus: Cpus) -> Self {
        cpus.0
    }
}

impl FromStr for Restart {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "`{text}` is not a restart policy; write `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`"
            ))
        };
        match text.split_once(':') {
            None => match text {
                "no" => Ok(Self::No),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                "on-failure" => Ok(Self::OnFailure(None)),
                _ => Err(bad()),
            },
            Some(("on-failure", limit)) => limit.parse().map(|n| Self::OnFailure(Some(n))).map_err(|_| bad()),
            Some(_) => Err(bad()),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => write!(f, "no"),
            Self::Always => write!(f, "always"),
            Self::UnlessStopped => write!(f, "unless-stopped"),
            Self::OnFailure(None) => write!(f, "on-failure"),
            Self::OnFailure(Some(limit)) => write!(f, "on-failure:{limit}"),
        }
    }
}

impl FromStr for Signal {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let known = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '-');
        if known && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(Self(format!("SIG{name}")));
        }
        Err(BadValue(format!("`{text}` is not a signal; write its name, such as `SIGTERM`")))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Owner {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!("`{text}` is not an owner; write numbers, such as `1000:1000` (a volume knows no names)"))
        };
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let uid = user.parse().map_err(|_| bad())?;
        let gid = group.parse().map_err(|_| bad())?;
        Ok(Self { uid, gid })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

impl FromStr for Mode {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match u32::from_str_radix(text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Self(bits)),
            _ => Err(BadValue(format!("`{text}` is not a mode; write it in octal, such as `\"0750\"`"))),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl FromStr for Pattern {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        regex::Regex::new(text).map(Self).map_err(|error| {
            // The last line of the crate's message is the cause; those before draw it.
            let cause = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
            BadValue(format!("`{text}` is not a regular expression: {cause}"))
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Lets serde read and write the types that are written as strings.
macro_rules! written_as_string {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = BadValue;
            fn try_from(text: String) -> Result<Self, BadValue> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}
written_as_string!(Duration, ByteSize, Restart, Signal, Owner, Mode, Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = BadValue> + fmt::Display>(text: &str, expected: Result<&str, &str>) {
        let seen = text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.to_string());
        assert_eq!(seen.as_deref().map_err(String::as_str), expected, "reading `{text}`");
    }

    #[test]
    fn durations_are_read_as_compose_writes_them() {
        check::<Duration>("500ms", Ok("500ms"));
        check::<Duration>("1m30s", Ok("90s"));
        check::<Duration>("1.5s", Ok("1.5s"));
        check::<Duration>("2m", Ok("2m"));
        for bad in ["", "10", "s", "10 s", "10x", "-1s", "1..5s", "9e99s", "99999999999999999999999s"] {
            let sentence = format!("`{bad}` is not a duration; write `500ms`, `10s` or `1m30s`");
            check::<Duration>(bad, Err(&sentence));
        }
    }

    #[test]
    fn sizes_are_counted_in_powers_of_two() {
        check::<ByteSize>("64m", Ok("64m"));
        check::<ByteSize>("2048", Ok("2k"));
        check::<ByteSize>("1GB", Ok("1g"));
        check::<ByteSize>("1000", Ok("1000b"));
        for bad in ["", "m", "1.5g", "-1", "1t", "99999999999g"] {
            let sentence = format!("`{bad}` is not a size; write `512k`, `64m` or `2g`");
            check::<ByteSize>(bad, Err(&sentence));
        }
    }

    #[test]
    fn restart_policies_are_dockers() {
        for same in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            check::<Restart>(same, Ok(same));
        }
        assert!("on-failure:x".parse::<Restart>().is_err());
        assert!("always:3".parse::<Restart>().is_err());
    }

    #[test]
    fn owners_and_modes_are_numbers() {
        check::<Owner>("1000", Ok("1000:1000"));
        check::<Owner>("1000:100", Ok("1000:100"));
        check::<Mode>("750", Ok("0750"));
        assert!("root".parse::<Owner>().is_err());
        assert!("888".parse::<Mode>().is_err());
        assert!("17777".parse::<Mode>().is_err());
    }

    #[test]
    fn a_signal_may_lack_its_prefix() {
        check::<Signal>("term", Ok("SIGTERM"));
        check::<Signal>("SIGRTMIN+3", Ok("SIGRTMIN+3"));
        assert!("15".parse::<Signal>().is_err());
    }

    #[test]
    fn a_share_of_no_processor_is_refused() {
        assert!(Cpus::try_from(0.0).is_err());
        assert!(Cpus::try_from(f64::NAN).is_err());
        assert_eq!(Cpus::try_from(0.25).map(Cpus::nano), Ok(250_000_000));
    }
}

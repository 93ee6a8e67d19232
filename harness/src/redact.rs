//! Takes secrets out of text by their value, and what differs from run to run
//! out of snapshots.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "[REDACTED]";

/// Shorter values are no secrets: replacing every `1` would destroy the text.
const SHORTEST: usize = 4;

/// A line of a key that is long enough to be one.
const LINE_OF_A_KEY: usize = 16;

/// A word or a number of fewer characters may stand in any line by chance.
const LONG_WORD: usize = 12;
const LONG_NUMBER: usize = 8;

/// Knows the secrets of a run by value.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// In every form in which they may be written, the longer first: one secret
    /// may be part of another.
    forms: Vec<String>,
    /// Those of them that stand in no line by chance.
    telling: Vec<String>,
}

impl Redactor {
    /// Takes for secret the values of those variables whose names say so, and
    /// the passwords in URLs.
    pub fn from_environment<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut secrets, mut open) = (Vec::new(), Vec::new());
        for (name, value) in variables {
            match password_in_url(value) {
                _ if is_secret_name(name) => secrets.push(value),
                Some(password) => {
                    secrets.push(password);
                    open.push(value.replacen(password, "", 1));
                }
                None => open.push(value.to_owned()),
            }
        }
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.learn(secret, is_telling(secret, &open));
        }
        redactor
    }

    /// Knows these too, which no variable holds.
    #[must_use]
    pub fn and<'a>(mut self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        for secret in secrets {
            self.learn(secret, true);
        }
        self
    }

    fn learn(&mut self, secret: &str, telling: bool) {
        let mut forms = forms(secret);
        forms.retain(|form| form.len() >= SHORTEST);
        if telling {
            self.telling.extend(forms.iter().cloned());
        }
        self.forms.append(&mut forms);
        self.forms.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        self.forms.dedup();
    }

    /// Whether the text holds a secret, and not by chance.
    #[must_use]
    pub fn leaks(&self, text: &str) -> bool {
        self.telling.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// The value without any secret in any of its texts. Text that was made of
    /// JSON already may hold a secret in another spelling, so this comes before.
    #[must_use]
    pub fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(list) => list.into_iter().map(|value| self.redact_json(value)).collect(),
            Value::Object(map) => map.into_iter().map(|(key, value)| (key, self.redact_json(value))).collect(),
            other => other,
        }
    }

    /// A value without any secret in any of its texts; as it is where there are no
    /// secrets, or where the value would not be one without them.
    #[must_use]
    pub fn redact_value<T: Serialize + DeserializeOwned + Clone>(&self, value: &T) -> T {
        if self.forms.is_empty() {
            return value.clone();
        }
        let redacted = serde_json::to_value(value).map(|value| self.redact_json(value));
        redacted.and_then(serde_json::from_value).unwrap_or_else(|_| value.clone())
    }

    /// The text without any secret.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), REDACTED))
    }
}

/// A secret as it is, as a string of JSON and as a part of a URL, and each line of
/// a long one: what is written line by line is read so too.
fn forms(secret: &str) -> Vec<String> {
    let quoted = Value::String(secret.to_owned()).to_string();
    let encoded: String = secret.bytes().map(percent).collect();
    let lines = secret.lines().filter(|line| line.len() >= LINE_OF_A_KEY && line.len() < secret.len());
    let lines = lines.filter(|line| !line.starts_with("---"));
    let whole = [secret.to_owned(), quoted[1..quoted.len() - 1].to_owned(), encoded];
    whole.into_iter().chain(lines.map(str::to_owned)).collect()
}

fn percent(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// Whether a secret in a line is a leak: a word such as `postgres` stands there
/// for other reasons, and so may what is part of a value that is no secret.
fn is_telling(secret: &str, open: &[String]) -> bool {
    let is_word = secret.len() < LONG_WORD && secret.chars().all(char::is_alphabetic);
    let is_number = secret.len() < LONG_NUMBER && secret.chars().all(|c| c.is_ascii_digit());
    !is_word && !is_number && !open.iter().any(|value| value.contains(secret))
}

/// The same names as the entrypoint takes for secrets.
fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 7] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE"];
    const ENDS: [&str; 4] = ["KEY", "PASS", "_PWD", "_AUTH"];
    let name = name.to_ascii_uppercase();
    let is_path = name.ends_with("_FILE");
    !is_path && (PARTS.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end)))
}

fn password_in_url(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (userinfo, _) = rest.split('/').next()?.rsplit_once('@')?;
    userinfo.split_once(':').map(|(_, password)| password)
}

/// What differs from run to run, and the word that stands for it. New rows are
/// only ever appended, so that old snapshots keep passing.
static VARIABLE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rows = [
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "[time]"),
        (r#"("(?:time|ts|timestamp)"\s*:\s*)\d{10,19}(?:\.\d+)?"#, "${1}[time]"),
        (r#"("\w*(?:_ms|[dD]uration\w*)"\s*:\s*)\d+(?:\.\d+)?"#, "${1}[duration]"),
        (r#"("(?:pid|ppid)"\s*:\s*)\d+"#, "${1}[pid]"),
        (r#"("hostname"\s*:\s*)"[0-9a-f]{12}""#, r#"${1}"[host]""#),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
        (r#"("entrypoint_version"\s*:\s*)"[^"]*""#, r#"${1}"[version]""#),
    ];
    rows.into_iter().filter_map(|(pattern, stand_in)| Some((Regex::new(pattern).ok()?, stand_in))).collect()
});

/// The line with what differs from run to run replaced.
#[must_use]
pub fn normalise(line: &str) -> String {
    VARIABLE
        .iter()
        .fold(line.to_owned(), |line, (pattern, stand_in)| pattern.replace_all(&line, *stand_in).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_value_wherever_it_stands() {
        let variables = [
            ("JWT_SECRET", "s3cr3t-value"),
            ("DATABASE_URL", "postgres://app:pa$$word@db/app"),
            ("SECRET_FILE", "/run/secrets/one"),
            ("DB_PASS", "hunter2-pass"),
            ("SSH_PASSPHRASE", "phrase-four"),
            ("TOKEN", "abc"),
            ("PORT", "3000"),
        ];
        let redactor = Redactor::from_environment(variables.into_iter());
        let seen =
            redactor.redact("s3cr3t-value, hunter2-pass, phrase-four at pa$$word in /run/secrets/one with abc on 3000");
        assert_eq!(seen, "[REDACTED], [REDACTED], [REDACTED] at [REDACTED] in /run/secrets/one with abc on 3000");
    }

    #[test]
    fn a_secret_is_known_in_each_form_in_which_it_may_be_written() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----";
        let variables = [("DB_PASSWORD", "p\"ss/w0rd"), ("TLS_KEY", key)];
        let redactor = Redactor::from_environment(variables.into_iter());
        let check = |text: &str, expected: &str| assert_eq!(redactor.redact(text), expected);
        check("as p\"ss/w0rd", "as [REDACTED]");
        check(r#"{"password":"p\"ss/w0rd"}"#, r#"{"password":"[REDACTED]"}"#);
        check("postgres://app:p%22ss%2Fw0rd@db", "postgres://app:[REDACTED]@db");
        check("MIIEvQIBADANBgkqhkiG9w0", "[REDACTED]");
    }

    #[test]
    fn a_word_that_stands_in_a_line_by_chance_is_taken_out_and_is_no_leak() {
        let variables = [
            ("DB_PASSWORD", "postgres"),
            ("DATABASE_URL", "postgres://app:s3cr3t-pass@db-7/app"),
            ("API_TOKEN", "db-7"),
            ("ADMIN_PASSWORD", "5432"),
            ("SECRET_KEY", "correcthorsebattery"),
        ];
        let redactor = Redactor::from_environment(variables.into_iter()).and(["in-a-file"]);
        for (text, leaks) in [
            ("waiting for postgres", false),
            ("waiting for db-7", false),
            ("listening on 5432", false),
            ("connecting with s3cr3t-pass", true),
            ("signing with correcthorsebattery", true),
            ("read in-a-file", true),
            ("its own [REDACTED]", false),
        ] {
            assert_eq!(redactor.leaks(text), leaks, "{text}");
        }
        assert_eq!(redactor.redact("waiting for postgres"), "waiting for [REDACTED]");
    }

    #[test]
    fn every_row_of_the_table_is_a_pattern() {
        assert_eq!(VARIABLE.len(), 7);
    }

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        let check = |line: &str, expected: &str| assert_eq!(normalise(line), expected);
        check(r#"{"timestamp":"2026-01-02T03:04:05.678Z","level":"info"}"#, r#"{"timestamp":"[time]","level":"info"}"#);
        check(r#"{"time":1767323045678,"pid":7}"#, r#"{"time":[time],"pid":[pid]}"#);
        check(
            r#"{"duration_ms":12,"durationSeconds":1.5}"#,
            r#"{"duration_ms":[duration],"durationSeconds":[duration]}"#,
        );
        check(r#"{"hostname":"0123456789ab"}"#, r#"{"hostname":"[host]"}"#);
        check("exit 1 on port 3000", "exit 1 on port 3000");
    }
}

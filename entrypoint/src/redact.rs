//! Secrets are replaced by value, when a log line is written.

use std::ffi::OsStr;

/// Shorter values would hit ordinary words; who has a secret of three letters has none.
const SHORTEST: usize = 4;

/// What stands in a secret's place.
const MARK: &str = "[REDACTED]";

/// Knows the secrets of this process, in every form in which they could be written.
pub struct Redactor {
    forms: Vec<String>,
}

impl Redactor {
    /// The secrets of an environment: the values of variables whose name says so, and the passwords
    /// inside of connection strings whatever their variable is called.
    pub fn new<'a>(environment: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>) -> Redactor {
        let mut forms = Vec::new();
        for (name, value) in environment {
            let value = value.to_string_lossy();
            if is_secret(&name.to_string_lossy()) {
                forms.push(value.trim_end().to_owned());
                forms.push(value.clone().into_owned());
            }
            forms.extend(passwords(&value).map(str::to_owned));
        }
        for secret in forms.clone() {
            forms.extend([encode(&secret, false), encode(&secret, true), decode(&secret)]);
        }
        forms.retain(|form| form.len() >= SHORTEST);
        // The longest first: a secret that contains another must not leave its tail behind.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        forms.dedup();
        Redactor { forms }
    }

    /// The text without the secrets.
    pub fn clean(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| text.replace(form, MARK))
    }
}

/// Whether a variable's name says that its value is a secret. `*_FILE` is not one: its value is a
/// path, which a message must be able to name.
fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    let inside = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL"];
    let at_the_end = ["KEY", "PASS", "_PWD", "_AUTH"];
    !name.ends_with("_FILE")
        && (inside.iter().any(|word| name.contains(word)) || at_the_end.iter().any(|word| name.ends_with(word)))
}

/// The password in `scheme://user:password@host`, and those in `password=...`.
fn passwords(value: &str) -> impl Iterator<Item = &str> {
    let in_url = value.split_once("://").and_then(|(_, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // A password may hold a `/` or `@` that its author forgot to encode: then the last `@` counts.
        let user = rest[..end].rsplit_once('@').or_else(|| rest.rsplit_once('@'))?.0;
        user.split_once(':').map(|(_, password)| password)
    });
    let as_key =
        value.split("password=").skip(1).filter_map(|rest| rest.split(|c: char| c == '&' || c.is_whitespace()).next());
    in_url.into_iter().chain(as_key)
}

fn encode(text: &str, upper: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ if upper => encoded.push_str(&format!("%{byte:02X}")),
            _ => encoded.push_str(&format!("%{byte:02x}")),
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variable: (&str, &str), text: &str, expected: &str) {
        let variable = (OsStr::new(variable.0), OsStr::new(variable.1));
        assert_eq!(Redactor::new([variable]).clean(text), expected, "{variable:?}");
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        check(("DB_PASSWORD", "hunter2"), "-phunter2 hunter2", "-p[REDACTED] [REDACTED]");
        check(("api_token", "abcd"), "abcdabcd", "[REDACTED][REDACTED]");
        check(("STRIPE_KEY", "sk_live"), "sk_live", "[REDACTED]");
    }

    #[test]
    fn both_the_raw_and_the_url_encoded_form_are_secret() {
        check(("X_SECRET", "P@ss/word"), "P@ss/word P%40ss%2Fword P%40ss%2fword", "[REDACTED] [REDACTED] [REDACTED]");
        check(("DATABASE_URL", "postgres://u:p%40ss@h/d"), "p@ss p%40ss", "[REDACTED] [REDACTED]");
    }

    #[test]
    fn a_connection_string_keeps_all_but_its_password() {
        let url = "postgres://app:hunter2@db:5432/app?sslmode=require";
        check(("DATABASE_URL", url), url, "postgres://app:[REDACTED]@db:5432/app?sslmode=require");
        check(("DSN", "host=db password=hunter2 user=x"), "hunter2", "[REDACTED]");
        check(("URL", "https://example.org/a:b@c"), "https://example.org/", "https://example.org/");
    }

    #[test]
    fn what_is_no_secret_stays() {
        check(("PWD", "/srv/app"), "/srv/app", "/srv/app");
        check(("PASSWORD_FILE", "/run/secrets/db"), "/run/secrets/db", "/run/secrets/db");
        check(("DB_PASSWORD", "abc"), "abc", "abc");
        check(("KEYBOARD", "qwerty"), "qwerty", "qwerty");
    }

    #[test]
    fn a_secret_inside_of_another_leaves_no_tail() {
        let environment = [("A_KEY", "secret"), ("B_KEY", "secret-longer")];
        let environment = environment.map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        assert_eq!(Redactor::new(environment).clean("secret-longer"), "[REDACTED]");
    }
}

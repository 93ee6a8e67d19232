//! Fields of a JSON value that have to hold something.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What fields hold: each by its name, or by a pointer such as `/db/0/state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first field that holds something else, or nothing, and what it holds.
    #[must_use]
    pub fn wrong_in<'a>(&self, value: &'a Value) -> Option<(&str, Option<&'a Value>)> {
        let seen = |name: &str| if name.starts_with('/') { value.pointer(name) } else { value.get(name) };
        let mut fields = self.0.iter().map(|(name, expected)| (name.as_str(), expected, seen(name)));
        let wrong = fields.find(|(_, expected, seen)| seen.is_none_or(|seen| !same(expected, seen)));
        wrong.map(|(name, _, seen)| (name, seen))
    }

    /// Whether a text is a JSON object in which all of them hold.
    #[must_use]
    pub fn hold_in(&self, text: &str) -> bool {
        text.trim_start().starts_with('{')
            && serde_json::from_str(text).is_ok_and(|value: Value| self.wrong_in(&value).is_none())
    }
}

/// Whether two values are the same; 30 and 30.0 are the same number.
fn same(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (one, other) => one == other,
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.0.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        f.write_str(&fields.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str, json: &str, expected: Option<&str>) {
        let fields: Fields = toml::from_str(toml).unwrap();
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(fields.wrong_in(&value).map(|(name, _)| name), expected, "{toml} in {json}");
    }

    #[test]
    fn a_field_is_found_by_its_name_or_by_a_pointer() {
        let json = r#"{"level":30,"msg":"up","db":{"state":["ok",{"lag":0.5}]},"a/b":true}"#;
        check("level = 30\nmsg = \"up\"", json, None);
        check("level = 30.0", json, None);
        check("level = \"30\"", json, Some("level"));
        check("\"/db/state/1/lag\" = 0.5", json, None);
        check("\"/db/state/0\" = \"bad\"", json, Some("/db/state/0"));
        check("\"/a~1b\" = true", json, None);
        check("db = { state = [\"ok\", { lag = 0.5 }] }", json, None);
        check("absent = 1", json, Some("absent"));
    }

    #[test]
    fn only_an_object_has_fields() {
        let fields: Fields = toml::from_str("msg = \"cut\"").unwrap();
        assert!(fields.hold_in(r#"{"msg":"cut","level":"info"}"#));
        for other in [r#"{"msg":"cut""#, r#"["msg","cut"]"#, r#"ready {"msg":"cut"}"#, ""] {
            assert!(!fields.hold_in(other), "{other}");
        }
    }
}

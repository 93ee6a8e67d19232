//! What can be claimed of lines, wherever they stand: in the output of the
//! subject, or in a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::json;

use super::fields::Fields;
use crate::scenario::value::Pattern;

/// The claims about lines, as they are written.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[schemars(inline)]
pub struct AsWritten {
    /// Some line matches each of these.
    contains: Vec<Pattern>,
    /// No line matches any of these.
    absent: Vec<Pattern>,
    /// Lines match these, one after another.
    /// Example: `logs = { ordered = ["migrated", "listening"] }`.
    ordered: Vec<Pattern>,
    /// So many lines match: a number, or bounds.
    /// Example: `logs = { counted = { "listening" = 1, "retrying" = { at_most = 3 } } }`.
    #[schemars(with = "BTreeMap<String, Count>")]
    counted: BTreeMap<Counted, Count>,
    /// For each of these some line is a JSON object with such fields; a name that begins with / is a pointer.
    /// Example: `logs = { json = [{ level = "info", event = "app_started" }] }`.
    json: Vec<Fields>,
}

/// The pattern whose matches are counted: a key of a table.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(transparent)]
struct Counted(String);

impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json!({ "type": "integer", "minimum": 0 });
        let bounds = json!({
            "type": "object",
            "properties": { "at_least": number, "at_most": number },
            "additionalProperties": false,
        });
        json_schema!({ "anyOf": [number, bounds] })
    }
}

/// How many lines have to match.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Count {
    at_least: usize,
    at_most: Option<usize>,
}

/// One claim about lines.
#[derive(Debug)]
pub enum LineClaim {
    /// Some line matches.
    Contains(Pattern),
    /// No line matches.
    Absent(Pattern),
    /// Lines match in this order.
    Ordered(Vec<Pattern>),
    /// So many lines match.
    Counted(Pattern, Range),
    /// Some line is a JSON object with these fields.
    Json(Fields),
}

/// Numbers from one to another, which may be open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range(Count);

/// How a claim stands over the lines so far.
#[derive(Debug, PartialEq)]
pub enum Standing {
    /// It is true, and more lines cannot change that.
    Holds,
    /// It is true; more lines may break it.
    Unbroken,
    /// It is not true, and more lines may make it so: what is missing.
    Missing(String),
    /// This line has broken it, by its place.
    Broken(usize, String),
}

impl AsWritten {
    /// The claims, or what is wrong with them.
    pub fn claims(self) -> Result<Vec<LineClaim>, String> {
        let mut claims: Vec<LineClaim> = self.contains.into_iter().map(LineClaim::Contains).collect();
        claims.extend(self.absent.into_iter().map(LineClaim::Absent));
        match self.ordered.len() {
            0 => {}
            1 => return Err("`ordered` has one line, and an order needs two".to_owned()),
            _ => claims.push(LineClaim::Ordered(self.ordered)),
        }
        for (Counted(pattern), count) in self.counted {
            let pattern = pattern.parse().map_err(|error| format!("`counted`: {error}"))?;
            claims.push(LineClaim::Counted(pattern, Range(count)));
        }
        if self.json.iter().any(Fields::is_empty) {
            return Err("`json` has an entry without fields".to_owned());
        }
        claims.extend(self.json.into_iter().map(LineClaim::Json));
        Ok(claims)
    }
}

impl LineClaim {
    /// The claim, where `log` stands for how the lines came about, such as `logs`.
    pub fn words(&self, logs: &str, log: &str) -> String {
        match self {
            Self::Contains(pattern) => format!("{logs} /{pattern}/"),
            Self::Absent(pattern) => format!("never {logs} /{pattern}/"),
            Self::Ordered(patterns) => {
                let patterns: Vec<String> = patterns.iter().map(|pattern| format!("/{pattern}/")).collect();
                format!("{logs} {}", patterns.join(", then "))
            }
            Self::Counted(pattern, range) => format!("{logs} /{pattern}/ {range}"),
            Self::Json(fields) => format!("{logs} a {log} of JSON with {fields}"),
        }
    }

    /// How it stands over these lines, each with its place.
    pub fn over<'a>(&self, lines: impl Iterator<Item = (usize, &'a str)>) -> Standing {
        let mut lines = lines;
        match self {
            Self::Contains(pattern) => match lines.any(|(_, line)| pattern.matches(line)) {
                true => Standing::Holds,
                false => Standing::Missing("no line matches".to_owned()),
            },
            Self::Json(fields) => match lines.any(|(_, line)| fields.hold_in(line)) {
                true => Standing::Holds,
                false => Standing::Missing("no line is JSON with these fields".to_owned()),
            },
            Self::Absent(pattern) => match lines.find(|(_, line)| pattern.matches(line)) {
                Some((place, line)) => Standing::Broken(place, format!("it logged: {line}")),
                None => Standing::Unbroken,
            },
            Self::Ordered(patterns) => match missing(patterns, lines) {
                0 => Standing::Holds,
                left => {
                    let next = patterns.len() - left;
                    let after = next.checked_sub(1).map(|before| format!("after /{}/ ", patterns[before]));
                    Standing::Missing(format!("{}no line matches /{}/", after.unwrap_or_default(), patterns[next]))
                }
            },
            Self::Counted(pattern, Range(count)) => counted(pattern, count, lines),
        }
    }

    /// Whether lines of one source have an order, and those of several have none.
    pub fn is_about_order(&self) -> bool {
        matches!(self, Self::Ordered(_))
    }
}

/// How many patterns are left over when each was looked for after the one before.
pub fn missing<'a>(patterns: &[Pattern], lines: impl Iterator<Item = (usize, &'a str)>) -> usize {
    let mut left = patterns;
    for (_, line) in lines {
        match left {
            [next, rest @ ..] if next.matches(line) => left = rest,
            [] => break,
            _ => {}
        }
    }
    left.len()
}

fn counted<'a>(pattern: &Pattern, count: &Count, lines: impl Iterator<Item = (usize, &'a str)>) -> Standing {
    let mut seen = 0;
    for (place, line) in lines.filter(|(_, line)| pattern.matches(line)) {
        seen += 1;
        if count.at_most.is_some_and(|most| seen > most) {
            return Standing::Broken(place, format!("it logged that {}: {line}", times(seen)));
        }
    }
    match (seen < count.at_least, count.at_most) {
        (true, _) => Standing::Missing(format!("it logged that {}", times(seen))),
        (false, Some(_)) => Standing::Unbroken,
        (false, None) => Standing::Holds,
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Count { at_least, at_most: Some(at_most) } if at_least == at_most => f.write_str(&times(at_least)),
            Count { at_least: 0, at_most: Some(at_most) } => write!(f, "at most {}", times(at_most)),
            Count { at_least, at_most: Some(at_most) } => write!(f, "{at_least} to {at_most} times"),
            Count { at_least, at_most: None } => write!(f, "at least {}", times(at_least)),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    /// A number, or a table of bounds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Bounds {
            at_least: Option<usize>,
            at_most: Option<usize>,
        }
        struct Counts;
        impl<'de> Visitor<'de> for Counts {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 3, or a table such as { at_least = 1, at_most = 3 }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
                let exactly = usize::try_from(number).map_err(|_| E::custom("a number of lines is 0 or more"))?;
                Ok(Count { at_least: exactly, at_most: Some(exactly) })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                let Bounds { at_least, at_most } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                match (at_least, at_most) {
                    (None, None) => Err(A::Error::custom("bounds are at_least, at_most, or both")),
                    (Some(least), Some(most)) if least > most => {
                        Err(A::Error::custom(format!("at_least = {least} is more than at_most = {most}")))
                    }
                    (least, at_most) => Ok(Count { at_least: least.unwrap_or(0), at_most }),
                }
            }
        }
        deserializer.deserialize_any(Counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the one claim that is written stands over lines.
    fn check(toml: &str, lines: &str, expected: &str) {
        let claims = toml::from_str::<AsWritten>(toml).map_err(|error| error.message().to_owned());
        let seen = match claims.and_then(AsWritten::claims) {
            Err(wrong) => wrong,
            Ok(claims) => match claims[0].over(lines.lines().enumerate()) {
                Standing::Holds => "holds".to_owned(),
                Standing::Unbroken => "unbroken".to_owned(),
                Standing::Missing(words) => format!("missing: {words}"),
                Standing::Broken(place, words) => format!("line {place}: {words}"),
            },
        };
        assert_eq!(seen, expected, "{toml} over {lines}");
    }

    #[test]
    fn lines_have_to_come_in_their_order() {
        let ordered = "ordered = [\"one\", \"two\", \"three\"]";
        check(ordered, "one\nnoise\ntwo\nthree", "holds");
        check(ordered, "two\none\nthree", "missing: after /one/ no line matches /two/");
        check(ordered, "two\nthree", "missing: no line matches /one/");
        check("ordered = [\"one\"]", "", "`ordered` has one line, and an order needs two");
    }

    #[test]
    fn lines_are_counted() {
        check("counted = { try = 2 }", "try\ntry", "unbroken");
        check("counted = { try = 2 }", "try", "missing: it logged that once");
        check("counted = { try = 2 }", "try 1\nx\ntry 2\ntry 3", "line 3: it logged that 3 times: try 3");
        check("counted = { try = { at_least = 2 } }", "try\ntry\ntry", "holds");
        check("counted = { try = { at_most = 1 } }", "", "unbroken");
        check("counted = { try = { at_least = 2, at_most = 1 } }", "", "at_least = 2 is more than at_most = 1");
        check("counted = { try = {} }", "", "bounds are at_least, at_most, or both");
        check("counted = { try = -1 }", "", "a number of lines is 0 or more");
        let unclosed = "`counted`: `(` is not a regular expression: unclosed group";
        check("counted = { \"(\" = 1 }", "", unclosed);
    }

    #[test]
    fn a_line_of_json_is_found_by_its_fields() {
        let json = "json = [{ event = \"exiting\", exit_code = 78 }]";
        check(json, "{\"event\":\"exiting\",\"exit_code\":78,\"more\":1}", "holds");
        check(json, "{\"event\":\"exiting\",\"exit_code\":1}", "missing: no line is JSON with these fields");
        check("json = [{}]", "", "`json` has an entry without fields");
    }
}

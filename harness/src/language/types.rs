//! Reads keys and values out of the schema of the types.

use serde_json::{Map, Value};

use super::section::SECTIONS;
use super::tidy::{FRAGMENTS, UNSAID};

/// One key of a section.
#[derive(Debug, Clone)]
pub struct Row {
    /// The key, with those of the tables around it: `stop.exit_code`. A `*` is any name.
    pub key: String,
    /// What it means.
    pub meaning: String,
    /// What its value may be, in Markdown.
    pub value: String,
    /// What is taken where it is not said; empty is nothing at all.
    pub unsaid: String,
    /// Lines of TOML that show it, as they stand in its section.
    pub example: Vec<String>,
}

/// A kind of value that has its own name.
#[derive(Debug, Clone)]
pub struct Named {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub meaning: String,
    /// Values of its kind.
    pub examples: Vec<Value>,
}

/// The definitions that a schema refers to.
pub(super) struct Types {
    /// By name.
    pub definitions: Value,
}

impl Types {
    /// The keys of a table and of the tables in it; without those that are told elsewhere.
    pub fn rows(&self, prefix: &str, table: &Value, told: &Map<String, Value>) -> Vec<Row> {
        let mut rows = Vec::new();
        let Some(properties) = properties(table) else { return rows };
        let required = table.get("required").and_then(Value::as_array);
        for (key, property) in properties {
            // A key that a table around this one has in the same form is told there.
            if told.get(key) == Some(property) {
                continue;
            }
            let is_required = required.is_some_and(|required| required.iter().any(|name| name == key));
            let path = format!("{prefix}{key}");
            let row = self.row(path.clone(), property, is_required);
            let example = row.example.clone();
            rows.push(row);
            let mut around = told.clone();
            around.extend(properties.clone());
            for (inner, table) in self.untold(property) {
                let mut nested = self.rows(&format!("{path}{inner}."), table, &around);
                // What the example of the whole shows needs no other.
                for row in nested.iter_mut().filter(|row| row.example.is_empty()) {
                    row.example.clone_from(&example);
                }
                rows.extend(nested);
            }
        }
        rows
    }

    fn row(&self, key: String, property: &Value, is_required: bool) -> Row {
        let text = |key: &str| property.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let fragments = property.get(FRAGMENTS).and_then(Value::as_array);
        let unsaid = match property.get("default") {
            _ if is_required => "required".to_owned(),
            Some(default) => format!("`{default}`"),
            None => text(UNSAID).trim_end_matches('.').to_owned(),
        };
        let words = self.told_words(property);
        Row {
            key,
            meaning: [text("description"), words]
                .iter()
                .filter(|text| !text.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join("<br>"),
            value: self.value(property),
            unsaid,
            example: fragments.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    /// The words of a closed vocabulary that say what they mean.
    fn told_words(&self, property: &Value) -> String {
        let target = self.target(property);
        if target.get("title").is_some() {
            return String::new();
        }
        let words =
            target.get("oneOf").and_then(Value::as_array).into_iter().flatten().filter_map(|word| {
                Some(format!("{}: {}", quoted(word.get("const")?), word.get("description")?.as_str()?))
            });
        words.collect::<Vec<_>>().join("<br>")
    }

    /// What a value may be.
    fn value(&self, schema: &Value) -> String {
        let schema = self.target(schema);
        let number = |key: &str| schema.get(key).and_then(Value::as_i64);
        if let Some(title) = schema.get("title").and_then(Value::as_str) {
            return format!("[{title}](#{})", anchor(title));
        }
        for list in ["enum", "oneOf"] {
            let words = schema.get(list).and_then(Value::as_array).into_iter().flatten();
            let words: Vec<String> = words
                .filter_map(|word| match list {
                    "enum" => Some(quoted(word)),
                    _ => word.get("const").map(quoted),
                })
                .collect();
            if !words.is_empty() {
                return words.join(", ");
            }
        }
        if let Some(variants) = schema.get("anyOf").and_then(Value::as_array) {
            return variants.iter().map(|variant| self.value(variant)).collect::<Vec<_>>().join(" or ");
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("string") => "text".to_owned(),
            Some("integer") => match (number("minimum"), number("maximum")) {
                (Some(low), Some(high)) => format!("number from {low} to {high}"),
                _ => "number".to_owned(),
            },
            Some("number") => "number".to_owned(),
            Some("array") => {
                format!("list of {}", schema.get("items").map_or_else(String::new, |items| self.values(items)))
            }
            Some("object") => match (schema.get("additionalProperties"), by_name(schema)) {
                (Some(inner @ Value::Object(_)), _) => format!("table of {}", self.values(inner)),
                (_, Some((names, inner))) => format!("table of {}, by {names}", self.values(inner)),
                _ if by_number(schema).is_some() => {
                    format!(
                        "table of {}, by number",
                        by_number(schema).map_or_else(String::new, |inner| self.values(inner))
                    )
                }
                _ => "table".to_owned(),
            },
            _ => String::new(),
        }
    }

    /// The same of several.
    fn values(&self, schema: &Value) -> String {
        let one = self.value(schema);
        if one == "table" { "tables".to_owned() } else { one }
    }

    /// The tables that a value may be or hold, each with how their keys are reached.
    pub fn tables<'a>(&'a self, schema: &'a Value) -> Vec<(String, &'a Value)> {
        let deeper = |step: &str, inner: &'a Value| {
            let tables = self.untold(inner).into_iter();
            tables.map(|(path, table)| (format!("{step}{path}"), table)).collect::<Vec<_>>()
        };
        if let Some(variants) = schema.get("anyOf").and_then(Value::as_array) {
            return variants.iter().flat_map(|variant| self.untold(variant)).collect();
        }
        match (schema.get("items"), schema.get("additionalProperties"), by_name(schema)) {
            (Some(items), ..) => deeper("[]", items),
            (_, Some(inner @ Value::Object(_)), _) => deeper(".*", inner),
            (.., Some((_, inner))) => deeper(".*", inner),
            _ if properties(schema).is_some() => vec![(String::new(), schema)],
            _ => Vec::new(),
        }
    }

    /// The same where it is not told in a section of its own.
    fn untold<'a>(&'a self, schema: &'a Value) -> Vec<(String, &'a Value)> {
        let schema = self.target(schema);
        if schema.get("title").is_some() { Vec::new() } else { self.tables(schema) }
    }

    /// What a reference leads to.
    fn target<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.definitions.get(name)).unwrap_or(schema)
    }

    /// The kinds of values that have a name and no section of their own.
    pub fn named(&self) -> Vec<Named> {
        let definitions = self.definitions.as_object().into_iter().flat_map(Map::values);
        let mut named: Vec<Named> = definitions
            .filter_map(|definition| {
                let name = definition.get("title")?.as_str()?.to_owned();
                let meaning = definition.get("description")?.as_str()?.to_owned();
                let examples = definition.get("examples")?.as_array()?.clone();
                (anchor(&name) == VALUE_ANCHOR).then_some(Named { name, meaning, examples })
            })
            .collect();
        named.sort_by(|a, b| a.name.cmp(&b.name));
        named.dedup_by(|a, b| a.name == b.name);
        named
    }
}

const VALUE_ANCHOR: &str = "values";

/// Where a named kind of value is told.
fn anchor(title: &str) -> &'static str {
    SECTIONS.iter().find(|section| section.tells.contains(&title)).map_or(VALUE_ANCHOR, |section| section.anchor)
}

pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// A table that holds the same by any of a few names, of which none has to be told.
fn by_name(schema: &Value) -> Option<(String, &Value)> {
    let properties = properties(schema)?;
    let first = properties.values().next()?;
    let same = properties.len() > 1
        && properties.values().all(|property| property == first && property.get("description").is_none());
    same.then(|| (properties.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "), first))
}

/// What a table holds by numbers.
fn by_number(schema: &Value) -> Option<&Value> {
    schema.get("patternProperties").and_then(Value::as_object)?.values().next()
}

fn quoted(word: &Value) -> String {
    format!("`{word}`")
}

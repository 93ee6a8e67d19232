//! Makes of what the types say a schema of TOML.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

/// The fragments of TOML that show a key, until they are made its examples.
pub const FRAGMENTS: &str = "x-fragments";

/// What holds where a key is not said, until it is part of its description.
pub const UNSAID: &str = "x-unsaid";

/// What begins the end of a description.
const EXAMPLE_BEGINS: &str = "Example:";
const UNSAID_BEGINS: &str = "Unsaid:";

/// Takes out the `null` that TOML does not have, and examples out of descriptions.
#[derive(Debug, Clone)]
pub struct ForToml;

impl Transform for ForToml {
    fn transform(&mut self, schema: &mut Schema) {
        let Some(object) = schema.as_object_mut() else { return };
        remove_null(object);
        take_apart(object);
        transform_subschemas(self, schema);
    }
}

/// What is not said in TOML is absent.
fn remove_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(variants)) = schema.get_mut("anyOf") {
        variants.retain(|variant| variant.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = variants.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            // What is said of the key goes before what is said of its type.
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
    let empty = |value: &Value| {
        value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
    };
    if schema.get("default").is_some_and(empty) {
        schema.remove("default");
    }
}

/// A description may say what holds where its key is unsaid, and ends in fragments between backticks.
fn take_apart(schema: &mut Map<String, Value>) {
    let Some(Value::String(whole)) = schema.get("description") else { return };
    let (description, fragments) = whole.split_once(EXAMPLE_BEGINS).unwrap_or((whole, ""));
    let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let (description, unsaid) = description.split_once(UNSAID_BEGINS).unwrap_or((&description, ""));
    let (description, unsaid) = (description.trim().to_owned(), unsaid.trim().to_owned());
    let fragments: Vec<Value> = fragments.split('`').skip(1).step_by(2).map(Value::from).collect();
    schema.insert("description".to_owned(), description.into());
    if !unsaid.is_empty() {
        schema.insert(UNSAID.to_owned(), unsaid.into());
    }
    if !fragments.is_empty() {
        schema.insert(FRAGMENTS.to_owned(), fragments.into());
    }
}

/// Makes fragments the examples of their keys, by the value that they give to them, and
/// joins descriptions again.
#[derive(Debug, Clone)]
pub struct WithExamples;

impl Transform for WithExamples {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (key, property) in properties {
                let Some(property) = property.as_object_mut() else { continue };
                if let Some(Value::String(unsaid)) = property.remove(UNSAID)
                    && let Some(Value::String(description)) = property.get_mut("description")
                {
                    *description += &format!(" {UNSAID_BEGINS} {unsaid}");
                }
                let Some(fragments) = property.remove(FRAGMENTS) else { continue };
                if let Some(value) = value_of(key, &fragments) {
                    property.insert("examples".to_owned(), Value::Array(vec![value]));
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// The value that fragments give to a key, however deep.
fn value_of(key: &str, fragments: &Value) -> Option<Value> {
    let lines: Vec<&str> = fragments.as_array()?.iter().filter_map(Value::as_str).collect();
    find(key, &toml::from_str(&lines.join("\n")).ok()?)
}

fn find(key: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Object(table) => table.get(key).cloned().or_else(|| table.values().find_map(|value| find(key, value))),
        Value::Array(list) => list.iter().find_map(|value| find(key, value)),
        _ => None,
    }
}

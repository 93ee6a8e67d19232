//! What a `[[fault]]` may do, as the schema and the reference tell it.

use std::borrow::Cow;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use toml::de::DeTable;

use super::{Action, KINDS, Kind, Target};
use crate::scenario::problem::Problems;
use crate::scenario::read::written;

/// The one action of a fault.
pub struct Actions;

impl JsonSchema for Actions {
    fn schema_name() -> Cow<'static, str> {
        "action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for kind in &KINDS {
            let mut schema = (kind.schema)(generator);
            schema.insert("description".to_owned(), kind.description().into());
            properties.insert(kind.key.to_owned(), schema.to_value());
        }
        let one: Vec<Value> = KINDS.iter().map(|kind| json!({ "required": [kind.key] })).collect();
        json_schema!({ "type": "object", "properties": Value::from(properties), "oneOf": one })
    }
}

impl Kind {
    /// What it does, to whom, whether that can be undone, and an example.
    fn description(&self) -> String {
        let (mut first, mut rest) = (self.summary.chars(), String::new());
        rest.extend(first.next().map(|letter| letter.to_ascii_uppercase()));
        rest.push_str(first.as_str());
        let Some(action) = self.example_action() else { return rest };
        let undone = if action.is_undoable() { " `until` undoes it." } else { " It cannot be undone." };
        let (whom, service) = match action.target() {
            Target::Any => ("", ""),
            Target::Link => (" Of a service with a `link`.", "`service = \"db\"`, "),
            Target::Postgres => (" Of a service that is a `postgres`.", "`service = \"db\"`, "),
        };
        format!("{rest}.{whom}{undone}\nExample: {service}`{}`", self.example)
    }

    /// The action that its example describes.
    fn example_action(&self) -> Option<Box<dyn Action>> {
        let mut problems = Problems::new(Path::new(self.key), self.example);
        let table = DeTable::parse(self.example).ok()?.into_inner();
        let entry = table.into_iter().find(|(key, _)| key.get_ref() == self.key)?;
        (self.read)(written(entry), &mut problems)
    }
}

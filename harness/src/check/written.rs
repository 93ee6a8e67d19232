//! What `[expect]` may hold, as the schema and the reference tell it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{KINDS, Kind, Places, Unsaid};

/// What must be true.
#[derive(JsonSchema)]
#[schemars(rename = "expect", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it; `read_all` takes the keys one by one")]
pub struct Whole {
    #[schemars(flatten)]
    anything: Anything,
    /// What must be true of one boot, whatever the others do. Boots are counted from 1.
    /// Example: `boot.2.ready_within = "5s"`.
    #[schemars(default)]
    boot: BTreeMap<NonZeroU32, OfBoot>,
    /// What must be true at every look from ready on, not only at the end.
    /// Example: `throughout.files = { "/data/app.db" = { present = true } }`.
    throughout: Option<Throughout>,
}

/// Every kind of expectation.
pub struct Anything;

/// Those that can be about one boot.
struct OfBoot;

/// Those that can be looked at again and again.
struct Throughout;

impl JsonSchema for Anything {
    fn schema_name() -> Cow<'static, str> {
        "expect.step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        table(generator, |_| true)
    }
}

impl JsonSchema for OfBoot {
    fn schema_name() -> Cow<'static, str> {
        "expect.boot".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        table(generator, |kind| kind.places == Places::Boot)
    }
}

impl JsonSchema for Throughout {
    fn schema_name() -> Cow<'static, str> {
        "expect.throughout".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        table(generator, |kind| kind.places == Places::Throughout)
    }
}

/// A table with the keys of some kinds. What a key holds is defined once for all such tables.
fn table(generator: &mut SchemaGenerator, holds: fn(&Kind) -> bool) -> Schema {
    let mut properties = Map::new();
    for kind in KINDS.iter().filter(|kind| holds(kind)) {
        let name = format!("expect.{}", kind.key);
        if !generator.definitions().contains_key(&name) {
            let value = (kind.schema)(generator).to_value();
            generator.definitions_mut().insert(name.clone(), value);
        }
        let reference = format!("#{}/{name}", generator.settings().definitions_path);
        properties.insert(kind.key.to_owned(), json!({ "$ref": reference, "description": kind.description() }));
    }
    json_schema!({
        "title": "expectations",
        "type": "object",
        "properties": Value::from(properties),
        "additionalProperties": false,
    })
}

impl Kind {
    /// What it claims, where else that can be said, what holds where nobody says it, and an example.
    fn description(&self) -> String {
        let places = match self.places {
            Places::Everywhere => "",
            Places::Boot => " Also below `[expect.boot.N]`.",
            Places::Throughout => " Also below `[expect.throughout]`.",
        };
        // Of a subject that says when it is ready, and of which nothing else is said.
        let nothing = Unsaid { ends: false, ready: true, ready_within: false, refused: Vec::new(), tty: false };
        let unsaid = self.unsaid.map_or(String::new(), |unsaid| format!(" Unsaid: it {}.", unsaid(nothing).words()));
        format!("The subject {}.{places}{unsaid}\nExample: `{}`", self.summary, self.example)
    }
}

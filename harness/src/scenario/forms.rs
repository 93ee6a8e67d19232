//! The forms in which Compose lets the same thing be written.
//!
//! Each function reads one of them with all its variants, so that what is
//! resolved has one form only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::value::Plain;

/// A text; a number is taken as its text, as where YAML needs no quotes.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Plain::deserialize(deserializer).map(|plain| Some(plain.0))
}

/// A list of texts, or one text alone.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Form::read(deserializer, TEXTS)? {
        Form::Text(text) => Ok(vec![text]),
        Form::List(list) => Ok(list),
        Form::Table(_) => Err(D::Error::invalid_type(Unexpected::Map, &TEXTS)),
    }
}

/// The words of a command: a list, or a text that is split as a shell does.
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    match Form::read(deserializer, TEXTS)? {
        Form::Text(text) => shlex::split(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("`{text}` has an open quote, or ends in a backslash"))),
        Form::List(list) => Ok(Some(list)),
        Form::Table(_) => Err(D::Error::invalid_type(Unexpected::Map, &TEXTS)),
    }
}

/// As [`words`], but not none of them: Docker would take the image's own.
pub fn some_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    match words(deserializer)? {
        Some(words) if words.is_empty() => Err(D::Error::custom("an empty one is the image's own; leave it out")),
        words => Ok(words),
    }
}

/// Variables with their values: a table, or a list of `NAME=value`.
pub fn variables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Plain>, D::Error> {
    pairs(deserializer, |entry| match entry.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // Compose would take it from whoever runs it; a scenario is the same everywhere.
        _ => Err(format!("`{entry}` has no value; write `{entry}=value`")),
    })
}

/// Labels: a table, or a list of `name=value`, of which the value may be left out.
pub fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Plain>, D::Error> {
    pairs(deserializer, |entry| {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        Ok((name.to_owned(), value.to_owned()))
    })
}

/// Host names with their addresses: a table, or a list of `name:address` or `name=address`.
pub fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Plain>, D::Error> {
    pairs(deserializer, |entry| match entry.split_once('=').or_else(|| entry.split_once(':')) {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => Ok((name.to_owned(), address.to_owned())),
        _ => Err(format!("`{entry}` names no address; write `{entry}:10.0.0.1`")),
    })
}

fn pairs<'de, D: Deserializer<'de>>(
    deserializer: D,
    pair: impl Fn(&str) -> Result<(String, String), String>,
) -> Result<BTreeMap<String, Plain>, D::Error> {
    match Form::read(deserializer, PAIRS)? {
        Form::Table(table) => Ok(table),
        Form::List(list) => list
            .iter()
            .map(|entry| pair(entry).map(|(name, value)| (name, Plain(value))).map_err(D::Error::custom))
            .collect(),
        Form::Text(text) => Err(D::Error::invalid_type(Unexpected::Str(&text), &PAIRS)),
    }
}

/// Two ways in which the same thing may be written, for the schema.
pub struct Either<A, B>(PhantomData<(A, B)>);

/// What [`texts`] reads.
pub type Texts = Either<String, Vec<Plain>>;
/// What [`words`] reads.
pub type Words = Either<String, Vec<Plain>>;
/// What [`variables`], [`labels`] and [`hosts`] read.
pub type Pairs = Either<BTreeMap<String, Plain>, Vec<String>>;

impl<A: JsonSchema, B: JsonSchema> JsonSchema for Either<A, B> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{} or {}", A::schema_name(), B::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<A>(), generator.subschema_for::<B>()] })
    }
}

/// A value as it is written, whatever it stands for.
pub enum Form {
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A table of texts.
    Table(BTreeMap<String, Plain>),
}

/// What is expected where one or more texts may stand.
pub const TEXTS: &str = "a text or a list of texts";
/// What is expected where names with values may stand.
const PAIRS: &str = "a table or a list of `name=value`";

impl Form {
    /// Reads a value; `expected` is what messages say of one that has none of these forms.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<Self, D::Error> {
        struct Forms(&'static str);
        impl<'de> Visitor<'de> for Forms {
            type Value = Form;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
            fn visit_str<E>(self, text: &str) -> Result<Form, E> {
                Ok(Form::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Form, A::Error> {
                let mut texts = Vec::new();
                while let Some(Plain(text)) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Form::List(texts))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Form, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Form::Table)
            }
        }
        deserializer.deserialize_any(Forms(expected))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::scenario::runtime::Runtime;

    /// Reads one key; compares what it is resolved to, or why it cannot be read.
    fn check(key: &str, written: &Value, expected: Result<Value, &str>) {
        let read =
            serde_json::from_value::<Runtime>(json!({ key: written.clone() })).map_err(|error| error.to_string());
        let seen = read.map(|runtime| serde_json::to_value(runtime).unwrap()[key].clone());
        assert_eq!(seen, expected.map_err(str::to_owned), "{key} = {written}");
    }

    #[test]
    fn a_command_is_split_as_a_shell_does() {
        check("command", &json!(["node", "server.js"]), Ok(json!(["node", "server.js"])));
        check("command", &json!("sh -c 'echo \"a b\" $HOME'"), Ok(json!(["sh", "-c", "echo \"a b\" $HOME"])));
        check("command", &json!("sh -c 'echo"), Err("`sh -c 'echo` has an open quote, or ends in a backslash"));
        check("command", &json!([]), Err("an empty one is the image's own; leave it out"));
        check("entrypoint", &json!(""), Ok(json!([])));
        check("entrypoint", &json!({ "a": 1 }), Err("invalid type: map, expected a text or a list of texts"));
    }

    #[test]
    fn variables_labels_and_settings_are_a_table_or_a_list() {
        let expected = || Ok(json!({ "A": "b=c", "PORT": "3000" }));
        check("environment", &json!({ "A": "b=c", "PORT": 3000 }), expected());
        check("environment", &json!(["A=b=c", "PORT=3000"]), expected());
        check("environment", &json!(["A"]), Err("`A` has no value; write `A=value`"));
        check(
            "environment",
            &json!("A=b"),
            Err("invalid type: string \"A=b\", expected a table or a list of `name=value`"),
        );
        check("sysctls", &json!(["net.core.somaxconn=1024"]), Ok(json!({ "net.core.somaxconn": "1024" })));
        check("labels", &json!(["a.b=c", "bare"]), Ok(json!({ "a.b": "c", "bare": "" })));
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        check("dns", &json!("9.9.9.9"), Ok(json!(["9.9.9.9"])));
        check("tmpfs", &json!("/run"), Ok(json!(["/run"])));
        check("group_add", &json!([4711, "mail"]), Ok(json!(["4711", "mail"])));
    }

    #[test]
    fn hosts_have_addresses() {
        let expected = || Ok(json!({ "db": "10.0.0.9", "six": "::1" }));
        check("extra_hosts", &json!(["db:10.0.0.9", "six=::1"]), expected());
        check("extra_hosts", &json!({ "db": "10.0.0.9", "six": "::1" }), expected());
        check("extra_hosts", &json!(["db"]), Err("`db` names no address; write `db:10.0.0.1`"));
    }
}

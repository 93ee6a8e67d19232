//! What is said of the scenario language is what is read: each key of the
//! reference has an example that is a scenario, and the schema takes what the
//! reader takes.

use std::collections::BTreeSet;
use std::path::Path;

use harness::corpus;
use harness::language::{self, Reference, Row};
use toml::{Table, Value};

use crate::bad_input::problems;

/// The schema as editors get it.
pub fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&language::schema()).expect("a schema")
}

/// The parts of a file that examples are put into.
const FILE: &str = r#"
version = 1
claim = "It boots"
[subject]
image = "ghost:5"
ready = { http = "/health", port = 8080 }
restart = "on-failure:3"
[volumes.data]
target = "/data"
[services.db]
postgres = {}
link = {}
[expect]
ready_within = "10s"
"#;

/// A file that holds these lines in the section of that name.
fn file_with(section: &str, lines: &[String]) -> Table {
    let mut file: Table = FILE.parse().expect("TOML");
    let lines: Table = lines.join("\n").parse().unwrap_or_else(|error| panic!("{lines:?}: {error}"));
    let begun = |text: &str| text.parse::<Table>().expect("TOML");
    let into = |table: &mut Value, lines: Table| table.as_table_mut().expect("a table").extend(lines);
    match section {
        "head" => file.extend(lines),
        "subject" | "runtime" | "ready" => {
            if lines.contains_key("build") {
                file["subject"].as_table_mut().expect("a table").remove("image");
            }
            into(&mut file["subject"], lines);
        }
        "volume" => into(&mut file["volumes"]["data"], lines),
        "service" => file["services"]["db"] = lines.into(),
        "link" => into(&mut file["services"]["db"], lines),
        "expect" => {
            // Some claims are about what happens while a fault lasts.
            let fault = begun("when = \"ready\"\npause = true\nuntil = { after = \"1s\" }");
            file.insert("fault".to_owned(), Value::Array(vec![fault.into()]));
            into(&mut file["expect"], lines);
        }
        "step" | "action" | "fault" | "moment" | "control" => {
            let (name, text) = match section {
                "step" => ("step", "do = \"recreate\""),
                "action" => ("fault", "when = \"ready\""),
                "control" => ("control", "fails = \"ready_within\"\nbecause = \"exit 1\""),
                _ => ("fault", ""),
            };
            let mut table = begun(text);
            table.extend(lines);
            let table = if section == "control" { table.into() } else { Value::Array(vec![table.into()]) };
            file.insert(name.to_owned(), table);
        }
        other => panic!("no place in a file is known for the section `{other}`"),
    }
    file
}

/// Every row, with the name of its section.
fn rows() -> Vec<(&'static str, Row)> {
    let sections = Reference::of_types().sections.into_iter();
    sections.flat_map(|(section, rows)| rows.into_iter().map(|row| (section.name, row))).collect()
}

#[test]
fn the_schema_and_the_reference_are_kept_as_they_are_generated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let check = |file: &str, generated: &str| {
        let kept = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(kept == format!("{}\n", generated.trim_end()), "{file} is out of date; `make docs` renews it");
    };
    check("harness/scenario.schema.json", &format!("{:#}", language::schema()));
    check("docs/reference.md", &Reference::of_types().page());
}

#[test]
fn every_key_has_a_description_and_an_example() {
    for (section, row) in rows() {
        let named = ["Some(\"", "AsWritten"].iter().find(|internal| row.meaning.contains(**internal));
        assert!(named.is_none(), "{section}: `{}` speaks of {named:?}", row.key);
        let why = "say what it means in its documentation, and end that with a line such as: Example: `key = 1`";
        assert!(!row.meaning.is_empty(), "{section}: `{}` has no description; {why}", row.key);
        assert!(!row.value.is_empty(), "{section}: nothing says what `{}` may be", row.key);
        assert!(!row.example.is_empty(), "{section}: `{}` has no example; {why}", row.key);
    }
}

#[test]
fn every_example_is_a_scenario_and_shows_its_key() {
    let schema = validator();
    for (section, row) in rows() {
        let file = file_with(section, &row.example);
        let told = problems(&file.to_string());
        assert_eq!(told, "there are none", "{section}: the example of `{}`:\n{file}", row.key);
        let json = serde_json::to_value(&file).expect("JSON");
        if let Err(error) = schema.validate(&json) {
            panic!(
                "{section}: the schema refuses the example of `{}` at {}: {error}\n{file}",
                row.key,
                error.instance_path()
            );
        }
        let key = row.key.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
        let lines: Table = row.example.join("\n").parse().expect("TOML");
        assert!(holds(&lines.into(), key), "{section}: the example of `{}` does not show it", row.key);
    }
}

fn holds(value: &Value, key: &str) -> bool {
    match value {
        Value::Table(table) => table.contains_key(key) || table.values().any(|value| holds(value, key)),
        Value::Array(list) => list.iter().any(|value| holds(value, key)),
        _ => false,
    }
}

/// A key that is near to none.
const UNKNOWN: &str = "qqqqqqqqqq";

#[test]
fn the_reference_has_the_keys_that_are_read_and_no_others() {
    let rows = rows();
    let of_subject = rows.iter().filter(|(section, _)| ["subject", "runtime"].contains(section));
    let of_subject: BTreeSet<&str> = of_subject.map(|(_, row)| row.key.as_str()).collect();
    let schema = language::schema();
    let top: BTreeSet<&str> = schema["properties"].as_object().expect("keys").keys().map(String::as_str).collect();
    let tables: BTreeSet<(&str, &str)> = rows.iter().map(|(section, row)| (*section, parent(&row.key))).collect();
    for (section, table) in tables {
        let here: Vec<&Row> =
            rows.iter().filter(|(of, row)| *of == section && parent(&row.key) == table).map(|(_, row)| row).collect();
        let known = known_in(section, table, &here[0].example);
        for row in &here {
            let key = row.key.rsplit('.').next().unwrap_or_default();
            assert!(known.contains(key), "{section}: the reference has `{}`, which is not read: {known:?}", row.key);
        }
        for key in &known {
            let told = rows.iter().any(|(of, row)| *of == section && row.key.rsplit('.').next() == Some(key.as_str()));
            let elsewhere = match section {
                "head" => top.contains(key.as_str()),
                // An action stands beside them.
                "fault" | "action" => rows.iter().any(|(of, row)| ["fault", "action"].contains(of) && row.key == *key),
                _ => of_subject.contains(key.as_str()),
            };
            assert!(told || elsewhere, "{section}: `{key}` of `{table}` is read, and is not in the reference");
        }
    }
}

/// The keys of the tables around a key, with their dots.
fn parent(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// The keys that are read in a table of a section, as the message about an unknown one tells them.
fn known_in(section: &str, table: &str, lines: &[String]) -> BTreeSet<String> {
    let mut lines: Table = lines.join("\n").parse().expect("TOML");
    if ["fault", "action"].contains(&section) && table.is_empty() {
        // What is unknown there is taken for an action, of which there is one.
        lines = "when = \"ready\"".parse().expect("TOML");
    }
    if section == "step" {
        // Only a step that makes a new container can be told all keys.
        lines.insert("do".to_owned(), "recreate".into());
    }
    let around = match section {
        "ready" => "ready.",
        "link" => "link.",
        "moment" => "when.",
        _ => "",
    };
    let path = format!("{around}{table}");
    let mut at = &mut lines;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let name =
            if part.starts_with('*') { at.keys().next().expect("a name").clone() } else { part.replace("[]", "") };
        let inner = at.get_mut(&name).unwrap_or_else(|| panic!("{section}: no {part} of {path}"));
        let inner = if part.ends_with("[]") { &mut inner[0] } else { inner };
        at = inner.as_table_mut().unwrap_or_else(|| panic!("{section}: {part} of {path} is no table"));
    }
    at.insert(UNKNOWN.to_owned(), 1.into());
    let told = problems(&file_with(section, &[lines.to_string()]).to_string());
    let known =
        told.lines().find_map(|line| line.split_once("known: ")).unwrap_or_else(|| panic!("{section} {path}: {told}"));
    known.1.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_schema_takes_every_scenario_of_the_corpus() {
    let schema = validator();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    for file in corpus::find(&[root.join("scenarios")]).expect("scenarios") {
        let text = std::fs::read_to_string(&file).expect("a file");
        let json: serde_json::Value = toml::from_str(&text).expect("TOML");
        if let Err(error) = schema.validate(&json) {
            panic!("{} at {}: {error}", file.display(), error.instance_path());
        }
    }
}

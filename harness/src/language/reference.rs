//! The reference: every key with what it means, what its value is, and an example.

use std::fmt::Write;

use schemars::generate::SchemaSettings;
use schemars::transform::Transform;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::section::{SECTIONS, Section};
use super::tidy;
use super::types::{Named, Row, Types, properties};

/// Everything that can be looked up.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The sections of a file, each with its keys.
    pub sections: Vec<(&'static Section, Vec<Row>)>,
    /// The kinds of values that they speak of.
    pub values: Vec<Named>,
}

impl Reference {
    /// Reads it out of the types.
    #[must_use]
    pub fn of_types() -> Self {
        let settings = SchemaSettings::draft07().with(|settings| settings.transforms = vec![Box::new(tidy::ForToml)]);
        let mut generator = settings.into_generator();
        let tables: Vec<Value> = SECTIONS.iter().map(|section| tidied(section.table, &mut generator)).collect();
        let told: Vec<Value> = SECTIONS.iter().map(|section| tidied(section.told_elsewhere, &mut generator)).collect();
        let types = Types { definitions: Value::from(generator.take_definitions(true)) };
        let sections = SECTIONS.iter().zip(tables.iter().zip(&told)).map(|(section, (table, told))| {
            let told = properties(told).cloned().unwrap_or_default();
            // What may also be a word is told by its table.
            let rows = types.tables(table).into_iter().flat_map(|(_, table)| types.rows("", table, &told));
            (section, rows.collect())
        });
        Self { sections: sections.collect(), values: types.named() }
    }

    /// All of it as a page.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = PREAMBLE.to_owned();
        // Writing to a string does not fail.
        for (section, rows) in &self.sections {
            let _ = write!(page, "\n## {}\n\n{}\n\n", section.heading, section.intro);
            page.push_str("| key | what it means | value | unsaid | example |\n|---|---|---|---|---|\n");
            for row in rows {
                let example = row.example.iter().map(|line| format!("`{line}`")).collect::<Vec<_>>().join("<br>");
                let cells = [&format!("`{}`", row.key), &row.meaning, &row.value, &row.unsaid, &example];
                let _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
            }
        }
        page.push_str(VALUES);
        for value in &self.values {
            let examples = value.examples.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
            let _ = writeln!(page, "| {} | {} | {examples} |", value.name, value.meaning);
        }
        page
    }
}

const PREAMBLE: &str = "\
<!-- Generated from the types of the harness: `make docs` renews it. -->

# Reference of the scenario language

Every key of a scenario file. [scenario.md](scenario.md) tells how a file is written and how it is judged; `harness new`
writes one to start from, and `harness schema` the schema by which editors complete.

A key with dots stands in a table inside its section, and `*` is any name. Each example stands in its section as it is.
";

const VALUES: &str = "
## Values

| value | what it is | examples |
|---|---|---|
";

/// A table as its type has it, in the terms of TOML.
fn tidied(table: fn(&mut SchemaGenerator) -> Schema, generator: &mut SchemaGenerator) -> Value {
    let mut schema = table(generator);
    tidy::ForToml.transform(&mut schema);
    schema.to_value()
}

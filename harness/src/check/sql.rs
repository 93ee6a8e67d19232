//! `sql`: what stands in a database: of a service, or a SQLite file of the subject.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::de::DeValue;

use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read;
use crate::scenario::value::{Duration, Plain};
use crate::timeline::{Look, Seen};

pub const KIND: Kind = Kind {
    key: "sql",
    summary: "leaves these rows in a database: `on` a service, or a SQLite file by its path",
    example: "sql = [{ on = \"db\", query = \"SELECT count(*) FROM book\", rows = [[3]] }]",
    schema: Vec::<AsWritten>::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

/// How many rows are told that were not expected.
const SHOWN: usize = 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct AsWritten {
    /// A service that is a Postgres, or the absolute path of a SQLite file.
    /// Example: `sql = [{ on = "/data/app.db", query = "PRAGMA integrity_check", rows = [["ok"]] }]`.
    on: String,
    /// The query.
    query: String,
    /// Just these rows come back, their values compared as texts.
    rows: Option<Vec<Vec<Plain>>>,
    /// These rows are among those that come back.
    /// Example: `sql = [{ on = "db", query = "SELECT name FROM book", contains = [["Emma"]] }]`.
    contains: Option<Vec<Vec<Plain>>>,
    /// It is asked again and again until that holds, for so long from the last start on.
    /// Example: `sql = [{ on = "db", query = "SELECT 1 FROM book", rows = [[1]], within = "5s" }]`.
    within: Option<Duration>,
}

#[derive(Debug)]
struct Query {
    on: String,
    query: String,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    /// These rows in this order, and no others.
    Rows(Vec<Vec<Plain>>),
    /// These rows among others.
    Contains(Vec<Vec<Plain>>),
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    let place = written.clone();
    let sections = read::tables(written, "expect.sql", reading.problems);
    if matches!(place.value.get_ref(), DeValue::Array(list) if list.is_empty()) {
        let help = "write [{ on = \"db\", query = \"SELECT count(*) FROM book\", rows = [[3]] }]";
        reading.problems.add(Problem::new(Some(place.span.clone()), "`sql` asks nothing").help(help));
    }
    for section in sections {
        let span = section.span();
        let Some(as_written) = section.read::<AsWritten>(reading.problems) else { continue };
        let AsWritten { on, query, rows, contains, within } = as_written;
        let expected = match (rows, contains) {
            (Some(rows), None) => Expected::Rows(rows),
            (None, Some(rows)) => Expected::Contains(rows),
            (None, None) | (Some(_), Some(_)) => {
                let title = "`sql`: say either which `rows` there are, or which it `contains`";
                reading.problems.add(Problem::new(Some(span), title));
                continue;
            }
        };
        let claimed = Query { on, query, expected };
        all.extend(Held::read(within, &place, reading).map(|held| boxed(Looked { claimed, held })));
    }
    all
}

impl Claimed for Query {
    fn words(&self) -> String {
        let Self { on, query, expected } = self;
        match expected {
            Expected::Rows(rows) => format!("leaves {} where {on} is asked: {query}", told(rows)),
            Expected::Contains(rows) => format!("leaves {} among others where {on} is asked: {query}", told(rows)),
        }
    }

    fn look(&self) -> Look {
        Look::Sql { database: self.on.clone(), query: self.query.clone() }
    }

    fn wrong(&self, saw: &Seen, _before: Option<&Seen>) -> Option<Wrong> {
        let seen = match saw {
            Seen::Rows(rows) => rows,
            Seen::Refused => return Some("the connection was refused".into()),
            Seen::Unanswered(words) => return Some(format!("it gave no rows: {words}").into()),
            other => return Some(unseen(other)),
        };
        let wrong = match &self.expected {
            Expected::Rows(rows) => {
                let right = rows.len() == seen.len() && rows.iter().zip(seen).all(|(one, other)| same(one, other));
                (!right).then(|| format!("there {}", counted(seen.len())))
            }
            Expected::Contains(rows) => {
                let missing = rows.iter().find(|row| !seen.iter().any(|other| same(row, other)));
                missing.map(|row| format!("{} is not among the rows", told(std::slice::from_ref(row))))
            }
        };
        wrong.map(|saw| Wrong { saw, detail: shown(seen) })
    }
}

/// Whether a row holds these values, as texts; nothing that is written is null.
fn same(expected: &[Plain], seen: &[Value]) -> bool {
    let same = |(expected, seen): (&Plain, &Value)| seen.as_str() == Some(expected.0.as_str());
    expected.len() == seen.len() && expected.iter().zip(seen).all(same)
}

fn told(rows: &[Vec<Plain>]) -> String {
    match rows {
        [] => "no row".to_owned(),
        rows => {
            let row = |row: &Vec<Plain>| row.iter().map(|value| value.0.clone()).collect::<Vec<_>>().join(", ");
            format!("({})", rows.iter().map(row).collect::<Vec<_>>().join("), ("))
        }
    }
}

fn counted(rows: usize) -> String {
    match rows {
        0 => "is no row".to_owned(),
        1 => "is another row".to_owned(),
        rows => format!("are {rows} rows, and not these"),
    }
}

fn shown(rows: &[Vec<Value>]) -> Vec<String> {
    let mut shown: Vec<String> = rows.iter().take(SHOWN).map(|row| serde_json::json!(row).to_string()).collect();
    if rows.len() > SHOWN {
        shown.push(format!("… {} rows more", rows.len() - SHOWN));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use super::*;
    use crate::timeline::{What, When};

    fn saw(seen: Seen) -> [(i64, What); 1] {
        let look = Look::Sql { database: "db".to_owned(), query: "q".to_owned() };
        [(9, looked(look, seen, When::After))]
    }

    fn rows(json: &str) -> [(i64, What); 1] {
        saw(Seen::Rows(serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn rows_are_compared_as_texts_in_their_order() {
        let expected = "sql = [{ on = \"db\", query = \"q\", rows = [[1, \"a\"], [2, \"b\"]] }]";
        check(expected, &rows(r#"[["1","a"],["2","b"]]"#), "holds");
        check(expected, &rows(r#"[["2","b"],["1","a"]]"#), "there are 2 rows, and not these");
        check(expected, &rows(r#"[["1","a"]]"#), "there is another row");
        check(expected, &rows("[]"), "there is no row");
        check(
            expected,
            &saw(Seen::Unanswered("42P01: no such table".to_owned())),
            "it gave no rows: 42P01: no such table",
        );
        check("sql = [{ on = \"db\", query = \"q\", rows = [] }]", &rows("[]"), "holds");
    }

    #[test]
    fn rows_can_be_among_others() {
        let expected = "sql = [{ on = \"db\", query = \"q\", contains = [[2]] }]";
        check(expected, &rows(r#"[["1"],["2"]]"#), "holds");
        check(expected, &rows(r#"[["1"],[null]]"#), "(2) is not among the rows");
    }
}

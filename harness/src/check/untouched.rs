//! `untouched`: that volumes hold at the end what they held at the beginning.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::value::Glob;
use crate::timeline::{Look, Seen};

pub const KIND: Kind = Kind {
    key: "untouched",
    summary: "leaves these volumes as it found them: contents, owners and modes",
    example: "untouched = { data = { except = [\"*.log\"] } }",
    schema: Volumes::json_schema,
    read,
    unsaid: None,
    places: Places::Everywhere,
};

/// What an entry of a volume is described by, in this order.
const ASPECTS: [&str; 5] = ["kind", "mode", "owner", "size", "content"];

/// Which volumes.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes it as it comes")]
enum Volumes {
    /// Each by its name.
    Names(Vec<String>),
    /// By their names, with what may change.
    Except(BTreeMap<String, AsWritten>),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { except = [\"*.log\"] }")]
#[schemars(inline)]
struct AsWritten {
    /// What may change: patterns of paths below the volume's root.
    except: Vec<Glob>,
}

#[derive(Debug)]
struct Untouched {
    volume: String,
    except: Vec<Glob>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let volumes: Option<Vec<(String, Vec<Glob>)>> = match written.value.get_ref() {
        DeValue::Table(_) => written
            .read::<BTreeMap<String, AsWritten>>("[expect]", reading.problems)
            .map(|volumes| volumes.into_iter().map(|(volume, AsWritten { except })| (volume, except)).collect()),
        _ => written
            .read::<Vec<String>>("[expect]", reading.problems)
            .map(|volumes| volumes.into_iter().map(|volume| (volume, Vec::new())).collect()),
    };
    if volumes.as_ref().is_some_and(Vec::is_empty) {
        let problem = Problem::new(Some(span), "`untouched` names no volume").help("write [\"data\"]");
        reading.problems.add(problem);
    }
    let claimed = volumes.into_iter().flatten().map(|(volume, except)| Untouched { volume, except });
    claimed.map(|claimed| boxed(Looked { claimed, held: Held::AtTheEnd })).collect()
}

impl Claimed for Untouched {
    fn words(&self) -> String {
        match self.except.is_empty() {
            true => format!("leaves the volume {} untouched", self.volume),
            false => {
                let except: Vec<String> = self.except.iter().map(ToString::to_string).collect();
                format!("leaves the volume {} untouched, except for {}", self.volume, except.join(", "))
            }
        }
    }

    fn look(&self) -> Look {
        Look::Tree { volume: self.volume.clone() }
    }

    fn wrong(&self, saw: &Seen, before: Option<&Seen>) -> Option<Wrong> {
        let (after, before) = match (saw, before) {
            (Seen::Tree(after), Some(Seen::Tree(before))) => (after, before),
            (Seen::Tree(_), Some(other)) => return Some(unseen(other)),
            (Seen::Tree(_), None) => return Some("nobody looked at it before".into()),
            (other, _) => return Some(unseen(other)),
        };
        let counts = |path: &str| !self.except.iter().any(|except| except.matches(path));
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        let mut detail: Vec<(&String, String)> = gone.map(|path| (path, "gone".to_owned())).collect();
        for (path, now) in after {
            match before.get(path) {
                None => detail.push((path, format!("new: {}", now.split(' ').next().unwrap_or_default()))),
                Some(then) if then != now => detail.push((path, difference(then, now))),
                Some(_) => {}
            }
        }
        detail.retain(|(path, _)| counts(path));
        detail.sort();
        let lines: Vec<String> = detail.into_iter().map(|(path, what)| format!("{path}: {what}")).collect();
        let saw = match lines.len() {
            0 => return None,
            1 => lines[0].clone(),
            n => format!("{n} entries of it are not what they were"),
        };
        let detail = if lines.len() > 1 { lines } else { Vec::new() };
        Some(Wrong { saw, detail })
    }
}

/// In which of its aspects an entry differs.
fn difference(then: &str, now: &str) -> String {
    let (then, now): (Vec<&str>, Vec<&str>) = (then.split(' ').collect(), now.split(' ').collect());
    let differs = |number: &usize| then.get(*number) != now.get(*number);
    let told =
        (0..ASPECTS.len()).filter(differs).map(|number| match (ASPECTS[number], then.get(number), now.get(number)) {
            ("content", ..) => "other content".to_owned(),
            (aspect, then, now) => format!("{aspect} {} is now {}", then.unwrap_or(&"?"), now.unwrap_or(&"?")),
        });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use super::*;
    use crate::timeline::{What, When};

    fn tree(entries: &[(&str, &str)], when: When) -> What {
        let entries = entries.iter().map(|(path, what)| ((*path).to_owned(), (*what).to_owned())).collect();
        looked(Look::Tree { volume: "data".to_owned() }, Seen::Tree(entries), when)
    }

    const BEFORE: [(&str, &str); 2] = [(".", "directory 0755 0:0 0"), ("a/app.db", "file 0644 0:0 4 1234")];

    fn became(after: &[(&str, &str)]) -> [(i64, What); 2] {
        [(0, tree(&BEFORE, When::Before)), (9, tree(after, When::After))]
    }

    #[test]
    fn a_volume_is_as_it_was() {
        let untouched = "untouched = [\"data\"]";
        check(untouched, &became(&BEFORE), "holds");
        check(untouched, &became(&BEFORE[..1]), "a/app.db: gone");
        let written = became(&[BEFORE[0], ("a/app.db", "file 0600 0:0 5 5678")]);
        check(untouched, &written, "a/app.db: mode 0644 is now 0600, size 4 is now 5, other content");
        let more = became(&[BEFORE[0], BEFORE[1], ("a/new.log", "file 0644 0:0 0 12"), ("b", "directory 0755 0:0 0")]);
        check(untouched, &more, "2 entries of it are not what they were");
        check("untouched = { data = { except = [\"*.log\"] } }", &more, "b: new: directory");
        check(untouched, &became(&BEFORE)[1..], "nobody looked at it before");
        check(untouched, &became(&BEFORE)[..1], "unbroken");
    }
}

//! `log_files`: what stands in log files of the subject when the run is over, line by line.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::lines::{AsWritten, LineClaim, Standing};
use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read;
use crate::timeline::{Look, Seen};

pub const KIND: Kind = Kind {
    key: "log_files",
    summary: "leaves log files with lines that match, none that must not, in order, or so often",
    example: "log_files = { \"/data/app.log\" = { contains = [\"listening\"], absent = [\"panicked\"] } }",
    schema: BTreeMap::<String, AsWritten>::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    let held = if reading.throughout { Held::Throughout } else { Held::AtTheEnd };
    for file in read::table(written, "[expect]", reading.problems) {
        let (path, span) = (file.key.clone(), file.span.clone());
        let Some(lines) = file.read::<AsWritten>("`log_files`", reading.problems) else { continue };
        let claims = match lines.claims() {
            _ if !path.starts_with('/') => Err("it is not an absolute path in the container".to_owned()),
            Ok(claims) if claims.is_empty() => {
                Err("it claims nothing; give it `contains`, `absent`, `ordered`, `counted` or `json`".to_owned())
            }
            claims => claims,
        };
        match claims {
            Ok(claims) => all.extend(
                claims.into_iter().map(|claim| boxed(Looked { claimed: LogFile { path: path.clone(), claim }, held })),
            ),
            Err(wrong) => {
                let title = format!("`log_files`: `{path}`: {wrong}");
                reading.problems.add(Problem::new(Some(span), title));
            }
        }
    }
    all
}

/// One claim about the lines of one file.
#[derive(Debug)]
struct LogFile {
    path: String,
    claim: LineClaim,
}

impl Claimed for LogFile {
    fn words(&self) -> String {
        self.claim.words(&format!("writes to {}", self.path), "line")
    }

    fn look(&self) -> Look {
        Look::File { path: self.path.clone(), content: true }
    }

    fn wrong(&self, saw: &Seen, _before: Option<&Seen>) -> Option<Wrong> {
        let text = match saw {
            Seen::Absent => return Some("it is absent".into()),
            Seen::File(file) if file.directory => return Some("it is a directory".into()),
            Seen::File(file) => match &file.text {
                Some(text) => text,
                None => return Some(format!("it is too large to be read: {} bytes", file.size).into()),
            },
            other => return Some(unseen(other)),
        };
        match self.claim.over(text.lines().enumerate()) {
            Standing::Holds | Standing::Unbroken => None,
            Standing::Missing(words) => Some(words.into()),
            Standing::Broken(line, words) => Some(Wrong { saw: words, detail: vec![format!("line {}", line + 1)] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use crate::timeline::{FileSeen, Look, Seen, What, When};

    fn holds(text: Option<&str>) -> [(i64, What); 1] {
        let look = Look::File { path: "/data/app.log".to_owned(), content: true };
        let file = |text: &str| Seen::File(FileSeen { text: Some(text.to_owned()), ..FileSeen::default() });
        [(9, looked(look, text.map_or(Seen::Absent, file), When::After))]
    }

    #[test]
    fn a_log_file_is_read_line_by_line() {
        let contains = "log_files = { \"/data/app.log\" = { contains = [\"^up$\"] } }";
        check(contains, &holds(Some("boot\nup\n")), "holds");
        check(contains, &holds(Some("boot\n")), "no line matches");
        check(contains, &holds(None), "it is absent");
        check(contains, &[], "unbroken");
        let absent = "log_files = { \"/data/app.log\" = { absent = [\"panic\"] } }";
        check(absent, &holds(Some("up\npanicked")), "it logged: panicked");
        let counted = "log_files = { \"/data/app.log\" = { counted = { up = 1 } } }";
        check(counted, &holds(Some("up\nup")), "it logged that twice: up");
    }
}

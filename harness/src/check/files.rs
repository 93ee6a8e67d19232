//! `files`: what stands in the subject's file system when the run is over.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::timeline::{Look, Seen, Timeline, What, When};

pub const KIND: Kind = Kind {
    key: "files",
    summary: "leaves these files behind: present or absent, or larger than before the start",
    example: "files = { \"/data/app.log\" = { grew = true } }",
    read,
    unsaid: None,
    places: Places::Throughout,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { grew = true }")]
struct AsWritten {
    present: Option<bool>,
    grew: Option<bool>,
}

#[derive(Debug)]
struct File {
    path: String,
    claim: FileClaim,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum FileClaim {
    Present,
    Absent,
    Grew,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let files: Option<BTreeMap<String, AsWritten>> = written.read("[expect]", reading.problems);
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    for (path, file) in files.into_iter().flatten() {
        let claim = match (file.present, file.grew) {
            _ if !path.starts_with('/') => Err("is not an absolute path in the container"),
            (Some(false), None) => Ok(FileClaim::Absent),
            (Some(true), None) => Ok(FileClaim::Present),
            (None | Some(true), Some(true)) => Ok(FileClaim::Grew),
            (None, None) => Err("has no claim; write { present = true } or { grew = true }"),
            (_, Some(_)) => Err("contradicts itself: `grew` is `true`, and only of what is present"),
        };
        match claim {
            Ok(claim) => all.push(Box::new(File { path, claim })),
            Err(wrong) => reading.problems.add(Problem::new(Some(span.clone()), format!("`files`: `{path}` {wrong}"))),
        }
    }
    all
}

impl Expectation for File {
    fn words(&self) -> String {
        match self.claim {
            FileClaim::Present => format!("leaves {} behind", self.path),
            FileClaim::Absent => format!("leaves no {} behind", self.path),
            FileClaim::Grew => format!("writes to {}", self.path),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let Some((event, after)) = self.size(When::After, timeline) else { return Outcome::Unbroken };
        let before = self.size(When::Before, timeline).and_then(|(_, size)| size).unwrap_or(0);
        let saw = match (self.claim, after) {
            (FileClaim::Present | FileClaim::Grew, None) => "it is absent".to_owned(),
            (FileClaim::Absent, Some(size)) => format!("it is there, {size} bytes"),
            (FileClaim::Grew, Some(size)) if size <= before => {
                format!("nothing was written to it: {before} bytes before, {size} bytes after")
            }
            (FileClaim::Present | FileClaim::Grew, Some(_)) | (FileClaim::Absent, None) => return Outcome::Holds,
        };
        Outcome::Broken(Breach::by(event, saw))
    }

    fn wants(&self) -> Wants {
        Wants { looks: vec![self.look()], ..Wants::default() }
    }
}

impl File {
    fn look(&self) -> Look {
        Look::File { path: self.path.clone(), content: false }
    }

    fn size(&self, moment: When, timeline: &Timeline) -> Option<(usize, Option<u64>)> {
        timeline.events().iter().enumerate().find_map(|(place, event)| match &event.what {
            What::Looked { look, saw, when } if *when == moment && *look == self.look() => match saw {
                Seen::File(file) => Some((place, Some(file.size))),
                Seen::Absent => Some((place, None)),
                _ => None,
            },
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, file};
    use super::*;

    fn sizes(before: Option<u64>, after: Option<u64>) -> [(i64, What); 2] {
        [(0, file("/data/a.log", before, When::Before)), (9, file("/data/a.log", after, When::After))]
    }

    #[test]
    fn a_file_grew_when_it_is_larger_than_before() {
        let grew = "files = { \"/data/a.log\" = { grew = true } }";
        check(grew, &sizes(None, Some(9)), "holds");
        check(grew, &sizes(Some(9), Some(9)), "nothing was written to it: 9 bytes before, 9 bytes after");
        check(grew, &sizes(None, Some(0)), "nothing was written to it: 0 bytes before, 0 bytes after");
        check(grew, &sizes(Some(9), None), "it is absent");
        check(grew, &sizes(None, Some(9))[..1], "unbroken");
    }

    #[test]
    fn a_file_is_present_or_absent() {
        check("files = { \"/data/a.log\" = { present = true } }", &sizes(None, None), "it is absent");
        check("files = { \"/data/a.log\" = { present = false } }", &sizes(None, Some(4)), "it is there, 4 bytes");
    }
}

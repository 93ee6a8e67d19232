//! `files`: what stands in the subject's file system when the run is over.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read;
use crate::scenario::value::{Duration, Mode, Owner, Pattern};
use crate::snapshot;
use crate::timeline::{FileSeen, Look, Seen};

pub const KIND: Kind = Kind {
    key: "files",
    summary: "leaves these files behind: present or absent, larger than before the start, with this content, mode, owner",
    example: "files = { \"/data/app.log\" = { grew = true, mode = \"0640\", owner = \"1000:1000\" } }",
    schema: BTreeMap::<String, AsWritten>::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { grew = true }")]
#[schemars(inline)]
struct AsWritten {
    /// Whether something stands there.
    /// Example: `files = { "/data/restore.lock" = { present = false } }`.
    present: Option<bool>,
    /// It is larger at the end than before the start.
    grew: Option<bool>,
    /// It is a directory, or is none.
    /// Example: `files = { "/data/cache" = { directory = true } }`.
    directory: Option<bool>,
    /// Its permission bits.
    /// Example: `files = { "/data/key" = { mode = "0600" } }`.
    mode: Option<Mode>,
    /// Its owner, by numbers.
    /// Example: `files = { "/data/app.db" = { owner = "1000:1000" } }`.
    owner: Option<Owner>,
    /// Its text matches each of these.
    /// Example: `files = { "/data/config.toml" = { contains = ["^port = 8080$"] } }`.
    contains: Vec<Pattern>,
    /// Its text matches none of these.
    /// Example: `files = { "/data/config.toml" = { absent = ["password"] } }`.
    absent: Vec<Pattern>,
    /// Its text is just this.
    /// Example: `files = { "/data/version" = { equals = "2" } }`.
    equals: Option<String>,
    /// It is looked at again and again until that holds, for so long from the last start on.
    /// Example: `files = { "/data/app.db" = { present = true, within = "5s" } }`.
    within: Option<Duration>,
}

/// What is claimed of one path.
#[derive(Debug)]
struct File {
    path: String,
    claim: FileClaim,
}

#[derive(Debug)]
enum FileClaim {
    Absent,
    Present(Present),
}

/// What is claimed of something that is there.
#[derive(Debug)]
struct Present {
    grew: bool,
    directory: Option<bool>,
    mode: Option<Mode>,
    owner: Option<Owner>,
    contains: Vec<Pattern>,
    absent: Vec<Pattern>,
    equals: Option<String>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    for file in read::table(written, "[expect]", reading.problems) {
        let (path, place) = (file.key.clone(), Written { key: "files".to_owned(), ..file.clone() });
        let Some(as_written) = file.read::<AsWritten>("`files`", reading.problems) else { continue };
        let within = as_written.within;
        let claim = match as_written.claim() {
            _ if !path.starts_with('/') => Err("is not an absolute path in the container"),
            Ok(FileClaim::Present(Present { grew: true, .. })) if reading.throughout || within.is_some() => {
                Err("grew is seen only at the end, by comparing with the start")
            }
            claim => claim,
        };
        match claim {
            Ok(claim) => {
                let held = Held::read(within, &place, reading);
                all.extend(held.map(|held| boxed(Looked { claimed: File { path, claim }, held })));
            }
            Err(wrong) => {
                reading.problems.add(Problem::new(Some(place.span), format!("`files`: `{path}` {wrong}")));
            }
        }
    }
    all
}

impl AsWritten {
    fn claim(self) -> Result<FileClaim, &'static str> {
        let Self { present, grew, directory, mode, owner, contains, absent, equals, within: _ } = self;
        let of_content = !contains.is_empty() || !absent.is_empty() || equals.is_some();
        let of_present = grew.is_some() || directory.is_some() || mode.is_some() || owner.is_some() || of_content;
        match present {
            Some(false) if of_present => return Err("contradicts itself: what is absent has nothing else"),
            Some(false) => return Ok(FileClaim::Absent),
            None if !of_present => return Err("has no claim; write { present = true } or { grew = true }"),
            Some(true) | None => {}
        }
        if grew == Some(false) {
            return Err("contradicts itself: `grew` is `true`, and only of what is present");
        }
        if directory == Some(true) && (of_content || grew.is_some()) {
            return Err("contradicts itself: a directory has no content and does not grow");
        }
        let grew = grew.is_some();
        Ok(FileClaim::Present(Present { grew, directory, mode, owner, contains, absent, equals }))
    }
}

impl Claimed for File {
    fn words(&self) -> String {
        let path = &self.path;
        let Present { grew, directory, mode, owner, contains, absent, equals } = match &self.claim {
            FileClaim::Absent => return format!("leaves no {path} behind"),
            FileClaim::Present(present) => present,
        };
        let mut words = if *grew { format!("writes to {path}") } else { format!("leaves {path} behind") };
        let mut more = Vec::new();
        more.extend(
            directory.map(|directory| if directory { "as a directory".to_owned() } else { "as a file".to_owned() }),
        );
        more.extend(mode.map(|mode| format!("with mode {mode}")));
        more.extend(owner.map(|owner| format!("owned by {owner}")));
        more.extend(contains.iter().map(|pattern| format!("with /{pattern}/ in it")));
        more.extend(absent.iter().map(|pattern| format!("without /{pattern}/ in it")));
        more.extend(equals.iter().map(|_| "with just the content that is given".to_owned()));
        for (number, one) in more.iter().enumerate() {
            words += if number == 0 { " " } else { ", " };
            words += one;
        }
        words
    }

    fn look(&self) -> Look {
        let closely = match &self.claim {
            FileClaim::Absent => false,
            FileClaim::Present(present) => present.owner.is_some() || present.is_about_content(),
        };
        Look::File { path: self.path.clone(), content: closely }
    }

    fn wrong(&self, saw: &Seen, before: Option<&Seen>) -> Option<Wrong> {
        match (&self.claim, saw) {
            (FileClaim::Absent, Seen::Absent) => None,
            (FileClaim::Absent, Seen::File(file)) => Some(format!("it is there, {file}").into()),
            (FileClaim::Present(_), Seen::Absent) => Some("it is absent".into()),
            (FileClaim::Present(present), Seen::File(file)) => present
                .wrong_kind(file)
                .or_else(|| present.too_small(file, before))
                .or_else(|| present.wrong_content(file)),
            (_, other) => Some(unseen(other)),
        }
    }
}

impl Present {
    fn is_about_content(&self) -> bool {
        !self.contains.is_empty() || !self.absent.is_empty() || self.equals.is_some()
    }

    fn wrong_kind(&self, file: &FileSeen) -> Option<Wrong> {
        if self.directory.is_some_and(|directory| directory != file.directory) {
            return Some(if file.directory { "it is a directory" } else { "it is no directory" }.into());
        }
        if let Some(mode) = self.mode.filter(|mode| file.mode != Some(mode.0)) {
            let seen = file.mode.map_or_else(|| "not known".to_owned(), |mode| format!("{mode:04o}"));
            return Some(format!("its mode is {seen}, not {mode}").into());
        }
        let owner = self.owner.filter(|owner| file.owner.as_deref() != Some(owner.to_string().as_str()))?;
        Some(format!("its owner is {}, not {owner}", file.owner.as_deref().unwrap_or("not known")).into())
    }

    fn too_small(&self, file: &FileSeen, before: Option<&Seen>) -> Option<Wrong> {
        let before = match before {
            Some(Seen::File(before)) => before.size,
            _ => 0,
        };
        let size = file.size;
        let wrong = || format!("nothing was written to it: {before} bytes before, {size} bytes after").into();
        (self.grew && size <= before).then(wrong)
    }

    fn wrong_content(&self, file: &FileSeen) -> Option<Wrong> {
        if !self.is_about_content() {
            return None;
        }
        let Some(text) = &file.text else {
            return Some(match file.directory {
                true => "it is a directory".into(),
                false => format!("it is too large to be read: {} bytes", file.size).into(),
            });
        };
        let holds = |pattern: &&Pattern| text.lines().any(|line| pattern.matches(line));
        if let Some(pattern) = self.contains.iter().find(|pattern| !holds(pattern)) {
            return Some(format!("no line of it matches /{pattern}/").into());
        }
        if let Some(line) = text.lines().find(|line| self.absent.iter().any(|pattern| pattern.matches(line))) {
            return Some(format!("it holds the line: {line}").into());
        }
        let difference = self.equals.as_ref().and_then(|equals| snapshot::difference(equals, text))?;
        Some(Wrong { saw: "it holds something else".to_owned(), detail: difference.lines })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, file, looked};
    use super::*;
    use crate::timeline::{What, When};

    fn sizes(before: Option<u64>, after: Option<u64>) -> [(i64, What); 2] {
        [(0, file("/data/a.log", before, When::Before)), (9, file("/data/a.log", after, When::After))]
    }

    /// A file that was looked at closely.
    fn closely(file: FileSeen) -> [(i64, What); 1] {
        let look = Look::File { path: "/a".to_owned(), content: true };
        [(9, looked(look, Seen::File(file), When::After))]
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

    #[test]
    fn a_file_has_an_owner_and_a_mode() {
        let seen = closely(FileSeen { mode: Some(0o640), owner: Some("0:0".to_owned()), ..FileSeen::default() });
        check("files = { \"/a\" = { owner = \"0:0\", mode = \"0640\" } }", &seen, "holds");
        check("files = { \"/a\" = { owner = \"1000:0\" } }", &seen, "its owner is 0:0, not 1000:0");
        check("files = { \"/a\" = { owner = \"0:0\", mode = \"0600\" } }", &seen, "its mode is 0640, not 0600");
        check("files = { \"/a\" = { owner = \"0:0\", directory = true } }", &seen, "it is no directory");
    }

    #[test]
    fn a_file_has_a_content() {
        let seen = closely(FileSeen { text: Some("port = 1\nhost = x\n".to_owned()), ..FileSeen::default() });
        check("files = { \"/a\" = { contains = [\"^host\"], absent = [\"^user\"] } }", &seen, "holds");
        check("files = { \"/a\" = { contains = [\"^user\"] } }", &seen, "no line of it matches /^user/");
        check("files = { \"/a\" = { absent = [\"host\"] } }", &seen, "it holds the line: host = x");
        check("files = { \"/a\" = { equals = \"port = 1\\nhost = x\\n\" } }", &seen, "holds");
        check("files = { \"/a\" = { equals = \"port = 1\\n\" } }", &seen, "it holds something else");
        let large = closely(FileSeen { size: 9_000_000, ..FileSeen::default() });
        check("files = { \"/a\" = { equals = \"\" } }", &large, "it is too large to be read: 9000000 bytes");
    }

    #[test]
    fn what_holds_all_the_time_holds_at_every_look_while_it_is_ready() {
        let present = "throughout.files = { \"/a\" = { present = true } }";
        let ready = || What::Ready { sign: "it logs /up/".to_owned() };
        let early = [(0, What::Started), (5, file("/a", None, When::During))];
        check(present, &early, "unbroken");
        let kept = [&early[..], &[(6, ready()), (7, file("/a", Some(1), When::During))]].concat();
        check(present, &kept, "unbroken");
        let lost = [&kept[..], &[(8, file("/a", None, When::During)), (9, file("/a", Some(1), When::During))]].concat();
        check(present, &lost, "it is absent");
        check(present, &[(0, What::Started), (9, What::Over)], "it was never there to be looked at");
    }

    #[test]
    fn what_is_seen_while_it_is_asked_to_end_does_not_count() {
        let present = "throughout.files = { \"/a\" = { present = true } }";
        let ready = What::Ready { sign: "it logs /up/".to_owned() };
        let stop = super::super::testing::step(crate::timeline::Verb::Stop);
        let gone = file("/a", None, When::During);
        let events = [
            (0, What::Started),
            (1, ready),
            (2, file("/a", Some(1), When::During)),
            (3, stop),
            (4, gone),
            (9, What::Over),
        ];
        check(present, &events, "unbroken");
    }

    #[test]
    fn what_holds_within_a_time_has_to_hold_once() {
        let within = "files = { \"/a\" = { present = true, within = \"1s\" } }";
        let ready = [(0, What::Started), (100, What::Ready { sign: "it logs /up/".to_owned() })];
        let and = |more: &[(i64, What)]| [&ready[..], more].concat();
        check(within, &ready, "waiting");
        check(within, &and(&[(200, file("/a", None, When::During))]), "waiting");
        check(
            within,
            &and(&[(200, file("/a", Some(1), When::During)), (300, file("/a", None, When::During))]),
            "holds",
        );
        let late = and(&[(200, file("/a", None, When::During)), (1200, file("/a", Some(1), When::During))]);
        check(within, &late, "it is absent");
        check(within, &[(0, What::Started), (9000, What::Over)], "it was never there to be looked at");
    }
}

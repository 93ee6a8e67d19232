//! `replace`: something else stands at a path: a new file, as an editor or a
//! restore puts it there, or a directory where a file is expected.

use agent::{Command, Content, Kind as FileKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{is_same, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::problem::Problem;
use crate::scenario::value::AbsolutePath;

pub const KIND: Kind = Kind {
    key: "replace",
    summary: "puts a new file with this `content`, or an empty `directory`, in the place of what is there",
    example: "replace = { path = \"/data/app.db\", content = \"not a database\" }",
    schema: AsWritten::json_schema,
    read: |written, problems| {
        let span = written.value.span();
        let AsWritten { path, content, directory } = written.read(TABLE, problems)?;
        let new = match (content, directory) {
            (Some(content), false) => New::File(content),
            (None, true) => New::Directory,
            _ => {
                let title = "`replace` of [[fault]] puts either a `content` or a `directory` there";
                let help = "write `content = \"\"` for an empty file, or `directory = true`";
                problems.add(Problem::new(Some(span), title).help(help));
                return None;
            }
        };
        Some(boxed(Replace { path, new }))
    },
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a `path`")]
#[schemars(inline)]
struct AsWritten {
    /// What is replaced.
    path: AbsolutePath,
    /// The text of a new file, with the owner and mode of the one before.
    content: Option<String>,
    /// An empty directory, instead of a file.
    /// Example: `replace = { path = "/data/app.db", directory = true }`.
    #[serde(default)]
    directory: bool,
}

#[derive(Debug)]
struct Replace {
    path: AbsolutePath,
    new: New,
}

#[derive(Debug)]
enum New {
    File(String),
    Directory,
}

impl Action for Replace {
    fn words(&self) -> String {
        match &self.new {
            New::File(content) => format!("replace {} by a file of {} bytes", self.path, content.len()),
            New::Directory => format!("replace {} by a directory", self.path),
        }
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let place = || ground.place(self.path.as_str());
        let put = |content: &str| Act::Agent(Command::Replace { place: place(), content: Content::from(content) });
        match &self.new {
            New::File(content) => vec![put(content)],
            // Whatever was there, and if it was nothing: now it is a file that can go.
            New::Directory => vec![
                put(""),
                Act::Agent(Command::Delete { place: place() }),
                Act::Agent(Command::MakeDirectory { place: place() }),
            ],
        }
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.path.as_str())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, before, now) = (&self.path, seen(before, 0)?, seen(now, 0)?);
        if !now.exists {
            return Err(format!("no {path} is found"));
        }
        if before.exists && is_same(before, now) {
            return Err(format!("{path} is found as it was"));
        }
        match (&self.new, now.kind, &now.text) {
            (New::Directory, FileKind::Directory, _) => Ok(format!("{path} is found to be a directory")),
            (New::File(content), FileKind::File, Some(text)) if !text.as_bytes().starts_with(first(content)) => {
                Err(format!("a new {path} is found, with another content"))
            }
            (New::File(_), FileKind::File, _) => Ok(format!("a new {path} is found")),
            (New::Directory, ..) => Err(format!("{path} is found to be no directory")),
            (New::File(_), ..) => Err(format!("{path} is found to be no file")),
        }
    }
}

/// As much of a text as a look tells, or a little less.
fn first(content: &str) -> &[u8] {
    const TOLD: usize = 32 * 1024;
    &content.as_bytes()[..content.len().min(TOLD)]
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, directory, file, saw};
    use super::super::testing::check;

    fn new(text: &str) -> Seen {
        Seen { inode: 8, text: Some(text.to_owned()), ..file() }
    }

    #[test]
    fn a_new_file_is_found_with_what_was_put_into_it() {
        let toml = "replace = { path = \"/data/a\", content = \"new\" }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        compare(file(), new("new"), Ok("a new /data/a is found"));
        compare(file(), new("new and more"), Ok("a new /data/a is found"));
        compare(absent(), new("new"), Ok("a new /data/a is found"));
        compare(directory(&[]), new("new"), Ok("a new /data/a is found"));
        compare(file(), Seen { text: Some("new".to_owned()), ..file() }, Err("/data/a is found as it was"));
        compare(file(), new("the app's own"), Err("a new /data/a is found, with another content"));
        compare(file(), absent(), Err("no /data/a is found"));
        compare(absent(), directory(&[]), Err("/data/a is found to be no file"));
    }

    #[test]
    fn a_directory_is_found_where_a_file_was() {
        let toml = "replace = { path = \"/data/a\", directory = true }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        let other = || Seen { inode: 8, ..directory(&[]) };
        compare(file(), other(), Ok("/data/a is found to be a directory"));
        compare(absent(), other(), Ok("/data/a is found to be a directory"));
        compare(file(), file(), Err("/data/a is found as it was"));
        compare(file(), new("x"), Err("/data/a is found to be no directory"));
    }
}

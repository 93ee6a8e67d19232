//! `run`: a command is run in the container. What it changes has to be shown,
//! since nobody else can know what it was for.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{is_same, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::problem::Problem;
use crate::scenario::value::AbsolutePath;

pub const KIND: Kind = Kind {
    key: "run",
    summary: "runs a `command`, which `changes` a path or what another command `shows`",
    example: "run = { command = [\"touch\", \"/data/maintenance\"], changes = \"/data/maintenance\" }",
    schema: AsWritten::json_schema,
    read: |written, problems| {
        let span = written.value.span();
        let AsWritten { command, exit_code, changes, shows } = written.read(TABLE, problems)?;
        let proof = match (changes, shows) {
            (Some(path), None) => Proof::Path(path),
            (None, Some(command)) if !command.is_empty() => Proof::Command(command),
            _ => {
                let title = "`run` of [[fault]] has to say what shows its effect";
                let help = "name the path that it `changes`, or a command that `shows` another output afterwards";
                problems.add(Problem::new(Some(span), title).help(help));
                return None;
            }
        };
        if command.is_empty() {
            problems.add(Problem::new(Some(span), "`command` of `run` of [[fault]] names no program"));
            return None;
        }
        Some(boxed(Run { command, exit_code, proof }))
    },
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with a `command` and what it `changes` or `shows`")]
#[schemars(inline)]
struct AsWritten {
    /// The program with its arguments; no shell is needed, nor used.
    command: Vec<String>,
    /// The exit code that it has to end with.
    /// Example: `run = { command = ["kill", "-0", "99"], exit_code = 1, changes = "/data/x" }`.
    #[serde(default)]
    exit_code: u8,
    /// The path that is another afterwards: that shows that it had an effect.
    changes: Option<AbsolutePath>,
    /// A command of which the output is another afterwards, which shows it too.
    /// Example: `run = { command = ["rm", "/data/lock"], shows = ["ls", "/data"] }`.
    shows: Option<Vec<String>>,
}

#[derive(Debug)]
struct Run {
    command: Vec<String>,
    exit_code: u8,
    proof: Proof,
}

/// What shows that the command had an effect.
#[derive(Debug)]
enum Proof {
    Path(AbsolutePath),
    Command(Vec<String>),
}

impl Action for Run {
    fn words(&self) -> String {
        format!("run {}", self.command.join(" "))
    }

    fn inject(&self, _: &Ground) -> Vec<Act> {
        vec![Act::Run { command: self.command.clone(), exit_code: Some(self.exit_code.into()) }]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        match &self.proof {
            Proof::Path(path) => vec![look(ground, path.as_str())],
            // Twice: what shows something else each time shows nothing.
            Proof::Command(command) => vec![Act::Run { command: command.clone(), exit_code: None }; 2],
        }
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let path = match &self.proof {
            Proof::Path(path) => path,
            Proof::Command(command) => return changed(&command.join(" "), before, now),
        };
        let (before, now) = (seen(before, 0)?, seen(now, 0)?);
        match (before.exists, now.exists) {
            (true, false) => Ok(format!("no {path} is found any more")),
            (false, true) => Ok(format!("{path} is found now")),
            (false, false) => Err(format!("no {path} is found")),
            (true, true) if !is_same(before, now) => Ok(format!("a new {path} is found")),
            (true, true) if before != now => Ok(format!("{path} is found changed")),
            (true, true) => Err(format!("{path} is found as it was")),
        }
    }
}

/// Whether a command shows something else than before.
fn changed(command: &str, before: &[Answered], now: &[Answered]) -> Result<String, String> {
    let ran = |answers: &[Answered], place| match answers.get(place) {
        Some(Answered::Ran { code, output }) => Ok((*code, output.trim().to_owned())),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    };
    if ran(before, 0)? != ran(before, 1)? {
        return Err(format!("`{command}` shows something else each time, and so can show no effect"));
    }
    let (before, now) = (ran(before, 1)?, ran(now, 0)?);
    let shown = |(code, output): &(i64, String)| match output.lines().next() {
        Some(line) => format!("{line} (exit code {code})"),
        None => format!("nothing (exit code {code})"),
    };
    match before == now {
        true => Err(format!("`{command}` shows what it did before: {}", shown(&now))),
        false => Ok(format!("`{command}` shows {}, and did show {}", shown(&now), shown(&before))),
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_command_has_changed_the_path_that_it_names() {
        let toml = "run = { command = [\"x\"], changes = \"/data/a\" }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        compare(absent(), file(), Ok("/data/a is found now"));
        compare(file(), absent(), Ok("no /data/a is found any more"));
        compare(file(), Seen { sha256: Some("b".to_owned()), ..file() }, Ok("/data/a is found changed"));
        compare(file(), file(), Err("/data/a is found as it was"));
        compare(absent(), absent(), Err("no /data/a is found"));
    }

    #[test]
    fn a_command_has_changed_what_another_one_shows() {
        let toml = "run = { command = [\"x\"], shows = [\"cat\", \"/a\"] }";
        let one = |code, output: &str| Answered::Ran { code, output: output.to_owned() };
        let ran = |code, output: &str| [one(code, output), one(code, output)];
        let compare = |before: [Answered; 2], now: [Answered; 2], expected| check(toml, &before, &now, expected);
        compare(
            ran(1, "cat: no such file\n"),
            ran(0, ""),
            Ok("`cat /a` shows nothing (exit code 0), and did show cat: no such file (exit code 1)"),
        );
        compare(ran(0, "a"), ran(0, "a\n"), Err("`cat /a` shows what it did before: a (exit code 0)"));
        let failed = || Answered::Failed("it is paused".to_owned());
        compare(ran(0, "a"), [failed(), failed()], Err("it is paused"));
        let fickle = [one(0, "1"), one(0, "2")];
        let each_time = "`cat /a` shows something else each time, and so can show no effect";
        compare(fickle, ran(0, "3"), Err(each_time));
    }
}

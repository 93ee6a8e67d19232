//! `secrets`: that the subject tells nobody what the scenario has given it in confidence.
//!
//! What a secret is, is known by value: of variables whose names say so, of
//! passwords in URLs, and of what a scenario adds. Where a line held one, whoever
//! read it has taken it out and marked the line. That a program writes
//! `[REDACTED]` itself is no mark.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, one};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read::unknown_word;
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "secrets",
    summary: "writes no secret of the scenario to its output; `unchecked` turns this off",
    example: "secrets = { also = [\"the-token-in-a-file\"] }",
    schema: KeptOrNot::json_schema,
    read: |written, reading| one(read(written, reading)),
    unsaid: Some(|_| Box::new(Secrets::Kept { also: Vec::new() })),
    places: Places::Boot,
};

/// Shorter values are no secrets: any line may hold them.
const SHORTEST: usize = 8;

const WORDS: [&str; 2] = ["kept", "unchecked"];

#[derive(Debug)]
enum Secrets {
    /// None is told: of those that variables hold, and these.
    Kept { also: Vec<String> },
    /// Nobody looks.
    Unchecked,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct AsWritten {
    /// Secrets that the scenario does not give to the subject by a variable.
    also: Vec<String>,
}

/// The words of it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes it as it comes")]
enum KeptOrNot {
    /// As if nothing were said, or not looked for.
    Word(SecretsWord),
    /// What else is a secret.
    Also(AsWritten),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone knows it")]
enum SecretsWord {
    /// No line holds a secret of the scenario.
    Kept,
    /// It is not looked for.
    Unchecked,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<Secrets> {
    let span = written.value.span();
    if let DeValue::Table(_) = written.value.get_ref() {
        let AsWritten { also } = written.read("[expect]", reading.problems)?;
        if also.iter().any(|secret| secret.len() < SHORTEST) {
            let title =
                format!("`secrets`: a secret of fewer than {SHORTEST} characters may stand in a line by chance");
            reading.problems.add(Problem::new(Some(span), title));
            return None;
        }
        return Some(Secrets::Kept { also });
    }
    match written.read::<String>("[expect]", reading.problems)?.as_str() {
        "kept" => Some(Secrets::Kept { also: Vec::new() }),
        "unchecked" => Some(Secrets::Unchecked),
        word => {
            reading.problems.add(unknown_word("value", word, "`secrets` of [expect]", &WORDS, span));
            None
        }
    }
}

impl Expectation for Secrets {
    fn words(&self) -> String {
        match self {
            Self::Kept { .. } => "tells no secret in its output",
            Self::Unchecked => "may tell secrets in its output",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if matches!(self, Self::Unchecked) {
            return Outcome::Holds;
        }
        match timeline.find(|what| matches!(what, What::Log { leaked: true, .. })).next() {
            Some((event, line)) => Outcome::Broken(Breach {
                saw: "it wrote a secret to its output".to_owned(),
                decided_by: Some(event),
                detail: vec![line.what.to_string()],
            }),
            None => Outcome::Unbroken,
        }
    }

    fn wants(&self) -> Wants {
        match self {
            Self::Kept { also } => Wants { secrets: also.clone(), ..Wants::default() },
            Self::Unchecked => Wants::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line};
    use crate::timeline::{Stdio, What};

    #[test]
    fn a_line_is_a_leak_if_a_secret_was_taken_out_of_it() {
        let leaked = |leaked| What::Log {
            stream: Stdio::Stdout,
            text: "connecting with [REDACTED]".to_owned(),
            unfinished: false,
            leaked,
        };
        check("secrets = \"kept\"", &[(0, leaked(true))], "it wrote a secret to its output");
        check("secrets = \"kept\"", &[(0, leaked(false)), (1, line("up"))], "unbroken");
        check("secrets = \"unchecked\"", &[(0, leaked(true))], "holds");
    }
}

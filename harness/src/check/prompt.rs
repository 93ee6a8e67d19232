//! `prompt`: that no program asks a question where nobody can answer.
//!
//! With its stdin open it hangs; at the end of it, it takes silence for a no or,
//! worse, for a yes, and the startup goes on as if all had been done.

use std::sync::LazyLock;

use schemars::JsonSchema;

use super::signatures::{self, AsWritten, Row, Set, Watch};
use super::{Breach, Expectation, Kind, Outcome, Places, one};
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "prompt",
    summary: "asks nothing of a terminal that it does not have, nor what a scenario adds; `unchecked` turns this off",
    example: "prompt = { also = [\"^Choose a theme\"] }",
    schema: NoPrompt::json_schema,
    read: |written, reading| one(Watch::read(written, "none", reading).map(Prompt)),
    unsaid: Some(|said| Box::new(Prompt(if said.tty { Watch::Unchecked } else { Watch::For(Vec::new()) }))),
    places: Places::Boot,
};

#[derive(Debug)]
struct Prompt(Watch);

/// The words of it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `Watch` reads it")]
enum NoPrompt {
    /// As if nothing were said, or not looked for.
    Word(PromptWord),
    /// What else is a prompt.
    Also(AsWritten),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone knows it")]
enum PromptWord {
    /// No line is a known prompt.
    None,
    /// It is not looked for.
    Unchecked,
}

/// What asks, and what it wants to know. Rows are only ever added.
const SIGNATURES: [Row; 17] = [
    (
        r"(?i)[(\[](?:y(?:es)?\s*[/|]\s*no?|\[y\]\s*/\s*n|y\s*/\s*\[n\]|yes/no/\[fingerprint\])[)\]]",
        "it asks for a yes or a no",
    ),
    (r"\[Ynaqdhm\]|\[Ynaqh\]", "Ruby's generator asks whether to overwrite a file"),
    (r"Ok to proceed\? \(y\)", "npx asks whether to install a package"),
    (r"Type '?yes'? to continue", "it asks for the word `yes`"),
    (
        r"Is .+ (?:table|column|enum|schema|view|sequence) created or renamed from another",
        "drizzle-kit asks what was renamed",
    ),
    (r"No, abort|Yes, I want to (?:execute|remove|truncate)", "drizzle-kit asks whether to change the schema"),
    (
        r"Prisma Migrate has detected that the environment is non-interactive|We need to reset the .* (?:database|schema)",
        "Prisma asks whether to reset the database",
    ),
    (
        r"You are trying to (?:add|change) (?:a|the) .*non-nullable|It is impossible to (?:add|change) .*(?:nullable|default)|^\s*Select an option:",
        "Django asks for a default value",
    ),
    (r"(?i)\(use arrow keys\)|press <space> to select", "a menu asks for a choice"),
    (
        r"(?i)^(?:.*\s)?enter (?:a|the|your|new|current)?\s*(?:[\w .-]+)?(?:passphrase|password|value|username|name)\b.*:\s*$",
        "it asks for a value",
    ),
    (r"^(?:\[sudo\] )?[Pp]assword(?: for (?:user )?[^:]+)?:\s*$", "it asks for a password"),
    (r"^Username for '[^']+':", "git asks for a user name"),
    (r"(?i)press (?:any key|enter|return)\b", "it asks for a key to be pressed"),
    (r"^--More--|^\(END\)$", "a pager waits for a key"),
    (
        r"(?i)(?:stdin|standard input|input device) is not a (?:tty|terminal)|the input device is not a TTY|requires? (?:an interactive|a) (?:terminal|tty)",
        "it wants a terminal",
    ),
    (
        r"(?i)cannot prompt|non-?interactive (?:mode|terminal|environment|shell).*(?:prompt|not supported|cannot)|prompts? can ?not be (?:shown|meaningfully asked)",
        "it cannot ask what it wants to know",
    ),
    (r"ExitPromptError|User force closed the prompt", "a prompt of Node's was closed without an answer"),
];

static PATTERNS: Set = LazyLock::new(|| signatures::set(&SIGNATURES));

/// How a question ends that is not one of a kind we know.
const OPEN_ENDS: [&str; 6] = ["? ", "?", ": ", ":", "> ", "]# "];

impl Expectation for Prompt {
    fn words(&self) -> String {
        self.0.words("asks nothing of a terminal that it does not have", "may ask questions")
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if matches!(self.0, Watch::Unchecked) {
            return Outcome::Holds;
        }
        let asked = timeline.events().iter().enumerate().find_map(|(place, event)| match &event.what {
            What::Log { text, unfinished, .. } => Some((place, text, self.asks(text, *unfinished)?)),
            _ => None,
        });
        match asked {
            Some((event, line, meaning)) => Outcome::Broken(Breach {
                saw: format!("{meaning}, and there is no terminal"),
                decided_by: Some(event),
                detail: vec![line.trim().to_owned()],
            }),
            None => Outcome::Unbroken,
        }
    }
}

impl Prompt {
    /// What a line asks for. One that was not finished is a question if it ends
    /// like one: the answer would have come behind it.
    fn asks(&self, line: &str, unfinished: bool) -> Option<String> {
        let known = self.0.meaning(line, &SIGNATURES, &PATTERNS);
        let open = unfinished && OPEN_ENDS.iter().any(|end| line.ends_with(end));
        known.or_else(|| open.then(|| "it waits behind an unfinished line".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_unsaid, line};
    use super::*;
    use crate::timeline::Stdio;

    /// A line of each question, in the order of the table.
    const SAMPLES: [&str; 17] = [
        "Are you sure? (y/N) taken as a yes",
        "conflict  config/routes.rb: Overwrite config/routes.rb? [Ynaqdhm] ",
        "Ok to proceed? (y) ",
        "    Type 'yes' to continue, or 'no' to cancel: ",
        "Is accounts table created or renamed from another table?",
        "❯ No, abort",
        "Error: Prisma Migrate has detected that the environment is non-interactive, which is not supported.",
        " Select an option: ",
        "? Which one? (Use arrow keys)",
        "Enter passphrase for key '/root/.ssh/id_rsa': ",
        "Password for user app: ",
        "Username for 'https://github.com': ",
        "Press any key to continue . . .",
        "--More--",
        "the input device is not a TTY",
        "Prompts can not be meaningfully asked in non-TTY environments",
        "ExitPromptError: User force closed the prompt with 13 null",
    ];

    fn meaning(line: &str, unfinished: bool) -> Option<String> {
        Prompt(Watch::For(Vec::new())).asks(line, unfinished)
    }

    #[test]
    fn each_signature_recognises_its_sample_and_no_other_row_takes_it() {
        assert_eq!(PATTERNS.len(), SIGNATURES.len(), "every row is a pattern");
        for (sample, (_, expected)) in SAMPLES.iter().zip(SIGNATURES) {
            assert_eq!(meaning(sample, false).as_deref(), Some(expected), "{sample}");
        }
    }

    #[test]
    fn a_yes_or_no_is_asked_for_in_many_ways() {
        for question in [
            "Do you want to continue? [Y/n] ",
            "Proceed (Y/n)? ",
            "Proceed ([y]/n)? ",
            "Overwrite? [y|N]",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Do you really wish to run this command? (yes/no) [no]:",
        ] {
            assert_eq!(meaning(question, false).as_deref(), Some(SIGNATURES[0].1), "{question}");
        }
    }

    #[test]
    fn ordinary_lines_ask_nothing() {
        for ordinary in [
            "listening on :8080",
            "password authentication failed for user \"app\"",
            "GET /yes/no 200",
            "loading config from stdin",
            "why? because",
            "connected to db: ok",
            "Enter maintenance mode",
            "{\"msg\":\"prompt cache warmed\"}",
            "PASS src/prompt.test.js",
        ] {
            assert_eq!(meaning(ordinary, false), None, "{ordinary}");
        }
        assert_eq!(meaning("shutting down", true), None);
    }

    #[test]
    fn a_line_that_is_not_finished_is_a_question_if_it_ends_like_one() {
        for question in ["Name of the administrator: ", "Continue? ", "psql> "] {
            assert!(meaning(question, true).is_some(), "{question}");
            assert_eq!(meaning(question, false), None, "{question}");
        }
    }

    #[test]
    fn it_is_checked_unless_there_is_a_terminal_or_the_scenario_says_otherwise() {
        let asks = [(0, line(SAMPLES[0]))];
        let saw = "it asks for a yes or a no, and there is no terminal";
        check_unsaid("prompt", "exit_code = 0", &asks, saw);
        check("prompt = \"none\"", &asks, saw);
        check("prompt = \"unchecked\"", &asks, "holds");
        let own = [(0, line("Choose a theme"))];
        check("prompt = { also = [\"^Choose\"] }", &own, "a line matches /^Choose/, and there is no terminal");
        let open = What::Log { stream: Stdio::Stdout, text: "Name: ".to_owned(), unfinished: true, leaked: false };
        check("prompt = \"none\"", &[(0, open)], "it waits behind an unfinished line, and there is no terminal");
    }
}

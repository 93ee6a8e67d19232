//! The known-bad twin of a scenario.

use schemars::JsonSchema;
use serde::Serialize;

use super::Surroundings;
use super::problem::{Place, Problem, Problems};
use super::read::Section;
use super::step::{Step, Steps};
use super::subject::{self, Subject};
use super::value::Pattern;

/// The same scenario against a broken subject, and how that must fail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// The broken subject: the good one, with the keys that the control sets.
    pub subject: Subject,
    /// The life cycle of the scenario, with that subject.
    pub steps: Vec<Step>,
    /// The expectation it must fail by, by its key.
    pub fails: String,
    /// What the event that decides it must look like.
    pub because: Pattern,
    /// Where `fails` stands in the file.
    pub place: Place,
    /// The same, as bytes of the file.
    #[serde(skip)]
    pub span: Span,
}

/// As it is written.
#[derive(JsonSchema)]
#[schemars(rename = "control", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    /// The expectation that it must fail by, and by no other before it.
    /// Example: `fails = "ready_within"`.
    fails: String,
    /// What the event that decides it must look like, as reports show events.
    /// Example: `because = "exit 1, last words: .*corrupt"`.
    because: Pattern,
    #[schemars(flatten)]
    subject: subject::Changes,
}

impl Control {
    /// Reads `[control]`: its own two keys, and any key of `[subject]`.
    pub fn read<'a>(
        mut section: Section<'a>,
        subject: &Section<'a>,
        steps: &Steps<'a>,
        around: &Surroundings,
        problems: &mut Problems,
    ) -> Option<Self> {
        let header = section.span();
        let fails = text(&mut section, "fails", problems);
        let because = text(&mut section, "because", problems);
        for (key, found) in [("fails", fails.is_some()), ("because", because.is_some())] {
            if !found {
                problems.add(
                    Problem::new(Some(header.clone()), format!("[control] has no `{key}`")).help(
                        "`fails` is the expectation that breaks, `because` a pattern for the event that decides it",
                    ),
                );
            }
        }
        let mut broken = subject.clone();
        broken.override_with(section);
        // Problems of [subject] itself are told once, by its own reading; here
        // only those that the control's keys bring in are new.
        let mut with_control = problems.fresh();
        let read = Subject::read(broken.clone(), around, &mut with_control);
        let steps_read = steps.read(&broken, around, &mut with_control);
        let mut without = problems.fresh();
        Subject::read(subject.clone(), around, &mut without);
        steps.read(subject, around, &mut without);
        problems.add_new(with_control, &without);

        if let Some((text, span)) = &because
            && !span.is_empty()
            && text.parse::<Pattern>().is_ok_and(|pattern| pattern.matches(""))
        {
            let title = "`because` of [control] matches anything: it names no cause";
            problems.add(Problem::new(Some(span.clone()), title).help("take a part of the line or event that decides"));
        }
        let (fails, because) = (fails?, because?);
        let pattern = because.0.parse::<Pattern>();
        let pattern = pattern
            .map_err(|error| problems.add(Problem::new(Some(because.1), format!("`because` of [control]: {error}"))))
            .ok();
        Some(Self {
            subject: read?,
            steps: steps_read,
            fails: fails.0,
            because: pattern?,
            place: problems.place(&fails.1),
            span: fails.1,
        })
    }
}

type Span = std::ops::Range<usize>;

fn text(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Option<(String, Span)> {
    let written = section.take(key)?;
    let span = written.value.span();
    match written.value.get_ref().as_str() {
        Some(text) => Some((text.to_owned(), span)),
        None => {
            problems.add(Problem::new(Some(span), format!("`{key}` of [control] is a string")));
            // Wrong is not missing: one message is enough.
            Some((String::new(), 0..0))
        }
    }
}

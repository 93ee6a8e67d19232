//! An expectation where it is said, and the part of a run that it is about.

use std::ops::Range;

use super::{Breach, Expectation, Outcome};
use crate::scenario::problem::Place;
use crate::timeline::{Timeline, Window};

/// The part of a run that a claim is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// One boot or one step; `None` is all of it.
    pub window: Option<Window>,
    /// It has to hold at every look, not only at the last.
    pub throughout: bool,
}

/// An expectation with its key, and its place in the file if it stands there.
#[derive(Debug)]
pub struct Claim {
    /// The key in `[expect]`.
    pub key: &'static str,
    /// Where the key stands; `None` for what is always checked.
    pub place: Option<Place>,
    /// The same, as bytes of the file.
    pub span: Option<Range<usize>>,
    /// What it is about.
    pub scope: Scope,
    /// The claim.
    pub expectation: Box<dyn Expectation>,
}

impl Claim {
    /// The claim, as the rest of a sentence about the subject.
    #[must_use]
    pub fn words(&self) -> String {
        let words = self.expectation.words();
        match self.scope {
            Scope { throughout: true, .. } => format!("all the time {words}"),
            Scope { window: Some(Window::Boot(boot)), .. } => format!("{words}, in boot {boot}"),
            Scope { window: Some(Window::Step(step)), .. } => format!("{words}, after step {step}"),
            Scope { window: None, .. } => words,
        }
    }

    /// How it stands, as far as the timeline has come.
    #[must_use]
    pub fn judge(&self, timeline: &Timeline) -> Outcome {
        let Some(window) = self.scope.window else { return self.expectation.judge(timeline) };
        let Some(part) = timeline.narrowed(window) else {
            // What never began cannot have held.
            return match window {
                Window::Boot(boot) if timeline.is_over() || timeline.is_dead() => {
                    Outcome::Broken(Breach::by_absence(format!("there was no boot {boot}")))
                }
                Window::Step(step) if timeline.is_over() => {
                    Outcome::Broken(Breach::by_absence(format!("step {step} was never taken")))
                }
                Window::Boot(_) | Window::Step(_) => Outcome::Waiting(None),
            };
        };
        match self.expectation.judge(&part.timeline) {
            Outcome::Broken(breach) => {
                let decided_by = breach.decided_by.map(|event| part.places[event]);
                Outcome::Broken(Breach { decided_by, ..breach })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line, state};
    use crate::timeline::What::{Died, Over, Started};

    #[test]
    fn a_claim_about_one_boot_looks_at_no_other() {
        let two = [
            (0, Started),
            (1, line("first")),
            (9, Died { code: 1 }),
            (9, state("restarting", 0)),
            (20, Started),
            (21, line("second")),
        ];
        check("boot.1.logs = { contains = [\"first\"] }", &two, "holds");
        check("boot.1.exit_code = 1", &two, "holds");
        check("boot.1.exit_code = 0", &two, "exit 1 0.01 s after it started");
        check("boot.2.logs = { contains = [\"first\"] }", &two, "waiting");
        check("boot.2.logs = { absent = [\"first\"] }", &two, "unbroken");
        check("boot.2.logs = { absent = [\"second\"] }", &two, "it logged: second");
    }

    #[test]
    fn a_claim_about_a_boot_that_never_came_does_not_hold() {
        check("boot.2.logs = { absent = [\"x\"] }", &[(0, Started)], "waiting");
        check("boot.2.logs = { absent = [\"x\"] }", &[(0, Started), (9, Over)], "there was no boot 2");
    }
}

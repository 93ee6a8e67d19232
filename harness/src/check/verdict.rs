//! What a finished timeline proves.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{Breach, Claim, Outcome};
use crate::scenario::problem::Place;
use crate::scenario::value::Pattern;
use crate::timeline::{Timeline, What};

/// The three things that can be said of a scenario, the worst last for a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every claim held, and the control showed that it could have failed.
    Pass,
    /// The run proves nothing.
    Invalid,
    /// The subject broke the claim.
    Fail,
}

/// One claim, judged for good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The key of the expectation.
    pub key: &'static str,
    /// Where it stands in the file; `None` for what is always checked.
    pub place: Option<Place>,
    /// The claim in words.
    pub words: String,
    /// Why it is false, if it is.
    pub breach: Option<Breach>,
}

/// Judges every claim over a timeline that is over.
#[must_use]
pub fn judge(claims: &[Arc<Claim>], timeline: &Timeline) -> Vec<Finding> {
    let finding = |claim: &Arc<Claim>| Finding {
        key: claim.key,
        place: claim.place,
        words: claim.words(),
        breach: match claim.judge(timeline) {
            Outcome::Holds | Outcome::Unbroken => None,
            Outcome::Waiting(_) => Some(Breach::by_absence("it had not come true when the run was over")),
            Outcome::Broken(breach) => Some(breach),
        },
    };
    claims.iter().map(finding).collect()
}

/// Why a control proves nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Unproven {
    /// No claim was broken.
    DidNotFail,
    /// The named expectation held, but these broke.
    FailedBy(Vec<&'static str>),
    /// Another expectation broke before the named one did.
    FailedFirstBy(&'static str),
    /// The named expectation broke, but decided by another event.
    OtherCause(String),
    /// This fault of the main run was not seen in it: it was not put to the same test.
    FaultMissing(u32),
    /// Its program was not there to run, and `because` does not say so.
    CouldNotRun(String),
}

/// Whether a control failed as it must: by the expectation that it names,
/// decided by an event that matches, and by nothing else before that. Returns
/// the breach that shows it.
pub fn control<'a>(
    fails: &str,
    because: &Pattern,
    findings: &'a [Finding],
    timeline: &Timeline,
) -> Result<&'a Breach, Unproven> {
    let broken = || findings.iter().filter_map(|finding| Some((finding.key, finding.breach.as_ref()?)));
    if broken().next().is_none() {
        return Err(Unproven::DidNotFail);
    }
    let named: Vec<&Breach> = broken().filter(|(key, _)| *key == fails).map(|(_, breach)| breach).collect();
    let matching = |breach: &&&Breach| because.matches(&decider(breach, timeline));
    let Some(breach) = named.iter().find(matching) else {
        return Err(match named.first() {
            Some(breach) => Unproven::OtherCause(decider(breach, timeline)),
            None => Unproven::FailedBy(broken().map(|(key, _)| key).collect()),
        });
    };
    if let Some(reason) = could_not_run(because, timeline) {
        return Err(Unproven::CouldNotRun(reason));
    }
    let decided =
        |breach: &Breach| breach.decided_by.map(|event| timeline.events()[event].at).unwrap_or(Timestamp::MAX);
    let earlier = broken().filter(|(key, _)| *key != fails).find(|(_, other)| decided(other) < decided(breach));
    match earlier {
        Some((key, _)) => Err(Unproven::FailedFirstBy(key)),
        None => Ok(breach),
    }
}

/// A fault that took effect in the main run and not in the control's.
#[must_use]
pub fn fault_missing(main: &Timeline, control: &Timeline) -> Option<u32> {
    let bitten = |timeline: &Timeline| -> Vec<u32> {
        let numbers = timeline.events().iter().filter_map(|event| match event.what {
            What::Bit { number, .. } => Some(number),
            _ => None,
        });
        numbers.collect()
    };
    let seen = bitten(control);
    bitten(main).into_iter().find(|number| !seen.contains(number))
}

/// The event that decided a breach, in the words that `because` matches. A death
/// comes with the last words before it, which tell more than an exit code; the
/// absence of an event is told in the words of the breach itself.
#[must_use]
pub fn decider(breach: &Breach, timeline: &Timeline) -> String {
    let Some(event) = breach.decided_by.map(|event| &timeline.events()[event]) else { return breach.saw.clone() };
    match (&event.what, timeline.last_words(event.boot)) {
        (What::Died { .. }, Some(words)) => format!("{}, last words: {}", event.what, words.what),
        (what, _) => what.to_string(),
    }
}

/// Whether the subject did not even run, which breaks most expectations and is
/// mostly a misspelled program. Where it is meant, `because` says it.
fn could_not_run(because: &Pattern, timeline: &Timeline) -> Option<String> {
    let meant = ["126", "127", "could not be started"].iter().any(|word| because.to_string().contains(word));
    let refused = timeline.refusal().map(|(_, reason)| format!("could not be started: {reason}"));
    let missing =
        || timeline.final_death().filter(|death| [126, 127].contains(&death.code)).map(|death| death.to_string());
    refused.or_else(missing).filter(|_| !meant)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        })
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DidNotFail => write!(f, "the control did not fail"),
            Self::FailedBy(keys) => write!(f, "the control failed, but by {}", keys.join(", ")),
            Self::FailedFirstBy(key) => write!(f, "the control failed, but first by {key}"),
            Self::FaultMissing(number) => {
                write!(f, "the control failed before fault {number} had happened to it, which the main run withstood")
            }
            Self::CouldNotRun(reason) => write!(f, "the control did not run at all: {reason}"),
            Self::OtherCause(event) => {
                write!(f, "the control failed by the right expectation, but because of: {event}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{line, state, timeline};
    use super::*;
    use crate::timeline::What::{Died, Started};

    fn finding(key: &'static str, decided_by: Option<usize>) -> Finding {
        let breach = Breach { saw: "absent".to_owned(), decided_by, detail: Vec::new() };
        Finding { key, place: None, words: String::new(), breach: Some(breach) }
    }

    #[test]
    fn a_control_counts_only_if_it_fails_as_it_says() {
        let timeline = timeline(&[(0, Started), (5, line("boom")), (9, Died { code: 1 }), (9, state("exited", 0))]);
        let check = |findings: &[Finding], expected: Result<(), Unproven>| {
            let because = "boom".parse().unwrap();
            assert_eq!(control("logger", &because, findings, &timeline).map(|_| ()), expected);
        };
        let (logger, died) = (finding("logger", Some(1)), finding("exit_code", Some(2)));
        check(&[logger.clone(), died.clone()], Ok(()));
        check(&[], Err(Unproven::DidNotFail));
        check(std::slice::from_ref(&died), Err(Unproven::FailedBy(vec!["exit_code"])));
        check(&[finding("logger", Some(0))], Err(Unproven::OtherCause("started".to_owned())));
        check(&[finding("logger", None)], Err(Unproven::OtherCause("absent".to_owned())));
        check(&[logger, finding("state", Some(0))], Err(Unproven::FailedFirstBy("state")));
    }

    #[test]
    fn a_death_is_matched_with_its_last_words() {
        let timeline =
            timeline(&[(0, Started), (5, line("no config")), (9, Died { code: 1 }), (9, state("exited", 0))]);
        let because = "exit 1, last words: stdout: no config".parse().unwrap();
        assert!(control("exit_code", &because, &[finding("exit_code", Some(2))], &timeline).is_ok());
    }

    #[test]
    fn a_control_that_could_not_run_proves_nothing_unless_that_is_meant() {
        let timeline = timeline(&[(0, Started), (9, Died { code: 127 }), (9, state("exited", 0))]);
        let findings = [finding("exit_code", Some(1))];
        let check = |because: &str| control("exit_code", &because.parse().unwrap(), &findings, &timeline).is_ok();
        assert!(check("exit 127"));
        assert!(!check("exit"));
        assert!(!check("."));
    }

    #[test]
    fn of_a_suite_a_failure_outweighs_what_proves_nothing() {
        assert_eq!([Verdict::Invalid, Verdict::Pass, Verdict::Fail].into_iter().max(), Some(Verdict::Fail));
        assert_eq!([Verdict::Invalid, Verdict::Pass].into_iter().max(), Some(Verdict::Invalid));
    }
}

//! What a scenario came to, for a person.

use super::style;
use crate::check::verdict::{Finding, Verdict};
use crate::judged::{Controlled, Course, Judged, Judgement, Reason, Tally, name_of};
use crate::timeline::{Event, Seconds, Timeline, What};

/// How many events are shown around the one that decided.
const BEFORE: usize = 8;
const AFTER: usize = 3;
/// How many lines of a log, such as a failed build's, are shown.
const LOG_LINES: usize = 30;

/// One line: verdict, time, name, claim.
#[must_use]
pub fn line(judged: &Judged) -> String {
    let took = format!("{:>7}", Seconds(judged.took).to_string());
    let name = style::strong(name_of(&judged.file));
    let mut line = format!("{} {} {name}  {}", style::verdict(judged.verdict), style::faint(took), judged.claim);
    if let Course::Ran { control: Some(Controlled { control, proven: Ok(event), .. }), .. } = &judged.outcome
        && judged.verdict == Verdict::Pass
    {
        let shown = format!("control fails by {}, as it must: {event}", control.fails);
        line += &format!("\n{:16} {}", "", style::faint(shorten(&shown)));
    }
    if let Course::Ran { control: None, .. } = &judged.outcome
        && judged.verdict == Verdict::Pass
    {
        line += &format!("\n{:16} {}", "", style::doubtful("no control: nothing shows that this scenario can fail"));
    }
    line
}

/// Why it did not pass; empty when it did.
#[must_use]
pub fn block(judged: &Judged) -> String {
    let file = judged.file.display().to_string();
    let text = match &judged.outcome {
        Course::BadFile(problems) => problems.render(true),
        Course::NoControl => format!("{file} has no [control] to run in its place"),
        Course::Ran { main, .. } if main.invalid.as_ref().is_some_and(|reason| reason.interrupted) => {
            return String::new();
        }
        Course::Ran { main, .. } if main.verdict() != Verdict::Pass => of_run(main, &file),
        Course::Ran { control: Some(controlled), .. } if !controlled.is_proof() => of_control(controlled, &file),
        Course::Ran { .. } => return String::new(),
    };
    let indented: Vec<String> = text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    format!("\n{}\n", indented.join("\n"))
}

/// The last line of a suite.
#[must_use]
pub fn summary(judged: &[Tally]) -> String {
    let count = |verdict| judged.iter().filter(|one| one.verdict == verdict).count();
    let mut parts = vec![format!("{} scenario{}", judged.len(), if judged.len() == 1 { "" } else { "s" })];
    for (verdict, word) in [(Verdict::Pass, "passed"), (Verdict::Fail, "failed"), (Verdict::Invalid, "invalid")] {
        let part = format!("{} {word}", count(verdict));
        parts.push(match (verdict, count(verdict)) {
            (_, 0) => style::faint(part),
            (Verdict::Pass, _) => style::good(part),
            (Verdict::Fail, _) => style::bad(part),
            (Verdict::Invalid, _) => style::doubtful(part),
        });
    }
    parts.join(", ")
}

fn of_run(judgement: &Judgement, file: &str) -> String {
    let reason = judgement.invalid.as_ref().map(of_reason);
    reason.into_iter().chain([evidence(judgement, file)]).collect::<Vec<_>>().join("\n")
}

/// The broken claims, what happened around them, and where all of it is.
fn evidence(judgement: &Judgement, file: &str) -> String {
    let mut broken: Vec<&Finding> = judgement.findings.iter().filter(|finding| finding.breach.is_some()).collect();
    // The first cause first: what follows from it is told after it.
    broken.sort_by_key(|finding| finding.breach.as_ref().and_then(|breach| breach.decided_by).unwrap_or(usize::MAX));
    let mut lines: Vec<String> = broken.iter().map(|finding| of_finding(finding, &judgement.timeline, file)).collect();
    if !judgement.timeline.events().is_empty() {
        lines.push(excerpt(&judgement.timeline, &broken));
    }
    if let Some(bundle) = &judgement.bundle {
        lines.push(format!("{} {}", style::faint("bundle"), bundle.display()));
    }
    lines.join("\n")
}

fn of_reason(reason: &Reason) -> String {
    let mut text = format!("{} {}\n", style::doubtful("this run proves nothing:"), reason.title);
    let skipped = reason.detail.len().saturating_sub(LOG_LINES);
    if skipped > 0 {
        text += &format!("    {}\n", style::faint(format!("… {skipped} lines before")));
    }
    for line in &reason.detail[skipped..] {
        text += &format!("    {line}\n");
    }
    text
}

fn of_finding(finding: &Finding, timeline: &Timeline, file: &str) -> String {
    let Some(breach) = &finding.breach else { return String::new() };
    let mut text = format!("{} expected that it {}\n", style::bad(format!("✗ {}:", finding.key)), finding.words);
    text += &format!("    but {}\n", breach.saw);
    for line in &breach.detail {
        text += &format!("      {}\n", shorten(line));
    }
    if let Some(event) = breach.decided_by.map(|event| &timeline.events()[event]) {
        text += &format!("    {} {}\n", style::faint("decided by"), told(event, timeline));
    }
    let place = finding
        .place
        .map_or_else(|| "nowhere: it is expected of every scenario".to_owned(), |place| format!("at {file}:{place}"));
    text + &format!("    {} {place}\n", style::faint("written"))
}

fn of_control(controlled: &Controlled, file: &str) -> String {
    let Controlled { control, judgement, proven } = controlled;
    let mut lines = Vec::new();
    match (&judgement.invalid, proven) {
        (Some(reason), _) => lines.push(format!("of the control: {}", of_reason(reason))),
        (None, Err(unproven)) => {
            let must =
                format!("it must fail by {}, because of an event that matches /{}/", control.fails, control.because);
            lines.push(format!("{} {unproven}\n    {must}", style::doubtful("this scenario proves nothing:")));
            lines.push(format!("    {} {file}:{}\n", style::faint("said at"), control.place));
        }
        (None, Ok(_)) => {}
    }
    lines.push(evidence(judgement, file));
    lines.join("\n")
}

/// What happened, around the event that decided first.
fn excerpt(timeline: &Timeline, broken: &[&Finding]) -> String {
    let events = timeline.events();
    let shown: Vec<usize> = (0..events.len()).filter(|event| is_telling(&events[*event].what)).collect();
    let deciding = |event: usize| broken.iter().any(|finding| decides(finding, event));
    let first = shown.iter().position(|event| deciding(*event)).unwrap_or(shown.len().saturating_sub(1));
    let from = first.saturating_sub(BEFORE);
    let to = (first + AFTER + 1).min(shown.len());
    let mut text = style::faint("what happened") + "\n";
    if from > 0 {
        text += &format!("    {}\n", style::faint(format!("… {from} events before")));
    }
    for event in &shown[from..to] {
        let told = told(&events[*event], timeline);
        text += &format!("  {} {}\n", if deciding(*event) { style::bad("▶") } else { " ".to_owned() }, told);
    }
    if to < shown.len() {
        text += &format!("    {}\n", style::faint(format!("… {} events after", shown.len() - to)));
    }
    text
}

fn decides(finding: &Finding, event: usize) -> bool {
    finding.breach.as_ref().is_some_and(|breach| breach.decided_by == Some(event))
}

/// What the engine says of a state follows from what happened.
fn is_telling(what: &What) -> bool {
    !matches!(what, What::State { .. } | What::Over)
}

fn told(event: &Event, timeline: &Timeline) -> String {
    let at = format!("{:>8}", Seconds(timeline.offset(event)).to_string());
    let boot = if timeline.boots() > 1 { format!(" boot {}", event.boot) } else { String::new() };
    format!("{}{boot}  {}", style::faint(at), shorten(&event.what.to_string()))
}

/// A line of 64 KiB would hide all others.
fn shorten(line: &str) -> String {
    const WIDTH: usize = 220;
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

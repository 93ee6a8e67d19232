//! What is wrong with a file although each word of it by itself is right.

use std::collections::BTreeSet;

use crate::check::Claim;
use crate::fault::{Fault, Target};
use crate::scenario::Scenario;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::read::unknown_word;
use crate::scenario::service::check_name;
use crate::scenario::trigger::{Occasion, Trigger};
use crate::scenario::value::Restart;
use crate::timeline::Look;

/// How a subject says when it is ready.
const READY: &str =
    "say it in [subject]: `ready = { log = \"listening\" }` or `ready = { http = \"/health\", port = 8080 }`";

/// What is wrong although each word by itself is right.
pub fn find(scenario: &Scenario, claims: &[Claim], faults: &[Fault], problems: &mut Problems) {
    let said = || claims.iter().filter(|claim| claim.place.is_some());
    if scenario.subject.ready.is_none()
        && let Some(claim) = said().find(|claim| claim.expectation.wants().ready_sign)
    {
        let title = format!("`{}` needs to know when the subject is ready", claim.key);
        problems.add(Problem::new(claim.span.clone(), title).help(READY));
    }
    if scenario.subject.runtime.restart == Restart::No
        && let Some(claim) = said().find(|claim| claim.expectation.wants().restarts)
    {
        let title = "`restarts` expects a restart, and nothing restarts the subject";
        problems
            .add(Problem::new(claim.span.clone(), title).help("give [subject] a policy: `restart = \"on-failure:3\"`"));
    }
    let ends = scenario.subject.ready.is_some() || said().any(|claim| claim.expectation.wants().decides);
    let lives_on = scenario.steps.len() > 1 || !faults.is_empty();
    if said().next().is_some() && !ends && !lives_on {
        let help = "give [subject] a `ready`, or expect something that happens, such as `exit_code` or `state`";
        let span = said().find_map(|claim| claim.span.clone());
        problems.add(Problem::new(span, "nothing in [expect] says when the run is over").help(help));
    }
    if let Some(control) = &scenario.control
        && !claims.iter().any(|claim| claim.key == control.fails)
    {
        let known: Vec<&str> = claims.iter().map(|claim| claim.key).collect();
        let title = format!("the control fails by `{}`, which this scenario does not check", control.fails);
        problems.add(Problem::new(Some(control.span.clone()), title).help(format!("it checks {}", known.join(", "))));
    }
    find_unknown_names(scenario, faults, problems);
    find_impossible_moments(scenario, faults, problems);
    for claim in claims {
        find_unknown_in(claim, scenario, faults, problems);
    }
}

/// What a claim speaks of and is not there.
fn find_unknown_in(claim: &Claim, scenario: &Scenario, faults: &[Fault], problems: &mut Problems) {
    let wants = claim.expectation.wants();
    let span = claim.span.clone().unwrap_or(0..0);
    let place = format!("`{}`", claim.key);
    let moments = wants.moments.iter().filter_map(|trigger| match &trigger.on {
        Occasion::Service { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let asked = wants.looks.iter().filter_map(|look| match look {
        Look::Sql { database, .. } => Some(database.as_str()).filter(|name| !name.starts_with('/')),
        _ => None,
    });
    for name in wants.services.iter().map(String::as_str).chain(moments).chain(asked.clone()) {
        check_name(name, &scenario.services, span.clone(), problems);
    }
    let postgres = |name: &str| scenario.services.get(name).is_none_or(|service| service.postgres.is_some());
    for name in asked.filter(|name| !postgres(name)) {
        let title = format!("{place} asks the service `{name}`, which is no `postgres`");
        problems.add(Problem::new(Some(span.clone()), title));
    }
    for look in &wants.looks {
        if let Look::Tree { volume } = look
            && !scenario.volumes.contains_key(volume)
        {
            let known: Vec<&str> = scenario.volumes.keys().map(String::as_str).collect();
            problems.add(unknown_word("volume", volume, &place, &known, span.clone()));
        }
    }
    for number in wants.faults.iter().filter(|number| !faults.iter().any(|fault| fault.number == **number)) {
        let title = format!("{place} speaks of fault {number}, and there is none");
        let help = match faults.len() {
            0 => "the file has no [[fault]]".to_owned(),
            count => format!("the file has {count}; they are counted from 1"),
        };
        problems.add(Problem::new(Some(span.clone()), title).help(help));
    }
    if scenario.subject.ready.is_none() && wants.moments.iter().any(|trigger| trigger.on == Occasion::Ready) {
        let title = format!("{place} waits until the subject is ready, and nothing says when that is");
        problems.add(Problem::new(Some(span), title).help(READY));
    }
}

/// Services and volumes that steps and faults name, and that are not there.
fn find_unknown_names(scenario: &Scenario, faults: &[Fault], problems: &mut Problems) {
    let whole = 0..0;
    let named = faults.iter().filter_map(|fault| fault.service.as_deref());
    let stepped = scenario.steps.iter().filter_map(|step| step.service.as_deref());
    let waited = triggers(scenario, faults).filter_map(|trigger| match &trigger.on {
        Occasion::Service { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let names: BTreeSet<&str> = named.chain(stepped).chain(waited).collect();
    for name in names {
        check_name(name, &scenario.services, whole.clone(), problems);
    }
    for volume in scenario.steps.iter().filter_map(|step| step.volumes.as_ref()).flatten() {
        if !scenario.volumes.contains_key(volume) {
            let known: Vec<&str> = scenario.volumes.keys().map(String::as_str).collect();
            problems.add(unknown_word("volume", volume, "`volumes` of [[step]]", &known, whole.clone()));
        }
    }
    for fault in faults.iter().filter(|fault| fault.action.target() == Target::Link) {
        let service = fault.service.as_ref().and_then(|name| scenario.services.get(name));
        if service.is_some_and(|service| service.link.is_none()) {
            let title = format!("fault {} changes a link, and the service has none", fault.number);
            problems.add(Problem::new(None, title).help("give it one: `link = {}`"));
        }
    }
    for fault in faults.iter().filter(|fault| fault.action.target() == Target::Postgres) {
        let service = fault.service.as_ref().and_then(|name| scenario.services.get(name));
        if service.is_some_and(|service| service.postgres.is_none()) {
            let title = format!("fault {} is done to a Postgres, and the service is none", fault.number);
            problems.add(Problem::new(None, title).help("describe it as one: `postgres = {}`"));
        }
    }
}

/// Moments that cannot come.
fn find_impossible_moments(scenario: &Scenario, faults: &[Fault], problems: &mut Problems) {
    if scenario.subject.ready.is_none() && triggers(scenario, faults).any(|trigger| trigger.on == Occasion::Ready) {
        let title = "something is to happen when the subject is ready, and nothing says when that is";
        problems.add(Problem::new(None, title).help(READY));
    }
}

/// The triggers that a file waits for.
fn triggers<'a>(scenario: &'a Scenario, faults: &'a [Fault]) -> impl Iterator<Item = &'a Trigger> {
    let of_faults = faults.iter().flat_map(|fault| std::iter::once(&fault.when).chain(&fault.until));
    let of_services = scenario.services.values().filter_map(|service| service.when.as_ref());
    scenario.steps.iter().filter_map(|step| step.when.as_ref()).chain(of_services).chain(of_faults)
}

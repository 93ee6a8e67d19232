//! What the engine is and can do, for a person.

use super::style;
use crate::doctor::Diagnosis;

/// A table of what was found, with a word on what follows from it.
#[must_use]
pub fn diagnosis(found: &Diagnosis) -> String {
    let about = &found.about;
    let (able, unable): (Vec<_>, Vec<_>) = about.limits.iter().partition(|(_, able)| **able);
    let names =
        |limits: Vec<(&String, &bool)>| limits.into_iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ");
    let mut rows = vec![
        ("engine", format!("{} at {}", about.name, about.endpoint)),
        ("API", about.api_version.clone()),
        (
            "machine",
            format!("{}, {} processors, {} of memory", about.platform, about.cpus, gib(about.memory.unsigned_abs())),
        ),
        ("cgroups", format!("version {}", about.cgroup_version)),
        ("limits", format!("it says that it enforces {}", names(able))),
    ];
    if !unable.is_empty() {
        let unable = format!("it does not enforce {}: scenarios that set it are invalid here", names(unable));
        rows.push(("", style::doubtful(unable)));
    }
    rows.extend(grants(found));
    rows.push(("runs", processors(found)));
    rows.push(("storage", storage(found)));
    rows.push(("registry", registry(found)));
    if found.clock_skew_ms != 0 {
        rows.push(("clock", format!("{} ms off ours; events are measured by the engine's", found.clock_skew_ms)));
    }
    let lines = rows.into_iter().map(|(name, text)| format!("{} {text}", style::strong(format!("{name:<9}"))));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a container was asked to get: all that it gets in one row, then each that it does not.
fn grants(found: &Diagnosis) -> Vec<(&'static str, String)> {
    let granted = found.grants.iter().filter(|grant| grant.refused.is_none());
    let names: Vec<&str> = granted.map(|grant| grant.what.as_str()).collect();
    let mut rows = vec![("gives", format!("it gave a container that asked for it {}", names.join(", ")))];
    for (what, words) in found.grants.iter().filter_map(|grant| Some((&grant.what, grant.refused.as_ref()?))) {
        let refused = format!("it does not give {what}: {words}; scenarios that set it are invalid here");
        rows.push(("", style::doubtful(refused)));
    }
    rows
}

fn processors(found: &Diagnosis) -> String {
    let named = |runs: bool| {
        let names: Vec<&str> = found.processors.iter().filter(|it| it.1 == runs).map(|it| it.0).collect();
        names.join(", ")
    };
    match named(false) {
        none if none.is_empty() => format!("programs for {}", named(true)),
        not => format!("programs for {}; a `platform` of {not} is invalid here", named(true)),
    }
}

fn storage(found: &Diagnosis) -> String {
    match found.free_disk {
        Some(free) => format!("{}, {} free", found.about.storage_driver, gib(free)),
        None => format!("{}; its disk is not on this machine, so free space is not known", found.about.storage_driver),
    }
}

fn registry(found: &Diagnosis) -> String {
    match (found.registry_answers, found.mmdebstrap) {
        (true, _) => style::good("answers: base images are pulled"),
        (false, true) => "does not answer; base images are made with mmdebstrap".to_owned(),
        (false, false) => {
            style::bad("does not answer, and mmdebstrap is not installed: fixtures cannot be built; run `make engine`")
        }
    }
}

fn gib(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
    let gib = bytes as f64 / f64::from(1 << 30);
    format!("{gib:.1} GiB")
}

//! The rules of ARCHITECTURE.md that a reader relies on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn sources() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                // Tests may use what the code beside them may not.
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.insert(path, code);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The module that a file belongs to: the first folder or file below `src`.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("a source file");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Who may use whom. What is not listed here, nobody may.
const ARROWS: [(&str, &[&str]); 29] = [
    ("lib", &[]),
    ("main", &["cli", "commands", "exit", "report"]),
    ("cli", &["scenario", "seed"]),
    (
        "commands",
        &[
            "cli", "clock", "corpus", "doctor", "engine", "events", "exit", "image", "language", "report", "run",
            "sandbox", "scenario", "seed", "suite", "timeline",
        ],
    ),
    ("exit", &["check", "judged"]),
    ("report", &["check", "corpus", "doctor", "events", "judged", "plan", "scenario", "timeline"]),
    (
        "suite",
        &["bundle", "check", "corpus", "events", "image", "judged", "plan", "run", "scenario", "snapshot", "timeline"],
    ),
    ("judged", &["check", "image", "run", "scenario", "timeline"]),
    ("events", &["judged"]),
    ("corpus", &["image", "plan", "scenario", "snapshot", "timeline"]),
    ("run", &["agent", "clock", "engine", "fault", "observe", "plan", "sandbox", "scenario", "timeline"]),
    ("bundle", &["check", "plan", "redact", "scenario", "snapshot", "timeline"]),
    ("observe", &["agent", "clock", "engine", "redact", "sandbox", "scenario", "timeline"]),
    ("agent", &["engine"]),
    ("sandbox", &["engine", "plan", "scenario"]),
    ("image", &["engine", "nearest", "sandbox", "scenario"]),
    ("doctor", &["engine", "image", "sandbox", "scenario"]),
    ("engine", &["scenario", "timeline"]),
    ("clock", &[]),
    ("plan", &["check", "fault", "redact", "scenario", "timeline"]),
    ("language", &["check", "fault", "scenario"]),
    ("seed", &[]),
    ("fault", &["scenario", "timeline"]),
    ("check", &["scenario", "snapshot", "timeline"]),
    ("snapshot", &["redact", "timeline"]),
    ("redact", &[]),
    ("scenario", &["nearest", "timeline"]),
    ("nearest", &[]),
    ("timeline", &[]),
];

#[test]
fn modules_use_only_those_that_the_arrows_allow() {
    for (path, code) in sources() {
        let from = module(&path);
        let row = ARROWS.iter().find(|(name, _)| *name == from);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{from} has no row in the table"));
        let prefix = if from == "main" { "harness::" } else { "crate::" };
        for used in code.split(prefix).skip(1) {
            assert!(!used.starts_with('{'), "{}: one module a line, so that this test sees it", path.display());
            let to: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_module = ARROWS.iter().any(|(name, _)| *name == to);
            assert!(!is_module || to == from || allowed.contains(&to.as_str()), "{}: {from} -> {to}", path.display());
        }
    }
}

#[test]
fn pure_modules_know_no_io() {
    const IO: [&str; 8] =
        ["std::fs", "std::net", "std::process", "std::thread", "tokio", "bollard", "reqwest", "std::env"];
    for (path, code) in sources() {
        if ["scenario", "timeline", "plan", "check", "fault", "language", "nearest", "redact", "snapshot"]
            .contains(&module(&path).as_str())
        {
            for io in IO {
                assert!(!code.contains(io), "{} uses {io}", path.display());
            }
            assert!(!code.contains("Timestamp::now"), "{} reads a clock", path.display());
        }
    }
}

#[test]
fn only_the_report_speaks() {
    for (path, code) in sources() {
        let speaks = ["println!", "eprintln!", "print!(", "eprint!(", "io::stdout", "io::stderr"];
        let spoken = speaks.iter().find(|word| code.contains(**word));
        assert!(spoken.is_none() || module(&path) == "report", "{} says {spoken:?}", path.display());
    }
}

#[test]
fn only_the_clock_sleeps() {
    for (path, code) in sources() {
        // The scripted engine's time is its script.
        let allowed = module(&path) == "clock" || path.to_string_lossy().contains("engine/fake");
        assert!(allowed || !code.contains("sleep"), "{} sleeps", path.display());
    }
}

#[test]
fn only_the_engine_knows_docker() {
    for (path, code) in sources() {
        assert!(!code.contains("bollard") || module(&path) == "engine", "{} uses bollard", path.display());
    }
}

#[test]
fn the_harness_does_not_link_the_entrypoint() {
    let manifest = include_str!("../../Cargo.toml");
    assert!(!manifest.contains("entrypoint"), "it is a black-box judge");
}

#[test]
fn every_path_that_the_documents_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root.join(document)).expect(document);
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = ["harness/", "entrypoint/", "scenarios/", "fixtures/", "docs/", ".ci/", ".github/"]
                .iter()
                .any(|folder| word.starts_with(folder) && !word.contains([' ', '<', '*', 'N']));
            assert!(!is_path || root.join(word).exists(), "{document} names `{word}`, which does not exist");
        }
    }
}

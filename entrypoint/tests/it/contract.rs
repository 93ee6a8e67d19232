//! The log lines that `CONTRACT.md` promises, as a file that observers test their parser with.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::boot::Boot;

/// What differs from run to run, replaced by fixed values of the same kind.
fn normalise(line: &mut Value, data: &str) {
    match line {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match key.as_str() {
                    "timestamp" => *value = "2026-01-01T00:00:00.000Z".into(),
                    "duration_ms" => *value = 1.5.into(),
                    "pid" => *value = 7.into(),
                    "entrypoint_version" => *value = "0.1.0".into(),
                    "owner" | "user" => *value = "1000:1000".into(),
                    "mode" => *value = "0755".into(),
                    _ => normalise(value, data),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| normalise(value, data)),
        Value::String(text) => *text = text.replace(data, "/data"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_startup_writes_the_lines_that_the_contract_promises() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data").to_string_lossy().into_owned();
    let mut boot = Boot::script("trap 'exit 5' TERM; echo ready; kill -STOP $$")
        .env("DATA_DIR", &data)
        .env("LOG_LEVEL", "debug")
        .env("APP_NAME", "tome")
        .env("APP_VERSION", "1.2.3")
        .start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    let lines: Vec<String> = ended
        .logged()
        .into_iter()
        .map(|mut line| {
            normalise(&mut line, &data);
            line.to_string()
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/contract/startup.jsonl");
    let written = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE_CONTRACT").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &written).unwrap();
    }
    let promised = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, promised, "run with UPDATE_CONTRACT=1 if the contract is meant to change");
}

#[test]
fn the_contract_names_every_event_and_field_of_the_sample() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contract = fs::read_to_string(root.join("CONTRACT.md")).unwrap();
    let sample = fs::read_to_string(root.join("../fixtures/contract/startup.jsonl")).unwrap();
    for line in sample.lines() {
        let line: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        let event = line.get("event").and_then(Value::as_str);
        for word in line.keys().map(String::as_str).chain(event) {
            assert!(contract.contains(&format!("`{word}`")), "CONTRACT.md does not explain `{word}`");
        }
    }
}

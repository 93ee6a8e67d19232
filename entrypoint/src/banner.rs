//! The first line: which app in which version, under which entrypoint.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::config::Config;
use crate::log::{Line, Log};

/// Writes the banner.
pub fn write(config: &Config, log: &Log) {
    let manifest = match read_manifest(Path::new("package.json")) {
        Ok(manifest) => manifest,
        Err(error) => {
            log.write(
                Line::warn(format!("cannot take the app's name and version from package.json: {error}"))
                    .with("suggestion", "correct it, or set APP_NAME and APP_VERSION"),
            );
            Value::Null
        }
    };
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
    let program = Path::new(&config.command[0]);
    let file_name = || program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let name = config.app_name.clone().or_else(|| text("name")).unwrap_or_else(file_name);
    let version = config.app_version.clone().or_else(|| text("version"));
    let version = version.unwrap_or_else(|| "unknown".to_owned());
    log.write(
        Line::info(format!("{name} {version}"))
            .word("event", "banner")
            .with("app_name", name)
            .with("app_version", version)
            .word("entrypoint_version", env!("CARGO_PKG_VERSION"))
            .with("pid", std::process::id()),
    );
}

/// The manifest; null when there is none.
fn read_manifest(path: &Path) -> io::Result<Value> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

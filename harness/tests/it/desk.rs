//! Where a test writes a scenario of its own, and runs it as a user does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::commands::{harness, told};

/// A folder with a scenario, and what else a test needs beside it.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a scenario with this subject and these expectations.
    pub fn run(&self, body: &str, adjust: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
        let file = self.write("scenario.toml", &format!("version = 1\nclaim = \"c\"\n{body}")).display().to_string();
        let bundles = self.path("bundles").display().to_string();
        let mut command = harness(&["run", "--bundles", &bundles, &file]);
        // Nobody's own credentials.
        command.env("DOCKER_CONFIG", self.path("nowhere"));
        adjust(&mut command);
        let output = command.output().unwrap();
        (output.status.code(), told(&output))
    }

    /// A subject that is to exit with this code: the harness ends with the expected one, and says these words.
    pub fn check(&self, subject: &str, exit_code: i32, expected: i32, words: &[&str]) {
        self.check_as(subject, exit_code, expected, words, |_| ());
    }

    pub fn check_as(
        &self,
        subject: &str,
        exit_code: i32,
        expected: i32,
        words: &[&str],
        adjust: impl FnOnce(&mut Command),
    ) {
        let body = format!("[subject]\n{subject}\n[expect]\nexit_code = {exit_code}\n");
        let (code, told) = self.run(&body, adjust);
        let says_all = words.iter().all(|word| told.contains(word));
        assert!(code == Some(expected) && says_all, "{subject}: not {expected} and {words:?}, but {told}");
    }
}

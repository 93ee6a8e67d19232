//! The program as a user calls it: what it says, and how it ends.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::engine::Engine;
use harness::engine::docker::Docker;
use harness::sandbox;
use insta::assert_snapshot;

/// Calls the harness in the checkout's folder.
pub fn harness(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace"));
    command
}

/// What it said, with its exit code.
pub fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}exit code {:?}", text(&output.stdout), text(&output.stderr), output.status.code())
}

/// Whether whoever runs the tests has no engine.
fn fake_only() -> bool {
    std::env::var("BOOTPROOF_ENGINE").is_ok_and(|engine| engine == "fake")
}

fn check(arguments: &[&str]) -> String {
    told(&harness(arguments).output().expect("the harness runs"))
}

/// A file with this text in a folder of its own; what is told names it `FILE`.
fn check_file(text: &[u8], arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.toml");
    std::fs::write(&file, text).expect("a file");
    let file = file.to_string_lossy().into_owned();
    let told = check(&[arguments, &[file.as_str()]].concat());
    told.replace(&file, "FILE")
}

#[test]
fn without_an_engine_there_is_one_message_with_the_way_out() {
    let output = harness(&["run"]).env("DOCKER_HOST", "unix:///nowhere/docker.sock").output().expect("it runs");
    assert_snapshot!(told(&output));
}

#[test]
fn a_selection_of_nothing_is_an_error() {
    assert_snapshot!(check(&["run", "--only", "no such scenario"]));
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    assert_snapshot!(check(&["run", "scenarios/nowhere"]));
}

#[test]
fn a_bad_file_is_told_without_an_engine() {
    assert_snapshot!(check_file(
        b"version = 1\nclaim = \"c\"\n[subject]\nimge = \"x\"\n[expect]\nexit_code = 0\n",
        &["run"]
    ));
}

#[test]
fn a_file_that_is_no_text_is_told() {
    assert_snapshot!(check_file(&[0x76, 0xff, 0xfe], &["explain"]));
}

#[test]
fn a_wrong_word_on_the_command_line_is_told_with_the_nearest() {
    assert_snapshot!(check(&["rnu"]));
    assert_snapshot!(check(&["run", "--job", "2"]));
    assert_snapshot!(check(&["run", "-j", "0"]));
}

#[test]
fn a_fixture_that_is_not_there_is_told_with_those_there_are() {
    if fake_only() {
        return;
    }
    assert_snapshot!(check(&["images", "toem"]));
}

#[test]
fn a_plan_is_explained_in_words() {
    assert_snapshot!(check(&["explain", "scenarios/lifecycle/term-reaches-the-app.toml"]));
}

#[tokio::test]
async fn after_ctrl_c_everything_is_gone_within_five_seconds() {
    if fake_only() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bundles = folder.path().to_string_lossy().into_owned();
    let mut run = harness(&["run", "--bundles", &bundles, "--control", "scenarios/resources/quarter-core.toml"]);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the harness runs");
    let docker = Docker::connect().await.expect("a Docker engine; `make engine` starts one");
    // The names of a run carry the process that made it.
    let mark = format!("-{:x}-", child.id());
    let belongings = async || {
        let all = docker.labelled(sandbox::RUN).await.expect("a list");
        all.iter().filter(|owned| owned.labels[sandbox::RUN].contains(&mark)).count()
    };
    let deadline = Instant::now() + Duration::from_secs(120);
    while belongings().await == 0 {
        assert!(Instant::now() < deadline && child.try_wait().expect("a state").is_none(), "it made no container");
    }

    let interrupted = Instant::now();
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(signalled.success());
    let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("a thread").expect("an end");
    assert_eq!(status.code(), Some(130));
    assert_eq!(belongings().await, 0, "something is left");
    assert!(interrupted.elapsed() < Duration::from_secs(5), "it took {:?}", interrupted.elapsed());
}

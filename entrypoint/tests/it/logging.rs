//! The log reaches whoever is there to read it, and nothing that happens to it ends a boot.

use std::fs;
use std::io::pipe;

use serde_json::Value;

use crate::boot::{Boot, NamedPipe};

#[test]
fn the_log_file_holds_the_same_lines_as_stdout_even_if_preflight_makes_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("app/data");
    let file = data.join("app.log");
    // The app looks for itself: the lines must be there while it runs, not only at the end.
    let ended = Boot::script("grep -q app_starting \"$LOG_DEST\"")
        .env("DATA_DIR", data.to_str().unwrap())
        .env("LOG_DEST", file.to_str().unwrap())
        .run();
    ended.assert_ended(0, "app");
    let written = fs::read_to_string(file).unwrap();
    assert_eq!(written.lines().collect::<Vec<_>>(), ended.lines);
}

#[test]
fn a_log_file_that_cannot_be_opened_is_one_warning() {
    let ended = Boot::script("exit 3").env("LOG_DEST", "/nowhere/app.log").run();
    ended.assert_ended(3, "app");
    check_one_warning(&ended.logged(), "/nowhere/app.log", "missing");
}

#[test]
fn a_full_disk_is_one_warning() {
    let ended = Boot::script("exit 3").env("LOG_DEST", "/dev/full").run();
    ended.assert_ended(3, "app");
    check_one_warning(&ended.logged(), "/dev/full", "no_space");
}

#[track_caller]
fn check_one_warning(lines: &[Value], path: &str, cause: &str) {
    let warnings: Vec<&Value> = lines.iter().filter(|line| line["level"] == "warn").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!((&warnings[0]["path"], &warnings[0]["cause"]), (&path.into(), &cause.into()));
}

#[test]
fn a_named_pipe_that_nobody_reads_does_not_hold_up_the_boot() {
    let pipe = NamedPipe::new();
    let ended = Boot::script("exit 3").env("LOG_DEST", pipe.path()).run();
    ended.assert_ended(3, "app");
    check_one_warning(&ended.logged(), pipe.path(), "other");
}

#[test]
fn a_reader_of_stdout_that_is_gone_does_not_end_the_boot() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.log");
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ended = Boot::script("exit 3")
        .env("LOG_DEST", file.to_str().unwrap())
        .change(|command| {
            command.stdout(writer);
        })
        .run();
    assert_eq!(ended.code, Some(3));
    assert!(fs::read_to_string(file).unwrap().contains("\"exit_code\":3"));
}

#[test]
fn a_reader_of_stdout_that_is_stuck_does_not_hold_up_the_stop() {
    let (reader, mut writer) = pipe().unwrap();
    // A pipe with no room left.
    let room = nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_GETPIPE_SZ).unwrap();
    std::io::Write::write_all(&mut writer, &vec![b'x'; room.try_into().unwrap()]).unwrap();
    let ended = Boot::script("exit 3")
        .change(|command| {
            command.stdout(writer);
        })
        .run();
    drop(reader);
    assert_eq!(ended.code, Some(3));
}

#[test]
fn secrets_are_hidden_in_every_line_of_ours_and_the_apps_output_is_not_touched() {
    let ended = Boot::arguments(&["run", "--", "echo", "hunter2", "p@ss", "p%40ss"])
        .env("DB_PASSWORD", "hunter2")
        .env("DATABASE_URL", "postgres://app:p%40ss@db/app")
        .run();
    assert!(ended.lines.contains(&"hunter2 p@ss p%40ss".to_owned()));
    assert_eq!(
        ended.line("starting the application")["command"],
        serde_json::json!(["echo", "[REDACTED]", "[REDACTED]", "[REDACTED]"])
    );
    let ours = ended.lines.iter().filter(|line| line.contains("\"source\":\"entrypoint\""));
    assert!(ours.clone().count() > 3);
    for line in ours {
        assert!(!line.contains("hunter2") && !line.contains("p%40ss") && !line.contains("p@ss"), "{line}");
    }
}

#[test]
fn the_banner_takes_name_and_version_from_package_json_unless_told_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("package.json"), r#"{"name": "tome", "version": "1.2.3"}"#).unwrap();
    let boot = |boot: Boot| {
        boot.change(|command| {
            command.current_dir(directory.path());
        })
        .run()
    };
    boot(Boot::script("true")).line("tome 1.2.3");
    boot(Boot::script("true").env("APP_VERSION", "2.0.0")).line("tome 2.0.0");
    Boot::script("true").env("APP_NAME", "").run().line("sh unknown");
}

#[test]
fn the_last_line_is_written_whatever_the_level() {
    let ended = Boot::script("exit 0").env("LOG_LEVEL", "error").run();
    assert_eq!(ended.lines.len(), 1);
    ended.assert_ended(0, "app");
}

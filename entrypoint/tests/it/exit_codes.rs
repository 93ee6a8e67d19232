//! Exit codes: the app's pass through, ours are told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use crate::boot::Boot;

#[test]
fn all_256_exit_codes_of_the_app_pass_through() {
    for code in 0..256 {
        Boot::script(&format!("exit {code}")).env("LOG_LEVEL", "error").run().assert_ended(code, "app");
    }
}

#[rstest]
#[case::hangup("HUP", 129)]
#[case::kill("KILL", 137)]
#[case::segmentation_fault("SEGV", 139)]
#[case::termination("TERM", 143)]
#[case::a_real_time_signal("40", 168)]
fn an_app_that_a_signal_ends_gives_128_plus_its_number(#[case] signal: &str, #[case] code: i32) {
    Boot::script(&format!("kill -{signal} $$")).run().assert_ended(code, "app");
}

#[track_caller]
fn check_file(content: &str, mode: u32, code: i32, said: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    check_command(&["run", "--", path.to_str().unwrap()], code, said);
}

#[track_caller]
fn check_command(arguments: &[&str], code: i32, said: &str) {
    let ended = Boot::arguments(arguments).run();
    ended.assert_ended(code, "entrypoint");
    ended.line(said);
}

#[rstest]
#[case::no_execute_bit("#!/bin/sh\n", 0o644, 126, "has mode 0644: no execute bit")]
#[case::no_first_line("echo hello\n", 0o755, 126, "neither a program nor a script with a `#!` line")]
#[case::other_processor("\x7fELF and nothing else", 0o755, 126, "another kind of processor")]
#[case::crlf("#!/bin/sh\r\nexit 0\r\n", 0o755, 126, "ends in CRLF")]
#[case::missing_interpreter("#!/nowhere/node\n", 0o755, 126, "its interpreter `/nowhere/node` is not")]
fn a_file_that_cannot_be_executed_gives_126_and_the_reason(
    #[case] content: &str,
    #[case] mode: u32,
    #[case] code: i32,
    #[case] said: &str,
) {
    check_file(content, mode, code, said);
}

#[rstest]
#[case::a_directory(&["run", "--", "/tmp"], 126, "/tmp is a directory")]
#[case::not_in_path(&["run", "--", "no-such-command"], 127, "it is not in PATH (/usr/sbin:/usr/bin:/sbin:/bin)")]
#[case::no_such_file(&["run", "--", "/no/such/file"], 127, "there is no such file")]
#[case::no_command(&["run", "--"], 64, "there is no command after `--`")]
#[case::unknown_option(&["run", "--loglevel", "x", "--", "true"], 64, "there is no option `--loglevel`")]
#[case::bad_setting(&["run", "--log-level", "loud", "--", "true"], 78, "--log-level is `loud`; allowed is debug, info, warn or error")]
fn what_cannot_be_started_is_told(#[case] arguments: &[&str], #[case] code: i32, #[case] said: &str) {
    check_command(arguments, code, said);
}

#[test]
fn all_configuration_problems_are_told_at_once_each_in_a_line_of_its_own() {
    let boot = Boot::script("true").env("LOG_LEVEL", "inof").env("STOP_GRACE_PERIOD", "8").env("DATA_DIR", ":/a");
    let ended = boot.run();
    ended.assert_ended(78, "entrypoint");
    let told: Vec<(String, String)> = ended
        .logged()
        .iter()
        .filter(|line| line["exit_code"].is_null())
        .map(|line| (line["variable"].as_str().unwrap().into(), line["seen"].as_str().unwrap().into()))
        .collect();
    let expected = [("LOG_LEVEL", "inof"), ("STOP_GRACE_PERIOD", "8"), ("DATA_DIR", ":/a")];
    assert_eq!(told, expected.map(|(variable, seen)| (variable.to_owned(), seen.to_owned())));
    assert_eq!(ended.line("inof")["suggestion"], "did you mean `info`?");
}

#[test]
fn help_and_version_are_plain_text() {
    let ended = Boot::arguments(&["--version"]).run();
    assert_eq!((ended.code, ended.lines.len()), (Some(0), 1));
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let ended = Boot::arguments(arguments).run();
        assert_eq!(ended.code, Some(0));
        assert!(ended.says("Usage:") && ended.says("  127  the command was not found"));
    }
}

//! The entrypoint as PID 1 of a namespace, as in a container.

use crate::boot::{BINARY, Boot, NamedPipe, ORPHAN, Running, can_unshare};

const FLAGS: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/// Boots a script under the entrypoint as PID 1; `None` where that is not possible.
fn boot(script: &str, grace: &str) -> Option<Running> {
    if !can_unshare(&FLAGS) {
        return None;
    }
    let arguments = [&FLAGS[..], &["--", BINARY, "run", "--", "sh", "-c", script]].concat();
    Some(Boot::command("unshare", &arguments).env("STOP_GRACE_PERIOD", grace).env("LOG_LEVEL", "debug").start())
}

/// A process that leaves its group and session, and does something on TERM.
fn escapee(on_term: &str) -> String {
    format!("setsid sh -c 'trap \"{on_term}\" TERM; echo ready; while :; do sleep 30 & wait $!; done'")
}

#[test]
fn as_pid_1_it_ends_on_term_from_outside() {
    let Some(mut boot) = boot("trap 'echo got it; exit 4' TERM; echo ready; sleep 30 & wait", "8s") else { return };
    boot.wait_for("ready");
    boot.signal_child(libc::SIGTERM);
    let ended = boot.end();
    assert!(ended.says("got it"));
    assert_eq!(ended.line("sh unknown")["pid"], 1);
    ended.assert_ended(4, "app");
}

#[test]
fn as_pid_1_a_process_that_left_its_group_gets_term_and_time_too() {
    let Some(mut boot) = boot(&format!("{} & wait", escapee("echo cleaned up; exit")), "3s") else { return };
    boot.wait_for("ready");
    boot.signal_child(libc::SIGTERM);
    let ended = boot.end();
    assert!(ended.says("cleaned up"), "{:?}", ended.lines);
    ended.assert_ended(143, "app");
}

#[test]
fn as_pid_1_a_process_that_left_its_group_and_ignores_term_is_killed() {
    let Some(mut boot) = boot(&format!("{} & wait", escapee("")), "300ms") else { return };
    boot.wait_for("ready");
    boot.signal_child(libc::SIGTERM);
    let ended = boot.end();
    assert!(ended.line("grace period over, killing")["remaining"].as_u64() >= Some(1));
    ended.assert_ended(143, "app");
}

#[test]
fn as_pid_1_it_reaps_what_it_adopts() {
    let pipe = NamedPipe::new();
    let script = format!("PIPE={}; export PIPE; {ORPHAN}; sleep 30", pipe.path());
    let Some(mut boot) = boot(&script, "8s") else { return };
    let line = boot.wait_for_log("\"exit_code\":9");
    assert!(line.contains("reaped a process"), "{line}");
    boot.signal_child(libc::SIGTERM);
    boot.end().assert_ended(143, "app");
}

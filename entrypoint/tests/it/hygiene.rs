//! The app starts as if nobody had been there before it.

use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;

use crate::boot::{Boot, NamedPipe, ORPHAN};

#[test]
fn the_app_starts_with_no_signal_blocked_or_ignored() {
    let ended = Boot::arguments(&["run", "--", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status"])
        .change(|command| {
            #[allow(unsafe_code, reason = "an ignored signal is inherited from the parent only")]
            // SAFETY: signal is async-signal-safe and SIG_IGN installs no code.
            unsafe {
                command.pre_exec(|| {
                    libc::signal(libc::SIGHUP, libc::SIG_IGN);
                    libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                    Ok(())
                });
            }
        })
        .run();
    assert!(ended.says("SigBlk:\t0000000000000000"), "{:?}", ended.lines);
    assert!(ended.says("SigIgn:\t0000000000000000"), "{:?}", ended.lines);
    ended.assert_ended(0, "app");
}

#[test]
fn the_app_inherits_no_descriptor_but_the_three() {
    let leak = std::fs::File::open("/dev/null").unwrap();
    let number = leak.as_raw_fd();
    let ended = Boot::script("i=0; while [ $i -lt 100 ]; do [ ! -e /proc/$$/fd/$i ] || echo fd $i; i=$((i + 1)); done")
        .env("LOG_DEST", "/dev/null")
        .change(|command| {
            #[allow(unsafe_code, reason = "a descriptor leaks through exec only without CLOEXEC")]
            // SAFETY: dup2 is async-signal-safe; the numbers are valid for this process.
            unsafe {
                command.pre_exec(move || {
                    let _keep = &leak;
                    libc::dup2(number, 77);
                    Ok(())
                });
            }
        })
        .run();
    let open: Vec<&String> = ended.lines.iter().filter(|line| line.starts_with("fd ")).collect();
    assert_eq!(open, ["fd 0", "fd 1", "fd 2"]);
}

#[test]
fn the_app_leads_a_process_group_of_its_own() {
    let ended = Boot::script("read -r pid name state parent group rest < /proc/self/stat; [ $group = $$ ]").run();
    ended.assert_ended(0, "app");
}

#[test]
fn the_environment_passes_through_byte_for_byte() {
    let value = "100% $HOME \"quoted\" 'single' \\ \u{e9} \t end";
    let ended = Boot::script("printf '%s\\n' \"<$ODD>\"").env("ODD", value).run();
    assert!(ended.lines.contains(&format!("<{value}>")), "{:?}", ended.lines);
}

#[test]
fn output_that_is_not_utf_8_and_ends_in_no_newline_passes_through_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let out = std::fs::File::create(&path).unwrap();
    Boot::script("head -c 65536 /dev/zero; printf '\\377\\376 partial'")
        .env("LOG_LEVEL", "error")
        .change(|command| {
            command.stdout(out);
        })
        .run();
    let written = std::fs::read(&path).unwrap();
    let zeros = written.iter().filter(|byte| **byte == 0).count();
    assert_eq!(zeros, 65536);
    assert!(written.windows(10).any(|part| part == b"\xff\xfe partial"));
}

#[test]
fn orphans_are_reaped() {
    let pipe = NamedPipe::new();
    let mut boot =
        Boot::script(&format!("{ORPHAN}; sleep 30")).env("LOG_LEVEL", "debug").env("PIPE", pipe.path()).start();
    let line = boot.wait_for_log("\"exit_code\":9");
    assert!(line.contains("reaped a process"), "{line}");
    boot.signal(libc::SIGTERM);
    boot.end().assert_ended(143, "app");
}

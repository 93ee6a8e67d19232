//! Signals go to the app, and nothing outlives the grace.

use std::os::unix::process::CommandExt;
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::boot::Boot;

/// Tells that it is ready and then waits for signals, for as long as a test may take.
const WAIT: &str = "echo ready; while :; do sleep 30 & wait $!; done";

#[rstest]
#[case::terminate("TERM", libc::SIGTERM)]
#[case::interrupt("INT", libc::SIGINT)]
#[case::quit("QUIT", libc::SIGQUIT)]
#[case::hangup("HUP", libc::SIGHUP)]
#[case::user_1("USR1", libc::SIGUSR1)]
#[case::user_2("USR2", libc::SIGUSR2)]
#[case::window("WINCH", libc::SIGWINCH)]
#[case::alarm("ALRM", libc::SIGALRM)]
#[case::real_time("40", 40)]
fn every_signal_is_forwarded(#[case] name: &str, #[case] number: i32) {
    let mut boot = Boot::script(&format!("trap 'echo got {name}; exit 5' {name}; {WAIT}")).start();
    boot.wait_for("ready");
    boot.signal(number);
    let ended = boot.end();
    assert!(ended.says(&format!("got {name}")));
    ended.line("signal received, forwarded");
    ended.assert_ended(5, "app");
}

#[test]
fn an_app_that_ends_on_term_passes_143_on() {
    let mut boot = Boot::script("echo ready; exec sleep 30").start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    assert_eq!(ended.line("application exited")["signal"], "SIGTERM");
    ended.assert_ended(143, "app");
}

#[test]
fn an_app_that_ignores_term_is_killed_after_the_grace() {
    let mut boot = Boot::script(&format!("trap '' TERM; {WAIT}")).env("STOP_GRACE_PERIOD", "200ms").start();
    boot.wait_for("ready");
    let asked = Instant::now();
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    assert!(asked.elapsed() >= Duration::from_millis(200));
    assert!(ended.line("grace period over, killing")["remaining"].as_u64() >= Some(1));
    ended.assert_ended(137, "app");
}

#[test]
fn a_second_term_is_forwarded_too_and_the_grace_still_ends() {
    let script = format!("trap 'echo got one' TERM; {WAIT}");
    let mut boot = Boot::script(&script).env("STOP_GRACE_PERIOD", "300ms").start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    boot.wait_for("got one");
    boot.signal(libc::SIGTERM);
    boot.wait_for("got one");
    let ended = boot.end();
    ended.line("grace period over, killing");
    ended.assert_ended(137, "app");
}

#[test]
fn a_background_child_of_a_leader_that_ended_gets_term_and_time() {
    let background = "(trap 'echo cleaned up; exit' TERM; echo ready; while :; do sleep 30 & wait $!; done)";
    let mut boot = Boot::script(&format!("trap 'exit 4' TERM; {background} & wait $!; exit 4")).start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    assert!(ended.says("cleaned up"));
    ended.line("the application left processes behind");
    ended.assert_ended(4, "app");
}

#[test]
fn a_leader_that_ends_on_term_does_not_cancel_the_kill_of_its_group() {
    let background = "(trap '' TERM; echo ready; while :; do sleep 30 & wait $!; done)";
    let script = format!("trap 'exit 4' TERM; {background} & wait $!; exit 4");
    let mut boot = Boot::script(&script).env("STOP_GRACE_PERIOD", "300ms").start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    ended.line("grace period over, killing");
    ended.assert_ended(4, "app");
}

#[test]
fn children_of_a_leader_that_ends_by_itself_are_stopped_too() {
    let ended = Boot::script("sleep 30 & exit 6").run();
    ended.line("the application left processes behind");
    ended.assert_ended(6, "app");
}

#[test]
fn a_stopped_app_is_woken_to_take_its_term() {
    let mut boot = Boot::script("trap 'echo woken; exit 7' TERM; echo ready; kill -STOP $$; sleep 30").start();
    boot.wait_for("ready");
    boot.signal(libc::SIGTERM);
    let ended = boot.end();
    assert!(ended.says("woken"));
    ended.assert_ended(7, "app");
}

/// Starts the entrypoint with a signal that has already arrived.
fn with_pending(signal: i32, boot: Boot) -> Boot {
    boot.change(|command| {
        #[allow(unsafe_code, reason = "a signal can only be made pending in the process itself")]
        // SAFETY: async-signal-safe calls; the set is initialised by sigemptyset before its use.
        unsafe {
            command.pre_exec(move || {
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&mut set);
                libc::sigaddset(&mut set, signal);
                libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
                libc::raise(signal);
                Ok(())
            });
        }
    })
}

#[test]
fn a_term_that_came_before_the_app_ends_with_76_and_the_app_never_runs() {
    let ended = with_pending(libc::SIGTERM, Boot::script("echo the app ran")).run();
    ended.line("stopped by SIGTERM before the app ran");
    assert!(!ended.says("the app ran"));
    ended.assert_ended(76, "entrypoint");
}

#[test]
fn a_hangup_that_came_before_the_app_does_not_kill_it() {
    let ended = with_pending(libc::SIGHUP, Boot::script("exit 8")).run();
    ended.line("signal received, not forwarded: the application does not run yet");
    ended.assert_ended(8, "app");
}

#[test]
fn a_term_at_any_moment_of_the_startup_never_hangs_and_never_gives_0() {
    for moment in 0..40 {
        let boot = Boot::script("sleep 30").start();
        let until = Instant::now() + Duration::from_micros(moment * 250);
        // Not a wait for anything: the moment of the signal is what is varied.
        while Instant::now() < until {
            thread::yield_now();
        }
        boot.signal(libc::SIGTERM);
        let code = boot.end().code;
        // None: it came before the entrypoint could block it, and ended it as any program.
        assert!(matches!(code, None | Some(76 | 143)), "moment {moment}: {code:?}");
    }
}

//! Life cycles: steps, what is expected of each, and the moments they wait for.

use agent::Command;

use super::*;

/// A subject that says when it is ready, under this policy, and its steps.
fn steps(restart: &str, steps: &str) -> String {
    format!(
        "timeout = \"5s\"\n[subject]\nimage = \"good:1\"\nrestart = \"{restart}\"\nready = {{ log = \"listening\" }}\n{steps}"
    )
}

fn listens() -> Script {
    Script::boot(says(10, "listening"))
}

/// Runs a life cycle of a subject that does this.
async fn check_steps(good: Script, body: &str, expected: &str) {
    check(good, says_bad(), &steps("no", body), expected).await;
}

/// What a subject is upgraded to.
fn says_bad() -> Script {
    Script::boot(says(10, "no such schema").exits(ms(20), 7))
}

const STOP: &str = "[[step]]\ndo = \"stop\"\n";
const START: &str = "[[step]]\ndo = \"start\"\n";

#[tokio::test(start_paused = true)]
async fn a_subject_is_stopped_and_started_again() {
    let body = format!("{STOP}expect.exit_code = 0\n{START}expect.ready_within = \"1s\"");
    check_steps(listens(), &body, "pass").await;
    let silent = Script::boot(says(10, "listening")).then(says(10, "migrating"));
    check_steps(silent, &body, "fail ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_about_a_step_is_about_no_other() {
    let body = format!("{STOP}expect.logs = {{ absent = [\"listening\"] }}\n{START}expect.ready_within = \"1s\"");
    check_steps(listens(), &body, "pass").await;
    let body = format!("{STOP}expect.exit_code = 3\n{START}");
    check_steps(Script::boot(says(10, "listening").on_stop(ms(5), 4)), &body, "fail exit_code").await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_about_a_boot_is_about_no_other() {
    let body = "[[step]]\ndo = \"restart\"\n[expect]\nboot.1.logs = { absent = [\"again\"] }\nboot.2.logs = { contains = [\"again\"] }";
    let again = listens().then(says(10, "again").line(ms(12), Stdio::Stdout, "listening"));
    check_steps(again, body, "pass").await;
    check_steps(listens(), body, "fail logs").await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_container_and_a_new_one_has_nothing_of_the_old() {
    for (verb, created) in [("restart", 1), ("recreate", 2)] {
        let bench = Bench::new(listens(), Script::default());
        let body = steps("no", &format!("[[step]]\ndo = \"{verb}\"\nexpect.ready_within = \"1s\""));
        assert_eq!(outcome(&bench.run(&body).await), "pass");
        let made =
            bench.fake.calls().iter().filter(|call| call.starts_with("create") && call.ends_with("-subject")).count();
        assert_eq!(made, created, "{verb}: {:?}", bench.fake.calls());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_is_judged_as_the_new_subject() {
    let upgrade = "[[step]]\ndo = \"upgrade\"\nimage = \"bad:1\"\n";
    check_steps(listens(), &format!("{upgrade}expect.exit_code = 7"), "pass").await;
    check_steps(listens(), &format!("{upgrade}expect.ready_within = \"1s\""), "fail ready_within").await;
    // What is ready is said anew for the new one.
    let ready =
        format!("{upgrade}ready = {{ log = \"no such\" }}\nexpect.ready_within = \"1s\"\n[expect]\nexit_code = 7");
    check_steps(listens(), &ready, "pass").await;
    // And back again: what the upgrade came to was not the end.
    let back = format!(
        "{upgrade}expect.exit_code = 7\n[[step]]\ndo = \"upgrade\"\nimage = \"good:1\"\nexpect.ready_within = \"1s\""
    );
    check_steps(listens(), &back, "pass").await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_refused_is_an_outcome_and_not_the_end() {
    let body = |back: &str| {
        steps("no", &format!("[[step]]\ndo = \"upgrade\"\nimage = \"bad:1\"\nexpect.state = \"refused\"\n{back}"))
    };
    let back = "[[step]]\ndo = \"upgrade\"\nimage = \"good:1\"\nexpect.ready_within = \"1s\"";
    for refused in [Script::boot(Boot::refused("exec /nope: no such file")), Script::refused("unknown capability")] {
        check(listens(), refused.clone(), &body(""), "pass").await;
        check(listens(), refused.clone(), &body(back), "pass").await;
        check(listens(), listens(), &body(back), "fail state ready_within").await;
        let start = "[[step]]\ndo = \"start\"";
        let judged = Bench::new(listens(), refused).run(&body(start)).await;
        assert_ne!(judged.verdict, Verdict::Pass, "{}", outcome(&judged));
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_by_an_operator_is_no_matter_for_the_restart_policy() {
    let body = "[[step]]\ndo = \"kill\"\nexpect.exit_code = 137";
    check(listens(), Script::default(), &steps("always", body), "pass").await;
    let signal = "[[step]]\ndo = \"kill\"\nsignal = \"SIGTERM\"\nexpect.exit_code = 0";
    check(listens(), Script::default(), &steps("always", signal), "pass").await;
}

/// Runs a life cycle on a bench whose agent can kill.
async fn check_crash(good: Script, restart: &str, body: &str, expected: &str) {
    let bench = Bench::new(good, Script::default());
    let fake = bench.fake.clone();
    let kills = move |command: &Command| {
        if let Command::Signal { signal, .. } = command {
            fake.crash("-subject", 128 + signal);
        }
        None
    };
    bench.fake.script(scripted::AGENT, scripted::agent(kills));
    let body = steps(restart, body);
    let judged = bench.run(&body).await;
    assert_eq!(outcome(&judged), expected, "{body}\n{}", harness::report::plain(&judged));
}

const CRASH: &str = "[[step]]\ndo = \"crash\"\n";

#[tokio::test(start_paused = true)]
async fn a_crash_lets_the_restart_policy_act() {
    let heals = "expect.ready_within = \"1s\"\n[expect]\nrestarts = 1\nboot.1.exit_code = 137";
    check_crash(listens(), "on-failure:3", &format!("{CRASH}{heals}"), "pass").await;
    check_crash(listens(), "no", &format!("{CRASH}expect.exit_code = 137"), "pass").await;
    check_crash(listens(), "no", &format!("{CRASH}signal = \"SIGSEGV\"\nexpect.exit_code = 139"), "pass").await;
    let loops = listens().then(says(5, "corrupt").exits(ms(9), 1));
    check_crash(loops, "on-failure:3", &format!("{CRASH}{heals}"), "fail restarts ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn restarts_by_steps_do_not_count_as_the_policys() {
    let body = "[[step]]\ndo = \"restart\"\n[[step]]\ndo = \"crash\"\n[[step]]\ndo = \"recreate\"\n[expect]\nrestarts = 1\nboot.4.ready_within = \"1s\"";
    check_crash(listens(), "always", body, "pass").await;
    check_crash(listens(), "always", &body.replace("restarts = 1", "restarts = 3"), "fail restarts").await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_would_come_to_nothing_is_not_taken() {
    let start = "[[step]]\ndo = \"start\"\n[[step]]\ndo = \"start\"\n[expect]\nready_within = \"1s\"";
    check_steps(listens(), start, "invalid step 2 (start) cannot be taken: it runs already").await;
    let crash = format!("{STOP}{CRASH}[expect]\nready_within = \"1s\"");
    check_crash(listens(), "no", &crash, "invalid step 3 (crash) cannot be taken: no process of it runs").await;
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_its_moment() {
    let late = || Script::boot(says(10, "listening").line(ms(2_010), Stdio::Stdout, "warm"));
    let when = "when = { log = \"warm\" }\n";
    check_steps(late(), &format!("{STOP}{when}expect.exit_code = 0"), "pass").await;
    let took = async |body: &str| {
        let before = tokio::time::Instant::now();
        check_steps(late(), body, "pass").await;
        before.elapsed()
    };
    assert!(took(&format!("{STOP}{when}expect.exit_code = 0")).await >= ms(2_000));
    assert!(
        took(&format!("{STOP}when = {{ log = \"warm\", after = \"1s\" }}\nexpect.exit_code = 0")).await >= ms(3_000)
    );
    assert!(took(&format!("{STOP}when = {{ after = \"1500ms\" }}\nexpect.exit_code = 0")).await >= ms(1_500));
    assert!(took(&format!("[[step]]\ndo = \"soak\"\nfor = \"3s\"\n{STOP}expect.exit_code = 0")).await >= ms(3_000));
}

#[tokio::test(start_paused = true)]
async fn a_line_before_a_death_is_a_moment_too() {
    let dies = Script::boot(says(10, "listening").line(ms(20), Stdio::Stdout, "bye").exits(ms(20), 0))
        .then(says(10, "listening"));
    let body = format!("{START}{START}when = {{ log = \"bye\" }}\nexpect.ready_within = \"1s\"");
    check_steps(dies, &body, "pass").await;
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_moment_never_comes_proves_nothing() {
    let never = format!("{STOP}when = {{ log = \"warm\" }}\n[expect]\nready_within = \"1s\"");
    let unfired = "what was to happen did not: step 2 (stop), due when it logs /warm/";
    check_steps(listens(), &never, &format!("invalid {unfired}")).await;
    // Nothing can come of a subject that is dead.
    let before = tokio::time::Instant::now();
    let ends = Script::boot(says(10, "listening").exits(ms(20), 0));
    check_steps(ends, &never.replace("ready_within = \"1s\"", "exit_code = 0"), &format!("invalid {unfired}")).await;
    assert!(before.elapsed() < ms(1_000), "waited for {:?}", before.elapsed());
    // Where something broke before, that may be why.
    check_steps(Script::boot(says(1_500, "listening")), &never, "fail ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn a_health_that_changes_is_a_moment() {
    let flaps = || {
        Script::boot(
            says(10, "listening").health(ms(100), "healthy").health(ms(200), "unhealthy").health(ms(300), "healthy"),
        )
    };
    for (word, nth, holds) in [("healthy", 2, true), ("unhealthy", 1, true), ("unhealthy", 2, false)] {
        let body = format!("{STOP}when = {{ on = \"{word}\", nth = {nth} }}\nexpect.exit_code = 0");
        let judged = Bench::new(flaps(), Script::default()).run(&steps("no", &body)).await;
        assert_eq!(judged.verdict == Verdict::Pass, holds, "{body}: {}", outcome(&judged));
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_midway_proves_nothing() {
    for method in ["inspect", "stop", "logs"] {
        let bench = Bench::new(Script::boot(says(10, "starting")), Script::default());
        let fake = bench.fake.clone();
        let dies = async move {
            tokio::time::sleep(ms(500)).await;
            fake.fail_on(method, "the engine is gone");
            std::future::pending::<()>().await;
        };
        let body = steps("always", &format!("{STOP}when = {{ after = \"1s\" }}\n{START}expect.ready_within = \"1s\""));
        let judged = tokio::select! {
            judged = bench.run(&body) => judged,
            () = dies => continue,
        };
        let seen = outcome(&judged);
        assert_eq!(judged.verdict, Verdict::Invalid, "{method}: {seen}");
    }
}

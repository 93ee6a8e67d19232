//! Services: what becomes of a run when one of them does not do its part.

use agent::{Answer, Command, Counters, Failure};

use super::*;

/// A bench with a service that does this, and an agent that does what it is asked.
fn bench(service: Script) -> Bench {
    let bench = Bench::new(Script::boot(says(10, "listening")), Script::default());
    bench.fake.script("db:1", service);
    bench.fake.script(scripted::AGENT, scripted::agent(|_| None));
    bench
}

/// A subject, a service of these words, and what comes after.
fn with_service(service: &str, rest: &str) -> String {
    let subject = "timeout = \"5s\"\n[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n";
    format!("{subject}[services.db]\nimage = \"db:1\"\n{service}\n{rest}")
}

const EXPECT: &str = "[expect]\nready_within = \"1s\"";
const READY_BY_LOG: &str = "ready = { log = \"accepting\" }\ntimeout = \"2s\"";

async fn check_service(service: Script, words: &str, rest: &str, expected: &str) {
    let body = with_service(words, rest);
    let judged = bench(service).run(&body).await;
    assert_eq!(outcome(&judged), expected, "{body}\n{}", harness::report::plain(&judged));
}

fn accepts() -> Script {
    Script::boot(says(300, "accepting"))
}

#[tokio::test(start_paused = true)]
async fn a_subject_is_started_when_its_service_is_ready() {
    let bench = bench(accepts());
    assert_eq!(outcome(&bench.run(&with_service(READY_BY_LOG, EXPECT)).await), "pass");
    let calls = bench.fake.calls();
    let place = |end: &str| calls.iter().position(|call| call.starts_with("start") && call.ends_with(end));
    assert!(place("-service-db") < place("-subject"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_proves_nothing_and_its_last_words_are_told() {
    let silent = || Script::boot(says(10, "initdb: out of disk"));
    let never = "invalid the service db was not ready within 2s; its last words: initdb: out of disk";
    check_service(silent(), READY_BY_LOG, EXPECT, never).await;
    check_service(silent(), &format!("{READY_BY_LOG}\nwait = false"), EXPECT, "pass").await;
    // The same of one that comes later.
    let late = format!("{READY_BY_LOG}\nwhen = \"ready\"");
    let soak = "[[step]]\ndo = \"soak\"\nwhen = { service = \"db\", is = \"started\" }\nfor = \"3s\"\nexpect.state = \"running\"";
    check_service(silent(), &late, soak, never).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_made_or_started_proves_nothing() {
    let refused = "invalid the service db cannot be made: unknown capability";
    check_service(Script::refused("unknown capability"), READY_BY_LOG, EXPECT, refused).await;
    let refused = "invalid the service db cannot be started: exec /nope: no such file";
    check_service(Script::boot(Boot::refused("exec /nope: no such file")), READY_BY_LOG, EXPECT, refused).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_dies_proves_nothing_unless_somebody_asked_for_it() {
    let dies = |after| Script::boot(says(100, "accepting").line(ms(after), Stdio::Stderr, "PANIC").exits(ms(after), 1));
    let early = "invalid the service db ended before it was ready; its last words: PANIC";
    check_service(dies(50), READY_BY_LOG, EXPECT, early).await;
    let soak = "[[step]]\ndo = \"soak\"\nfor = \"2s\"\nexpect.state = \"running\"";
    let midway = "invalid the service db ended during the run; its last words: PANIC";
    check_service(dies(1_000), READY_BY_LOG, soak, midway).await;
    let stop = "[[step]]\ndo = \"stop_service\"\nservice = \"db\"\nexpect.state = \"running\"";
    check_service(accepts(), READY_BY_LOG, stop, "pass").await;
    // Its own restart policy is a reason to wait for it.
    let heals = dies(50).then(says(10, "accepting"));
    check_service(heals, &format!("{READY_BY_LOG}\nrestart = \"always\""), EXPECT, "pass").await;
}

#[tokio::test(start_paused = true)]
async fn a_service_is_stopped_and_started_again() {
    let body = "[[step]]\ndo = \"stop_service\"\nservice = \"db\"\n[[step]]\ndo = \"start_service\"\nservice = \"db\"\nexpect.state = \"running\"";
    check_service(accepts(), READY_BY_LOG, body, "pass").await;
    let once = accepts().then(says(10, "recovering"));
    let never = "invalid the service db was not ready within 2s; its last words: recovering";
    check_service(once, READY_BY_LOG, body, never).await;
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_service_is_a_moment() {
    for is in ["started", "ready"] {
        let stop =
            format!("[[step]]\ndo = \"stop\"\nwhen = {{ service = \"db\", is = \"{is}\" }}\nexpect.exit_code = 0");
        check_service(accepts(), &format!("{READY_BY_LOG}\nwhen = {{ after = \"1s\" }}"), &stop, "pass").await;
    }
    let later = "[[step]]\ndo = \"stop_service\"\nservice = \"db\"\n[[step]]\ndo = \"stop\"\nwhen = { service = \"db\", is = \"started\" }\n[expect]\nexit_code = 0";
    let unfired = "invalid what was to happen did not: step 3 (stop), due when service db is started";
    check_service(accepts(), READY_BY_LOG, later, unfired).await;
}

/// Runs a scenario with an agent that fails a command of this kind.
async fn check_agent(fails: fn(&Command) -> bool, cause: &'static str, expected: &str) {
    let bench = bench(accepts());
    let failing =
        move |command: &Command| fails(command).then(|| Err(Failure { cause: cause.to_owned(), errno: None }));
    bench.fake.script(scripted::AGENT, scripted::agent(failing));
    let link = format!("{READY_BY_LOG}\nlink = {{ port = 5432, refuse = true }}");
    let soak = "[[step]]\ndo = \"soak\"\nfor = \"2s\"\nexpect.state = \"running\"";
    assert_eq!(outcome(&bench.run(&with_service(&link, soak)).await), expected);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_fails_or_dies_proves_nothing() {
    let opens = |command: &Command| matches!(command, Command::OpenLink { .. });
    check_agent(opens, "listen on port 5432: EADDRINUSE", "invalid listen on port 5432: EADDRINUSE").await;
    let gone = "invalid cannot ask the agent: it has ended";
    check_agent(opens, scripted::DIES, gone).await;
    check_agent(
        |command| matches!(command, Command::Hello),
        scripted::DIES,
        "invalid cannot ask the agent: it has ended",
    )
    .await;
    check_agent(|command| matches!(command, Command::LinkCounters { .. }), scripted::DIES, gone).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_nobody_used_proves_nothing_and_one_that_was_used_does() {
    let link = format!("{READY_BY_LOG}\nlink = {{ port = 5432, refuse = true }}");
    let nothing =
        "invalid fault 1 (the link refuses (service db)) did not take effect: no connections refused, of 0 connections";
    check_service(accepts(), &link, EXPECT, nothing).await;
    let bench = bench(accepts());
    let refuses = std::sync::atomic::AtomicU64::new(0);
    let counts = move |command: &Command| {
        let counted = || refuses.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        matches!(command, Command::LinkCounters { .. })
            .then(|| Ok(Answer::Counters(Counters { refused: counted(), ..Counters::default() })))
    };
    bench.fake.script(scripted::AGENT, scripted::agent(counts));
    assert_eq!(outcome(&bench.run(&with_service(&link, EXPECT)).await), "pass");
}

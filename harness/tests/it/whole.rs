//! The whole harness over a scripted engine: from the text of a scenario to its
//! verdict, in no time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::check::verdict::{Unproven, Verdict};
use harness::clock::Clock;
use harness::corpus::Case;
use harness::engine::fake::{Boot, Fake, Script};
use harness::engine::{Engine, Stdio};
use harness::image::Images;
use harness::judged::{Course, Judged};
use harness::plan::Plan;
use harness::run::Stage;
use harness::sandbox::{self, state::Contents};
use harness::scenario::Surroundings;
use harness::suite::Suite;
use harness::timeline::What;
use tokio::sync::{mpsc, watch};

mod life;
mod scripted;
mod services;

const HEAD: &str = "version = 1\nclaim = \"it boots\"\n";

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn says(after: u64, text: &str) -> Boot {
    Boot::new().line(ms(after), Stdio::Stdout, text)
}

/// A bench with one engine, on which `good:1` and `bad:1` do what the test says.
struct Bench {
    fake: Fake,
    folder: tempfile::TempDir,
    interrupt: watch::Sender<bool>,
}

impl Bench {
    fn new(good: Script, bad: Script) -> Self {
        let fake = Fake::new();
        fake.script("good:1", good);
        fake.script("bad:1", bad);
        Self { fake, folder: tempfile::tempdir().expect("a folder"), interrupt: watch::channel(false).0 }
    }

    async fn suite(&self) -> Suite {
        let engine: Arc<dyn Engine> = Arc::new(self.fake.clone());
        let clock = Clock::set(engine.about().await.expect("an answer").clock, Duration::ZERO);
        let contents = Contents { root: None };
        Suite {
            stage: Stage {
                engine: engine.clone(),
                clock,
                unenforced: vec!["pids_limit".to_owned()],
                contents,
                interrupt: self.interrupt.subscribe(),
                seed: 1,
                blunt: false,
            },
            images: Arc::new(Images::new(engine, None)),
            bundles: self.folder.path().join("bundles"),
            events: mpsc::unbounded_channel().0,
            accept: false,
            control_only: false,
        }
    }

    async fn run(&self, body: &str) -> Arc<Judged> {
        let file = self.folder.path().join("test.toml");
        let text = format!("{HEAD}{body}");
        let plan = Plan::resolve(&file, &text, &Surroundings::default(), &BTreeMap::new());
        let judged = self.suite().await.run_all(vec![Case { file, plan }], 1).await;
        assert_eq!(self.fake.left(), [], "something is left in the engine");
        judged.into_iter().next().expect("one scenario")
    }
}

/// Runs a scenario; says its verdict, the broken expectations of its first run,
/// and what became of its control.
async fn check(good: Script, bad: Script, body: &str, expected: &str) {
    let judged = Bench::new(good, bad).run(body).await;
    assert_eq!(outcome(&judged), expected, "{body}\n{}", harness::report::plain(&judged));
}

fn outcome(judged: &Arc<Judged>) -> String {
    let verdict = judged.verdict;
    match &judged.outcome {
        Course::BadFile(problems) => format!("{verdict}: {problems}"),
        Course::NoControl => format!("{verdict}: no control"),
        Course::Ran { main, control } => {
            let broken: Vec<&str> =
                main.findings.iter().filter(|finding| finding.breach.is_some()).map(|finding| finding.key).collect();
            let reason = main.invalid.as_ref().map(|reason| reason.title.clone());
            let control = control.as_ref().and_then(|control| control.proven.as_ref().err()).map(Unproven::to_string);
            let parts = reason.into_iter().chain(control).chain(broken.iter().map(ToString::to_string));
            parts.fold(verdict.to_string(), |text, part| format!("{text} {part}"))
        }
    }
}

const READY: &str =
    "[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n[expect]\nready_within = \"10s\"\n";

#[tokio::test(start_paused = true)]
async fn a_subject_that_becomes_ready_passes() {
    check(Script::boot(says(50, "listening")), Script::default(), READY, "pass").await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_late_fails_by_that() {
    check(Script::boot(says(10_500, "listening")), Script::default(), READY, "fail ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_subject_and_not_with_its_time() {
    let bench = Bench::new(Script::boot(Boot::new().exits(ms(40), 1)), Script::default());
    let before = tokio::time::Instant::now();
    assert_eq!(outcome(&bench.run(READY).await), "fail ready_within");
    assert!(before.elapsed() < ms(1000), "waited for {:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_restart_loop_is_one_although_nothing_was_said_of_restarts() {
    let body = READY.replace("image = \"good:1\"", "image = \"good:1\"\nrestart = \"always\"");
    check(Script::boot(Boot::new().exits(ms(40), 1)), Script::default(), &body, "fail ready_within restarts").await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_expected_is_waited_for() {
    let body = "[subject]\nimage = \"good:1\"\nrestart = \"on-failure:3\"\nready = { log = \"listening\" }\n\
                [expect]\nrestarts = 1\nboot.2.ready_within = \"5s\"";
    let heals = Script::boot(Boot::new().exits(ms(40), 3)).then(says(10, "listening"));
    check(heals, Script::default(), body, "pass").await;
    check(Script::boot(says(10, "listening")), Script::default(), body, "fail restarts ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_ends_as_soon_as_it_is_ready_fails() {
    check(Script::boot(says(10, "listening").exits(ms(200), 0)), Script::default(), READY, "fail state").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_passes_as_running_was_running_when_it_was_last_looked_at() {
    let body = "[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n[expect]\nstate = \"running\"";
    // The subject ends about when the watching does: 500 ms after it was ready.
    for end in 490..530 {
        let bench = Bench::new(Script::boot(says(10, "listening").exits(ms(end), 7)), Script::default());
        bench.fake.lag(ms(20));
        let judged = bench.run(body).await;
        let Course::Ran { main, .. } = &judged.outcome else { panic!("{}", outcome(&judged)) };
        let mut states = main.timeline.events().iter().filter_map(|event| match &event.what {
            What::State { status, .. } => Some(status.as_str()),
            _ => None,
        });
        let last = states.next_back();
        assert_eq!(judged.verdict == Verdict::Pass, last == Some("running"), "end at {end} ms: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_killed_for_memory_is_no_silent_loss() {
    check(Script::boot(says(10, "listening").exhausts_memory(ms(200))), Script::default(), READY, "fail oom state")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_logger_failure_breaks_every_scenario() {
    let boom = says(10, "Error: sonic boom is not ready yet").line(ms(50), Stdio::Stdout, "listening");
    check(Script::boot(boom), Script::default(), READY, "fail logger").await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_refused_never_passes() {
    let refused = || Script::boot(Boot::refused("exec /nope: no such file"));
    check(refused(), Script::default(), READY, "fail ready_within state").await;
    let absent = "[subject]\nimage = \"good:1\"\n[expect]\nlogs = { absent = [\"x\"] }\nexit_code = 0";
    check(refused(), Script::default(), absent, "fail exit_code state").await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_cannot_even_be_made_is_refused_too() {
    let refused = || Script::refused("the working directory 'app' is invalid");
    check(refused(), Script::default(), READY, "fail ready_within state").await;
    let body = "[subject]\nimage = \"good:1\"\n[expect]\nstate = \"refused\"";
    check(refused(), Script::default(), body, "pass").await;
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_readiness_that_never_comes_is_a_failure_whatever_else_is_claimed() {
    let body = "timeout = \"2s\"\n[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n[expect]\nlogs = { absent = [\"x\"] }";
    check(Script::boot(says(10, "starting")), Script::default(), body, "fail state").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_asked_for_only_where_it_is_expected() {
    let body = "[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n[expect]\nstop = { within = \"2s\", exit_code = 0 }";
    check(Script::boot(says(10, "listening")), Script::default(), body, "pass").await;
    check(Script::boot(says(10, "listening").ignores_stop()), Script::default(), body, "fail stop").await;

    let bench = Bench::new(Script::boot(says(10, "listening")), Script::default());
    bench.run(READY).await;
    assert!(!bench.fake.calls().iter().any(|call| call.starts_with("stop")), "{:?}", bench.fake.calls());
}

#[tokio::test(start_paused = true)]
async fn memory_is_told_from_an_exit_code() {
    let body = "[subject]\nimage = \"good:1\"\n[expect]\noom = true";
    check(Script::boot(Boot::new().exhausts_memory(ms(10))), Script::default(), body, "pass").await;
    check(Script::boot(Boot::new().exits(ms(10), 137)), Script::default(), body, "fail oom").await;
}

#[tokio::test(start_paused = true)]
async fn a_file_has_to_grow() {
    let body = "[subject]\nimage = \"good:1\"\nready = { log = \"listening\" }\n[expect]\nfiles = { \"/a.log\" = { grew = true } }";
    let writes = says(20, "listening").file(ms(10), "/a.log", b"line\n");
    check(Script::boot(writes), Script::default(), body, "pass").await;
    check(Script::boot(says(20, "listening")), Script::default(), body, "fail files").await;
}

/// A control that fails by `key` because of what matches `because`.
fn with_control(key: &str, because: &str) -> String {
    format!("{READY}[control]\nimage = \"bad:1\"\nfails = \"{key}\"\nbecause = \"{because}\"")
}

#[tokio::test(start_paused = true)]
async fn a_control_has_to_fail_for_the_reason_it_names() {
    let good = || Script::boot(says(10, "listening"));
    let dies = || Script::boot(Boot::new().line(ms(5), Stdio::Stderr, "no config").exits(ms(10), 3));
    check(good(), dies(), &with_control("ready_within", "exit 3"), "pass").await;
    check(good(), good(), &with_control("ready_within", "exit 3"), "invalid the control did not fail").await;
    let other =
        "invalid the control failed by the right expectation, but because of: exit 3, last words: stderr: no config";
    check(good(), dies(), &with_control("ready_within", "no config"), "pass").await;
    check(good(), dies(), &with_control("ready_within", "exit 4"), other).await;
    check(good(), dies(), &with_control("logger", "exit 3"), "invalid the control failed, but by ready_within").await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_the_engine_cannot_enforce_proves_nothing() {
    let body = READY.replace("[expect]", "pids_limit = 9\n[expect]");
    let expected = "invalid the engine does not enforce what the scenario asks for: it has no support for `pids_limit`";
    check(Script::boot(says(10, "listening")), Script::default(), &body, expected).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fails_proves_nothing() {
    for method in ["create", "start", "inspect", "logs"] {
        let bench = Bench::new(Script::boot(says(10, "listening")), Script::default());
        bench.fake.fail_on(method, "the disk of the engine is full");
        let judged = bench.run(READY).await;
        assert_eq!(judged.verdict, Verdict::Invalid, "{method}: {}", outcome(&judged));
        assert!(outcome(&judged).contains("the disk of the engine is full"), "{method}: {}", outcome(&judged));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_clean_up_does_not_hide_what_failed_first() {
    let bench = Bench::new(Script::boot(says(10, "listening")), Script::default());
    bench.fake.fail_on("start", "first");
    bench.fake.fail_on("remove", "second");
    let file = bench.folder.path().join("test.toml");
    let plan = Plan::resolve(&file, &format!("{HEAD}{READY}"), &Surroundings::default(), &BTreeMap::new());
    let judged = bench.suite().await.run_all(vec![Case { file, plan }], 1).await;
    assert!(outcome(&judged[0]).contains("first"), "{}", outcome(&judged[0]));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_leaves_nothing() {
    let bench = Bench::new(Script::default(), Script::default());
    let interrupt = bench.interrupt.clone();
    tokio::spawn(async move {
        tokio::time::sleep(ms(100)).await;
        interrupt.send_replace(true);
    });
    assert_eq!(outcome(&bench.run(READY).await), "invalid interrupted");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_takes_what_is_past_its_deadline_and_nothing_of_a_living_run() {
    let bench = Bench::new(Script::default(), Script::default());
    let suite = bench.suite().await;
    let now = suite.stage.clock.now();
    for (name, deadline) in [("past", now.as_second() - 1), ("living", now.as_second() + 60)] {
        let labels = [(sandbox::RUN, name.to_owned()), (sandbox::DEADLINE, deadline.to_string())];
        let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        bench.fake.create_volume(name, &labels, None).await.expect("a volume");
        bench.fake.create_network(name, &labels).await.expect("a network");
    }
    let removed = sandbox::sweep(&bench.fake, now, false).await.expect("a sweep");
    assert_eq!(removed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["network past", "volume past"]);
    sandbox::sweep(&bench.fake, now, true).await.expect("a sweep");
    assert_eq!(bench.fake.left(), []);
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_accepted_only_of_a_subject_that_holds_everything_else() {
    let check = async |contains: &str, accepted: bool| {
        let bench = Bench::new(Script::boot(says(10, "listening").exits(ms(20), 0)), Script::default());
        let file = bench.folder.path().join("test.toml");
        let expect = format!("[expect]\nexit_code = 0\nlogs = {{ contains = [\"{contains}\"], snapshot = true }}");
        std::fs::write(&file, format!("{HEAD}[subject]\nimage = \"good:1\"\n{expect}")).expect("a file");
        let suite = Suite { accept: true, ..bench.suite().await };
        let judged = suite.run_all(vec![Case::read(&file)], 1).await;
        assert_eq!(judged[0].verdict == Verdict::Pass, accepted, "{}", outcome(&judged[0]));
        assert_eq!(bench.folder.path().join("test.stdout.snap").exists(), accepted);
        let mut bundle = String::new();
        read_all(&bench.folder.path().join("bundles"), &mut bundle);
        assert_ne!(bundle.contains("there is no snapshot yet"), accepted, "the bundle says otherwise");
    };
    check("listening", true).await;
    check("something else", false).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_fails_and_the_others_still_run() {
    let bench = Bench::new(Script::boot(says(10, "listening")), Script::default());
    let case = |name: &str, body: &str| {
        let file = bench.folder.path().join(name);
        Case { plan: Plan::resolve(&file, &format!("{HEAD}{body}"), &Surroundings::default(), &BTreeMap::new()), file }
    };
    let cases = vec![case("bad.toml", "[subject]\nimge = \"good:1\""), case("good.toml", READY)];
    let judged = bench.suite().await.run_all(cases, 2).await;
    let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_reaches_no_bundle_in_any_spelling() {
    let secret = r#"s3"cr3t\t0ken"#;
    let line = format!("token is {secret}");
    let bench = Bench::new(Script::boot(says(5, &line).line(ms(9), Stdio::Stdout, "listening")), Script::default());
    let body = READY.replace("[expect]", &format!("environment = {{ DB_PASS = '{secret}' }}\n[expect]"));
    assert_eq!(outcome(&bench.run(&body).await), "fail secrets");
    let mut seen = String::new();
    read_all(bench.folder.path(), &mut seen);
    assert!(seen.contains("token is [REDACTED]"), "{seen}");
    assert!(!seen.contains("t0ken"), "a bundle holds the secret:\n{seen}");
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, text);
        } else {
            *text += &std::fs::read_to_string(&path).expect("text");
        }
    }
}

//! What every engine does, as claims that the scripted one and the real one
//! are both held to.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use harness::engine::{
    Attachment, ContainerSpec, Create, Flow, Happened, Happening, Ids, Labels, Mount, Output, Source, Start, Stdio,
    Thing,
};
use serde_json::json;
use tokio::io::AsyncWriteExt;

pub mod bench;

use bench::{Bench, Deed};

/// Runs each claim against both engines.
macro_rules! held_by_both_engines {
    ($($claim:ident),* $(,)?) => {
        mod fake {
            $(#[tokio::test(start_paused = true)]
            async fn $claim() {
                super::Bench::fake().hold(super::$claim).await;
            })*
        }
        mod real {
            $(#[tokio::test]
            async fn $claim() {
                if let Some(bench) = super::Bench::real().await {
                    bench.hold(super::$claim).await;
                }
            })*
        }
    };
}

held_by_both_engines!(
    a_life_is_told_from_start_to_removal,
    a_process_that_cannot_be_started_is_an_outcome,
    a_container_that_cannot_be_made_is_an_outcome,
    a_missing_bind_source_is_refused_or_made,
    an_exit_code_is_told_with_the_death,
    on_failure_2_makes_two_restarts,
    a_clean_exit_is_no_failure,
    a_signal_by_the_operator_ends_the_restart_policy,
    a_subject_that_ignores_the_stop_signal_is_killed,
    a_stopped_container_can_be_started_again,
    what_happened_before_is_replayed,
    each_stream_keeps_its_order,
    a_long_line_is_one_line,
    logs_begin_exactly_at_the_moment_asked_for,
    followed_logs_end_at_the_death,
    a_paused_container_does_nothing,
    a_paused_container_can_be_stopped,
    a_command_that_is_run_inside_is_an_outcome,
    what_an_attached_container_is_told_it_answers,
    an_attached_container_ends_when_nobody_speaks_to_it_any_more,
    what_is_written_after_attaching_is_read_by_stream,
    files_keep_their_owner_and_mode,
    a_volume_is_filled_through_a_container_that_never_starts,
    a_volume_of_a_size_holds_no_more,
    a_living_process_has_a_number_and_an_address,
    a_network_is_joined_and_left,
    a_network_in_use_is_an_error_to_remove,
    what_is_labelled_is_found_and_removed,
    what_is_missing_is_no_error_to_remove,
    a_volume_in_use_is_an_error_to_remove,
    a_missing_container_is_an_error_to_everything_else,
);

/// The claims whose bytes go both ways, or for as long as a container lives: what a
/// connection over the network could do otherwise.
pub const FAR: [(&str, Claim); 6] = [
    ("told and answering", |bench| what_an_attached_container_is_told_it_answers(bench).boxed()),
    ("left alone", |bench| an_attached_container_ends_when_nobody_speaks_to_it_any_more(bench).boxed()),
    ("run inside", |bench| a_command_that_is_run_inside_is_an_outcome(bench).boxed()),
    ("files", |bench| files_keep_their_owner_and_mode(bench).boxed()),
    ("followed", |bench| followed_logs_end_at_the_death(bench).boxed()),
    ("a life", |bench| a_life_is_told_from_start_to_removal(bench).boxed()),
];

/// A claim, to be held on some bench.
pub type Claim = fn(Bench) -> BoxFuture<'static, ()>;

/// Takes from a flow until the wanted item has come; fails when it takes too long.
async fn take_until<T>(flow: &mut Flow<T>, mut wanted: impl FnMut(&T) -> bool) -> Vec<T> {
    let mut taken = Vec::new();
    let all = async {
        while let Some(item) = flow.next().await {
            taken.push(item.unwrap());
            if taken.last().is_some_and(&mut wanted) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("the flow gave no such item in time");
    taken
}

/// A flow's items up to its end.
async fn all<T>(mut flow: Flow<T>) -> Vec<T> {
    take_until(&mut flow, |_| false).await
}

impl Bench {
    /// What happened to a container until it had died so often for the last
    /// time: nothing more happens in a while that is longer than any wait
    /// before a restart here.
    async fn until_last_death(&self, id: &str, deaths: usize) -> Vec<Happened> {
        let mut flow = self.engine.happenings(id, self.began);
        let told = take_until(&mut flow, last_of(deaths)).await;
        let more = tokio::time::timeout(Duration::from_secs(1), flow.next()).await;
        assert!(more.is_err(), "{more:?} after {told:?}");
        told.into_iter().map(|item| item.what).collect()
    }

    /// What happened to a container until it had died so often.
    async fn until_deaths(&self, id: &str, deaths: usize) -> Vec<Happened> {
        let mut flow = self.engine.happenings(id, self.began);
        take_until(&mut flow, last_of(deaths)).await.into_iter().map(|item| item.what).collect()
    }
}

async fn a_life_is_told_from_start_to_removal(bench: Bench) {
    let id = bench.create("life", Deed::Runs, json!({})).await;
    let mut happenings = bench.engine.happenings(&id, bench.began);
    assert_eq!(bench.engine.inspect(&id).await.unwrap().status, "created");
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    let mut logs = bench.engine.logs(&id, None, true);
    let lines = take_until(&mut logs, |line| line.text == "up").await;
    assert_eq!((lines.len(), lines[0].stream), (1, Stdio::Stdout));
    assert_eq!(bench.engine.inspect(&id).await.unwrap().status, "running");

    bench.engine.stop(&id, None).await.unwrap();
    let seen = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.restart_count), ("exited", 0));
    assert_eq!(seen.raw["Name"].as_str().map(|name| name.starts_with('/')), Some(true));
    bench.engine.remove(&Thing::Container(id)).await.unwrap();

    // The flow of a container that is gone comes to an end.
    let told = take_until(&mut happenings, |_| false).await;
    let what: Vec<&Happened> = told.iter().map(|happening| &happening.what).collect();
    assert_eq!(what, [&Happened::Started, &Happened::Signalled(15), &Happened::Died(0)]);
    assert!(told.is_sorted_by_key(|happening| happening.at), "{told:?}");
    // One clock measures both. A start is told only after the process runs, so
    // that its first lines can be older than it.
    assert!(bench.began <= lines[0].at && lines[0].at <= told[1].at, "{told:?} {lines:?}");
}

async fn a_process_that_cannot_be_started_is_an_outcome(bench: Bench) {
    let id = bench.create("missing", Deed::CannotStart, json!({ "restart": "always" })).await;
    let Start::Refused(words) = bench.engine.start(&id).await.unwrap() else { panic!("it was started") };
    assert!(words.contains("no such file or directory"), "{words}");
    assert_eq!(bench.engine.inspect(&id).await.unwrap().status, "created");
    bench.engine.stop(&id, None).await.unwrap();
}

async fn a_container_that_cannot_be_made_is_an_outcome(bench: Bench) {
    let spec = bench.spec_of("unmade", Deed::CannotBeMade, json!({}));
    let Create::Refused(words) = bench.engine.create(&spec).await.unwrap() else { panic!("it was made") };
    assert_eq!(words, bench::NO_DIRECTORY);
    // To the harness, a helper of its own that is refused is an error.
    let error = Create::Refused(words.clone()).made("demo").unwrap_err().to_string();
    assert_eq!(error, format!("cannot create the container demo: {words}"));
}

async fn a_missing_bind_source_is_refused_or_made(bench: Bench) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").display().to_string();
    let spec = |name: &str, source: Source| ContainerSpec {
        mounts: vec![mount_of(source, "/data")],
        ..bench.spec_of(name, Deed::Runs, json!({}))
    };
    let Create::Refused(words) = bench.engine.create(&spec("bind", Source::Bind(path.clone()))).await.unwrap() else {
        panic!("it was made")
    };
    assert!(words.contains(&format!("bind source path does not exist: {path}")), "{words}");

    let id = bench.make(&spec("creating", Source::BindCreating(path.clone()))).await;
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    assert_eq!(bench.engine.stat(&id, "/data").await.unwrap().map(|stat| stat.directory), Some(true));
    // Now that it is there, it can be bound in either way.
    bench.make(&spec("again", Source::Bind(path))).await;
}

async fn an_exit_code_is_told_with_the_death(bench: Bench) {
    let id = bench.start("code", Deed::Exits(3), json!({})).await;
    assert_eq!(bench.until_deaths(&id, 1).await, [Happened::Started, Happened::Died(3)]);
}

async fn on_failure_2_makes_two_restarts(bench: Bench) {
    let id = bench.start("restarts", Deed::Exits(1), json!({ "restart": "on-failure:2" })).await;
    let life = [Happened::Started, Happened::Died(1)];
    assert_eq!(bench.until_last_death(&id, 3).await, [life.clone(), life.clone(), life].concat());
    // Each boot's lines lie between the death before it and its own.
    let told = take_until(&mut bench.engine.happenings(&id, bench.began), last_of(3)).await;
    let deaths: Vec<_> = told.iter().filter(|it| it.what == Happened::Died(1)).map(|it| it.at).collect();
    let lines: Vec<_> = all(bench.engine.logs(&id, None, false)).await.iter().map(|line| line.at).collect();
    let moments = [lines[0], deaths[0], lines[1], deaths[1], lines[2], deaths[2]];
    assert!(moments.is_sorted(), "{lines:?} {deaths:?}");
    let seen = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.restart_count), ("exited", 2));
}

/// Whether this happening is the last of so many deaths.
fn last_of(deaths: usize) -> impl FnMut(&Happening) -> bool {
    let mut left = deaths;
    move |happening| {
        left -= usize::from(matches!(happening.what, Happened::Died(_)));
        left == 0
    }
}

async fn a_clean_exit_is_no_failure(bench: Bench) {
    let id = bench.start("clean", Deed::Exits(0), json!({ "restart": "on-failure" })).await;
    assert_eq!(bench.until_last_death(&id, 1).await, [Happened::Started, Happened::Died(0)]);
    assert_eq!(bench.engine.inspect(&id).await.unwrap().restart_count, 0);
}

async fn a_signal_by_the_operator_ends_the_restart_policy(bench: Bench) {
    let id = bench.start("operator", Deed::Runs, json!({ "restart": "always" })).await;
    take_until(&mut bench.engine.logs(&id, None, true), |line| line.text == "up").await;
    bench.engine.kill(&id, "SIGKILL").await.unwrap();
    let told = bench.until_last_death(&id, 1).await;
    assert_eq!(told, [Happened::Started, Happened::Signalled(9), Happened::Died(137)]);
    let seen = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.restart_count), ("exited", 0));
    // What is dead already cannot be killed, and that is no error.
    bench.engine.kill(&id, "SIGTERM").await.unwrap();
}

async fn a_subject_that_ignores_the_stop_signal_is_killed(bench: Bench) {
    let id = bench.start("deaf", Deed::IgnoresStop, json!({})).await;
    take_until(&mut bench.engine.logs(&id, None, true), |line| line.text == "up").await;
    let before = bench.now().await;
    bench.engine.stop(&id, Some(Duration::from_secs(1))).await.unwrap();
    assert!(bench.now().await.duration_since(before).as_millis() >= 950, "the grace was cut short");
    let told = bench.until_deaths(&id, 1).await;
    let expected = [Happened::Started, Happened::Signalled(15), Happened::Signalled(9), Happened::Died(137)];
    assert_eq!(told, expected);
}

async fn a_stopped_container_can_be_started_again(bench: Bench) {
    let id = bench.start("again", Deed::Exits(0), json!({})).await;
    bench.until_deaths(&id, 1).await;
    bench.engine.stop(&id, None).await.unwrap();
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    let life = [Happened::Started, Happened::Died(0)];
    assert_eq!(bench.until_deaths(&id, 2).await, [life.clone(), life].concat());
}

async fn what_happened_before_is_replayed(bench: Bench) {
    let id = bench.start("replay", Deed::Exits(7), json!({})).await;
    bench.until_deaths(&id, 1).await;
    let mut late = bench.engine.happenings(&id, bench.began);
    let told = take_until(&mut late, |happening| happening.what == Happened::Died(7)).await;
    // A moment that lies after the start leaves it out.
    let after = told[0].at.checked_add(Duration::from_nanos(1)).unwrap();
    let mut later = bench.engine.happenings(&id, after);
    let told = take_until(&mut later, |happening| happening.what == Happened::Died(7)).await;
    assert_eq!(told.len(), 1, "{told:?}");
}

async fn each_stream_keeps_its_order(bench: Bench) {
    let id = bench.start("streams", Deed::CountsOnBothStreams, json!({})).await;
    bench.until_deaths(&id, 1).await;
    let lines = all(bench.engine.logs(&id, None, false)).await;
    for stream in [Stdio::Stdout, Stdio::Stderr] {
        let of_stream: Vec<&str> =
            lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect();
        assert_eq!(of_stream, ["1", "2", "3", "4", "5", "6", "7", "8", "9"], "{stream}");
    }
}

async fn a_long_line_is_one_line(bench: Bench) {
    let id = bench.start("long", Deed::LongLine, json!({})).await;
    bench.until_deaths(&id, 1).await;
    let lines = all(bench.engine.logs(&id, None, false)).await;
    let seen: Vec<(usize, bool)> =
        lines.iter().map(|line| (line.text.len(), line.text.chars().all(|c| c == 'x'))).collect();
    assert_eq!(seen, [(bench::LONG, true)]);
}

async fn logs_begin_exactly_at_the_moment_asked_for(bench: Bench) {
    let id = bench.start("since", Deed::CountsOnBothStreams, json!({})).await;
    bench.until_deaths(&id, 1).await;
    let mut times: Vec<_> = all(bench.engine.logs(&id, None, false)).await.iter().map(|line| line.at).collect();
    times.sort();
    for since in [times[0], times[9], times[17]] {
        let expected = times.iter().filter(|at| **at >= since).count();
        let seen = all(bench.engine.logs(&id, Some(since), false)).await.len();
        assert_eq!(seen, expected, "since {since} of {times:?}");
    }
}

async fn followed_logs_end_at_the_death(bench: Bench) {
    let id = bench.start("follow", Deed::Exits(0), json!({})).await;
    let lines = all(bench.engine.logs(&id, None, true)).await;
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["up"]);
}

fn mount_of(source: Source, target: &str) -> Mount {
    Mount { source, target: target.to_owned(), read_only: false, no_copy: false }
}

async fn a_paused_container_does_nothing(bench: Bench) {
    let id = bench.start("paused", Deed::Ticks, json!({})).await;
    take_until(&mut bench.engine.logs(&id, None, true), |line| line.text == "2").await;
    bench.engine.pause(&id).await.unwrap();
    let seen = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.pid.is_some()), ("paused", true));
    let before = all(bench.engine.logs(&id, None, false)).await.len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(all(bench.engine.logs(&id, None, false)).await.len(), before, "it went on");
    let error = bench.engine.exec(&id, &inside()).await.unwrap_err().to_string();
    assert!(error.contains("is paused, unpause the container before exec"), "{error}");
    bench.engine.pause(&id).await.unwrap_err();

    bench.engine.unpause(&id).await.unwrap();
    assert_eq!(bench.engine.inspect(&id).await.unwrap().status, "running");
    let next = (before + 1).to_string();
    take_until(&mut bench.engine.logs(&id, None, true), |line| line.text == next).await;
    bench.engine.unpause(&id).await.unwrap_err();
}

async fn a_paused_container_can_be_stopped(bench: Bench) {
    let id = bench.start("frozen", Deed::Runs, json!({})).await;
    take_until(&mut bench.engine.logs(&id, None, true), |line| line.text == "up").await;
    bench.engine.pause(&id).await.unwrap();
    bench.engine.stop(&id, None).await.unwrap();
    assert_eq!(bench.until_deaths(&id, 1).await, [Happened::Started, Happened::Signalled(15), Happened::Died(0)]);
}

fn inside() -> Vec<String> {
    bench::INSIDE.map(str::to_owned).to_vec()
}

async fn a_command_that_is_run_inside_is_an_outcome(bench: Bench) {
    let id = bench.create("inside", Deed::Runs, json!({})).await;
    let error = bench.engine.exec(&id, &inside()).await.unwrap_err().to_string();
    assert!(error.contains("is not running"), "{error}");
    bench.engine.start(&id).await.unwrap();
    let seen = bench.engine.exec(&id, &inside()).await.unwrap();
    let mut lines: Vec<&str> = seen.output.lines().collect();
    lines.sort_unstable();
    assert_eq!((seen.code, lines), (3, vec!["err", "out"]));
    let seen = bench.engine.exec(&id, &["/missing".to_owned()]).await.unwrap();
    assert!(matches!(seen.code, 126 | 127) && seen.output.contains("/missing"), "{seen:?}");
}

/// What is read from a hold until so much has been written, by stream.
async fn read(output: &mut Flow<Output>, length: usize) -> (String, String) {
    let mut read = 0;
    let pieces = take_until(output, |piece| {
        read += piece.bytes.len();
        read >= length
    })
    .await;
    let of = |stream| {
        let bytes: Vec<u8> = pieces.iter().filter(|it| it.stream == stream).flat_map(|it| it.bytes.to_vec()).collect();
        String::from_utf8(bytes).unwrap()
    };
    (of(Stdio::Stdout), of(Stdio::Stderr))
}

async fn what_an_attached_container_is_told_it_answers(bench: Bench) {
    let spec = ContainerSpec { attended: true, unlogged: true, ..bench.spec_of("echo", Deed::Echoes, json!({})) };
    let id = bench.make(&spec).await;
    let mut held = bench.engine.attach(&id).await.unwrap();
    bench.engine.start(&id).await.unwrap();
    for said in ["one\n", "two\n", "no newline"] {
        held.input.write_all(said.as_bytes()).await.unwrap();
        held.input.flush().await.unwrap();
        assert_eq!(read(&mut held.output, said.len()).await, (said.to_owned(), String::new()));
    }
    // More than any buffer on the way.
    let much = "x".repeat(1 << 20);
    let (written, (back, _)) = tokio::join!(held.input.write_all(much.as_bytes()), read(&mut held.output, much.len()));
    written.unwrap();
    assert!(back == much, "{} of {} bytes came back", back.len(), much.len());
    held.input.shutdown().await.unwrap();
    assert_eq!(bench.until_deaths(&id, 1).await, [Happened::Started, Happened::Died(0)]);
    assert!(all(held.output).await.is_empty());
}

async fn an_attached_container_ends_when_nobody_speaks_to_it_any_more(bench: Bench) {
    let spec = ContainerSpec { attended: true, ..bench.spec_of("left", Deed::Echoes, json!({})) };
    let id = bench.make(&spec).await;
    let held = bench.engine.attach(&id).await.unwrap();
    bench.engine.start(&id).await.unwrap();
    drop(held);
    assert_eq!(bench.until_deaths(&id, 1).await, [Happened::Started, Happened::Died(0)]);
}

async fn what_is_written_after_attaching_is_read_by_stream(bench: Bench) {
    let id = bench.create("both", Deed::CountsOnBothStreams, json!({})).await;
    let mut held = bench.engine.attach(&id).await.unwrap();
    bench.engine.start(&id).await.unwrap();
    let (out, err) = read(&mut held.output, usize::MAX).await;
    let expected = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    assert_eq!((out.as_str(), err.as_str()), (expected, expected));
}

fn archive_of(path: &str, content: &[u8], owner: (u64, u64), mode: u32) -> Bytes {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_uid(owner.0);
    header.set_gid(owner.1);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content).unwrap();
    archive.into_inner().unwrap().into()
}

/// Path, owner, group, mode and content of each file in an archive.
fn files_of(archive: &[u8]) -> Vec<(String, u64, u64, u32, String)> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut content = String::new();
        std::io::Read::read_to_string(&mut entry, &mut content).unwrap();
        let (path, header) = (entry.path().unwrap().display().to_string(), entry.header());
        let (uid, gid, mode) = (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap() & 0o7777);
        files.push((path, uid, gid, mode, content));
    }
    files
}

async fn files_keep_their_owner_and_mode(bench: Bench) {
    let id = bench.create("files", Deed::Runs, json!({})).await;
    let archive = archive_of("demo/state.db", b"rows", (1000, 100), 0o640);
    bench.engine.put(&id, "/", archive).await.unwrap();

    let file = bench.engine.stat(&id, "/demo/state.db").await.unwrap().unwrap();
    assert_eq!((file.size, file.directory, file.mode), (4, false, 0o640));
    assert_eq!(bench.engine.stat(&id, "/demo").await.unwrap().map(|stat| stat.directory), Some(true));
    assert_eq!(bench.engine.stat(&id, "/nothing").await.unwrap(), None);
    assert_eq!(bench.engine.owner(&id, "/demo/state.db").await.unwrap(), Some(Ids { uid: 1000, gid: 100 }));
    assert_eq!(bench.engine.owner(&id, "/nothing").await.unwrap(), None);

    let expected = |path: &str| vec![(path.to_owned(), 1000, 100, 0o640, "rows".to_owned())];
    assert_eq!(files_of(&bench.engine.get(&id, "/demo/state.db").await.unwrap()), expected("state.db"));
    assert_eq!(files_of(&bench.engine.get(&id, "/demo").await.unwrap()), expected("demo/state.db"));

    let error = bench.engine.get(&id, "/nothing").await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read /nothing in the container"), "{error}");
    let error = bench.engine.put(&id, "/nothing", Bytes::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot put files below /nothing in the container"), "{error}");
}

async fn a_volume_is_filled_through_a_container_that_never_starts(bench: Bench) {
    let volume = bench.name("state");
    bench.engine.create_volume(&volume, &bench.labels(), None).await.unwrap();
    let mount = |target: &str| mount_of(Source::Volume(volume.clone()), target);

    let filler = bench.create_with("filler", Deed::Runs, json!({}), vec![mount("/fill")]).await;
    let archive = archive_of("app.db", b"rows", (7, 8), 0o600);
    bench.engine.put(&filler, "/fill", archive).await.unwrap();
    bench.engine.remove(&Thing::Container(filler)).await.unwrap();

    let reader = bench.create_with("reader", Deed::Runs, json!({}), vec![mount("/data")]).await;
    let read = files_of(&bench.engine.get(&reader, "/data").await.unwrap());
    assert_eq!(read, [("data/app.db".to_owned(), 7, 8, 0o600, "rows".to_owned())]);
}

async fn a_volume_of_a_size_holds_no_more(bench: Bench) {
    let volume = bench.name("sized");
    bench.engine.create_volume(&volume, &bench.labels(), Some(1 << 20)).await.unwrap();
    let mounts = vec![mount_of(Source::Volume(volume), "/data")];
    let id = bench.create_with("filler", Deed::Runs, json!({}), mounts).await;
    bench.engine.start(&id).await.unwrap();
    let fits = archive_of("small", &[0; 1 << 19], (0, 0), 0o600);
    bench.engine.put(&id, "/data", fits).await.unwrap();
    let too_much = archive_of("large", &[0; 1 << 20], (0, 0), 0o600);
    let error = bench.engine.put(&id, "/data", too_much).await.unwrap_err().to_string();
    assert!(error.contains("no space left on device"), "{error}");
}

async fn a_living_process_has_a_number_and_an_address(bench: Bench) {
    let id = bench.create("number", Deed::Runs, json!({})).await;
    let dead = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((dead.pid, dead.addresses.len(), dead.health), (None, 0, None));
    bench.engine.start(&id).await.unwrap();
    let alive = bench.engine.inspect(&id).await.unwrap();
    assert!(alive.pid.is_some_and(|pid| pid > 1), "{:?}", alive.pid);
    assert_eq!(alive.addresses.keys().collect::<Vec<_>>(), ["bridge"]);
    bench.engine.stop(&id, None).await.unwrap();
    let dead = bench.engine.inspect(&id).await.unwrap();
    assert_eq!((dead.pid, dead.addresses.len()), (None, 0));

    let alone = ContainerSpec { no_network: true, ..bench.spec_of("alone", Deed::Runs, json!({})) };
    let id = bench.make(&alone).await;
    bench.engine.start(&id).await.unwrap();
    assert_eq!(bench.engine.inspect(&id).await.unwrap().addresses.len(), 0);
}

async fn a_network_is_joined_and_left(bench: Bench) {
    let (first, second) = (bench.name("first"), bench.name("second"));
    for network in [&first, &second] {
        bench.engine.create_network(network, &bench.labels()).await.unwrap();
    }
    let at = |network: &String, alias: &str| Attachment { network: network.clone(), aliases: vec![alias.to_owned()] };
    let networks = vec![at(&first, "db"), at(&second, "db")];
    let id = bench.make(&ContainerSpec { networks, ..bench.spec_of("both", Deed::Runs, json!({})) }).await;
    let addresses = async || {
        let seen = bench.engine.inspect(&id).await.unwrap().addresses;
        seen.into_keys().collect::<Vec<_>>()
    };
    bench.engine.start(&id).await.unwrap();
    assert_eq!(addresses().await, [first.clone(), second.clone()]);
    bench.engine.disconnect(&first, &id).await.unwrap();
    assert_eq!(addresses().await, [second.as_str()]);
    let error = bench.engine.disconnect(&first, &id).await.unwrap_err().to_string();
    assert!(error.contains("is not connected to"), "{error}");
    bench.engine.connect(&first, &id, &["db".to_owned()]).await.unwrap();
    assert_eq!(addresses().await, [first.clone(), second]);
    let error = bench.engine.connect(&first, &id, &[]).await.unwrap_err().to_string();
    assert!(error.contains("already exists in network"), "{error}");
    let error = bench.engine.connect(&bench.name("third"), &id, &[]).await.unwrap_err().to_string();
    assert!(error.contains("not found"), "{error}");
}

async fn a_network_in_use_is_an_error_to_remove(bench: Bench) {
    let network = bench.name("used");
    bench.engine.create_network(&network, &bench.labels()).await.unwrap();
    let networks = vec![Attachment { network: network.clone(), aliases: Vec::new() }];
    let id = bench.make(&ContainerSpec { networks, ..bench.spec_of("user", Deed::Runs, json!({})) }).await;
    bench.engine.start(&id).await.unwrap();
    let error = bench.engine.remove(&Thing::Network(network.clone())).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot remove the network {network}: ")), "{error}");
    assert!(error.contains("has active endpoints"), "{error}");
}

async fn what_is_labelled_is_found_and_removed(bench: Bench) {
    let volume = bench.name("kept");
    let network = bench.name("net");
    bench.engine.create_network(&network, &bench.labels()).await.unwrap();
    bench.engine.create_volume(&volume, &bench.labels(), None).await.unwrap();
    bench.start("runs", Deed::Runs, json!({})).await;
    bench.create("waits", Deed::Runs, json!({})).await;
    let mut found = bench.engine.labelled(&bench.label()).await.unwrap();
    found.sort_by(|a, b| a.thing.cmp(&b.thing));
    let things: Vec<Thing> = found.iter().map(|owned| owned.thing.clone()).collect();
    let container = |name| Thing::Container(bench.name(name));
    assert_eq!(things, [container("runs"), container("waits"), Thing::Network(network), Thing::Volume(volume)]);
    // A container has its image's labels too.
    let has_ours = |labels: &Labels| bench.labels().iter().all(|(name, value)| labels.get(name) == Some(value));
    assert!(found.iter().all(|owned| has_ours(&owned.labels)), "{found:?}");

    for thing in &things {
        bench.engine.remove(thing).await.unwrap();
    }
    assert_eq!(bench.engine.labelled(&bench.label()).await.unwrap(), []);
}

async fn what_is_missing_is_no_error_to_remove(bench: Bench) {
    let name = bench.name("missing");
    for thing in [
        Thing::Container(name.clone()),
        Thing::Volume(name.clone()),
        Thing::Network(name.clone()),
        Thing::Image(format!("{name}:1")),
    ] {
        bench.engine.remove(&thing).await.unwrap();
    }
}

async fn a_volume_in_use_is_an_error_to_remove(bench: Bench) {
    let volume = bench.name("used");
    bench.engine.create_volume(&volume, &bench.labels(), None).await.unwrap();
    let mount = mount_of(Source::Volume(volume.clone()), "/data");
    bench.create_with("user", Deed::Runs, json!({}), vec![mount]).await;
    let error = bench.engine.remove(&Thing::Volume(volume.clone())).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot remove the volume {volume}: ")), "{error}");
    assert!(error.contains("volume is in use"), "{error}");
}

async fn a_missing_container_is_an_error_to_everything_else(bench: Bench) {
    let (engine, id) = (&bench.engine, bench.name("nobody"));
    let errors = [
        ("start", engine.start(&id).map(Result::err).await),
        ("stop", engine.stop(&id, None).map(Result::err).await),
        ("kill", engine.kill(&id, "SIGTERM").map(Result::err).await),
        ("pause", engine.pause(&id).map(Result::err).await),
        ("unpause", engine.unpause(&id).map(Result::err).await),
        ("exec", engine.exec(&id, &inside()).map(Result::err).await),
        ("attach", engine.attach(&id).map(Result::err).await),
        ("inspect", engine.inspect(&id).map(Result::err).await),
        ("stat", engine.stat(&id, "/").map(Result::err).await),
        ("owner", engine.owner(&id, "/").map(Result::err).await),
        ("get", engine.get(&id, "/").map(Result::err).await),
        ("put", engine.put(&id, "/", Bytes::new()).map(Result::err).await),
        ("logs", engine.logs(&id, None, false).next().await.and_then(Result::err)),
    ];
    for (act, error) in errors {
        let words = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(words.starts_with("cannot ") && words.contains(&format!("No such container: {id}")), "{act}: {words}");
    }
}

/// An image whose program is asked to exit with 3 does so, and says something.
pub async fn exits_with_3(bench: Bench, image: String) {
    let runtime = json!({ "environment": { "MISBEHAVE": "exit", "CODE": "3" } });
    let id = bench.create_of(&image, "image", runtime).await;
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    assert_eq!(bench.until_deaths(&id, 1).await, [Happened::Started, Happened::Died(3)]);
    assert!(!all(bench.engine.logs(&id, None, false)).await.is_empty());
}

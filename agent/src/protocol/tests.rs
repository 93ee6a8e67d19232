//! Every word survives the way, and is spelt as the other side expects it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::*;

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(said: &T, written: Value) {
    assert_eq!(serde_json::to_value(said).unwrap(), written);
    assert_eq!(serde_json::from_value::<T>(written).unwrap(), *said);
}

fn container() -> Place {
    Place::Container { pid: 12, path: "/data".into() }
}

#[test]
fn a_request_is_flat_and_named_by_what_it_does() {
    check(&Request { id: 1, command: Command::Hello }, json!({ "id": 1, "do": "hello" }));
    check(
        &Request { id: u64::MAX, command: Command::Chmod { place: container(), mode: 0o600, recursive: true } },
        json!({ "id": u64::MAX, "do": "chmod", "place": { "pid": 12, "path": "/data" }, "mode": 384, "recursive": true }),
    );
    check(&Command::ThrottleCpu { pid: 12, cpus: 0.05 }, json!({ "do": "throttle_cpu", "pid": 12, "cpus": 0.05 }));
    check(
        &Command::BreakDns { pid: 12, how: DnsFault::Nxdomain },
        json!({ "do": "break_dns", "pid": 12, "how": "nxdomain" }),
    );
    check(
        &Command::Dial { pid: None, host: "db".into(), port: 5432, timeout_ms: 100, channel: 3 },
        json!({ "do": "dial", "pid": null, "host": "db", "port": 5432, "timeout_ms": 100, "channel": 3 }),
    );
}

#[test]
fn a_place_is_in_a_container_or_in_a_volume() {
    check(&container(), json!({ "pid": 12, "path": "/data" }));
    check(
        &Place::Volume { volume: "state".into(), path: "hub.db".into() },
        json!({ "volume": "state", "path": "hub.db" }),
    );
}

#[test]
fn content_is_carried_byte_for_byte() {
    check(&Content(vec![0, 255, b'\n']), json!("AP8K"));
    check(&Content::default(), json!(""));
    let every: Vec<u8> = (0..=255).collect();
    let written = serde_json::to_string(&Content(every.clone())).unwrap();
    assert_eq!(serde_json::from_str::<Content>(&written).unwrap().0, every);
}

#[test]
fn replies_and_notices_are_told_apart() {
    check(
        &Message::Reply { id: 3, result: Ok(Answer::Done) },
        json!({ "reply": { "id": 3, "result": { "Ok": "done" } } }),
    );
    check(
        &Message::Reply { id: 3, result: Err(Failure { cause: "no".into(), errno: Some(30) }) },
        json!({ "reply": { "id": 3, "result": { "Err": { "cause": "no", "errno": 30 } } } }),
    );
    check(&Message::Notice { watch: 9, change: Change::Gone }, json!({ "notice": { "watch": 9, "change": "gone" } }));
}

#[test]
fn every_answer_survives_the_way() {
    let seen = Seen {
        exists: true,
        kind: Kind::File,
        dev: 1,
        inode: 2,
        born: Some(4),
        links: 1,
        size: 3,
        mode: 0o644,
        uid: 1000,
        gid: 1000,
        sha256: None,
        text: Some("abc".into()),
        entries: Some(vec![Entry { name: "a".into(), inode: 5, born: None }]),
        read: Ok(()),
        write: Err("EROFS".into()),
    };
    let entry = TreeEntry {
        path: "a".into(),
        kind: Kind::Symlink,
        mode: 0o777,
        uid: 0,
        gid: 0,
        size: 0,
        sha256: None,
        target: Some("b".into()),
    };
    let process = Process {
        pid: 300,
        ns_pid: 1,
        ppid: 0,
        state: 'S',
        command: "sleep inf".into(),
        threads: 1,
        blocked: 0,
        ignored: u64::MAX,
        descriptors: 3,
        descriptors_left: Some(1021),
    };
    let setting = Setting { controller: "cpu".into(), file: "cpu.cfs_quota_us".into(), value: "-1".into() };
    for answer in [
        Answer::Done,
        Answer::Hello { version: "0.1.0".into() },
        Answer::Count(3),
        Answer::Seen(Box::new(seen)),
        Answer::Tried(Ok(())),
        Answer::Tried(Err("ENOSPC".into())),
        Answer::Took(250_000),
        Answer::Content { content: "abc".into(), size: 3 },
        Answer::Tree(vec![entry]),
        Answer::Space(Space { free: 1, total: u64::MAX, inodes_free: 0 }),
        Answer::Processes(vec![process]),
        Answer::OpenFiles(OpenFiles { limit: 1024, count: 3 }),
        Answer::FileLimits(vec![FileLimit { pid: 300, soft: 1024, hard: u64::MAX }]),
        Answer::Usage(Box::new(Usage { cpu_ns: Some(1), ..Usage::default() })),
        Answer::Settings(Settings(vec![setting])),
        Answer::Addresses(vec!["172.17.0.2".into()]),
        Answer::Listeners(vec![Listener { port: 80, address: "0.0.0.0".into() }]),
        Answer::Port(5432),
        Answer::Counters(Counters { accepted: 1, ..Counters::default() }),
        Answer::Watching { exists: true },
    ] {
        let written = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&written).unwrap(), answer, "{written}");
    }
}

#[test]
fn a_condition_says_only_what_differs_from_passing() {
    let slow: Condition = serde_json::from_value(json!({ "latency_ms": 40 })).unwrap();
    assert_eq!(slow, Condition { latency_ms: 40, ..Condition::default() });
    assert!(serde_json::from_value::<Condition>(json!({ "latency": 40 })).is_err());
}

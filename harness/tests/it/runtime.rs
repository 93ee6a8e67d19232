//! Every runtime option takes effect: a shell in the container looks for itself.

use futures_util::TryStreamExt;
use harness::engine::{Happened, LogLine, Start};
use rstest::rstest;
use serde_json::{Value, json};

use crate::engine::bench::Bench;

/// Runs a shell command in a container with these options; what it says is compared.
#[rstest]
#[case::cap_add(json!({ "cap_add": ["SYS_TIME"] }), "grep CapBnd /proc/self/status", "CapBnd:\t00000000aa0425fb")]
#[case::cap_drop(json!({ "cap_drop": ["ALL"] }), "grep CapBnd /proc/self/status", "CapBnd:\t0000000000000000")]
#[case::environment(json!({ "environment": { "ODD": "a%b$c\"d 'e" } }), "printenv ODD", "a%b$c\"d 'e")]
#[case::group_add(json!({ "user": "1000:1000", "group_add": ["4711"] }), "id -G", "1000 4711")]
#[case::hostname(json!({ "hostname": "nas" }), "hostname", "nas")]
#[case::init(json!({ "init": true }), "cat /proc/1/comm", "docker-init")]
#[case::read_only(json!({ "read_only": true }), "touch /x 2>&1", "touch: cannot touch '/x': Read-only file system")]
#[case::security_opt(json!({ "security_opt": ["no-new-privileges:true"] }), "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1")]
#[case::shm_size(json!({ "shm_size": "8m" }), "df --output=size -k /dev/shm | tail -1", "8192")]
#[case::tmpfs(json!({ "read_only": true, "tmpfs": ["/run:size=2m"] }), "df --output=fstype,size -k /run | tail -1 | tr -s ' '", "tmpfs 2048")]
#[case::tty(json!({ "tty": true }), "tty", "/dev/pts/0")]
#[case::user(json!({ "user": "1000:100" }), "id -u; id -g", "1000 100")]
#[case::working_dir(json!({ "working_dir": "/tmp" }), "pwd", "/tmp")]
#[case::cpus(json!({ "cpus": 0.25 }), CPU_LIMIT, "25")]
#[case::mem_limit(json!({ "mem_limit": "64m" }), MEMORY_LIMIT, "67108864")]
#[case::pids_limit(json!({ "pids_limit": 42 }), PIDS_LIMIT, "42")]
#[tokio::test]
async fn an_option_is_seen_from_inside(#[case] option: Value, #[case] command: &'static str, #[case] expected: &str) {
    let Some(bench) = Bench::real().await else { return };
    let expected = expected.to_owned();
    bench
        .hold(async move |bench: Bench| assert_eq!(says(&bench, option.clone(), command).await, expected, "{option}"))
        .await;
}

/// Percent of a processor, from control groups of either version.
const CPU_LIMIT: &str = "if [ -f /sys/fs/cgroup/cpu.max ]; then read quota period </sys/fs/cgroup/cpu.max; \
    else read quota </sys/fs/cgroup/cpu/cpu.cfs_quota_us; read period </sys/fs/cgroup/cpu/cpu.cfs_period_us; fi; \
    echo $((quota * 100 / period))";
const MEMORY_LIMIT: &str =
    "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes";
const PIDS_LIMIT: &str = "cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max";

/// What a shell says in a container with these options, its lines joined by blanks.
async fn says(bench: &Bench, mut runtime: Value, command: &str) -> String {
    runtime["entrypoint"] = json!(["/bin/sh", "-c", command]);
    let id = bench.create_of("debian:trixie", "option", runtime).await;
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    let mut happenings = bench.engine.happenings(&id, bench.began);
    while let Some(happening) = happenings.try_next().await.unwrap() {
        if matches!(happening.what, Happened::Died(_)) {
            break;
        }
    }
    let lines: Vec<LogLine> = bench.engine.logs(&id, None, false).try_collect().await.unwrap();
    lines.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(" ")
}

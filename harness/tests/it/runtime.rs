//! Every runtime option takes effect: a shell in the container looks for itself.

use futures_util::TryStreamExt;
use harness::engine::{Create, Error, Happened, LogLine, Start, Thing};
use harness::sandbox;
use harness::scenario::runtime::Runtime;
use rstest::rstest;
use serde_json::{Value, json};

use crate::engine::bench::Bench;

/// Runs a shell command in a container with these options; what it says is compared.
#[rstest]
#[case::cap_add(json!({ "cap_add": ["SYS_TIME"] }), "grep CapBnd /proc/self/status", "CapBnd:\t00000000aa0425fb")]
#[case::cap_drop(json!({ "cap_drop": ["ALL"] }), "grep CapBnd /proc/self/status", "CapBnd:\t0000000000000000")]
#[case::cpu_quota(json!({ "cpu_quota": "50ms", "cpu_period": 200_000 }), CPU_LIMIT, "25")]
#[case::cpu_shares(json!({ "cpu_shares": 512 }), CPU_SHARES, "half")]
#[case::cpus(json!({ "cpus": 0.25 }), CPU_LIMIT, "25")]
#[case::cpuset(json!({ "cpuset": "0" }), "grep Cpus_allowed_list /proc/self/status", "Cpus_allowed_list:\t0")]
#[case::devices(json!({ "devices": ["/dev/zero:/dev/naught:r"] }), "head -c 2 /dev/naught | od -An -tx1; stat -c %t:%T /dev/naught", "00 00 1:5")]
#[case::dns(json!({ "dns": "9.9.9.9" }), "grep nameserver /etc/resolv.conf", "nameserver 9.9.9.9")]
#[case::dns_opt(json!({ "dns_opt": ["ndots:3"] }), "grep options /etc/resolv.conf", "options ndots:3")]
#[case::dns_search(json!({ "dns_search": ["a.example", "b.example"] }), "grep search /etc/resolv.conf", "search a.example b.example")]
#[case::domainname(json!({ "domainname": "example.org" }), "cat /proc/sys/kernel/domainname", "example.org")]
#[case::environment(json!({ "environment": { "ODD": "a%b$c\"d 'e" } }), "printenv ODD", "a%b$c\"d 'e")]
#[case::extra_hosts(json!({ "extra_hosts": ["db=10.0.0.9", "six:fd00::7"] }), "getent hosts db six | tr -s ' '", "10.0.0.9 db fd00::7 six")]
#[case::group_add(json!({ "user": "1000:1000", "group_add": [4711] }), "id -G", "1000 4711")]
#[case::hostname(json!({ "hostname": "nas" }), "hostname", "nas")]
#[case::init(json!({ "init": true }), "cat /proc/1/comm", "docker-init")]
#[case::ipc(json!({ "ipc": "none" }), "ls -d /dev/shm 2>&1", "ls: cannot access '/dev/shm': No such file or directory")]
#[case::mem_limit(json!({ "mem_limit": "64m" }), MEMORY_LIMIT, "67108864")]
#[case::mem_reservation(json!({ "mem_reservation": "32m" }), MEMORY_RESERVATION, "33554432")]
#[case::mem_swappiness(json!({ "mem_limit": "64m", "mem_swappiness": 7 }), "cat /sys/fs/cgroup/memory/memory.swappiness", "7")]
#[case::memswap_limit(json!({ "mem_limit": "64m", "memswap_limit": "96m" }), SWAP_LIMIT, "33554432")]
#[case::network_mode(json!({ "network_mode": "none" }), "ls /sys/class/net", "lo")]
#[case::oom_kill_disable(json!({ "mem_limit": "64m", "oom_kill_disable": true }), "grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 1")]
#[case::oom_score_adj(json!({ "oom_score_adj": 500 }), "cat /proc/self/oom_score_adj", "500")]
#[case::pids_limit(json!({ "pids_limit": 42 }), PIDS_LIMIT, "42")]
#[case::read_only(json!({ "read_only": true }), "touch /x 2>&1", "touch: cannot touch '/x': Read-only file system")]
#[case::security_opt(json!({ "security_opt": ["no-new-privileges:true"] }), "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1")]
#[case::seccomp(json!({ "security_opt": ["seccomp=unconfined"] }), "grep Seccomp: /proc/self/status", "Seccomp:\t0")]
#[case::shm_size(json!({ "shm_size": "8m" }), "df --output=size -k /dev/shm | tail -1", "8192")]
#[case::stdin_open(json!({ "stdin_open": true }), "timeout 0.2 cat; echo $?", "124")]
#[case::stdin_closed(json!({}), "timeout 0.2 cat; echo $?", "0")]
#[case::sysctls(json!({ "sysctls": { "net.ipv4.ip_unprivileged_port_start": 0 } }), "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "0")]
#[case::tmpfs(json!({ "read_only": true, "tmpfs": "/run:size=2m" }), "df --output=fstype,size -k /run | tail -1 | tr -s ' '", "tmpfs 2048")]
#[case::tmpfs_cannot_run(json!({ "tmpfs": ["/run"] }), TRY_TO_RUN, "126")]
#[case::tmpfs_exec(json!({ "tmpfs": ["/run:exec,mode=0700"] }), TRY_TO_RUN, "0")]
#[case::tty(json!({ "tty": true }), "tty", "/dev/pts/0")]
#[case::ulimits(json!({ "ulimits": { "nofile": { "soft": 64, "hard": 128 }, "core": 0 } }), "ulimit -Sn; ulimit -Hn; ulimit -Hc", "64 128 0")]
#[case::user(json!({ "user": "1000:100" }), "id -u; id -g", "1000 100")]
#[case::userns_mode(json!({ "userns_mode": "host" }), "tr -s ' ' </proc/self/uid_map", "0 0 4294967295")]
#[case::working_dir(json!({ "working_dir": "/tmp" }), "pwd", "/tmp")]
#[tokio::test]
async fn an_option_is_seen_from_inside(#[case] option: Value, #[case] command: &'static str, #[case] expected: &str) {
    let Some(bench) = Bench::real().await else { return };
    let expected = expected.to_owned();
    bench
        .hold(async move |bench: Bench| {
            // What the engine says that it cannot do makes a scenario invalid, and is not seen.
            let runtime: Runtime = serde_json::from_value(option.clone()).unwrap();
            let limits = bench.engine.about().await.unwrap().limits;
            if runtime.limits().iter().any(|limit| limits.get(*limit) == Some(&false)) {
                return;
            }
            assert_eq!(says(&bench, option.clone(), command).await, expected, "{option}");
        })
        .await;
}

/// Percent of a processor, from control groups of either version.
const CPU_LIMIT: &str = "if [ -f /sys/fs/cgroup/cpu.max ]; then read quota period </sys/fs/cgroup/cpu.max; \
    else read quota </sys/fs/cgroup/cpu/cpu.cfs_quota_us; read period </sys/fs/cgroup/cpu/cpu.cfs_period_us; fi; \
    echo $((quota * 100 / period))";
/// The second version counts shares otherwise.
const CPU_SHARES: &str = "if [ -f /sys/fs/cgroup/cpu.weight ]; then read weight </sys/fs/cgroup/cpu.weight; \
    [ $weight -lt 100 ] && echo half; \
    else read shares </sys/fs/cgroup/cpu/cpu.shares; [ $shares = 512 ] && echo half; fi";
const MEMORY_LIMIT: &str =
    "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes";
const MEMORY_RESERVATION: &str =
    "cat /sys/fs/cgroup/memory.low 2>/dev/null || cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes";
/// Swap alone: the first version counts memory with it.
const SWAP_LIMIT: &str = "cat /sys/fs/cgroup/memory.swap.max 2>/dev/null || { \
    read both </sys/fs/cgroup/memory/memory.memsw.limit_in_bytes; \
    read memory </sys/fs/cgroup/memory/memory.limit_in_bytes; echo $((both - memory)); }";
const PIDS_LIMIT: &str = "cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max";
const TRY_TO_RUN: &str = "cp /bin/true /run/it; /run/it 2>/dev/null; echo $?";

#[tokio::test]
async fn a_word_for_the_shell_is_a_command() {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async |bench: Bench| {
            let runtime = json!({ "entrypoint": "sh -c 'echo \"a b\" $0'", "command": ["c"] });
            assert_eq!(said(&bench, runtime).await, "a b c");
        })
        .await;
}

/// Rates are set for the disk that the engine keeps its data on, if it is one.
#[tokio::test]
async fn a_rate_of_block_io_is_seen_from_inside() {
    let Some(bench) = Bench::real().await else { return };
    let Some((device, number)) = disk_of(&bench).await else { return };
    bench
        .hold(async move |bench: Bench| {
            let throttle = |rate: Value| json!([{ "path": device, "rate": rate }]);
            let runtime = json!({ "blkio_config": {
                "device_read_bps": throttle(json!("1mb")),
                "device_write_bps": throttle(json!(2_097_152)),
                "device_read_iops": throttle(json!(30)),
                "device_write_iops": throttle(json!(40)),
            } });
            let first = "cd /sys/fs/cgroup; if [ -f io.max ]; then cat io.max; else cd blkio; \
                         for i in read_bps write_bps read_iops write_iops; do cat blkio.throttle.${i}_device; done; fi";
            let seen = says(&bench, runtime, first).await;
            let v1 = format!("{number} 1048576 {number} 2097152 {number} 30 {number} 40");
            let v2 = format!("{number} rbps=1048576 wbps=2097152 riops=30 wiops=40");
            assert!(seen == v1 || seen == v2, "{seen}");

            // And it bites: two MiB past the cache take a second at two MiB a second.
            let runtime = json!({ "blkio_config": { "device_write_bps": throttle(json!("2mb")) } });
            let write = "before=$(date +%s%N); dd if=/dev/zero of=/x bs=64k count=32 oflag=direct 2>/dev/null; \
                         after=$(date +%s%N); echo $(((after - before) / 1000000))";
            let millis: u32 = says(&bench, runtime, write).await.parse().unwrap();
            assert!((700..10_000).contains(&millis), "it took {millis} ms");
        })
        .await;
}

#[test]
fn every_option_is_looked_at() {
    let tests = [include_str!("runtime.rs"), include_str!("engine.rs")].concat();
    let Value::Object(known) = serde_json::to_value(Runtime::default()).unwrap() else { unreachable!() };
    for key in known.keys() {
        let cases = [format!("{{ \"{key}\": "), format!(", \"{key}\": "), format!("\n                \"{key}\": ")];
        assert!(cases.iter().any(|case| tests.contains(case)), "no test sets `{key}` in a container");
    }
}

#[tokio::test]
async fn it_is_stopped_by_its_own_signal_within_its_own_grace() {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async |bench: Bench| {
            let hears = "trap 'echo heard' INT; trap '' TERM; echo up; while :; do sleep 0.02; done";
            let runtime = json!({
                "entrypoint": ["/bin/sh", "-c", hears],
                "stop_signal": "INT",
                "stop_grace_period": "1s",
            });
            let id = bench.create_of("debian:trixie", "stop", runtime).await;
            assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
            let mut logs = bench.engine.logs(&id, None, true);
            assert_eq!(logs.try_next().await.unwrap().map(|line| line.text), Some("up".to_owned()));
            let before = bench.now().await;
            bench.engine.stop(&id, None).await.unwrap();
            let millis = bench.now().await.duration_since(before).as_millis();
            assert!((950..9_000).contains(&millis), "it took {millis} ms");
            assert_eq!(words_of(&bench, &id).await, "up heard");
        })
        .await;
}

#[tokio::test]
async fn what_only_the_engine_sees_is_kept_by_it() {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async |bench: Bench| {
            let runtime = json!({
                "entrypoint": ["/bin/true"],
                "labels": ["app=demo", "io.bootproof=no"],
                "logging": { "driver": "json-file", "options": { "mode": "non-blocking", "max-buffer-size": "64k" } },
            });
            let id = bench.create_of("debian:trixie", "kept", runtime).await;
            let raw = bench.engine.inspect(&id).await.unwrap().raw;
            assert_eq!(raw["Config"]["Labels"]["app"], json!("demo"));
            assert_eq!(raw["Config"]["Labels"][sandbox::RUN], json!(bench.labels()[sandbox::RUN]));
            let expected = json!({ "mode": "non-blocking", "max-buffer-size": "64k" });
            assert_eq!(raw["HostConfig"]["LogConfig"], json!({ "Type": "json-file", "Config": expected }));
        })
        .await;
}

/// A whole disk of this machine and its number, if the engine's data are on one.
async fn disk_of(bench: &Bench) -> Option<(String, String)> {
    use std::os::unix::fs::MetadataExt;
    let about = bench.engine.about().await.unwrap();
    let device = std::fs::metadata(about.root_dir).ok().filter(|_| about.endpoint.starts_with("unix://"))?.dev();
    let number = format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let block = std::fs::canonicalize(format!("/sys/dev/block/{number}")).ok()?;
    // A partition stands inside its disk.
    let disk = if block.join("partition").exists() { block.parent()?.to_owned() } else { block };
    let number = std::fs::read_to_string(disk.join("dev")).ok()?.trim().to_owned();
    Some((format!("/dev/{}", disk.file_name()?.to_str()?), number))
}

/// Options that the engine may not be allowed to give: it gives them, or says so.
#[rstest]
#[case::blkio_weight(json!({ "blkio_config": { "weight": 300 } }), "cat /sys/fs/cgroup/io.weight /sys/fs/cgroup/io.bfq.weight /sys/fs/cgroup/blkio/blkio.weight 2>/dev/null | grep -c .")]
#[case::oom_score_adj(json!({ "oom_score_adj": -500 }), "grep -c -- -500 /proc/self/oom_score_adj")]
#[case::privileged(json!({ "privileged": true }), "mount -t tmpfs none /mnt && echo 1")]
#[case::ulimits(json!({ "ulimits": { "memlock": -1 } }), "ulimit -l | grep -c unlimited")]
#[case::cap_add(json!({ "cap_add": ["SYS_RESOURCE"] }), "echo 1")]
#[tokio::test]
async fn what_the_engine_may_not_give_is_no_fault_of_the_subject(
    #[case] mut option: Value,
    #[case] command: &'static str,
) {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async move |bench: Bench| {
            let asked = option.clone();
            option["entrypoint"] = json!(["/bin/sh", "-c", command]);
            let spec = bench.spec_with("debian:trixie", "right", option);
            let made = match bench.engine.create(&spec).await {
                Ok(Create::Made(made)) => made,
                Ok(Create::Refused(words)) => panic!("the subject is blamed: {words}"),
                Err(error) => return assert!(matches!(error, Error::NotGranted(_)), "{error}"),
            };
            let discarded = made.warnings.iter().any(|warning| warning.contains("discarded"));
            match bench.engine.start(&made.id).await {
                Ok(Start::Started) if discarded => {}
                Ok(Start::Started) => assert_eq!(words_of(&bench, &made.id).await, "1", "{asked}"),
                Ok(Start::Refused(words)) => panic!("the subject is blamed: {words}"),
                Err(error) => assert!(matches!(error, Error::NotGranted(_)), "{error}"),
            }
        })
        .await;
}

/// Docker's own clock runs the check; what it came to is told as it happens and
/// kept for a while.
#[tokio::test]
async fn a_health_check_is_run_and_told() {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async |bench: Bench| {
            let runtime = json!({
                "entrypoint": ["/bin/sh", "-c", "sleep 0.3; touch /tmp/up; sleep 60"],
                "stop_signal": "KILL",
                "healthcheck": {
                    "test": "echo looking; test -e /tmp/up",
                    "interval": "200ms", "timeout": "5s", "retries": 2, "start_period": "10s",
                },
            });
            let id = bench.create_of("debian:trixie", "health", runtime).await;
            assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
            let mut happenings = bench.engine.happenings(&id, bench.began);
            while let Some(happening) = happenings.try_next().await.unwrap() {
                if let Happened::Health(state) = happening.what {
                    assert_eq!(state, "healthy");
                    break;
                }
            }
            let seen = bench.engine.inspect(&id).await.unwrap();
            assert_eq!(seen.health.as_deref(), Some("healthy"));
            let last = seen.probes.last().unwrap();
            assert_eq!((last.exit_code, last.output.as_str()), (0, "looking\n"));
            assert!(bench.began < last.at && last.at < last.ended, "{last:?}");
        })
        .await;
}

/// What a shell says in a container with these options, its lines joined by blanks.
async fn says(bench: &Bench, mut runtime: Value, command: &str) -> String {
    runtime["entrypoint"] = json!(["/bin/sh", "-c", command]);
    said(bench, runtime).await
}

/// What a container with these options says, its lines joined by blanks.
async fn said(bench: &Bench, runtime: Value) -> String {
    let id = bench.create_of("debian:trixie", "option", runtime).await;
    assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
    let words = words_of(bench, &id).await;
    bench.engine.remove(&Thing::Container(id)).await.unwrap();
    words
}

async fn words_of(bench: &Bench, id: &str) -> String {
    let mut happenings = bench.engine.happenings(id, bench.began);
    while let Some(happening) = happenings.try_next().await.unwrap() {
        if matches!(happening.what, Happened::Died(_)) {
            break;
        }
    }
    let lines: Vec<LogLine> = bench.engine.logs(id, None, false).try_collect().await.unwrap();
    lines.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(" ")
}

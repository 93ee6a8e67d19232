//! A container as the scenario's words describe it, in the words of Docker's API.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error as Cause;
use bollard::models::{ContainerCreateBody, EndpointSettings, HealthConfig, NetworkingConfig};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::{Docker, host, refusal};
use crate::engine::{Attachment, ContainerSpec, Create, Created, Error, Thing};
use crate::scenario::runtime::healthcheck::Healthcheck;

impl Docker {
    pub(super) async fn create_container(&self, spec: &ContainerSpec) -> Result<Create, Error> {
        let platform = spec.platform.as_deref().unwrap_or_default();
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).platform(platform).build();
        // Where the engine is far away, its loopback is not ours.
        let publish_on = if self.endpoint.is_local() { "127.0.0.1" } else { "0.0.0.0" };
        let made = match self.client.create_container(Some(options), body(spec, publish_on)).await {
            Ok(made) => made,
            // A scenario names only what the kernel knows; an older engine may not.
            Err(error) if refusal::words(&error).contains("unknown capability") => {
                return Err(Error::NotGranted(refusal::words(&error)));
            }
            Err(error) if refused(&error) => return Ok(Create::Refused(refusal::words(&error))),
            Err(error) => return Err(self.failed(format!("create the container {}", spec.name), &error)),
        };
        // Older engines take only one network when a container is made.
        for attachment in spec.joined().iter().skip(1) {
            if let Err(error) = self.join(&attachment.network, &made.id, &attachment.aliases).await {
                self.remove_thing(&Thing::Container(made.id)).await?;
                return Err(error);
            }
        }
        Ok(Create::Made(Created { id: made.id, warnings: made.warnings }))
    }
}

/// Whether the engine says that what was asked for is wrong. It has a status for
/// that, which it forgets here and there.
fn refused(error: &Cause) -> bool {
    const SUBJECTS_FAULT: [&str; 2] = ["invalid --security-opt", "cannot mkdir"];
    let words = refusal::words(error).to_lowercase();
    match refusal::status(error) {
        Some(400) => true,
        Some(500) => SUBJECTS_FAULT.iter().any(|fault| words.contains(fault)),
        _ => false,
    }
}

/// Docker's description of a container. What the scenario leaves open is left out.
fn body(spec: &ContainerSpec, publish_on: &str) -> ContainerCreateBody {
    let runtime = &spec.runtime;
    let environment = runtime.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let theirs = runtime.labels.iter().map(|(name, value)| (name.clone(), value.0.clone()));
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        // Ours come last, and so win.
        labels: Some(theirs.chain(spec.labels.clone()).collect()),
        hostname: runtime.hostname.clone(),
        domainname: runtime.domainname.clone(),
        user: runtime.user.clone(),
        env: Some(environment),
        cmd: runtime.command.clone(),
        entrypoint: runtime.entrypoint.clone(),
        working_dir: runtime.working_dir.clone(),
        tty: Some(runtime.tty),
        stop_signal: runtime.stop_signal.as_ref().map(|signal| signal.name().to_owned()),
        stop_timeout: runtime.stop_grace_period.map(|grace| whole_seconds(grace.0)),
        open_stdin: (spec.attended || runtime.stdin_open).then_some(true),
        stdin_once: spec.attended.then_some(true),
        exposed_ports: some(spec.publish.iter().map(|port| format!("{port}/tcp")).collect()),
        networking_config: spec.joined().first().map(networking),
        healthcheck: runtime.healthcheck.as_ref().map(health),
        host_config: Some(host::config(spec, publish_on)),
        ..ContainerCreateBody::default()
    }
}

/// Docker counts the grace in whole seconds. A grace that is cut short would
/// blame the subject for being slow, so it is rounded up.
pub(super) fn whole_seconds(grace: Duration) -> i64 {
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn health(check: &Healthcheck) -> HealthConfig {
    let nanoseconds = |time: crate::scenario::value::Duration| i64::try_from(time.0.as_nanos()).unwrap_or(i64::MAX);
    HealthConfig {
        test: check.command(),
        interval: check.interval.map(nanoseconds),
        timeout: check.timeout.map(nanoseconds),
        retries: check.retries.map(i64::from),
        start_period: check.start_period.map(nanoseconds),
        start_interval: check.start_interval.map(nanoseconds),
    }
}

fn networking(attachment: &Attachment) -> NetworkingConfig {
    NetworkingConfig {
        endpoints_config: Some(HashMap::from([(attachment.network.clone(), endpoint(&attachment.aliases))])),
    }
}

/// A place in a network under these names.
pub(super) fn endpoint(aliases: &[String]) -> EndpointSettings {
    EndpointSettings { aliases: some(aliases.to_vec()), ..EndpointSettings::default() }
}

/// What the scenario leaves open is left out.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Source;
    use crate::scenario::runtime::Runtime;
    use serde_json::{Value, json};

    /// Reads a runtime as a scenario writes it, and says where it ends up in Docker's description.
    fn check(runtime: &Value, pointer: &str, expected: &Value) {
        let spec = ContainerSpec { runtime: serde_json::from_value(runtime.clone()).unwrap(), ..demo() };
        check_spec(&spec, pointer, expected);
    }

    fn demo() -> ContainerSpec {
        let mount = |source: Source| crate::engine::Mount {
            source,
            target: "/data".to_owned(),
            read_only: true,
            no_copy: true,
        };
        ContainerSpec {
            name: "demo".to_owned(),
            image: "demo:1".to_owned(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            mounts: vec![
                mount(Source::Volume("state".to_owned())),
                mount(Source::Bind("/srv/a".to_owned())),
                mount(Source::BindCreating("/srv/b".to_owned())),
            ],
            publish: vec![8080],
            ..ContainerSpec::default()
        }
    }

    fn check_spec(spec: &ContainerSpec, pointer: &str, expected: &Value) {
        let seen = serde_json::to_value(body(spec, "127.0.0.1")).unwrap();
        assert_eq!(seen.pointer(pointer).unwrap_or(&Value::Null), expected, "{pointer} of {spec:?}");
    }

    #[test]
    fn every_runtime_option_reaches_docker() {
        let table = [
            ("blkio_config", json!({ "weight": 300 }), "/HostConfig/BlkioWeight", json!(300)),
            (
                "blkio_config",
                json!({ "device_read_bps": [{ "path": "/dev/sda", "rate": "1mb" }] }),
                "/HostConfig/BlkioDeviceReadBps/0",
                json!({ "Path": "/dev/sda", "Rate": 1_048_576 }),
            ),
            (
                "blkio_config",
                json!({ "device_write_bps": [{ "path": "/dev/sda", "rate": 1000 }] }),
                "/HostConfig/BlkioDeviceWriteBps/0/Rate",
                json!(1000),
            ),
            (
                "blkio_config",
                json!({ "device_read_iops": [{ "path": "/dev/sda", "rate": 7 }] }),
                "/HostConfig/BlkioDeviceReadIOps/0/Rate",
                json!(7),
            ),
            (
                "blkio_config",
                json!({ "device_write_iops": [{ "path": "/dev/sda", "rate": 7 }] }),
                "/HostConfig/BlkioDeviceWriteIOps/0/Rate",
                json!(7),
            ),
            ("cap_add", json!(["SYS_PTRACE"]), "/HostConfig/CapAdd", json!(["SYS_PTRACE"])),
            ("cap_drop", json!(["ALL"]), "/HostConfig/CapDrop", json!(["ALL"])),
            ("command", json!(["run"]), "/Cmd", json!(["run"])),
            ("command", json!("run 'a b'"), "/Cmd", json!(["run", "a b"])),
            ("cpu_period", json!("200ms"), "/HostConfig/CpuPeriod", json!(200_000)),
            ("cpu_quota", json!(50_000), "/HostConfig/CpuQuota", json!(50_000)),
            ("cpu_shares", json!(512), "/HostConfig/CpuShares", json!(512)),
            ("cpus", json!(0.25), "/HostConfig/NanoCpus", json!(250_000_000)),
            ("cpuset", json!("0-1"), "/HostConfig/CpusetCpus", json!("0-1")),
            (
                "devices",
                json!(["/dev/a:/dev/b:r"]),
                "/HostConfig/Devices/0",
                json!({ "PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r" }),
            ),
            ("dns", json!("9.9.9.9"), "/HostConfig/Dns", json!(["9.9.9.9"])),
            ("dns_opt", json!(["ndots:3"]), "/HostConfig/DnsOptions", json!(["ndots:3"])),
            (
                "dns_search",
                json!(["a.example", "b.example"]),
                "/HostConfig/DnsSearch",
                json!(["a.example", "b.example"]),
            ),
            ("domainname", json!("example.org"), "/Domainname", json!("example.org")),
            ("entrypoint", json!(["/app"]), "/Entrypoint", json!(["/app"])),
            ("entrypoint", json!([]), "/Entrypoint", json!([])),
            ("environment", json!({ "A": "b=c" }), "/Env", json!(["A=b=c"])),
            (
                "extra_hosts",
                json!(["db:10.0.0.9", "six=::1"]),
                "/HostConfig/ExtraHosts",
                json!(["db:10.0.0.9", "six:::1"]),
            ),
            ("group_add", json!(["10"]), "/HostConfig/GroupAdd", json!(["10"])),
            ("healthcheck", json!({ "test": "true" }), "/Healthcheck/Test", json!(["CMD-SHELL", "true"])),
            ("healthcheck", json!({ "disable": true }), "/Healthcheck/Test", json!(["NONE"])),
            ("healthcheck", json!({ "interval": "2s" }), "/Healthcheck/Interval", json!(2_000_000_000)),
            ("healthcheck", json!({ "timeout": "1ms" }), "/Healthcheck/Timeout", json!(1_000_000)),
            ("healthcheck", json!({ "retries": 5 }), "/Healthcheck/Retries", json!(5)),
            ("healthcheck", json!({ "start_period": "1m" }), "/Healthcheck/StartPeriod", json!(60_000_000_000_u64)),
            ("healthcheck", json!({ "start_interval": "1s" }), "/Healthcheck/StartInterval", json!(1_000_000_000)),
            ("hostname", json!("nas"), "/Hostname", json!("nas")),
            ("init", json!(true), "/HostConfig/Init", json!(true)),
            ("ipc", json!("shareable"), "/HostConfig/IpcMode", json!("shareable")),
            ("labels", json!(["x=y"]), "/Labels/x", json!("y")),
            ("labels", json!({ "a": "theirs" }), "/Labels/a", json!("b")),
            (
                "logging",
                json!({ "options": { "mode": "non-blocking" } }),
                "/HostConfig/LogConfig",
                json!({ "Type": "json-file", "Config": { "mode": "non-blocking" } }),
            ),
            (
                "logging",
                json!({ "options": { "max-buffer-size": "64k" } }),
                "/HostConfig/LogConfig/Config/max-buffer-size",
                json!("64k"),
            ),
            ("mem_limit", json!("64m"), "/HostConfig/Memory", json!(67_108_864)),
            ("mem_limit", json!(67_108_864), "/HostConfig/Memory", json!(67_108_864)),
            ("mem_reservation", json!("32m"), "/HostConfig/MemoryReservation", json!(33_554_432)),
            ("mem_swappiness", json!(0), "/HostConfig/MemorySwappiness", json!(0)),
            ("memswap_limit", json!("64m"), "/HostConfig/MemorySwap", json!(67_108_864)),
            ("network_mode", json!("none"), "/HostConfig/NetworkMode", json!("none")),
            ("network_mode", json!("bridge"), "/HostConfig/NetworkMode", json!("bridge")),
            ("oom_kill_disable", json!(true), "/HostConfig/OomKillDisable", json!(true)),
            ("oom_score_adj", json!(500), "/HostConfig/OomScoreAdj", json!(500)),
            ("pids_limit", json!(20), "/HostConfig/PidsLimit", json!(20)),
            ("privileged", json!(true), "/HostConfig/Privileged", json!(true)),
            ("read_only", json!(true), "/HostConfig/ReadonlyRootfs", json!(true)),
            ("restart", json!("always"), "/HostConfig/RestartPolicy/Name", json!("always")),
            ("restart", json!("on-failure:2"), "/HostConfig/RestartPolicy/MaximumRetryCount", json!(2)),
            ("security_opt", json!(["seccomp=unconfined"]), "/HostConfig/SecurityOpt", json!(["seccomp=unconfined"])),
            ("shm_size", json!("1m"), "/HostConfig/ShmSize", json!(1_048_576)),
            ("stdin_open", json!(true), "/OpenStdin", json!(true)),
            ("stop_grace_period", json!("1500ms"), "/StopTimeout", json!(2)),
            ("stop_signal", json!("int"), "/StopSignal", json!("SIGINT")),
            (
                "sysctls",
                json!({ "net.core.somaxconn": 1024 }),
                "/HostConfig/Sysctls",
                json!({ "net.core.somaxconn": "1024" }),
            ),
            ("tmpfs", json!(["/run:size=1m", "/tmp"]), "/HostConfig/Tmpfs", json!({ "/run": "size=1m", "/tmp": "" })),
            ("tty", json!(true), "/Tty", json!(true)),
            (
                "ulimits",
                json!({ "nofile": { "soft": 64, "hard": 128 } }),
                "/HostConfig/Ulimits/0",
                json!({ "Name": "nofile", "Soft": 64, "Hard": 128 }),
            ),
            ("user", json!("1000:1000"), "/User", json!("1000:1000")),
            ("user", json!(1000), "/User", json!("1000")),
            ("userns_mode", json!("host"), "/HostConfig/UsernsMode", json!("host")),
            ("working_dir", json!("/srv"), "/WorkingDir", json!("/srv")),
        ];
        for (key, value, pointer, expected) in &table {
            check(&json!({ *key: value }), pointer, expected);
        }
        let Value::Object(known) = serde_json::to_value(Runtime::default()).unwrap() else { unreachable!() };
        for key in known.keys() {
            assert!(table.iter().any(|(shown, ..)| shown == key), "no row shows where `{key}` ends up");
        }
    }

    #[test]
    fn a_container_without_a_network_publishes_nothing() {
        let network = Attachment { network: "run".to_owned(), aliases: Vec::new() };
        let runtime = serde_json::from_value(json!({ "network_mode": "none" })).unwrap();
        let spec = ContainerSpec { networks: vec![network], runtime, ..demo() };
        check_spec(&spec, "/HostConfig/NetworkMode", &json!("none"));
        check_spec(&spec, "/HostConfig/PortBindings", &json!({}));
        check_spec(&spec, "/NetworkingConfig", &Value::Null);
    }

    #[test]
    fn what_the_scenario_leaves_open_is_left_to_the_engine() {
        for pointer in ["/Cmd", "/User", "/HostConfig/Memory", "/HostConfig/MemorySwap", "/HostConfig/Init"] {
            check(&json!({}), pointer, &Value::Null);
        }
    }

    #[test]
    fn logs_volumes_and_ports_do_not_depend_on_the_engines_settings() {
        check(&json!({}), "/HostConfig/LogConfig", &json!({"Type": "json-file", "Config": {}}));
        check(&json!({}), "/HostConfig/Mounts/0/Source", &json!("state"));
        check(&json!({}), "/HostConfig/Mounts/0/ReadOnly", &json!(true));
        check(&json!({}), "/HostConfig/PortBindings/8080~1tcp/0", &json!({"HostIp": "127.0.0.1", "HostPort": "0"}));
    }

    #[test]
    fn a_bind_is_refused_or_made_by_the_notation_it_is_written_in() {
        check(&json!({}), "/HostConfig/Mounts/1/Type", &json!("bind"));
        check(&json!({}), "/HostConfig/Mounts/1/Source", &json!("/srv/a"));
        check(&json!({}), "/HostConfig/Mounts/1/VolumeOptions", &Value::Null);
        check(&json!({}), "/HostConfig/Mounts/2", &Value::Null);
        check(&json!({}), "/HostConfig/Binds", &json!(["/srv/b:/data:ro"]));
    }

    #[test]
    fn a_helper_is_bound_to_the_harness_and_sees_the_machine() {
        let helper = ContainerSpec { host_view: true, unlogged: true, attended: true, no_network: true, ..demo() };
        check_spec(&helper, "/HostConfig/PidMode", &json!("host"));
        check_spec(&helper, "/HostConfig/CgroupnsMode", &json!("host"));
        check_spec(&helper, "/HostConfig/LogConfig/Type", &json!("none"));
        check_spec(&helper, "/HostConfig/NetworkMode", &json!("none"));
        check_spec(&helper, "/OpenStdin", &json!(true));
        check_spec(&helper, "/StdinOnce", &json!(true));
    }

    #[test]
    fn the_first_network_is_there_from_the_start() {
        let network = |name: &str| Attachment { network: name.to_owned(), aliases: vec!["db".to_owned()] };
        let spec = ContainerSpec { networks: vec![network("run"), network("other")], ..demo() };
        check_spec(&spec, "/HostConfig/NetworkMode", &json!("run"));
        check_spec(&spec, "/NetworkingConfig/EndpointsConfig/run/Aliases", &json!(["db"]));
        check_spec(&spec, "/NetworkingConfig/EndpointsConfig/other", &Value::Null);
    }

    fn check_refused(status_code: u16, message: &str, expected: bool) {
        let error = Cause::DockerResponseServerError { status_code, message: message.to_owned() };
        assert_eq!(refused(&error), expected, "{status_code} {message}");
    }

    #[test]
    fn what_is_asked_for_wrongly_is_told_from_an_engine_in_trouble() {
        check_refused(400, "the working directory 'app' is invalid, it needs to be an absolute path", true);
        check_refused(500, "invalid --security-opt 1: \"nope\"", true);
        check_refused(500, "Cannot mkdir: /etc/passwd is not a directory", true);
        check_refused(404, "No such image: demo:1", false);
        check_refused(409, "Conflict. The container name \"/demo\" is already in use", false);
        check_refused(500, "write /var/lib/docker: no space left on device", false);
    }
}

//! A container as the scenario's words describe it, in the words of Docker's API.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions, PortBinding,
    RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::Docker;
use crate::engine::{ContainerSpec, Created, Error};
use crate::scenario::runtime::Runtime;
use crate::scenario::value::Restart;

impl Docker {
    pub(super) async fn create_container(&self, spec: &ContainerSpec) -> Result<Created, Error> {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        // Where the engine is far away, its loopback is not ours.
        let publish_on = if self.endpoint.is_local() { "127.0.0.1" } else { "0.0.0.0" };
        match self.client.create_container(Some(options), body(spec, publish_on)).await {
            Ok(made) => Ok(Created { id: made.id, warnings: made.warnings }),
            Err(error) => Err(self.failed(format!("create the container {}", spec.name), &error)),
        }
    }
}

/// Docker's description of a container. What the scenario leaves open is left out.
fn body(spec: &ContainerSpec, publish_on: &str) -> ContainerCreateBody {
    let runtime = &spec.runtime;
    let environment = runtime.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        labels: Some(spec.labels.clone().into_iter().collect()),
        hostname: runtime.hostname.clone(),
        user: runtime.user.clone(),
        env: Some(environment),
        cmd: runtime.command.clone(),
        entrypoint: runtime.entrypoint.clone(),
        working_dir: runtime.working_dir.clone(),
        tty: Some(runtime.tty),
        stop_signal: runtime.stop_signal.as_ref().map(|signal| signal.name().to_owned()),
        stop_timeout: runtime.stop_grace_period.map(|grace| whole_seconds(grace.0)),
        exposed_ports: some(spec.publish.iter().map(|port| format!("{port}/tcp")).collect()),
        host_config: Some(host_config(spec, runtime, publish_on)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(spec: &ContainerSpec, runtime: &Runtime, publish_on: &str) -> HostConfig {
    let bytes = |size: crate::scenario::value::ByteSize| i64::try_from(size.0).unwrap_or(i64::MAX);
    HostConfig {
        // The logs are read through the engine; a driver that the operator chose
        // for the whole engine might keep none, and rotation would lose lines.
        log_config: Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(HashMap::new()) }),
        cap_add: some(runtime.cap_add.clone()),
        cap_drop: some(runtime.cap_drop.clone()),
        group_add: some(runtime.group_add.clone()),
        init: runtime.init.then_some(true),
        memory: runtime.mem_limit.map(bytes),
        mounts: some(spec.mounts.iter().map(mount).collect()),
        nano_cpus: runtime.cpus.map(crate::scenario::value::Cpus::nano),
        pids_limit: runtime.pids_limit.map(i64::from),
        port_bindings: Some(spec.publish.iter().map(|port| binding(*port, publish_on)).collect()),
        readonly_rootfs: Some(runtime.read_only),
        restart_policy: Some(restart_policy(runtime.restart)),
        security_opt: some(runtime.security_opt.clone()),
        shm_size: runtime.shm_size.map(bytes),
        tmpfs: Some(runtime.tmpfs.iter().map(|entry| tmpfs(entry)).collect()),
        ..HostConfig::default()
    }
}

/// Docker counts the grace in whole seconds. A grace that is cut short would
/// blame the subject for being slow, so it is rounded up.
pub(super) fn whole_seconds(grace: Duration) -> i64 {
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn mount(mount: &crate::engine::Mount) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(mount.volume.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        volume_options: Some(MountVolumeOptions { no_copy: Some(mount.no_copy), ..MountVolumeOptions::default() }),
        ..Mount::default()
    }
}

/// Port 0 lets the engine choose one that is free.
fn binding(port: u16, publish_on: &str) -> (String, Option<Vec<PortBinding>>) {
    let free = PortBinding { host_ip: Some(publish_on.to_owned()), host_port: Some("0".to_owned()) };
    (format!("{port}/tcp"), Some(vec![free]))
}

fn tmpfs(entry: &str) -> (String, String) {
    let (path, options) = entry.split_once(':').unwrap_or((entry, ""));
    (path.to_owned(), options.to_owned())
}

fn restart_policy(restart: Restart) -> RestartPolicy {
    let (name, limit) = match restart {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::OnFailure(limit) => (RestartPolicyNameEnum::ON_FAILURE, limit.map(i64::from)),
    };
    RestartPolicy { name: Some(name), maximum_retry_count: limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Reads a runtime as a scenario writes it, and says where it ends up in Docker's description.
    fn check(runtime: &Value, pointer: &str, expected: &Value) {
        let spec = ContainerSpec {
            name: "demo".to_owned(),
            image: "demo:1".to_owned(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            runtime: serde_json::from_value(runtime.clone()).unwrap(),
            mounts: vec![crate::engine::Mount {
                volume: "state".to_owned(),
                target: "/data".to_owned(),
                read_only: true,
                no_copy: true,
            }],
            publish: vec![8080],
        };
        let seen = serde_json::to_value(body(&spec, "127.0.0.1")).unwrap();
        assert_eq!(seen.pointer(pointer).unwrap_or(&Value::Null), expected, "{pointer} of {runtime}");
    }

    #[test]
    fn every_runtime_option_reaches_docker() {
        for (key, value, pointer, expected) in [
            ("cap_add", json!(["SYS_PTRACE"]), "/HostConfig/CapAdd", json!(["SYS_PTRACE"])),
            ("cap_drop", json!(["ALL"]), "/HostConfig/CapDrop", json!(["ALL"])),
            ("command", json!(["run"]), "/Cmd", json!(["run"])),
            ("cpus", json!(0.25), "/HostConfig/NanoCpus", json!(250_000_000)),
            ("entrypoint", json!(["/app"]), "/Entrypoint", json!(["/app"])),
            ("environment", json!({"A": "b=c"}), "/Env", json!(["A=b=c"])),
            ("group_add", json!(["10"]), "/HostConfig/GroupAdd", json!(["10"])),
            ("hostname", json!("nas"), "/Hostname", json!("nas")),
            ("init", json!(true), "/HostConfig/Init", json!(true)),
            ("mem_limit", json!("64m"), "/HostConfig/Memory", json!(67_108_864)),
            ("pids_limit", json!(20), "/HostConfig/PidsLimit", json!(20)),
            ("read_only", json!(true), "/HostConfig/ReadonlyRootfs", json!(true)),
            ("restart", json!("always"), "/HostConfig/RestartPolicy/Name", json!("always")),
            ("restart", json!("on-failure:2"), "/HostConfig/RestartPolicy/MaximumRetryCount", json!(2)),
            ("security_opt", json!(["seccomp=unconfined"]), "/HostConfig/SecurityOpt", json!(["seccomp=unconfined"])),
            ("shm_size", json!("1m"), "/HostConfig/ShmSize", json!(1_048_576)),
            ("stop_grace_period", json!("1500ms"), "/StopTimeout", json!(2)),
            ("stop_signal", json!("int"), "/StopSignal", json!("SIGINT")),
            ("tmpfs", json!(["/run:size=1m", "/tmp"]), "/HostConfig/Tmpfs", json!({"/run": "size=1m", "/tmp": ""})),
            ("tty", json!(true), "/Tty", json!(true)),
            ("user", json!("1000:1000"), "/User", json!("1000:1000")),
            ("working_dir", json!("/srv"), "/WorkingDir", json!("/srv")),
        ] {
            check(&json!({ key: value }), pointer, &expected);
        }
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
}

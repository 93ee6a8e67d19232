//! A container as the scenario's words describe it, in the words of Docker's API.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error as Cause;
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountType, MountVolumeOptions, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::{Docker, refusal};
use crate::engine::{Attachment, ContainerSpec, Create, Created, Error, Source, Thing};
use crate::scenario::runtime::Runtime;
use crate::scenario::value::Restart;

impl Docker {
    pub(super) async fn create_container(&self, spec: &ContainerSpec) -> Result<Create, Error> {
        let platform = spec.platform.as_deref().unwrap_or_default();
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).platform(platform).build();
        // Where the engine is far away, its loopback is not ours.
        let publish_on = if self.endpoint.is_local() { "127.0.0.1" } else { "0.0.0.0" };
        let made = match self.client.create_container(Some(options), body(spec, publish_on)).await {
            Ok(made) => made,
            Err(error) if refused(&error) => return Ok(Create::Refused(refusal::words(&error))),
            Err(error) => return Err(self.failed(format!("create the container {}", spec.name), &error)),
        };
        // Older engines take only one network when a container is made.
        for attachment in spec.networks.iter().skip(1) {
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
        open_stdin: spec.attended.then_some(true),
        stdin_once: spec.attended.then_some(true),
        exposed_ports: some(spec.publish.iter().map(|port| format!("{port}/tcp")).collect()),
        networking_config: spec.networks.first().map(networking),
        host_config: Some(host_config(spec, runtime, publish_on)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(spec: &ContainerSpec, runtime: &Runtime, publish_on: &str) -> HostConfig {
    let bytes = |size: crate::scenario::value::ByteSize| i64::try_from(size.0).unwrap_or(i64::MAX);
    HostConfig {
        log_config: Some(log_config(spec)),
        network_mode: network_mode(spec),
        pid_mode: spec.host_view.then(|| "host".to_owned()),
        cgroupns_mode: spec.host_view.then_some(HostConfigCgroupnsModeEnum::HOST),
        cap_add: some(runtime.cap_add.clone()),
        cap_drop: some(runtime.cap_drop.clone()),
        group_add: some(runtime.group_add.clone()),
        init: runtime.init.then_some(true),
        memory: runtime.mem_limit.map(bytes),
        mounts: some(spec.mounts.iter().filter_map(mount).collect()),
        binds: some(spec.mounts.iter().filter_map(bind).collect()),
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

/// The logs are read through the engine; a driver that the operator chose for
/// the whole engine might keep none, and rotation would lose lines.
fn log_config(spec: &ContainerSpec) -> HostConfigLogConfig {
    let driver = if spec.unlogged { "none" } else { "json-file" };
    HostConfigLogConfig { typ: Some(driver.to_owned()), config: Some(HashMap::new()) }
}

fn network_mode(spec: &ContainerSpec) -> Option<String> {
    match spec.networks.first() {
        Some(attachment) => Some(attachment.network.clone()),
        None => spec.no_network.then(|| "none".to_owned()),
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

fn mount(mount: &crate::engine::Mount) -> Option<Mount> {
    let (kind, source) = match &mount.source {
        Source::Volume(name) => (MountType::VOLUME, name),
        Source::Bind(path) => (MountType::BIND, path),
        Source::BindCreating(_) => return None,
    };
    let copy = MountVolumeOptions { no_copy: Some(mount.no_copy), ..MountVolumeOptions::default() };
    Some(Mount {
        volume_options: (kind == MountType::VOLUME).then_some(copy),
        typ: Some(kind),
        source: Some(source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        ..Mount::default()
    })
}

/// The older notation, in which the engine makes what is missing.
fn bind(mount: &crate::engine::Mount) -> Option<String> {
    let Source::BindCreating(path) = &mount.source else { return None };
    let mode = if mount.read_only { "ro" } else { "rw" };
    Some(format!("{path}:{}:{mode}", mount.target))
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
        check_refused(400, "invalid CapAdd: unknown capability: \"CAP_NOPE\"", true);
        check_refused(500, "invalid --security-opt 1: \"nope\"", true);
        check_refused(500, "Cannot mkdir: /etc/passwd is not a directory", true);
        check_refused(404, "No such image: demo:1", false);
        check_refused(409, "Conflict. The container name \"/demo\" is already in use", false);
        check_refused(500, "write /var/lib/docker: no space left on device", false);
    }
}

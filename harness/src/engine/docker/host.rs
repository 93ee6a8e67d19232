//! What a container gets of the engine's machine: limits, rights, mounts, networks.

use bollard::models::{
    DeviceMapping, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
    PortBinding, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum, ThrottleDevice,
};

use super::create::some;
use crate::engine::{ContainerSpec, Source};
use crate::scenario::runtime::Runtime;
use crate::scenario::runtime::blkio::Throttle;
use crate::scenario::runtime::device::Device;
use crate::scenario::runtime::mode::UsernsMode;
use crate::scenario::runtime::ulimit::{Resource, Ulimit};
use crate::scenario::value::{ByteSize, Cpus, Plain, Restart};

/// What a container gets of the engine's machine. What the scenario leaves open is left out.
pub fn config(spec: &ContainerSpec, publish_on: &str) -> HostConfig {
    let runtime = &spec.runtime;
    let published = spec.publish.iter().filter(|_| !spec.is_alone());
    let config = HostConfig {
        binds: some(spec.mounts.iter().filter_map(bind).collect()),
        cap_add: some(runtime.cap_add.clone()),
        cap_drop: some(runtime.cap_drop.clone()),
        cgroupns_mode: spec.host_view.then_some(HostConfigCgroupnsModeEnum::HOST),
        devices: some(runtime.devices.iter().map(device).collect()),
        dns: some(runtime.dns.clone()),
        dns_options: some(runtime.dns_opt.clone()),
        dns_search: some(runtime.dns_search.clone()),
        extra_hosts: some(runtime.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect()),
        group_add: some(runtime.group_add.clone()),
        init: runtime.init.then_some(true),
        ipc_mode: runtime.ipc.map(|ipc| ipc.word().to_owned()),
        log_config: Some(log_config(spec)),
        mounts: some(spec.mounts.iter().filter_map(mount).collect()),
        network_mode: network_mode(spec),
        oom_score_adj: runtime.oom_score_adj.map(i64::from),
        pid_mode: spec.host_view.then(|| "host".to_owned()),
        port_bindings: Some(published.map(|port| binding(*port, publish_on)).collect()),
        privileged: runtime.privileged.then_some(true),
        readonly_rootfs: Some(runtime.read_only),
        restart_policy: Some(restart_policy(runtime.restart)),
        security_opt: some(runtime.security_opt.clone()),
        shm_size: runtime.shm_size.map(bytes),
        sysctls: Some(runtime.sysctls.iter().map(|(name, Plain(value))| (name.clone(), value.clone())).collect()),
        tmpfs: Some(runtime.tmpfs.iter().map(|entry| tmpfs(entry)).collect()),
        ulimits: some(runtime.ulimits.iter().map(ulimit).collect()),
        userns_mode: runtime.userns_mode.map(|UsernsMode::Host| "host".to_owned()),
        ..HostConfig::default()
    };
    limited(config, runtime)
}

/// The same, with limits of processors, memory, processes and block I/O.
fn limited(config: HostConfig, runtime: &Runtime) -> HostConfig {
    let blkio = runtime.blkio_config.clone().unwrap_or_default();
    HostConfig {
        blkio_weight: blkio.weight.and_then(|weight| u16::try_from(i64::from(weight)).ok()),
        blkio_device_read_bps: some(blkio.device_read_bps.iter().map(|it| throttle(it, bytes)).collect()),
        blkio_device_write_bps: some(blkio.device_write_bps.iter().map(|it| throttle(it, bytes)).collect()),
        blkio_device_read_iops: some(blkio.device_read_iops.iter().map(|it| throttle(it, i64::from)).collect()),
        blkio_device_write_iops: some(blkio.device_write_iops.iter().map(|it| throttle(it, i64::from)).collect()),
        cpu_period: runtime.cpu_period.map(i64::from),
        cpu_quota: runtime.cpu_quota.map(i64::from),
        cpu_shares: runtime.cpu_shares.map(i64::from),
        cpuset_cpus: runtime.cpuset.clone(),
        memory: runtime.mem_limit.map(bytes),
        memory_reservation: runtime.mem_reservation.map(bytes),
        memory_swap: runtime.memswap_limit.map(bytes),
        memory_swappiness: runtime.mem_swappiness.map(i64::from),
        nano_cpus: runtime.cpus.map(Cpus::nano),
        oom_kill_disable: runtime.oom_kill_disable.then_some(true),
        pids_limit: runtime.pids_limit.map(i64::from),
        ..config
    }
}

fn bytes(size: ByteSize) -> i64 {
    i64::try_from(size.0).unwrap_or(i64::MAX)
}

fn throttle<T: Copy>(throttle: &Throttle<T>, number: impl Fn(T) -> i64) -> ThrottleDevice {
    ThrottleDevice { path: Some(throttle.path.clone()), rate: Some(number(throttle.rate)) }
}

fn device(device: &Device) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(device.source.clone()),
        path_in_container: Some(device.target.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    }
}

fn ulimit((resource, limit): (&Resource, &Ulimit)) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(resource.to_string()), soft: Some(limit.soft), hard: Some(limit.hard) }
}

/// The logs are read through the engine; a driver that the operator chose for
/// the whole engine might keep none, and rotation would lose lines.
fn log_config(spec: &ContainerSpec) -> HostConfigLogConfig {
    let driver = if spec.unlogged { "none" } else { "json-file" };
    let options = spec.runtime.logging.as_ref().map(|logging| logging.options.pairs());
    HostConfigLogConfig { typ: Some(driver.to_owned()), config: Some(options.into_iter().flatten().collect()) }
}

fn network_mode(spec: &ContainerSpec) -> Option<String> {
    match (spec.joined().first(), spec.runtime.network_mode) {
        (Some(attachment), _) => Some(attachment.network.clone()),
        (None, _) if spec.is_alone() => Some("none".to_owned()),
        (None, mode) => mode.map(|_| "bridge".to_owned()),
    }
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

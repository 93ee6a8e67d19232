//! Limits of block I/O.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::value::{ByteSize, Count, Within};

/// How much a container may read from devices and write to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlkioConfig {
    /// Its share of what all containers read and write, from 10 to 1000; the
    /// kernel needs a scheduler that knows shares.
    /// Example: `blkio_config = { weight = 500 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Within<10, 1000>>,
    /// Bytes that it may read from a device in a second.
    /// Example: `blkio_config = { device_read_bps = [{ path = "/dev/sda", rate = "1m" }] }`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_read_bps: Vec<Throttle<ByteSize>>,
    /// Bytes that it may write to a device in a second.
    /// Example: `blkio_config = { device_write_bps = [{ path = "/dev/sda", rate = "1m" }] }`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_write_bps: Vec<Throttle<ByteSize>>,
    /// Reads from a device that it may make in a second.
    /// Example: `blkio_config = { device_read_iops = [{ path = "/dev/sda", rate = 100 }] }`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_read_iops: Vec<Throttle<Count>>,
    /// Writes to a device that it may make in a second.
    /// Example: `blkio_config = { device_write_iops = [{ path = "/dev/sda", rate = 100 }] }`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_write_iops: Vec<Throttle<Count>>,
}

/// A rate that holds for one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Throttle<T> {
    /// The device on the engine's machine, such as `/dev/sda`; a whole disk.
    pub path: String,
    /// How much in a second.
    pub rate: T,
}

impl BlkioConfig {
    /// Whether it sets any rate.
    #[must_use]
    pub fn throttles(&self) -> bool {
        let bytes = self.device_read_bps.len() + self.device_write_bps.len();
        bytes + self.device_read_iops.len() + self.device_write_iops.len() > 0
    }
}

//! Devices of the engine's machine inside a container.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::scenario::forms::Either;

/// A device: `/dev/fuse`, `/dev/sda:/dev/disk:r`, or a table with these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "Either<String, Written>")]
pub struct Device {
    /// Its path on the engine's machine.
    pub source: String,
    /// Its path in the container; the same unless said.
    pub target: String,
    /// What the container may do with it: read, write, make nodes of it.
    pub permissions: String,
}

/// What a device may be used for unless said.
const ALL: &str = "rwm";

/// The table in which Compose writes a device out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Written {
    /// Its path on the engine's machine.
    /// Example: `devices = [{ source = "/dev/fuse" }]`.
    source: String,
    /// Its path in the container. Unsaid: the same.
    /// Example: `devices = [{ source = "/dev/sda", target = "/dev/disk" }]`.
    target: Option<String>,
    /// What the container may do with it: read, write, make nodes of it. Unsaid: `rwm`, all of it.
    /// Example: `devices = [{ source = "/dev/sda", permissions = "r" }]`.
    permissions: Option<String>,
}

impl Device {
    fn new(source: &str, target: Option<&str>, permissions: Option<&str>) -> Result<Self, String> {
        let target = target.unwrap_or(source);
        let permissions = permissions.unwrap_or(ALL);
        if let Some(path) = [source, target].iter().find(|path| !path.starts_with('/')) {
            return Err(format!("`{path}` is not a device; write its absolute path, such as `/dev/fuse`"));
        }
        if permissions.is_empty() || !permissions.chars().all(|c| ALL.contains(c)) {
            return Err(format!("`{permissions}` are not a device's permissions; write some of `{ALL}`"));
        }
        Ok(Self { source: source.to_owned(), target: target.to_owned(), permissions: permissions.to_owned() })
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split(':').collect::<Vec<_>>().as_slice() {
            [source] => Self::new(source, None, None),
            // What is no path can only be permissions.
            [source, permissions] if !permissions.starts_with('/') => Self::new(source, None, Some(permissions)),
            [source, target] => Self::new(source, Some(target), None),
            [source, target, permissions] => Self::new(source, Some(target), Some(permissions)),
            _ => Err(format!("`{text}` is not a device; write `/dev/sda:/dev/disk:r`")),
        }
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Device;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a device as a text or a table")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Device, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Device, A::Error> {
                let it = Written::deserialize(MapAccessDeserializer::new(map))?;
                Device::new(&it.source, it.target.as_deref(), it.permissions.as_deref()).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(written: &Value, expected: Result<[&str; 3], &str>) {
        let seen = serde_json::from_value::<Device>(written.clone()).map_err(|error| error.to_string());
        let seen = seen.map(|device| [device.source, device.target, device.permissions]);
        assert_eq!(seen, expected.map(|words| words.map(str::to_owned)).map_err(str::to_owned), "{written}");
    }

    #[test]
    fn a_device_is_a_path_with_perhaps_another_and_permissions() {
        check(&json!("/dev/fuse"), Ok(["/dev/fuse", "/dev/fuse", "rwm"]));
        check(&json!("/dev/a:/dev/b"), Ok(["/dev/a", "/dev/b", "rwm"]));
        check(&json!("/dev/a:r"), Ok(["/dev/a", "/dev/a", "r"]));
        check(&json!("/dev/a:/dev/b:rw"), Ok(["/dev/a", "/dev/b", "rw"]));
        check(&json!({ "source": "/dev/a", "target": "/dev/b", "permissions": "r" }), Ok(["/dev/a", "/dev/b", "r"]));
        check(&json!("fuse"), Err("`fuse` is not a device; write its absolute path, such as `/dev/fuse`"));
        check(&json!("/dev/a:/dev/b:x"), Err("`x` are not a device's permissions; write some of `rwm`"));
    }
}

//! Parts of root's power, by name.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Every one that the kernel knows.
pub const ALL: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// The word for all of them.
const EVERY: &str = "ALL";

/// Reads a list of them. As with Docker, case and the prefix `CAP_` do not matter.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let written: Vec<String> = Vec::deserialize(deserializer)?;
    written
        .into_iter()
        .map(|text| {
            let upper = text.to_ascii_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            match name == EVERY || ALL.contains(&name) {
                true => Ok(name.to_owned()),
                false => Err(D::Error::unknown_variant(&text, &ALL)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::scenario::runtime::Runtime;
    use serde_json::json;

    #[test]
    fn a_capability_is_known_by_any_spelling() {
        let read = |name: &str| serde_json::from_value::<Runtime>(json!({ "cap_add": [name] }));
        for name in ["NET_ADMIN", "CAP_NET_ADMIN", "net_admin"] {
            assert_eq!(read(name).unwrap().cap_add, ["NET_ADMIN"]);
        }
        assert_eq!(read("all").unwrap().cap_add, ["ALL"]);
        assert!(read("NET_ADMN").unwrap_err().to_string().starts_with("unknown variant `NET_ADMN`"));
    }
}

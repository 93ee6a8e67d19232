//! Memory runs out.

use agent::Settings;

use super::{Groups, Version};
use crate::failure::Outcome;

/// By how much the limit on memory and swap together is above that on memory: else it is met first, and
/// some kernels do not count that. It is more than the kernel asks for at once.
const MARGIN: u64 = 1 << 20;

/// Leaves so many bytes above what is in use, once what can be given back has been.
pub fn limit(groups: &Groups, leave: u64) -> Outcome<Settings> {
    let group = groups.group("memory", "memory")?;
    let files = match group.version {
        Version::One => Files {
            reclaim: ("memory.force_empty", "0".into()),
            usage: "memory.usage_in_bytes",
            limit: "memory.limit_in_bytes",
            swap: "memory.memsw.limit_in_bytes",
        },
        Version::Two => Files {
            reclaim: ("memory.reclaim", group.read("memory.current")?),
            usage: "memory.current",
            limit: "memory.max",
            swap: "memory.swap.max",
        },
    };
    // Gives back what it can, and fails where something is left, which is always, or where it is not known.
    let _ = group.write(files.reclaim.0, &files.reclaim.1);
    let limit = (group.number(files.usage)? + leave).to_string();
    let mut before = vec![group.setting(files.limit)?];
    let mut changes = vec![(files.limit, limit)];
    // Without this, swap would take the pressure. Kernels that do not account for it have no such file.
    if let Ok(swap) = group.setting(files.swap) {
        changes.push((files.swap, swap_left(&group, leave)?));
        // The old version wants this one to be the larger at every moment.
        before.insert(0, swap);
    }
    group.change(before, &changes)
}

struct Files {
    reclaim: (&'static str, String),
    usage: &'static str,
    limit: &'static str,
    swap: &'static str,
}

/// The old version counts memory and swap together, the new one swap alone.
fn swap_left(group: &super::Group, leave: u64) -> Outcome<String> {
    let left = match group.version {
        Version::One => group.number("memory.memsw.usage_in_bytes")? + leave + MARGIN,
        Version::Two => group.number("memory.swap.current")?,
    };
    Ok(left.to_string())
}

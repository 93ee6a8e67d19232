//! Processes run out.

use agent::Settings;

use super::Groups;
use crate::failure::Outcome;

/// Leaves so many processes or threads above those that are there.
pub fn limit(groups: &Groups, leave: u64) -> Outcome<Settings> {
    let group = groups.group("pids", "pids")?;
    let limit = group.number("pids.current")? + leave;
    group.change(vec![group.setting("pids.max")?], &[("pids.max", limit.to_string())])
}

//! What is wrong with runtime options although each by itself is right.

use super::Runtime;

/// The labels that say what belongs to the harness.
const OURS: &str = "io.bootproof.";

impl Runtime {
    /// Each contradiction as a sentence about the table that holds them.
    #[must_use]
    pub fn contradictions(&self) -> Vec<String> {
        let (memory, swap) = (self.mem_limit, self.memswap_limit);
        let said = [
            (
                self.cpus.is_some() && (self.cpu_quota.is_some() || self.cpu_period.is_some()),
                "sets `cpus` and `cpu_quota` or `cpu_period`, which are the same limit",
            ),
            (
                self.cpu_period.is_some_and(|period| i64::from(period) > 1_000_000),
                "sets a `cpu_period` of more than a second, which the kernel does not take",
            ),
            (swap.is_some() && memory.is_none(), "sets `memswap_limit` without `mem_limit`, of which it is a part"),
            (
                swap.zip(memory).is_some_and(|(swap, memory)| swap < memory),
                "sets a `memswap_limit` below `mem_limit`, which it includes",
            ),
            (
                self.mem_reservation.zip(memory).is_some_and(|(reserved, memory)| reserved > memory),
                "sets a `mem_reservation` above `mem_limit`",
            ),
            (
                // Such a container takes the whole machine with it.
                self.oom_kill_disable && memory.is_none(),
                "sets `oom_kill_disable` without `mem_limit`, so that nothing bounds its memory",
            ),
            (
                self.healthcheck.as_ref().is_some_and(|check| check.disable && check.test.is_some()),
                "has a `healthcheck` that is disabled and has a `test`",
            ),
            (
                self.labels.keys().any(|name| name.starts_with(OURS)),
                "sets a label that begins with `io.bootproof.`, which belongs to the harness",
            ),
        ];
        said.into_iter().filter(|(wrong, _)| *wrong).map(|(_, words)| words.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(runtime: &Value, expected: &[&str]) {
        let seen = serde_json::from_value::<Runtime>(runtime.clone()).unwrap().contradictions();
        assert_eq!(seen, expected, "{runtime}");
    }

    #[test]
    fn what_cannot_all_be_meant_is_told() {
        check(&json!({ "cpus": 0.5, "mem_limit": "64m", "memswap_limit": "64m", "oom_kill_disable": true }), &[]);
        check(
            &json!({ "cpus": 0.5, "cpu_quota": 50_000 }),
            &["sets `cpus` and `cpu_quota` or `cpu_period`, which are the same limit"],
        );
        check(
            &json!({ "cpu_period": "2s" }),
            &["sets a `cpu_period` of more than a second, which the kernel does not take"],
        );
        check(&json!({ "memswap_limit": "64m" }), &["sets `memswap_limit` without `mem_limit`, of which it is a part"]);
        check(
            &json!({ "mem_limit": "64m", "memswap_limit": "32m", "mem_reservation": "65m" }),
            &[
                "sets a `memswap_limit` below `mem_limit`, which it includes",
                "sets a `mem_reservation` above `mem_limit`",
            ],
        );
        check(
            &json!({ "oom_kill_disable": true }),
            &["sets `oom_kill_disable` without `mem_limit`, so that nothing bounds its memory"],
        );
        check(
            &json!({ "healthcheck": { "disable": true, "test": "true" } }),
            &["has a `healthcheck` that is disabled and has a `test`"],
        );
        check(
            &json!({ "labels": { "io.bootproof.run": "mine" } }),
            &["sets a label that begins with `io.bootproof.`, which belongs to the harness"],
        );
    }
}

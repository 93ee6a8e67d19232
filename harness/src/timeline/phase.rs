//! The lines by which a subject that speaks the entrypoint's contract tells of its phases.

use serde::Deserialize;

/// The event by which a phase begins.
pub const BEGUN: &str = "phase_begun";
/// The event by which it ends.
pub const ENDED: &str = "phase_ended";

/// What a line says of a phase.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PhaseLine {
    /// The phase's name.
    pub phase: String,
    /// [`BEGUN`] or [`ENDED`].
    pub event: String,
    /// How long it took, in milliseconds, at its end.
    pub duration_ms: Option<f64>,
}

/// Reads a line that says that a phase has begun or ended.
#[must_use]
pub fn read(line: &str) -> Option<PhaseLine> {
    // Most lines are no JSON, or another's.
    if !line.starts_with('{') || !line.contains("\"phase_") {
        return None;
    }
    serde_json::from_str(line).ok().filter(|line: &PhaseLine| line.event == BEGUN || line.event == ENDED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_contract_tell_of_phases() {
        let contract = include_str!("../../../fixtures/contract/startup.jsonl");
        let told: Vec<String> =
            contract.lines().filter_map(read).map(|line| format!("{} {}", line.phase, line.event)).collect();
        assert_eq!(told, ["preflight phase_begun", "preflight phase_ended", "app phase_begun", "app phase_ended"]);
    }

    #[test]
    fn other_lines_do_not() {
        for line in ["phase_begun", "{\"event\":\"phase_x\",\"phase\":\"y\"}", "{\"msg\":\"\\\"phase_begun\\\"\"}"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}

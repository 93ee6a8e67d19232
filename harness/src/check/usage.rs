//! `usage`: how much processor time and memory a boot takes at most.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Sampled, Wants, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::value::{ByteSize, Duration};
use crate::timeline::{Look, Seen, Timeline, UsageSeen, What};

pub const KIND: Kind = Kind {
    key: "usage",
    summary: "takes at most so much processor time, and so much memory at a time, in each boot",
    example: "usage = { cpu = \"2s\", memory = \"64m\" }",
    schema: AsWritten::json_schema,
    read,
    unsaid: None,
    places: Places::Boot,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { memory = \"64m\" }")]
#[schemars(inline)]
struct AsWritten {
    /// The most processor time.
    cpu: Option<Duration>,
    /// The most memory at a time.
    memory: Option<ByteSize>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(AsWritten { cpu, memory }) = written.read("[expect]", reading.problems) else { return Vec::new() };
    let all: Vec<Box<dyn Expectation>> = cpu
        .map(|most| boxed(Usage::Cpu(most)))
        .into_iter()
        .chain(memory.map(|most| boxed(Usage::Memory(most))))
        .collect();
    if all.is_empty() {
        let problem = Problem::new(Some(span), "`usage` limits nothing").help("give it `cpu` or `memory`");
        reading.problems.add(problem);
    }
    all
}

/// The most that is used.
#[derive(Debug)]
enum Usage {
    Cpu(Duration),
    Memory(ByteSize),
}

impl Expectation for Usage {
    fn words(&self) -> String {
        match self {
            Self::Cpu(most) => format!("takes at most {most} of processor time in each boot"),
            Self::Memory(most) => format!("takes at most {most} of memory at a time"),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let mut seen = timeline.events().iter().enumerate().filter_map(|(place, event)| match &event.what {
            What::Looked { look: Look::Usage, saw: Seen::Usage(usage), .. } => Some((place, usage)),
            _ => None,
        });
        let mut last = None;
        let exceeds = seen.find_map(|(place, usage)| {
            last = Some(place);
            Some(Breach::by(place, self.excess(usage)?))
        });
        match (exceeds, last) {
            (Some(breach), _) => Outcome::Broken(breach),
            (None, None) if timeline.is_over() => {
                Outcome::Broken(Breach::by_absence("nobody could see what it takes: it did not live long enough"))
            }
            (None, _) => Outcome::Unbroken,
        }
    }

    fn wants(&self) -> Wants {
        Wants { looks: vec![Look::Usage], sampled: Sampled::Alive, ..Wants::default() }
    }
}

impl Usage {
    fn excess(&self, usage: &UsageSeen) -> Option<String> {
        match self {
            Self::Cpu(most) => (u128::from(usage.cpu_ms) > most.0.as_millis())
                .then(|| format!("it has taken {} ms of processor time", usage.cpu_ms)),
            Self::Memory(most) => (usage.memory_peak > most.0).then(|| {
                format!(
                    "it has taken {} bytes of memory, {} of the limit",
                    usage.memory_peak,
                    share(usage.memory_peak, most.0)
                )
            }),
        }
    }
}

fn share(seen: u64, limit: u64) -> String {
    format!("{} %", u128::from(seen) * 100 / u128::from(limit.max(1)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use super::*;
    use crate::timeline::When;

    fn used(at: i64, cpu_ms: u64, memory_peak: u64) -> (i64, What) {
        (at, looked(Look::Usage, Seen::Usage(UsageSeen { cpu_ms, memory_peak }), When::During))
    }

    #[test]
    fn the_highest_use_of_any_boot_counts() {
        let events = [(0, What::Started), used(5, 100, 1 << 20), used(9, 1500, 3 << 20)];
        check("usage = { cpu = \"2s\" }", &events, "unbroken");
        check("usage = { cpu = \"1s\" }", &events, "it has taken 1500 ms of processor time");
        check("usage = { memory = \"4m\" }", &events, "unbroken");
        check("usage = { memory = \"2m\" }", &events, "it has taken 3145728 bytes of memory, 150 % of the limit");
        let unseen = "nobody could see what it takes: it did not live long enough";
        check("usage = { memory = \"2m\" }", &[(0, What::Started), (9, What::Over)], unseen);
    }
}

//! `throttle`: less of a processor, or a slow disk, from some moment on.

use agent::{Answer, Command, Settings, Usage};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::problem::Problem;
use crate::scenario::value::{AbsolutePath, ByteSize, Cpus};

pub const KIND: Kind = Kind {
    key: "throttle",
    summary: "leaves so many `cpus`, or lets so many bytes a second through to `read` and `write` on the disk of a `path`",
    example: "throttle = { cpus = 0.05 }",
    schema: AsWritten::json_schema,
    read: |written, problems| {
        let span = written.value.span();
        let throttle = match written.read(TABLE, problems)? {
            AsWritten { cpus: Some(cpus), path: None, read: None, write: None } => Throttle::Cpus(cpus),
            AsWritten { cpus: None, path: Some(path), read, write } if read.is_some() || write.is_some() => {
                Throttle::Disk { path, read, write }
            }
            _ => {
                let title = "`throttle` of [[fault]] slows either the `cpus` or a disk";
                let help =
                    "write `{ cpus = 0.05 }`, or `{ path = \"/data\", write = \"1m\" }` with `read`, `write` or both";
                problems.add(Problem::new(Some(span), title).help(help));
                return None;
            }
        };
        Some(boxed(throttle))
    },
};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table with `cpus`, or with `path` and `read` or `write`")]
#[derive(Default, JsonSchema)]
#[schemars(inline)]
struct AsWritten {
    /// How much of a processor it has left.
    cpus: Option<Cpus>,
    /// A path on the disk that is slowed, with `read`, `write` or both.
    /// Example: `throttle = { path = "/data", write = "1m" }`.
    path: Option<AbsolutePath>,
    /// Bytes a second that can be read.
    /// Example: `throttle = { path = "/data", read = "1m" }`.
    read: Option<ByteSize>,
    /// Bytes a second that can be written.
    /// Example: `throttle = { path = "/data", write = "1m" }`.
    write: Option<ByteSize>,
}

#[derive(Debug)]
enum Throttle {
    Cpus(Cpus),
    Disk { path: AbsolutePath, read: Option<ByteSize>, write: Option<ByteSize> },
}

/// How many times a second's worth of bytes the disk is tried with.
const PART: u64 = 5;

/// The kernel's period for shares of processors, in nanoseconds.
const PERIOD: f64 = 1e8;

impl Action for Throttle {
    fn words(&self) -> String {
        match self {
            Self::Cpus(cpus) => format!("leave {} of a processor", f64::from(*cpus)),
            Self::Disk { path, .. } => {
                let rates: Vec<String> =
                    self.ways().iter().map(|(write, rate)| format!("{} {rate}", verb(*write))).collect();
                format!("let the disk of {path} {} a second", rates.join(" and "))
            }
        }
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let pid = ground.pid;
        vec![Act::Agent(match self {
            Self::Cpus(cpus) => Command::ThrottleCpu { pid, cpus: f64::from(*cpus) },
            Self::Disk { path, read, write } => Command::ThrottleIo {
                pid,
                path: Some(path.to_string()),
                read_bps: read.map(|rate| rate.0),
                write_bps: write.map(|rate| rate.0),
            },
        })]
    }

    /// A disk is tried by a process under the same limits, past all caches: what
    /// the subject writes may never reach the disk.
    fn looks(&self, ground: &Ground) -> Vec<Act> {
        let pid = ground.pid;
        match self {
            Self::Cpus(_) => vec![Act::Agent(Command::Usage { pid })],
            Self::Disk { path, .. } => {
                let look = |(write, rate): (bool, ByteSize)| {
                    Act::Agent(Command::TimeDisk { pid, path: path.to_string(), write, bytes: part(rate) })
                };
                self.ways().into_iter().map(look).collect()
            }
        }
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let failed = before.iter().chain(now).find_map(|answer| match answer {
            Answered::Failed(words) => Some(words.clone()),
            _ => None,
        });
        if let Some(words) = failed {
            return Err(words);
        }
        if let Self::Cpus(cpus) = self {
            return match (before.first(), now.first()) {
                (Some(Answered::Agent(Answer::Usage(before))), Some(Answered::Agent(Answer::Usage(now)))) => {
                    slow(*cpus, before, now)
                }
                _ => Err("nobody looked".to_owned()),
            };
        }
        let took = |answers: &[Answered], way: usize| match answers.get(way) {
            Some(Answered::Agent(Answer::Took(micros))) => Ok(micros / 1000),
            _ => Err("nobody looked".to_owned()),
        };
        let mut proofs = Vec::new();
        for (way, (write, rate)) in self.ways().into_iter().enumerate() {
            let (before, now) = (took(before, way)?, took(now, way)?);
            // What the kernel lets through at once makes it a little less than it should be.
            let least = 1000 / PART * 7 / 10;
            let proof = format!("it takes {now} ms to {} {} bytes, and took {before}", verb(write), part(rate));
            if now < least || before > least / 2 {
                return Err(proof);
            }
            proofs.push(proof);
        }
        Ok(proofs.join("; "))
    }

    fn undo(&self, ground: &Ground, injected: &[Answered]) -> Option<Vec<Act>> {
        Some(restored(ground, injected))
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

impl Throttle {
    /// Whether it writes, and how fast.
    fn ways(&self) -> Vec<(bool, ByteSize)> {
        match self {
            Self::Cpus(_) => Vec::new(),
            Self::Disk { read, write, .. } => {
                read.map(|rate| (false, rate)).into_iter().chain(write.map(|rate| (true, rate))).collect()
            }
        }
    }
}

fn verb(write: bool) -> &'static str {
    if write { "write" } else { "read" }
}

fn part(rate: ByteSize) -> u64 {
    (rate.0 / PART).max(1)
}

/// It wanted more than its share, and got no more than that: a subject with a
/// larger share that it has always had may be held back too.
fn slow(cpus: Cpus, before: &Usage, now: &Usage) -> Result<String, String> {
    let grown = |count: fn(&Usage) -> Option<u64>| Some(count(now)?.saturating_sub(count(before)?));
    let (Some(periods), Some(throttled), Some(used)) =
        (grown(|usage| usage.periods), grown(|usage| usage.throttled_periods), grown(|usage| usage.cpu_ns))
    else {
        return Err("the kernel does not count for how long it is held back".to_owned());
    };
    if throttled == 0 {
        return Err(format!("it was held back in none of {periods} periods"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let share = used as f64 / (periods.max(1) as f64 * PERIOD);
    let words = format!("it was held back in {throttled} of {periods} periods, at {share:.2} of a processor");
    if share > f64::from(cpus) * 2.0 { Err(words) } else { Ok(words) }
}

/// Puts the limits back that a command answered.
pub(super) fn restored(ground: &Ground, injected: &[Answered]) -> Vec<Act> {
    let settings = injected.iter().filter_map(|answer| match answer {
        Answered::Agent(Answer::Settings(settings)) => Some(settings.clone()),
        _ => None,
    });
    settings.map(|settings: Settings| Act::Agent(Command::Restore { pid: ground.pid, settings })).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    fn usage(periods: u64, throttled: u64, cpu_ms: u64) -> [Answered; 1] {
        let (periods, throttled_periods) = (Some(periods), Some(throttled));
        let cpu_ns = Some(cpu_ms * 1_000_000);
        [Answered::Agent(Answer::Usage(Box::new(Usage { periods, throttled_periods, cpu_ns, ..Usage::default() })))]
    }

    #[test]
    fn a_processor_is_short_when_the_kernel_counts_it_and_no_more_is_used() {
        let compare =
            |now: [Answered; 1], expected| check("throttle = { cpus = 0.05 }", &usage(0, 0, 0), &now, expected);
        compare(usage(10, 9, 55), Ok("it was held back in 9 of 10 periods, at 0.06 of a processor"));
        compare(usage(10, 0, 20), Err("it was held back in none of 10 periods"));
        compare(usage(10, 9, 500), Err("it was held back in 9 of 10 periods, at 0.50 of a processor"));
        compare([Answered::Failed("process 7 has ended".to_owned())], Err("process 7 has ended"));
    }

    #[test]
    fn a_disk_is_slow_when_it_takes_as_long_as_it_should() {
        let took = |millis: u64| [Answered::Agent(Answer::Took(millis * 1000))];
        let compare = |before, now, expected| {
            check("throttle = { path = \"/data\", write = \"1m\" }", &took(before), &took(now), expected);
        };
        compare(1, 190, Ok("it takes 190 ms to write 209715 bytes, and took 1"));
        compare(1, 100, Err("it takes 100 ms to write 209715 bytes, and took 1"));
        compare(150, 190, Err("it takes 190 ms to write 209715 bytes, and took 150"));
    }
}

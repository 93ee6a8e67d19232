//! What the kernel lets each process of a container have.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::scenario::forms::Either;

/// The resources that have such a limit, by their names in `ulimits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "setrlimit(2) says what each of them is")]
pub enum Resource {
    As,
    Core,
    Cpu,
    Data,
    Fsize,
    Locks,
    Memlock,
    Msgqueue,
    Nice,
    Nofile,
    Nproc,
    Rss,
    Rtprio,
    Rttime,
    Sigpending,
    Stack,
}

/// A limit: a number for both, or `{ soft = 1024, hard = 2048 }`. `-1` is
/// unlimited, which raises it where the engine itself is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "Either<i64, Written>")]
pub struct Ulimit {
    /// Where a process begins.
    pub soft: i64,
    /// As far as it may raise that itself.
    pub hard: i64,
}

/// How much is no limit at all.
const UNLIMITED: i64 = -1;

/// The table in which the two are told apart.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Written {
    /// Where a process begins.
    /// Example: `ulimits = { nofile = { soft = 64, hard = 128 } }`.
    soft: i64,
    /// As far as it may raise that itself.
    /// Example: `ulimits = { nofile = { soft = 64, hard = 128 } }`.
    hard: i64,
}

impl Ulimit {
    fn new(soft: i64, hard: i64) -> Result<Self, String> {
        if let Some(number) = [soft, hard].iter().find(|number| **number < UNLIMITED) {
            return Err(format!("{number} is not a limit; write a number from 0 up, or -1 for none"));
        }
        let above = hard != UNLIMITED && (soft == UNLIMITED || soft > hard);
        if above {
            return Err(format!("the soft limit {soft} is above the hard one, {hard}"));
        }
        Ok(Self { soft, hard })
    }
}

impl<'de> Deserialize<'de> for Ulimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Ulimit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a table with `soft` and `hard`")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Ulimit, E> {
                Ulimit::new(number, number).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Ulimit, E> {
                i64::try_from(number).map_err(E::custom).and_then(|number| self.visit_i64(number))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Ulimit, A::Error> {
                let Written { soft, hard } = Written::deserialize(MapAccessDeserializer::new(map))?;
                Ulimit::new(soft, hard).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(written: &Value, expected: Result<(i64, i64), &str>) {
        let seen = serde_json::from_value::<Ulimit>(written.clone()).map_err(|error| error.to_string());
        assert_eq!(seen.map(|it| (it.soft, it.hard)), expected.map_err(str::to_owned), "{written}");
    }

    #[test]
    fn a_limit_is_one_number_or_two() {
        check(&json!(1024), Ok((1024, 1024)));
        check(&json!({ "soft": 64, "hard": 128 }), Ok((64, 128)));
        check(&json!(0), Ok((0, 0)));
        check(&json!(-1), Ok((-1, -1)));
        check(&json!({ "soft": 64, "hard": -1 }), Ok((64, -1)));
        check(&json!(-2), Err("-2 is not a limit; write a number from 0 up, or -1 for none"));
        check(&json!({ "soft": 2, "hard": 1 }), Err("the soft limit 2 is above the hard one, 1"));
        check(&json!({ "soft": -1, "hard": 1 }), Err("the soft limit -1 is above the hard one, 1"));
    }

    #[test]
    fn resources_have_the_names_of_the_shell() {
        assert_eq!(Resource::Nofile.to_string(), "nofile");
        assert!(serde_json::from_value::<Resource>(json!("files")).is_err());
    }
}

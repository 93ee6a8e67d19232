//! Lines that give something away, in any program we have met: known ones, and
//! those that a scenario adds.

use std::sync::LazyLock;

use regex::RegexSet;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::Reading;
use crate::scenario::Written;
use crate::scenario::read::unknown_word;
use crate::scenario::value::Pattern;

/// A line's pattern, and what it means. Rows are only ever added.
pub type Row = (&'static str, &'static str);

/// The patterns of a table as one: a line is looked at once, however many there are.
pub type Set = LazyLock<RegexSet>;

/// The word by which such a claim is turned off.
const UNCHECKED: &str = "unchecked";

/// Whether lines are looked through for signatures, and for which besides the known ones.
#[derive(Debug, Clone, Default)]
pub enum Watch {
    /// For the known ones, and these.
    For(Vec<Pattern>),
    /// Not at all.
    #[default]
    Unchecked,
}

/// What a scenario adds to the known signs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct AsWritten {
    /// Lines that match any of these are signs too.
    also: Vec<Pattern>,
}

impl Watch {
    /// Reads the word for what is claimed unsaid, `unchecked`, or `{ also = [...] }`.
    pub fn read(written: Written<'_>, unsaid: &str, reading: &mut Reading<'_>) -> Option<Self> {
        if let DeValue::Table(_) = written.value.get_ref() {
            let AsWritten { also } = written.read("[expect]", reading.problems)?;
            return Some(Self::For(also));
        }
        let (span, place) = (written.value.span(), format!("`{}` of [expect]", written.key));
        match written.read::<String>("[expect]", reading.problems)?.as_str() {
            UNCHECKED => Some(Self::Unchecked),
            word if word == unsaid => Some(Self::For(Vec::new())),
            word => {
                reading.problems.add(unknown_word("value", word, &place, &[unsaid, UNCHECKED], span));
                None
            }
        }
    }

    /// What a line means, if it is one of these.
    pub fn meaning(&self, line: &str, table: &[Row], set: &RegexSet) -> Option<String> {
        let Self::For(also) = self else { return None };
        let known = set.matches(line).iter().next().map(|row| table[row].1.to_owned());
        known.or_else(|| {
            let added = also.iter().find(|pattern| pattern.matches(line));
            added.map(|pattern| format!("a line matches /{pattern}/"))
        })
    }

    /// The claim, with what a scenario has added to it.
    pub fn words(&self, claimed: &str, unclaimed: &str) -> String {
        match self {
            Self::Unchecked => unclaimed.to_owned(),
            Self::For(also) if also.is_empty() => claimed.to_owned(),
            Self::For(also) => {
                let also: Vec<String> = also.iter().map(|pattern| format!("/{pattern}/")).collect();
                format!("{claimed}, nor {}", also.join(", "))
            }
        }
    }
}

/// All patterns of a table.
pub fn set(table: &[Row]) -> RegexSet {
    RegexSet::new(table.iter().map(|(pattern, _)| pattern)).unwrap_or_else(|_| RegexSet::empty())
}

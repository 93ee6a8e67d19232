//! Reads one table of a file into a type, collecting every problem in it.

use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Written;
use super::problem::{Problem, Problems};
use crate::nearest::nearest;

/// One table of the file, with the name that messages give it.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    name: String,
    span: Range<usize>,
    table: DeTable<'a>,
    /// Keys that somebody else takes out of this table before it is read.
    elsewhere: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// A table that stands at `span` and that messages call `name`.
    pub fn new(name: impl Into<String>, span: Range<usize>, table: DeTable<'a>) -> Self {
        Self { name: name.into(), span, table, elsewhere: Vec::new() }
    }

    /// Keys that are right in this table although the type does not have them.
    #[must_use]
    pub fn also_known(mut self, keys: &[&'static str]) -> Self {
        self.elsewhere.extend_from_slice(keys);
        self
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its name stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether it has no keys left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether it has a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a key has this text for its value.
    #[must_use]
    pub fn says(&self, key: &str, text: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().as_str() == Some(text))
    }

    /// Takes one key out.
    pub fn take(&mut self, key: &'static str) -> Option<Written<'a>> {
        self.elsewhere.push(key);
        self.table.remove_entry(key).map(written)
    }

    /// Sets the keys of `other` over those of this one. `environment` is joined
    /// by its variables: often one of them is all that differs. Another image
    /// comes with its own way to be had.
    pub fn override_with(&mut self, other: Self) {
        if other.table.contains_key("image") || other.table.contains_key("build") {
            for key in ["image", "build", "pull_policy", "platform"] {
                self.table.remove(key);
            }
        }
        let new = other.elsewhere.into_iter().filter(|key| !self.elsewhere.contains(key)).collect::<Vec<_>>();
        self.elsewhere.extend(new);
        for (key, mut value) in other.table {
            if key.get_ref() == "environment"
                && let DeValue::Table(new) = value.get_mut()
                && let Some(DeValue::Table(old)) = self.table.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut)
            {
                old.extend(std::mem::take(new));
                continue;
            }
            self.table.remove(key.get_ref().as_ref());
            self.table.insert(key, value);
        }
    }

    /// Its keys and values, in the order of the file.
    #[must_use]
    pub fn into_written(self) -> Vec<Written<'a>> {
        let mut all: Vec<Written<'a>> = self.table.into_iter().map(written).collect();
        all.sort_by_key(|written| written.span.start);
        all
    }

    /// Reads it as a `T`.
    ///
    /// Serde stops at the first error. So the key that the error speaks of is
    /// reported, taken out, and the rest is read again, until all is told.
    pub fn read<T: DeserializeOwned>(mut self, problems: &mut Problems) -> Option<T> {
        let mut taken_out = Vec::new();
        loop {
            let table = Spanned::new(self.span.clone(), self.table.clone());
            let error = match T::deserialize(table.into_deserializer()) {
                Ok(read) => return taken_out.is_empty().then_some(read),
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| self.span.clone());
            // What is missing from the table itself is no key's fault.
            let of_key =
                |(key, value): &(&Spanned<_>, &Spanned<_>)| holds(&key.span(), &span) || holds(&value.span(), &span);
            let culprit = self.table.iter().filter(|_| span != self.span).find(of_key);
            let key = culprit.map(|(key, _)| key.get_ref().to_string());
            let missing = quoted(error.message()).next().filter(|_| error.message().starts_with("missing field"));
            match missing {
                // What was taken out above is not missing from the file.
                Some(field) if key.is_none() && taken_out.iter().any(|out| out == field) => return None,
                _ => problems.add(self.problem(&error, key.as_deref(), span)),
            }
            let key = key?;
            self.table.remove(key.as_str());
            taken_out.push(key);
        }
    }

    fn problem(&self, error: &toml::de::Error, key: Option<&str>, span: Range<usize>) -> Problem {
        let message = error.message();
        let name = &self.name;
        if message.starts_with("unknown field") {
            let mut words = quoted(message);
            let unknown = words.next().unwrap_or_default();
            let nested = key.is_some_and(|key| key != unknown);
            let elsewhere = if nested { &[][..] } else { &self.elsewhere };
            let known: Vec<&str> = words.chain(elsewhere.iter().copied()).collect();
            let place = key.filter(|_| nested).map_or_else(|| name.clone(), |key| format!("`{key}` of {name}"));
            return unknown_word("key", unknown, &place, &known, span);
        }
        if message.starts_with("missing field") {
            let field = quoted(message).next().unwrap_or_default();
            let place = key.map_or_else(|| name.clone(), |key| format!("`{key}` of {name}"));
            return Problem::new(Some(span).filter(|span| !span.is_empty()), format!("{place} has no `{field}`"));
        }
        let place = key.map_or_else(|| name.clone(), |key| format!("`{key}` of {name}"));
        plain_problem(&place, message, span)
    }
}

impl Written<'_> {
    /// Reads the value as a `T`; `place` is the table that holds the key.
    pub fn read<T: DeserializeOwned>(self, place: &str, problems: &mut Problems) -> Option<T> {
        let span = self.value.span();
        let name = format!("`{}` of {place}", self.key);
        match self.value.into_inner() {
            DeValue::Table(table) => Section::new(name, self.span, table).read(problems),
            value => {
                let read = T::deserialize(Spanned::new(span.clone(), value).into_deserializer());
                read.map_err(|error| problems.add(plain_problem(&name, error.message(), span))).ok()
            }
        }
    }
}

impl Written<'_> {
    /// Reads the value as a `T` that may also be written as one text: as an `S`.
    pub fn read_or_text<S, T>(self, place: &str, problems: &mut Problems) -> Option<T>
    where
        S: DeserializeOwned + Into<T>,
        T: DeserializeOwned,
    {
        match self.value.get_ref() {
            DeValue::String(_) => self.read::<S>(place, problems).map(Into::into),
            DeValue::Table(_) => self.read(place, problems),
            other => {
                let title = format!("`{}` of {place} is a text or a table, not {}", self.key, described(other));
                problems.add(Problem::new(Some(self.value.span()), title));
                None
            }
        }
    }
}

/// A value of the wrong type, or one that its type refuses.
fn plain_problem(place: &str, message: &str, span: Range<usize>) -> Problem {
    if message.starts_with("unknown variant") {
        let mut words = quoted(message);
        let unknown = words.next().unwrap_or_default();
        return unknown_word("value", unknown, place, &words.collect::<Vec<_>>(), span);
    }
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match mismatch.and_then(|rest| rest.split_once(", expected ")) {
        Some((seen, expected)) => Problem::new(Some(span), format!("{place} is {}", type_in_words(expected)))
            .label(format!("this is {}", with_article(seen))),
        None => Problem::new(Some(span), format!("{place}: {message}")),
    }
}

/// The value as a table of its own; what is none is a problem.
pub fn section<'a>(written: Written<'a>, place: &str, problems: &mut Problems) -> Option<Section<'a>> {
    let (name, span) = (format!("`{}` of {place}", written.key), written.value.span());
    match written.value.into_inner() {
        DeValue::Table(table) => Some(Section::new(name, written.span, table)),
        other => {
            problems.add(Problem::new(Some(span), format!("{name} is a table, not {}", described(&other))));
            None
        }
    }
}

/// The keys and values of a table, in the order of the file; what is no table is a problem.
pub fn table<'a>(written: Written<'a>, place: &str, problems: &mut Problems) -> Vec<Written<'a>> {
    let span = written.value.span();
    match written.value.into_inner() {
        DeValue::Table(table) => Section::new(written.key, written.span, table).into_written(),
        other => {
            let title = format!("`{}` of {place} is a table, not {}", written.key, described(&other));
            problems.add(Problem::new(Some(span), title));
            Vec::new()
        }
    }
}

/// The tables of a list, such as all of `[[step]]`; what is none is a problem.
pub fn tables<'a>(written: Written<'a>, name: &str, problems: &mut Problems) -> Vec<Section<'a>> {
    let span = written.value.span();
    let DeValue::Array(list) = written.value.into_inner() else {
        let title = format!("`{name}` is a list of tables: write [[{name}]]");
        problems.add(Problem::new(Some(span), title));
        return Vec::new();
    };
    let mut sections = Vec::new();
    for element in list {
        let span = element.span();
        match element.into_inner() {
            DeValue::Table(table) => sections.push(Section::new(format!("[[{name}]]"), span, table)),
            other => {
                let title = format!("each [[{name}]] is a table, not {}", described(&other));
                problems.add(Problem::new(Some(span), title));
            }
        }
    }
    sections
}

/// Nothing where nothing was said, and an end where it could not be read.
pub fn unless_bad<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

/// A word that is not one of those known in its place.
#[must_use]
pub fn unknown_word(kind: &str, word: &str, place: &str, known: &[&str], span: Range<usize>) -> Problem {
    let problem = Problem::new(Some(span), format!("unknown {kind} `{word}` in {place}"));
    match nearest(word, known.iter().copied()) {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => {
            let mut sorted = known.to_vec();
            sorted.sort_unstable();
            problem.label("not known here").help(format!("known: {}", sorted.join(", ")))
        }
    }
}

/// A value's type with its article, for a sentence.
#[must_use]
pub fn described(value: &DeValue<'_>) -> String {
    with_article(value.type_str())
}

/// An entry of a table, with its place.
pub fn written<'a>((key, value): (Spanned<std::borrow::Cow<'a, str>>, Spanned<DeValue<'a>>)) -> Written<'a> {
    Written { span: key.span(), key: key.into_inner().into_owned(), value }
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The words of serde's message that stand between backticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// A type that serde names as Rust does, as a user would.
fn type_in_words(expected: &str) -> String {
    match expected {
        "i64" => "a whole number".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" => "a whole number of 0 or more".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other => with_article(other),
    }
}

fn with_article(noun: &str) -> String {
    let has_article = ["a ", "an ", "the ", "any "].iter().any(|article| noun.starts_with(article));
    match noun.chars().next() {
        _ if has_article => noun.to_owned(),
        Some('a' | 'e' | 'i' | 'o') => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}

//! "Did you mean": the nearest word of a closed vocabulary.

/// The known word that `seen` is most likely a slip of, if any is near enough to be worth saying.
pub fn nearest<'a>(seen: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let seen = seen.to_lowercase();
    let tolerated = (seen.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&seen, word), word))
        .filter(|(distance, word)| *distance <= tolerated && *distance < word.len())
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seen: &str, expected: Option<&str>) {
        assert_eq!(nearest(seen, ["debug", "info", "warn", "error"]), expected, "{seen}");
    }

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        check("inof", Some("info"));
        check("INFO", Some("info"));
        check("warning", None);
        check("eror", Some("error"));
        check("verbose", None);
        check("", None);
    }
}

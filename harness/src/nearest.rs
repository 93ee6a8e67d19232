//! The word that was most likely meant.

/// How alike two words must be to be taken for one another (Jaro and Winkler,
/// where 1 is the same word).
const ALIKE: f64 = 0.8;

/// The known word that `word` was most likely meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(word, known), known));
    let alike = scored.filter(|(score, _)| *score >= ALIKE);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_taken_for_the_word_that_was_meant() {
        let known = ["image", "ready_within", "exit_code", "restart", "restarts", "logs"];
        let check = |word, expected| assert_eq!(nearest(word, known), expected, "{word}");
        check("imge", Some("image"));
        check("ready_in", Some("ready_within"));
        check("exitcode", Some("exit_code"));
        check("restrat", Some("restart"));
        check("log", Some("logs"));
        check("zzz", None);
        check("", None);
    }
}

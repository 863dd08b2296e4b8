//! The word that was meant.

/// The candidate that differs from `word` by the fewest letters, when it is so near that it may well have been meant: one
/// letter added, left out, changed or swapped for each four letters that there are, but at least one.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 4).max(1);
    let near =
        candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_isnt() {
        let keys = ["leaf-rate", "leaf-url", "concurrency", "report", "settle"];
        for (word, meant) in [
            ("leaf-rat", Some("leaf-rate")),
            ("laef-rate", Some("leaf-rate")),
            ("concurency", Some("concurrency")),
            ("leaf-uri", Some("leaf-url")),
            ("reprot", Some("report")),
            ("x", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
    }
}

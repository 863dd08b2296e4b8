//! The programs in `examples/`, built and run as a stranger would, and what the library promises them.
//!
//! It decides nothing about rows: that is done in `it`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]

mod built;
mod library;

use built::printed;

/// The lines of the manifest in the repository.
const GROWERS: u64 = 200;

fn number_before(text: &str, words: &str) -> u64 {
    let before = text.split(words).next().filter(|before| *before != text);
    let before = before.unwrap_or_else(|| panic!("no {words:?} in {text}"));
    before.rsplit([' ', '\n']).next().unwrap().parse().unwrap()
}

#[test]
fn a_manifest_is_onboarded_and_told_of_while_it_goes() {
    let text = printed("onboard", &["manifests/growers.csv"]);
    assert!(text.starts_with("200 lines, 200 rows to do\n50 rows have ended\n"), "{text}");
    assert!(text.contains("\n200 rows have ended\nattached: 200\neverybody is attached\n"), "{text}");
}

#[test]
fn a_stopped_run_is_resumed_and_tries_nobody_again() {
    let text = printed("resume", &["manifests/growers.csv"]);
    let first = number_before(&text, " attached\n");
    assert!((40..GROWERS).contains(&first), "{text}");
    assert!(text.starts_with("first run: stopped by the program that ran it; "), "{text}");
    let (done, to_do) = (number_before(&text, " done before"), number_before(&text, " to do"));
    assert_eq!((done, to_do), (first, GROWERS - first), "{text}");
    assert!(text.ends_with("second run: finished; 200 attached\n"), "{text}");
}

#[test]
fn results_are_read_from_the_ledger_and_grouped_by_who_must_act() {
    let text = printed("results", &[]);
    assert!(text.starts_with("run 1: 200 lines\nthe grower must act on "), "{text}");
    let refused = number_before(&text, ":\n  line ");
    assert!((1..GROWERS).contains(&refused), "{text}");
    let advised = text.matches(": stara-login-rejected. Ask the grower for the right login").count();
    assert_eq!(advised as u64, refused, "{text}");
}

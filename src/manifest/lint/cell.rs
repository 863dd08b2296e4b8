//! What one cell shows by itself.

use super::super::Field;
use super::email::email_flaw;
use super::kind::LintKind;
use super::mojibake::mojibake;
use super::sample::{MASK, sample};
use crate::model::LeafUserId;

/// What spreadsheets write where a formula fails, in English and in Portuguese.
const SPREADSHEET_ERRORS: [&str; 14] = [
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#N/D",
    "#NOME?", "#VALOR!", "#NULO!", "#NÚM!",
];

/// What programs write where there is nothing.
const PLACEHOLDERS: [&str; 9] =
    ["null", "NULL", "(null)", "<null>", "NaN", "undefined", "N/A", "n/a", "None"];

/// Finds what is wrong with a cell. `found` gets each kind once, with the sample of the first place.
pub(super) fn lint_cell(cell: &str, field: Field, found: &mut impl FnMut(LintKind, String)) {
    if !is_plain(cell) {
        lint_characters(cell, found);
    }
    if field != Field::AccessTokenClient {
        // So that a space beside a number doesn't hide what the number is.
        let text = cell.trim();
        if let Some(kind) = whole(text) {
            found(kind, MASK.to_owned());
        }
        if let Some(shown) = text_marker(text, field) {
            found(LintKind::TextMarker, sample(text, 0, shown));
        }
        match field {
            Field::Login => lint_login(text, found),
            _ if is_masked(text) => found(LintKind::MaskedPassword, MASK.to_owned()),
            _ => {}
        }
    }
}

/// Whether a cell holds nothing but what ASCII shows, and spaces only within. Almost every cell is, so this has to be fast.
fn is_plain(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let is_printable = bytes.iter().fold(true, |all, byte| all & (b' '..=b'~').contains(byte));
    is_printable && bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ')
}

fn lint_characters(cell: &str, found: &mut impl FnMut(LintKind, String)) {
    let inner = cell.trim_matches(is_edge);
    let (start, end) = match cell.find(inner) {
        Some(start) if !inner.is_empty() => (start, start + inner.len()),
        // Nothing but white space: it begins with it, and has no end of its own.
        _ => (cell.len(), cell.len()),
    };
    let first = cell.chars().next().filter(|letter| is_edge(*letter));
    if let Some(letter) = first {
        found(LintKind::LeadingSpace, sample(cell, 0, letter.encode_utf8(&mut [0; 4])));
    }
    let last = cell[end..].chars().last();
    if let Some(letter) = last {
        found(LintKind::TrailingSpace, sample(cell, cell.len() - 1, letter.encode_utf8(&mut [0; 4])));
    }
    let mut seen: Vec<LintKind> = Vec::new();
    let mut before = None;
    let mut at = start;
    while at < end {
        let rest = &cell[at..end];
        let Some(letter) = rest.chars().next() else { break };
        let (kind, length) = match mojibake(rest) {
            Some(length) => (Some(LintKind::Mojibake), length),
            None => (flaw(letter, before), letter.len_utf8()),
        };
        if let Some(kind) = kind
            && !seen.contains(&kind)
        {
            seen.push(kind);
            found(kind, sample(cell, at, &rest[..length]));
        }
        before = Some(letter);
        at += length;
    }
}

/// White space that shows neither at the beginning nor at the end of a cell.
fn is_edge(letter: char) -> bool {
    matches!(letter, ' ' | '\t'..='\r')
}

/// What a character within a cell gives away; `before` is the one before it.
fn flaw(letter: char, before: Option<char>) -> Option<LintKind> {
    match letter {
        ' '..='~' => None,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Some(LintKind::NonBreakingSpace)
        }
        // Between two symbols it makes one of them, as families and flags are written.
        '\u{200d}' if before.is_some_and(|before| before >= '\u{2190}') => None,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Some(LintKind::ZeroWidth),
        '\u{2010}'..='\u{2015}'
        | '\u{2018}'..='\u{201f}'
        | '\u{2026}'
        | '\u{2032}'
        | '\u{2033}'
        | '\u{2212}' => Some(LintKind::SmartQuotes),
        '\u{300}'..='\u{36f}' => Some(LintKind::DecomposedAccent),
        '\u{2028}' | '\u{2029}' => Some(LintKind::ControlCharacter),
        letter if letter.is_control() => Some(LintKind::ControlCharacter),
        _ => None,
    }
}

/// What a login or a password as a whole is, where it is no value.
fn whole(text: &str) -> Option<LintKind> {
    match text.as_bytes().first()? {
        b'0'..=b'9' if is_scientific(text) => Some(LintKind::ScientificNotation),
        b'0'..=b'9' if is_decimal(text) => Some(LintKind::DecimalNumber),
        b'#' if SPREADSHEET_ERRORS.contains(&text) => Some(LintKind::SpreadsheetError),
        b'n' | b'N' | b'(' | b'<' | b'u' if PLACEHOLDERS.contains(&text) => Some(LintKind::Placeholder),
        _ => None,
    }
}

/// Whether it is a number of at least eleven digits as spreadsheets show it: `1.23E+11`, `1,23E+11`, `1E+15`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let is_mantissa = match mantissa.split_once(['.', ',']) {
        None => mantissa.len() == 1 && is_digits(mantissa),
        Some((one, others)) => one.len() == 1 && is_digits(one) && is_digits(others),
    };
    is_mantissa && (2..=3).contains(&exponent.len()) && is_digits(exponent)
}

/// Whether it is a whole number with `.0` behind it. Shorter ones may be versions, or what people make up.
fn is_decimal(text: &str) -> bool {
    text.strip_suffix(".0").is_some_and(|whole| whole.len() >= 4 && is_digits(whole))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is left before a cell of that which made it a text.
fn text_marker(text: &str, field: Field) -> Option<&str> {
    let is_wrapped = |length: usize| text.len() > length && text.ends_with('"');
    if text.starts_with("=\"") && is_wrapped(2) {
        Some("=\"")
    } else if field != Field::Login {
        // A password may begin with anything.
        None
    } else if text.starts_with('\'') && text.len() > 1 {
        Some("'")
    } else if text.starts_with('"') && is_wrapped(1) {
        Some("\"")
    } else {
        None
    }
}

fn is_masked(text: &str) -> bool {
    let count = text.chars().count();
    count >= 4 && ['*', '•', '●'].into_iter().any(|mask| text.chars().all(|letter| letter == mask))
}

fn lint_login(text: &str, found: &mut impl FnMut(LintKind, String)) {
    if let Some(place) = email_flaw(text) {
        let shown = text[place..].chars().next().unwrap_or(' ');
        found(LintKind::MalformedEmail, sample(text, place, shown.encode_utf8(&mut [0; 4])));
    }
    if text.len() == 36 && text.parse::<LeafUserId>().is_ok() {
        found(LintKind::UuidAsLogin, MASK.to_owned());
    }
    if text.len() >= 4 && text.bytes().all(|byte| byte == b'#') {
        found(LintKind::SpreadsheetError, MASK.to_owned());
    }
}

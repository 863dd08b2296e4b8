//! E-mail addresses, as far as a login tells them from other names.

/// Whether `text` is one e-mail address with a domain that has a name below its last dot, as the public ones have.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((name, top)) = domain.rsplit_once('.') else { return false };
    let is_in_place =
        |letter: char| !letter.is_whitespace() && !matches!(letter, '@' | ',' | ';' | '<' | '>');
    !local.is_empty()
        && !name.is_empty()
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && local.chars().chain(name.chars()).all(is_in_place)
}

/// The place of what can't stand in the e-mail address that `text` is without it; `None` where nothing is wrong, or where
/// it is no e-mail address at all.
pub(super) fn email_flaw(text: &str) -> Option<usize> {
    let at = text.find('@')?;
    let is_flaw = |(place, letter): &(usize, char)| {
        matches!(letter, ' ' | ',' | ';' | '<' | '>') || *letter == '@' && *place != at
    };
    let flaw = text.char_indices().find(is_flaw)?.0;
    // Only where an address is left of it or behind it: other logins may have an @ and anything else in them.
    let parts = text.split([' ', ',', ';', '<', '>']);
    let joined: String = text.split_whitespace().collect();
    let has_address = parts.into_iter().any(is_email) || is_email(&joined) || is_doubled(text, at);
    has_address.then_some(flaw)
}

/// Whether it is an address but for a second @.
fn is_doubled(text: &str, at: usize) -> bool {
    let (local, rest) = text.split_at(at);
    is_email(&format!("{local}{}", rest.replacen('@', "", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_names() {
        for text in ["ana@agro.example", "joão.souza@fazenda.com.br", "a+b@x.io"] {
            assert!(is_email(text) && email_flaw(text).is_none(), "{text}");
        }
        for text in [
            "ana",
            "ana@fazenda",
            "@ana",
            "Milho@2024.1",
            "12345678909",
            "a b@c",
            "x@y z",
            "p@ss, w@rd",
            "a@@b",
        ] {
            assert!(!is_email(text) && email_flaw(text).is_none(), "{text}");
        }
    }

    #[test]
    fn addresses_with_something_in_them_are_no_addresses() {
        for (text, place) in [
            ("ana silva@agro.example", 3),
            ("ana@ agro.example", 4),
            ("a@agro.example;b@agro.example", 14),
            ("a@agro.example, b@agro.example", 14),
            ("ana@agro.example;", 16),
            ("ana@@agro.example", 4),
            ("Ana <ana@agro.example>", 3),
        ] {
            assert_eq!(email_flaw(text), Some(place), "{text}");
        }
    }
}

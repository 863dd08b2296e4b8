//! Recognises UTF-8 that was read in a one-byte encoding: `Ã£` for `ã`.

/// The characters that Windows-1252 has for the bytes 0x80 to 0x9F where Latin-1 has controls, each with its byte.
///
/// Source: the index windows-1252 of the WHATWG Encoding Standard.
const WINDOWS_1252: [(char, u8); 27] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('ƒ', 0x83),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‡', 0x87),
    ('ˆ', 0x88),
    ('‰', 0x89),
    ('Š', 0x8a),
    ('‹', 0x8b),
    ('Œ', 0x8c),
    ('Ž', 0x8e),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('˜', 0x98),
    ('™', 0x99),
    ('š', 0x9a),
    ('›', 0x9b),
    ('œ', 0x9c),
    ('ž', 0x9e),
    ('Ÿ', 0x9f),
];

/// The characters that Mac OS Roman has for the bytes 0xA0 to 0xBF, the continuation bytes of the accented letters that
/// begin with `√` (0xC3).
///
/// Source: Apple's mapping table ROMAN.TXT, published by the Unicode Consortium.
const MAC_ROMAN: &str = "†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø";

/// The length in bytes of what `text` begins with, if that is a character read in the wrong encoding, or one that was
/// replaced because it couldn't be read.
pub(super) fn mojibake(text: &str) -> Option<usize> {
    let mut letters = text.chars();
    let first = letters.next()?;
    if !matches!(first, 'Â' | 'Ã' | 'â' | 'ï' | 'ð' | '√' | '\u{fffd}') {
        return None;
    }
    let next = letters.clone().next();
    let is_mojibake = match first {
        '\u{fffd}' => return Some(first.len_utf8()),
        '√' => {
            return next
                .filter(|next| MAC_ROMAN.contains(*next))
                .map(|next| '√'.len_utf8() + next.len_utf8());
        }
        // With a smaller byte it would be a control character, which nobody typed.
        'Â' => continuations(letters.clone(), 1) && next.and_then(byte) >= Some(0xa0),
        'Ã' => continuations(letters.clone(), 1),
        'ð' => continuations(letters.clone(), 3),
        _ => continuations(letters.clone(), 2),
    };
    let count = match first {
        'Â' | 'Ã' => 2,
        'ð' => 4,
        _ => 3,
    };
    is_mojibake.then(|| text.chars().take(count).map(char::len_utf8).sum())
}

/// Whether the next `count` characters stand for continuation bytes of UTF-8.
fn continuations(letters: impl Iterator<Item = char>, count: usize) -> bool {
    letters.take(count).filter(|letter| byte(*letter).is_some()).count() == count
}

/// The continuation byte that a character stands for in Windows-1252 or Latin-1.
fn byte(letter: char) -> Option<u8> {
    match letter {
        '\u{80}'..='\u{bf}' => u8::try_from(u32::from(letter)).ok(),
        _ => WINDOWS_1252.iter().find(|(other, _)| *other == letter).map(|(_, byte)| *byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_mojibake(text: &str) -> bool {
        text.char_indices().any(|(at, _)| mojibake(&text[at..]).is_some())
    }

    #[test]
    fn utf_8_read_as_windows_1252_or_latin_1_is_recognised() {
        for letter in "áàâãäçéêíóôõúüñÁÀÂÃÇÉÊÍÓÔÕÚÜÑºª°€“”’–…🌱".chars()
        {
            let text = format!("a{letter}o");
            let windows = encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0;
            assert!(has_mojibake(&windows), "{letter}: {windows}");
        }
        let latin_1: String = "ção".bytes().map(char::from).collect();
        assert!(has_mojibake(&latin_1));
    }

    #[test]
    fn utf_8_read_as_mac_roman_and_what_was_replaced_are_recognised() {
        for text in ["Jo√£o", "Ant√¥nio", "Jos√©", "Jo\u{fffd}o"] {
            assert!(has_mojibake(text), "{text}");
        }
    }

    #[test]
    fn twice_misread_text_is_recognised() {
        assert!(has_mojibake("JoÃƒÂ£o"));
    }

    #[test]
    fn portuguese_is_no_mojibake() {
        for text in [
            "SÃO JOÃO",
            "IRMÃ",
            "ÂNGELA",
            "Ânimo",
            "AMANHÃ!",
            "mãe",
            "pão",
            "avô",
            "português",
            "naïve",
            "Âmbar£",
            "ação",
            "√2",
            "50 €",
            "nº 5",
        ] {
            assert!(!has_mojibake(text), "{text}");
        }
    }
}

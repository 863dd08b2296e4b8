//! Text encodings: decided on the whole text, decoded as a stream.

use std::io::{self, Cursor, Read};

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::EncodingChoice;
use super::stream::{Bytes, StreamFault};
use super::transcoded::Transcoded;
use super::utf8_checker::Utf8Checker;

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows-1252.
    Windows1252,
}

const UTF_8_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// How much is checked at a time.
const BLOCK_BYTES: usize = 32 * 1024;

/// Whether a whole text is valid, and where it first isn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    /// It is valid.
    Valid,
    /// The first malformed byte stands on this line.
    MalformedOnLine(u64),
}

impl Encoding {
    /// The encoding as messages name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// The encoding to try first, from what people chose and the first bytes of the text.
    pub(super) fn presumed(choice: Option<EncodingChoice>, start: &[u8]) -> Self {
        match (choice, start) {
            (Some(EncodingChoice::Windows1252), _) => Self::Windows1252,
            (None | Some(EncodingChoice::Utf16), [0xfe, 0xff, ..])
            | (Some(EncodingChoice::Utf16), [0, ..]) => Self::Utf16Be,
            (None, [0xff, 0xfe, ..]) | (Some(EncodingChoice::Utf16), _) => Self::Utf16Le,
            (None | Some(EncodingChoice::Utf8), _) => Self::Utf8,
        }
    }

    /// Whether the text begins with the mark that promises UTF-8.
    pub(super) fn is_marked_utf8(start: &[u8]) -> bool {
        start.starts_with(&UTF_8_MARK)
    }

    /// The stream as UTF-8 without a byte-order mark. UTF-8 itself is passed on unchecked.
    pub(super) fn decode(self, mut bytes: Bytes) -> io::Result<Bytes> {
        let mut start = [0; UTF_8_MARK.len()];
        let read = read_start(&mut bytes, &mut start)?;
        let is_mark = matches!(self, Self::Utf8 | Self::Windows1252) && Self::is_marked_utf8(&start[..read]);
        let rest = if is_mark { Vec::new() } else { start[..read].to_vec() };
        let unmarked: Bytes = Box::new(Cursor::new(rest).chain(bytes));
        let decoder = match self {
            Self::Utf8 => return Ok(unmarked),
            Self::Utf16Le => UTF_16LE.new_decoder_with_bom_removal(),
            Self::Utf16Be => UTF_16BE.new_decoder_with_bom_removal(),
            Self::Windows1252 => WINDOWS_1252.new_decoder_without_bom_handling(),
        };
        Ok(Box::new(Transcoded::new(unmarked, decoder)))
    }

    /// Reads the whole text to learn whether it is valid.
    pub(super) fn validate(self, bytes: Bytes) -> io::Result<Validity> {
        let mut text = self.decode(bytes)?;
        let mut checker = Utf8Checker::default();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = match text.read(&mut block) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return match StreamFault::from_io(error) {
                        StreamFault::Malformed => Ok(Validity::MalformedOnLine(checker.line())),
                        other => Err(io::Error::other(other)),
                    };
                }
            };
            if !checker.accepts(&block[..read]) {
                return Ok(Validity::MalformedOnLine(checker.line()));
            }
            if read == 0 {
                return Ok(Validity::Valid);
            }
        }
    }
}

/// Fills `start` as far as the stream goes.
pub(super) fn read_start(bytes: &mut Bytes, start: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < start.len() {
        match bytes.read(&mut start[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(bytes: &[u8]) -> Bytes {
        Box::new(Cursor::new(bytes.to_vec()))
    }

    /// A stream that hands out so few bytes at a time that every character is cut.
    struct Drip(Cursor<Vec<u8>>, usize);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn decode(encoding: Encoding, bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        encoding.decode(stream(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(decode(Encoding::Utf8, "\u{feff}olá".as_bytes()).unwrap(), "olá");
        assert_eq!(decode(Encoding::Utf8, b"o").unwrap(), "o");
        let marked = "\u{feff}olá 🌱";
        assert_eq!(decode(Encoding::Utf16Le, &utf16(marked, u16::to_le_bytes)).unwrap(), "olá 🌱");
        assert_eq!(decode(Encoding::Utf16Be, &utf16(marked, u16::to_be_bytes)).unwrap(), "olá 🌱");
    }

    #[test]
    fn windows_1252_has_a_character_for_every_byte() {
        assert_eq!(decode(Encoding::Windows1252, b"Jo\xe3o \x80 \x81").unwrap(), "João € \u{81}");
    }

    #[test]
    fn the_encoding_presumed_follows_the_choice_and_then_the_mark() {
        let choose = |choice, start: &[u8]| Encoding::presumed(choice, start);
        assert_eq!(choose(None, &[0xff, 0xfe, b'a', 0]), Encoding::Utf16Le);
        assert_eq!(choose(None, &[0xfe, 0xff, 0, b'a']), Encoding::Utf16Be);
        assert_eq!(choose(None, b"abc"), Encoding::Utf8);
        assert_eq!(choose(Some(EncodingChoice::Utf16), b"\0a"), Encoding::Utf16Be);
        assert_eq!(choose(Some(EncodingChoice::Utf16), b"a\0"), Encoding::Utf16Le);
        assert_eq!(choose(Some(EncodingChoice::Utf8), &[0xff, 0xfe]), Encoding::Utf8);
        assert_eq!(choose(Some(EncodingChoice::Windows1252), &[0xff, 0xfe]), Encoding::Windows1252);
    }

    #[test]
    fn the_line_of_the_first_malformed_byte_is_found_however_the_blocks_are_cut() {
        let text = b"um\ndois \xc3\xa3\ntr\xeas\n";
        for drip in 1..text.len() {
            let bytes: Bytes = Box::new(Drip(Cursor::new(text.to_vec()), drip));
            assert_eq!(Encoding::Utf8.validate(bytes).unwrap(), Validity::MalformedOnLine(3));
        }
        let valid = "um\ndois ã 🌱\n".as_bytes();
        for drip in 1..valid.len() {
            let bytes: Bytes = Box::new(Drip(Cursor::new(valid.to_vec()), drip));
            assert_eq!(Encoding::Utf8.validate(bytes).unwrap(), Validity::Valid);
        }
    }

    #[test]
    fn a_text_that_ends_within_a_character_is_malformed() {
        for text in [&b"ab\xc3"[..], b"\xf0\x9f\x8c"] {
            assert_eq!(Encoding::Utf8.validate(stream(text)).unwrap(), Validity::MalformedOnLine(1));
        }
    }

    #[test]
    fn malformed_utf_16_is_found_and_never_replaced() {
        let mut odd = utf16("a\nb", u16::to_le_bytes);
        odd.push(7);
        assert_eq!(Encoding::Utf16Le.validate(stream(&odd)).unwrap(), Validity::MalformedOnLine(2));
        let lone_surrogate = [b'a', 0, 0x00, 0xd8, b'b', 0];
        assert_eq!(
            Encoding::Utf16Le.validate(stream(&lone_surrogate)).unwrap(),
            Validity::MalformedOnLine(1)
        );
        assert!(decode(Encoding::Utf16Le, &lone_surrogate).is_err());
    }
}

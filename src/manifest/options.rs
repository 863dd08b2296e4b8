//! What people may say about a manifest when it doesn't tell by itself.

use std::str::FromStr;

use super::Field;

/// How to read a manifest. By default everything is found out from the manifest itself.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What its lines are to say.
    pub wanted: Wanted,
    /// The file format; found by the first bytes when `None`.
    pub format: Option<Format>,
    /// What stands between two cells of a CSV; `,`, `;`, tab and `|` are tried when `None`.
    pub delimiter: Option<Delimiter>,
    /// The text encoding of a CSV; decided on the whole file when `None`.
    pub encoding: Option<EncodingChoice>,
    /// Which header is which field, where the header's name doesn't say so. Beats the match by name.
    pub columns: Vec<(Field, String)>,
    /// Headers of further columns to carry along in [`Row::kept`](super::Row::kept), in this order.
    pub keep_columns: Vec<String>,
    /// Whether every row must have an accessTokenClient of its own.
    pub access_token_client: ClientColumn,
}

/// What the lines of a manifest are to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// Growers: leafUserId, login and password.
    #[default]
    Growers,
    /// Users alone: only the column leafUserId is needed and looked at, and every other may be missing.
    Users,
}

/// Whether a manifest must have the column accessTokenClient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientColumn {
    /// It may be missing, and so may its cells.
    #[default]
    Optional,
    /// A manifest without it is refused, and a row without it is invalid: the `form` dialect without one value for all.
    Required,
}

/// What stands between two cells of a CSV: one ASCII character that can't be taken for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(u8);

impl Delimiter {
    /// The delimiters tried when none is chosen, the likelier first.
    pub(super) const TRIED: [Self; 4] = [Self(b','), Self(b';'), Self(b'\t'), Self(b'|')];

    /// The delimiter as a byte.
    pub(super) const fn as_byte(self) -> u8 {
        self.0
    }
}

/// A text that can't be a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one ASCII character that is no letter, digit, quote or line end, or the word tab")]
pub struct ParseDelimiterError;

impl FromStr for Delimiter {
    type Err = ParseDelimiterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            // A line end, a quote, a NUL, or what stands within ids and logins would cut cells apart.
            [b'\n' | b'\r' | b'"' | 0] => Err(ParseDelimiterError),
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() => Ok(Self(*byte)),
            _ => Err(ParseDelimiterError),
        }
    }
}

/// A manifest's file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, RFC 4180, with other delimiters and encodings as Excel writes them; perhaps compressed.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A CSV's text encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingChoice {
    /// UTF-8, with or without a byte-order mark.
    Utf8,
    /// UTF-16; without a byte-order mark its byte order is told by where the first zero byte stands.
    Utf16,
    /// Windows-1252, which Excel writes in Brazil.
    Windows1252,
}

/// A word that is none of the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {choices}")]
pub struct ParseChoiceError {
    choices: &'static str,
}

impl FromStr for Format {
    type Err = ParseChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            _ => Err(ParseChoiceError { choices: "csv, parquet" }),
        }
    }
}

impl FromStr for EncodingChoice {
    type Err = ParseChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "utf-16" | "utf16" => Ok(Self::Utf16),
            "windows-1252" | "cp1252" => Ok(Self::Windows1252),
            _ => Err(ParseChoiceError { choices: "utf-8, utf-16, windows-1252" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_found_by_their_names_and_others_list_them() {
        assert_eq!("Parquet".parse(), Ok(Format::Parquet));
        assert_eq!("csv".parse(), Ok(Format::Csv));
        assert_eq!("UTF-16".parse(), Ok(EncodingChoice::Utf16));
        assert_eq!("utf-8".parse(), Ok(EncodingChoice::Utf8));
        assert_eq!("windows-1252".parse(), Ok(EncodingChoice::Windows1252));
        let error = "latin1".parse::<EncodingChoice>().unwrap_err();
        assert_eq!(error.to_string(), "must be one of utf-8, utf-16, windows-1252");
        assert!("xlsx".parse::<Format>().is_err());
    }

    #[test]
    fn a_delimiter_is_one_character_that_cells_are_not_made_of() {
        for (text, byte) in [(";", b';'), ("\t", b'\t'), ("tab", b'\t'), ("\\t", b'\t'), ("^", b'^')] {
            assert_eq!(text.parse::<Delimiter>().unwrap().as_byte(), byte);
        }
        for text in ["", ";;", "\"", "\n", "\0", "a", "0", "§"] {
            assert_eq!(text.parse::<Delimiter>(), Err(ParseDelimiterError), "{text:?}");
        }
    }
}

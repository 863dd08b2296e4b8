//! What can be found in a manifest: the one table of kinds.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LintSeverity {
    /// The row can't be sent, or must not be.
    Error,
    /// The row would be sent, and its login would very probably be refused.
    Warning,
    /// It may well be meant.
    Note,
}

impl LintSeverity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    /// The severity's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for LintSeverity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that is no kind's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no kind of finding of `check`")]
pub struct ParseLintKindError;

/// Makes the kinds and everything that is said of them from one table.
macro_rules! lint_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident, $code:literal, $severity:ident, $meaning:literal, $advice:literal;)+) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LintKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl LintKind {
            /// Every kind, the worst first.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$kind),+];

            /// The kind's stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> LintSeverity {
                match self { $(Self::$kind => LintSeverity::$severity,)+ }
            }

            /// What it means, as a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$kind => $meaning,)+ }
            }

            /// How to mend it, as a sentence.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$kind => $advice,)+ }
            }
        }
    };
}

lint_kinds! {
    /// The header stands once more among the rows.
    HeaderInData, "header-in-data", Error,
        "The header stands once more among the rows.",
        "Delete the line; it comes from pasting several exports one below the other.";
    /// The leafUserId stands in another column.
    ShiftedColumns, "shifted-columns", Error,
        "The leafUserId stands in another column, so that the password may stand anywhere.",
        "Move the cells back to their columns; look for a cell that is missing or too many before them.";
    /// The columns of logins and passwords changed places.
    SwappedColumns, "swapped-columns", Error,
        "The passwords look like logins, and the logins don't: the two columns changed places, and a run refuses the manifest.",
        "Correct the header; if it is right all the same, name both columns with --column login=HEADER and --column password=HEADER.";
    /// Fewer cells than columns.
    MissingCells, "missing-cells", Error,
        "The line has fewer cells than the header has columns.",
        "Add the missing cell; an empty one is written as nothing between two delimiters.";
    /// More cells than columns.
    SurplusCells, "surplus-cells", Error,
        "The line has more cells than the header has columns.",
        "Put quotes around the cell that holds the delimiter, or take the additional cell away.";
    /// A needed cell is empty.
    EmptyCell, "empty-cell", Error,
        "A cell that every row needs is empty.",
        "Fill the cell, or take the line out.";
    /// Something stands around a UUID.
    PaddedUuid, "padded-uuid", Error,
        "Spaces, quotes, braces or invisible characters stand around the leafUserId.",
        "Leave nothing but the UUID in the cell.";
    /// No UUID.
    NotAUuid, "not-a-uuid", Error,
        "The leafUserId is no UUID.",
        "Copy the id of the user from Leaf once more; it looks like 00000000-0000-0000-0000-000000000000.";
    /// A NUL character.
    NulCharacter, "nul-character", Error,
        "A cell holds a NUL character.",
        "Export the file again; if it is UTF-16, say --encoding utf-16.";
    /// Not UTF-8.
    NotUtf8, "not-utf-8", Error,
        "A cell isn't valid UTF-8.",
        "Write the column as UTF-8 text.";
    /// One user with several logins.
    ConflictingUser, "conflicting-user", Error,
        "Several lines name the same leafUserId with different logins, passwords or accessTokenClients; none of them is sent.",
        "Leave the one line that is right.";
    /// Leading white space.
    LeadingSpace, "leading-space", Warning,
        "The cell begins with a space, a tab or a line break, which is sent as it is.",
        "Delete it, unless it really belongs to the password.";
    /// Trailing white space.
    TrailingSpace, "trailing-space", Warning,
        "The cell ends with a space, a tab or a line break, which is sent as it is.",
        "Delete it, unless it really belongs to the password.";
    /// A space that isn't the one of the keyboard.
    NonBreakingSpace, "non-breaking-space", Warning,
        "The cell holds a non-breaking space or another special one, as web pages and word processors write it.",
        "Delete it, or type an ordinary space in its place.";
    /// A character that shows nothing.
    ZeroWidth, "zero-width", Warning,
        "The cell holds a character that shows nothing, such as a zero-width space or a byte-order mark.",
        "Type the cell anew; the character can't be seen.";
    /// Smart quotes, dashes and ellipses.
    SmartQuotes, "smart-quotes", Warning,
        "The cell holds a curly quote, a long dash or an ellipsis, which word processors put in the place of what was typed.",
        "Type the straight quote, the hyphen or the dots.";
    /// A control character.
    ControlCharacter, "control-character", Warning,
        "The cell holds a control character, a tab or a line break within the text.",
        "Delete it; a line break often comes from Alt+Enter or from an unclosed quote.";
    /// Decomposed accents.
    DecomposedAccent, "decomposed-accent", Warning,
        "An accent is a character of its own (Unicode NFD, as macOS writes file names), where keyboards type one letter (NFC).",
        "Type the letter anew, or convert the file to NFC.";
    /// Text read in the wrong encoding.
    Mojibake, "mojibake", Warning,
        "The cell was read in the wrong encoding once: `Ã£` where `ã` was meant, or a replacement character.",
        "Export the file again as UTF-8, and open it as UTF-8 wherever it passes.";
    /// A number as a spreadsheet shows it.
    ScientificNotation, "scientific-notation", Warning,
        "The cell is a long number as a spreadsheet shows it, like 1.23E+11; its last digits are lost.",
        "Take the cell from the source again, and format the column as text before pasting.";
    /// Leading zeros lost.
    LostLeadingZeros, "lost-leading-zeros", Warning,
        "The login is a number shorter than the others, which have a fixed length: a spreadsheet took its leading zeros.",
        "Write the zeros again, and format the column as text.";
    /// A number that became a decimal one.
    DecimalNumber, "decimal-number", Warning,
        "The cell is a whole number with .0 behind it, as programs write it that took the column for numbers.",
        "Delete the .0, and export the column as text.";
    /// An error of a spreadsheet.
    SpreadsheetError, "spreadsheet-error", Warning,
        "The cell holds an error of a spreadsheet, like #N/A or #REF!, in the place of a value.",
        "Mend the formula, or take the line out.";
    /// A word for nothing.
    Placeholder, "placeholder", Warning,
        "The cell holds a program's word for nothing, like null or NaN, in the place of a value.",
        "Fill the cell, or take the line out.";
    /// A masked password.
    MaskedPassword, "masked-password", Warning,
        "The password is a row of asterisks or dots: it was exported masked.",
        "Put the real password there.";
    /// What is left of a formula or of quoting.
    TextMarker, "text-marker", Warning,
        "The cell still has around it what tells a spreadsheet to take it as text: ' before it, or =\"…\" around it.",
        "Leave nothing but the value in the cell.";
    /// An e-mail address that can't be one.
    MalformedEmail, "malformed-email", Warning,
        "The login is an e-mail address with a space, a comma, a semicolon or a second @ in it.",
        "Leave one address, without anything around it.";
    /// A UUID as login.
    UuidAsLogin, "uuid-as-login", Warning,
        "The login is a UUID, as ids at Leaf are.",
        "Put the login there, or say with --column login=HEADER which column holds it.";
    /// Login and password swapped.
    SwappedLogin, "swapped-login", Warning,
        "The password looks like the logins of the other lines, and the login doesn't: the two are probably swapped.",
        "Swap the two cells.";
    /// An identical line.
    DuplicateLine, "duplicate-line", Note,
        "The line says what an earlier one says; the first one counts.",
        "Nothing has to be done; delete it if you like.";
    /// One login for several users.
    SharedLogin, "shared-login", Note,
        "The login stands on the lines of several leafUserIds, which are carried out one after another.",
        "Check that the growers do share the login.";
    /// Numbers of several lengths.
    MixedLoginLengths, "mixed-login-lengths", Note,
        "The login is a number shorter than most of the others; leading zeros may be lost.",
        "Compare a few with their source; if zeros are missing, export the column as text.";
}

impl LintKind {
    /// What a run does with such a line, in a clause.
    #[must_use]
    pub const fn next_run(self) -> &'static str {
        match (self, self.severity()) {
            (Self::SwappedColumns, _) => "refuses the manifest, and sends nothing",
            (_, LintSeverity::Error) => "leaves the line out, and says so in the report",
            (_, LintSeverity::Warning) => "sends the row as it stands, byte for byte",
            (_, LintSeverity::Note) => "takes the line as it stands",
        }
    }
}

impl fmt::Display for LintKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for LintKind {
    type Err = ParseLintKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(ParseLintKindError)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_found_by_its_code_which_stands_once() {
        let codes: BTreeSet<&str> = LintKind::ALL.map(LintKind::as_str).into();
        assert_eq!(codes.len(), LintKind::ALL.len());
        for kind in LintKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert!(kind.as_str().bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'8' | b'-')), "{kind}");
        }
        assert_eq!("spaces".parse::<LintKind>(), Err(ParseLintKindError));
    }

    #[test]
    fn the_worst_kinds_come_first_and_all_say_what_to_do() {
        assert!(LintKind::ALL.is_sorted_by_key(|kind| kind.severity()));
        for kind in LintKind::ALL {
            for sentence in [kind.meaning(), kind.advice()] {
                assert!(sentence.ends_with('.') && !sentence.contains('|'), "{sentence}");
            }
        }
    }
}

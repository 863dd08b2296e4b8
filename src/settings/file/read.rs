//! From bytes to entries.

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::{FileEntry, FileValue, SettingsFile};
use super::error::FileError;

/// The most of a settings file that is read, in bytes. The one that `init` writes has a thirtieth of it.
const LARGEST: u64 = 1024 * 1024;

impl SettingsFile {
    /// Reads a settings file that somebody named. Whether its keys may stand there, [`super::Vocabulary`] knows.
    ///
    /// # Errors
    ///
    /// When it can't be read, or isn't TOML.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let file =
            File::open(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
        Self::read_from(path, file)
    }

    /// Reads the open file at `path`.
    pub(super) fn read_from(path: &Path, file: File) -> Result<Self, FileError> {
        let mut bytes = Vec::new();
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
        if bytes.len() as u64 > LARGEST {
            return Err(FileError::TooLarge { path: path.to_owned(), limit: LARGEST });
        }
        let text = String::from_utf8(bytes).map_err(|_| FileError::NotText { path: path.to_owned() })?;
        Self::parse(path, text.strip_prefix('\u{feff}').unwrap_or(&text))
    }

    /// Takes a text for the file at `path`.
    ///
    /// # Errors
    ///
    /// When it isn't TOML. The message never quotes the text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let lines = Lines(text);
        let document = DeTable::parse(text).map_err(|error| FileError::Syntax {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| lines.of(&span)),
            message: explained(error.message()),
        })?;
        let mut file = Self { path: path.to_owned(), entries: Vec::new(), tables: Vec::new() };
        file.take_in(None, document.into_inner(), &lines);
        file.entries.sort_by_key(|entry| entry.line);
        file.tables.sort_by_key(|(_, line)| *line);
        Ok(file)
    }

    fn take_in(&mut self, table: Option<&str>, content: DeTable<'_>, lines: &Lines<'_>) {
        for (key, value) in content {
            let line = lines.of(&key.span());
            let key = key.into_inner().into_owned();
            match value.into_inner() {
                DeValue::Table(inner) => {
                    let name = table.map_or_else(|| key.clone(), |table| format!("{table}.{key}"));
                    // A table that is only named on the way to a deeper one isn't opened.
                    let is_opened = inner.is_empty() || inner.iter().any(|(_, value)| !is_table(value));
                    if is_opened {
                        self.tables.push((name.clone(), line));
                    }
                    self.take_in(Some(&name), inner, lines);
                }
                value => self.entries.push(FileEntry {
                    table: table.map(ToOwned::to_owned),
                    key,
                    line,
                    value: FileValue::of(&value),
                }),
            }
        }
    }
}

fn is_table(value: &Spanned<DeValue<'_>>) -> bool {
    value.get_ref().is_table()
}

impl FileValue {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.as_ref().to_owned()),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).map_or(Self::Other, Self::Integer)
            }
            DeValue::Boolean(truth) => Self::Boolean(*truth),
            DeValue::Array(values) => {
                Self::List(values.iter().map(|value| Self::of(value.get_ref())).collect())
            }
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Self::Other,
        }
    }
}

/// What the parser says, and where it helps, why that may have happened.
fn explained(message: &str) -> String {
    if message.contains("duplicate key") || message.contains("cannot extend value") {
        "the key or table is there already. A name that is a setting and a verb, as `report`, can be only one of them: \
         write the setting under the tables of its verbs, or the verb's settings at the top"
            .to_owned()
    } else {
        format!("this is no TOML: {message}")
    }
}

/// Finds lines.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    /// The line on which it begins, the first being 1.
    fn of(&self, span: &Range<usize>) -> usize {
        let before = self.0.get(..span.start).unwrap_or(self.0);
        1 + before.matches('\n').count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SettingsFile {
        SettingsFile::parse(Path::new("x.toml"), text).unwrap()
    }

    #[test]
    fn every_entry_knows_its_table_and_its_line() {
        let file = parse(
            "# a comment\nleaf-rate = '5/s'\nconcurrency = 1_6\n\n[run]\nstrict = true\nreport = ['a.csv',\n 'b.csv']\n\
             [state.prune]\nkeep-runs = 0x10\n[audit]\n",
        );
        let seen: Vec<_> = file
            .entries
            .iter()
            .map(|entry| (entry.line, entry.table.as_deref(), entry.key.as_str(), entry.value.clone()))
            .collect();
        let text = |text: &str| FileValue::Text(text.to_owned());
        assert_eq!(
            seen,
            [
                (2, None, "leaf-rate", text("5/s")),
                (3, None, "concurrency", FileValue::Integer(16)),
                (6, Some("run"), "strict", FileValue::Boolean(true)),
                (7, Some("run"), "report", FileValue::List(vec![text("a.csv"), text("b.csv")])),
                (10, Some("state.prune"), "keep-runs", FileValue::Integer(16)),
            ]
        );
        assert_eq!(
            file.tables,
            [("run".to_owned(), 5), ("state.prune".to_owned(), 9), ("audit".to_owned(), 11)]
        );
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_line_and_never_quoted() {
        for (text, line) in [
            ("a = 1\nleaf-token = eyJhbGciOi.secret-part\n", 2),
            ("a = 1\n\nb = 'secret-part\n", 3),
            ("a = 1\na = 'secret-part'\n", 2),
            ("report = 'secret-part'\n[report]\n", 2),
            ("state = 'secret-part'\n[state.prune]\nkeep-runs = 1\n", 2),
            ("[run\nx = 'secret-part'", 1),
            ("x = { y = 'secret-part' ", 1),
        ] {
            let error = SettingsFile::parse(Path::new("x.toml"), text).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains(&format!("line {line}: ")), "{said}");
            assert!(!said.contains("secret-part") && !said.contains("eyJ"), "{said}");
        }
    }

    #[test]
    fn a_name_that_is_a_setting_and_a_verb_is_explained() {
        for text in
            ["report = 'x'\n[report]\n", "state = 'x'\n[state.prune]\nkeep-runs = 1\n", "a = 1\na = 2\n"]
        {
            let error = SettingsFile::parse(Path::new("x.toml"), text).unwrap_err();
            assert!(error.to_string().contains("line 2: the key or table is there already"), "{error}");
        }
    }

    #[test]
    fn the_debug_form_of_a_file_shows_no_value() {
        let shown = format!("{:?}", parse("password = 'hunter2-hunter2'\nx = ['hunter2-hunter2', 1.5]\n"));
        assert!(shown.contains("password") && !shown.contains("hunter2"), "{shown}");
    }
}

//! How an encrypted manifest is decrypted.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::duration::parse_duration;

/// How an encrypted manifest is decrypted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Encrypted manifests")]
pub struct DecryptionFlags {
    /// A file of age identities, one of which opens the manifest (repeatable)
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_AGE_IDENTITY")]
    pub age_identity: Vec<PathBuf>,
    /// A file that holds the passphrase of an age file; without it, it is asked for at the terminal
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_AGE_PASSPHRASE_FILE")]
    pub age_passphrase_file: Option<PathBuf>,
    /// The command whose output is the manifest: 'sops -d {}' or 'gpg -d {}', where {} is the file; without {} it gets the file's
    /// bytes on its stdin
    #[arg(long, value_name = "COMMAND", env = "STARA_ONBOARD_DECRYPT_COMMAND")]
    pub decrypt_command: Option<DecryptCommand>,
    /// How long that command may neither write nor end
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_DECRYPT_TIMEOUT", default_value = "5m", value_parser = parse_duration)]
    pub decrypt_timeout: Duration,
}

/// Flags that name nothing.
impl Default for DecryptionFlags {
    fn default() -> Self {
        Self {
            age_identity: Vec::new(),
            age_passphrase_file: None,
            decrypt_command: None,
            decrypt_timeout: Duration::from_secs(300),
        }
    }
}

/// What stands for the file in a command.
const PLACE: &str = "{}";

/// A command that writes a manifest's plain bytes to its stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecryptCommand {
    text: String,
    started: Started,
}

/// How a command is started.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Started {
    /// As these words, the first of which is the program.
    Words(Vec<String>),
    /// By a shell, which is given this text.
    Shell(String),
    /// By a shell that fails when any program of a pipe does.
    Pipe(String),
}

/// What a shell carries out before a text with a pipe. Without `pipefail` a pipe ends as its last program does, and a program that
/// decrypts writes what it has before it finds the damage. A shell without that option hands the text, its second argument, to bash.
const PIPEFAIL: &str = "\
if (set -o pipefail) 2>/dev/null; then set -o pipefail
elif command -v bash >/dev/null; then exec bash --posix -o pipefail -c \"$2\" \"$0\" \"$1\"
else echo 'this sh tells only how the last program of a pipe ended: install bash, or name a script of your own' >&2; exit 2
fi";

/// A text that is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseDecryptCommandError {
    /// The file stands in a text that another shell would read.
    #[error("must have {{}} as a word of its own, or as the end of one: write a pipe without sh -c")]
    WithinText,
    /// There is nothing in it.
    #[error("must name a program, such as 'sops -d {{}}'")]
    Empty,
    /// A quote isn't closed.
    #[error("has a quote that is opened and never closed")]
    Unclosed,
}

impl FromStr for DecryptCommand {
    type Err = ParseDecryptCommandError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = shlex::split(text).ok_or(ParseDecryptCommandError::Unclosed)?;
        if words.first().is_none_or(String::is_empty) {
            return Err(ParseDecryptCommandError::Empty);
        }
        if is_within_a_text(&words) {
            return Err(ParseDecryptCommandError::WithinText);
        }
        let started = match (needs_shell(text), text.contains('|')) {
            (false, _) => Started::Words(words),
            (true, false) => Started::Shell(for_shell(text)),
            (true, true) => Started::Pipe(for_shell(text)),
        };
        Ok(Self { text: text.to_owned(), started })
    }
}

impl fmt::Display for DecryptCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl DecryptCommand {
    /// Whether it names the file; if not, it reads the file's bytes from its stdin.
    #[must_use]
    pub fn names_file(&self) -> bool {
        self.text.contains(PLACE)
    }

    /// The program and its arguments for the file at `path`.
    #[must_use]
    pub fn words(&self, path: &Path) -> Vec<OsString> {
        let path = unlike_a_flag(path);
        match &self.started {
            Started::Words(words) => words.iter().map(|word| with_path(word, &path)).collect(),
            Started::Shell(text) => vec!["sh".into(), "-c".into(), text.into(), "stara-onboard".into(), path],
            Started::Pipe(text) => {
                let careful = format!("{PIPEFAIL}\n{text}");
                vec!["sh".into(), "-c".into(), careful.into(), "stara-onboard".into(), path, text.into()]
            }
        }
    }
}

/// The path in a form that no program takes for a flag.
fn unlike_a_flag(path: &Path) -> OsString {
    if path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        Path::new(".").join(path).into_os_string()
    } else {
        path.as_os_str().to_owned()
    }
}

fn with_path(word: &str, path: &OsString) -> OsString {
    let mut pieces = word.split(PLACE);
    let mut whole = OsString::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        whole.push(path);
        whole.push(piece);
    }
    whole
}

/// The text with the file as the shell's first argument, so that no letter of its name means anything to the shell, whatever
/// quotes it stands in.
fn for_shell(text: &str) -> String {
    let (mut quote, mut is_escaped) = (None, false);
    let (mut whole, mut rest) = (String::with_capacity(text.len() + 8), text);
    while let Some(letter) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix(PLACE) {
            whole.push_str(match quote {
                None => "\"$1\"",
                Some('"') => "$1",
                Some(_) => "'\"$1\"'",
            });
            rest = behind;
            continue;
        }
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        whole.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    whole
}

/// Whether the file stands in a text that another shell would read, where its name would be carried out.
fn is_within_a_text(words: &[String]) -> bool {
    let follows_c = words.windows(2).any(|pair| pair[0] == "-c" && pair[1].contains(PLACE));
    follows_c || words.iter().any(|word| word.contains(PLACE) && word.contains(char::is_whitespace))
}

/// Whether a text means something only to a shell: a pipe, a redirection, a variable, a pattern, several commands.
fn needs_shell(text: &str) -> bool {
    let text = text.replace(PLACE, "");
    let (mut quote, mut is_escaped) = (None, false);
    for letter in text.chars() {
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '$' | '`') => return true,
            (
                None,
                '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '~' | '#' | '{' | '}' | '\n',
            ) => {
                return true;
            }
            _ => {}
        }
    }
    // A variable that is set for the command alone.
    text.split_whitespace().next().is_some_and(|first| first.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str, path: &str) -> Vec<String> {
        let command: DecryptCommand = command.parse().unwrap();
        command.words(Path::new(path)).into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn a_command_without_signs_of_a_shell_is_started_without_one() {
        assert_eq!(words("sops -d {}", "my growers.csv"), ["sops", "-d", "my growers.csv"]);
        assert_eq!(words("gzip -dc", "g.csv.gz"), ["gzip", "-dc"]);
        assert_eq!(words(r#"x 'a | b' "c;d" e\&f --in={}"#, "g"), ["x", "a | b", "c;d", "e&f", "--in=g"]);
        assert_eq!(words("age -d {}", "-rf.age"), ["age", "-d", "./-rf.age"]);
    }

    #[test]
    fn a_shell_gets_the_file_as_an_argument_and_never_as_text() {
        let evil = "$(rm -rf x)'\";.age";
        for (command, text) in [
            (r#"cat "./{}" > x"#, r#"cat "./$1" > x"#),
            (r#"age -d "{}" > x"#, r#"age -d "$1" > x"#),
            ("age -d -i $HOME/key {}", r#"age -d -i $HOME/key "$1""#),
            ("AWS_PROFILE=x sops -d {}", r#"AWS_PROFILE=x sops -d "$1""#),
            ("age -d -i ~/key", "age -d -i ~/key"),
        ] {
            assert_eq!(words(command, evil), ["sh", "-c", text, "stara-onboard", evil], "{command}");
        }
        for (command, text) in [
            ("age -d {} | gunzip", r#"age -d "$1" | gunzip"#),
            ("age -d '{}' | gunzip", r#"age -d ''"$1"'' | gunzip"#),
        ] {
            let careful = format!("{PIPEFAIL}\n{text}");
            assert_eq!(
                words(command, evil),
                ["sh", "-c", &careful, "stara-onboard", evil, text],
                "{command}"
            );
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        let parse = |text: &str| text.parse::<DecryptCommand>();
        for text in ["", "  ", "''", "# gone"] {
            assert_eq!(parse(text), Err(ParseDecryptCommandError::Empty), "{text:?}");
        }
        assert_eq!(parse("sops 'x"), Err(ParseDecryptCommandError::Unclosed));
        assert!(parse("gpg -d {}").unwrap().names_file());
        for text in ["sh -c 'cat {}'", "bash -c {}", "x 'a {}'", "cat \"a {}\" | cat"] {
            assert_eq!(parse(text).unwrap_err(), ParseDecryptCommandError::WithinText, "{text}");
        }
        assert!(!parse("gpg -d").unwrap().names_file());
    }
}

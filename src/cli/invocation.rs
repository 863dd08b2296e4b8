//! The command that resumes: the one that was given. No secret is ever a flag's value, so it can be shown.

/// The command line of this process, quoted for a POSIX shell.
pub(super) fn command_line() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| quoted(&word.to_string_lossy())).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_a_shell_would_take_apart_are_quoted() {
        assert_eq!(quoted("manifests/growers.csv"), "manifests/growers.csv");
        assert_eq!(quoted("my growers.csv"), "'my growers.csv'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}

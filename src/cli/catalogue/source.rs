//! What the sources say of errors, as `rustfmt` leaves them.

use std::path::{Path, PathBuf};

/// An error's type, as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The type's name.
    pub(super) name: String,
    /// The file, from the package's folder.
    pub(super) file: String,
    /// Its variants; of a struct, its own name.
    pub(super) variants: Vec<String>,
}

/// The text of a source file without its tests, and the file's name from the package's folder.
pub(super) fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        let entries: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        for path in entries {
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "catalogue");
            if is_test {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                files.push((path.strip_prefix(root).unwrap().display().to_string(), text));
            }
        }
    }
    files.sort();
    files
}

/// Every type that is an error, in the order of the files.
pub(super) fn declared() -> Vec<Declared> {
    files().into_iter().flat_map(|(file, text)| declared_in(&file, &text)).collect()
}

fn declared_in(file: &str, text: &str) -> Vec<Declared> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !(line.starts_with("#[derive(") && line.contains("thiserror::Error")) {
            continue;
        }
        let Some(offset) =
            lines[at..].iter().position(|line| line.contains("enum ") || line.contains("struct "))
        else {
            continue;
        };
        let head = lines[at + offset];
        let word = if head.contains("enum ") { "enum " } else { "struct " };
        let name: String = head
            .split(word)
            .nth(1)
            .unwrap_or_default()
            .chars()
            .take_while(|letter| letter.is_alphanumeric())
            .collect();
        let variants = if word == "struct " {
            vec![name.clone()]
        } else {
            let body = lines[at + offset + 1..].iter().take_while(|line| **line != "}");
            body.filter_map(|line| variant(line)).collect()
        };
        found.push(Declared { name, file: file.to_owned(), variants });
    }
    found
}

/// The name of a variant that a line of an enum begins: one step in, and with a capital.
fn variant(line: &str) -> Option<String> {
    let rest = line.strip_prefix("    ")?;
    rest.starts_with(char::is_uppercase)
        .then(|| rest.chars().take_while(|letter| letter.is_alphanumeric()).collect())
}

/// The strings that a piece of source holds, as they are at run time.
pub(super) fn strings(source: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => {
                while letters.next().is_some_and(|letter| letter != '\n') {}
            }
            '\'' => {
                // A character may be a quote.
                let mut ahead = letters.clone();
                if ahead.next() == Some('"') && ahead.next() == Some('\'') {
                    letters.next();
                    letters.next();
                }
            }
            '"' => {
                let mut text = String::new();
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => match letters.next() {
                            Some('\n') => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                            Some('n') => text.push('\n'),
                            Some(other) => text.push(other),
                            None => break,
                        },
                        letter => text.push(letter),
                    }
                }
                strings.push(text);
            }
            _ => {}
        }
    }
    strings
}

#[test]
fn the_sources_are_read_as_they_are_written() {
    let all = declared();
    let problem = all.iter().find(|declared| declared.name == "ManifestProblem").unwrap();
    assert!(problem.variants.contains(&"TwoColumns".to_owned()), "{problem:?}");
    assert!(problem.variants.len() > 15 && all.len() > 40, "{} types", all.len());
    assert_eq!(strings("a(\"b \\\n   \\\"c\\\"\", '\"', \"d\") // \"e\""), ["b \"c\"", "d"]);
}

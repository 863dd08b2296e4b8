//! Rust source as far as the layers need it: words and signs without comments and strings, and the paths in them.

/// A word, a number or a sign (`::` is one sign), and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path from the crate's root that a file names, in an import or anywhere else, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// The tokens of a source, without comments, strings, characters and lifetimes.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let letters: Vec<char> = source.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut place = 0;
    let mut line = 1;
    while place < letters.len() {
        let start = place;
        match at(place) {
            '/' if at(place + 1) == '/' => {
                while place < letters.len() && at(place) != '\n' {
                    place += 1;
                }
            }
            '/' if at(place + 1) == '*' => place = after_comment(&letters, place),
            '"' => place = after_string(&letters, place),
            '\'' if at(place + 1) == '\\' || at(place + 2) == '\'' => {
                place += if at(place + 1) == '\\' { 3 } else { 2 };
                while place < letters.len() && at(place) != '\'' {
                    place += 1;
                }
                place += 1;
            }
            '\'' => {
                place += 1;
                while is_word(at(place)) {
                    place += 1;
                }
            }
            letter if is_word(letter) => {
                while is_word(at(place)) {
                    place += 1;
                }
                let word: String = letters[start..place].iter().collect();
                let hashes = letters[place..].iter().take_while(|&&sign| sign == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && at(place + hashes) == '"' {
                    place = after_raw_string(&letters, place + hashes + 1, hashes);
                } else if word == "r" && hashes == 1 {
                    place += 1;
                } else if !(matches!(word.as_str(), "b" | "c") && matches!(at(place), '"' | '\'')) {
                    tokens.push(Token { text: word, line });
                }
            }
            ':' if at(place + 1) == ':' => {
                place += 2;
                tokens.push(Token { text: "::".to_owned(), line });
            }
            letter => {
                place += 1;
                if !letter.is_whitespace() {
                    tokens.push(Token { text: letter.to_string(), line });
                }
            }
        }
        let passed = letters.get(start..place.min(letters.len())).unwrap_or_default();
        line += passed.iter().filter(|&&letter| letter == '\n').count();
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn after_comment(letters: &[char], mut place: usize) -> usize {
    let mut depth = 0;
    while place < letters.len() {
        match letters[place..] {
            ['/', '*', ..] => (depth, place) = (depth + 1, place + 2),
            ['*', '/', ..] => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place
}

fn after_string(letters: &[char], mut place: usize) -> usize {
    place += 1;
    while place < letters.len() && letters[place] != '"' {
        place += if letters[place] == '\\' { 2 } else { 1 };
    }
    place + 1
}

fn after_raw_string(letters: &[char], mut place: usize, hashes: usize) -> usize {
    while place < letters.len() {
        let closing = &letters[place + 1..letters.len().min(place + 1 + hashes)];
        if letters[place] == '"' && closing.len() == hashes && closing.iter().all(|&sign| sign == '#') {
            return place + 1 + hashes;
        }
        place += 1;
    }
    place
}

/// The module that a file is: `ui/bars.rs` and `ui/bars/mod.rs` are `ui::bars`, `lib.rs` and `main.rs` the root.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    if segments.last().is_some_and(|last| last == "mod") || matches!(path, "lib" | "main") {
        segments.pop();
    }
    segments
}

/// Every path in the file that starts at `crate`, `self` or `super`, as it reads from the crate's root.
pub(crate) fn crate_paths(file: &str, tokens: &[Token]) -> Vec<NamedPath> {
    let word = |place: usize| tokens.get(place).map_or("", |token| token.text.as_str());
    let mut module = module_of(file);
    let mut depth = 0;
    let mut inline_at = Vec::new();
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let before = |steps: usize| place.checked_sub(steps).map_or("", word);
        match token.text.as_str() {
            "{" => {
                depth += 1;
                if before(2) == "mod" {
                    module.push(before(1).to_owned());
                    inline_at.push(depth);
                }
            }
            "}" => {
                if inline_at.last() == Some(&depth) {
                    inline_at.pop();
                    module.pop();
                }
                depth -= 1;
            }
            "crate" | "self" | "super" if before(1) != "::" => {
                let in_visibility = before(2) == "pub" && before(1) == "("
                    || before(3) == "pub" && before(2) == "(" && before(1) == "in";
                let is_path = word(place + 1) == "::" || before(1) == "use";
                if !in_visibility && is_path {
                    let mut tree = Tree { tokens, place, found: Vec::new() };
                    tree.read(&[]);
                    let resolved = tree
                        .found
                        .into_iter()
                        .map(|path| NamedPath { segments: from_root(&module, &path), line: token.line });
                    found.extend(resolved);
                }
            }
            _ => {}
        }
    }
    found
}

/// A path, or the tree of paths of an import, read from left to right.
struct Tree<'a> {
    tokens: &'a [Token],
    place: usize,
    found: Vec<Vec<String>>,
}

impl Tree<'_> {
    fn word(&self) -> &str {
        self.tokens.get(self.place).map_or("", |token| &token.text)
    }

    fn read(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        loop {
            if self.word() == "{" {
                self.place += 1;
                while !matches!(self.word(), "}" | "") {
                    self.read(&path);
                    // An alias changes nothing about what is imported.
                    while !matches!(self.word(), "," | "}" | "") {
                        self.place += 1;
                    }
                    if self.word() == "," {
                        self.place += 1;
                    }
                }
                self.place += 1;
                return;
            }
            path.push(self.word().to_owned());
            self.place += 1;
            let next = self.tokens.get(self.place + 1).map_or("", |token| &token.text);
            if self.word() != "::" || !(next == "{" || next == "*" || next.starts_with(is_word)) {
                self.found.push(path);
                return;
            }
            self.place += 1;
        }
    }
}

fn from_root(module: &[String], path: &[String]) -> Vec<String> {
    let mut resolved = match path.first().map(String::as_str) {
        Some("crate") => Vec::new(),
        _ => module.to_vec(),
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => _ = resolved.pop(),
            _ => resolved.push(segment.clone()),
        }
    }
    resolved
}

#[test]
fn comments_strings_characters_and_lifetimes_are_no_tokens() {
    let source = r###"
        //! crate::a
        /* crate::b /* crate::c */ crate::d */
        fn f<'crate_>(x: &'static str) { g("crate::e \" crate::f", r#"crate::"g"#, b"crate", br##"""##, 'c', '\'', b'"') }
        r#type
    "###;
    let texts: Vec<String> = tokens(source).into_iter().map(|token| token.text).collect();
    let expected = "fn f < > ( x : & str ) { g ( , , , , , , ) } type";
    assert_eq!(texts.join(" "), expected);
    assert_eq!(tokens(source).last().unwrap().line, 5);
}

#[test]
fn paths_are_read_from_the_crates_root() {
    let source = "
        use crate::{model::{Secret as Hidden, Stage}, pipeline::*, ui};
        use super::other;
        use super::super::http::{self, Client};
        pub(crate) fn f(self, x: crate::api::leaf::User) -> super::Thing { self.x; self::g::<u8>() }
        pub(in crate::ui) mod inner {
            use super::super::super::settings;
            fn g() { super::h() }
        }
        use super::last;
    ";
    let paths = crate_paths("ui/bars/mod.rs", &tokens(source));
    let paths: Vec<String> = paths.iter().map(|path| path.segments.join("::")).collect();
    let expected = [
        "model::Secret",
        "model::Stage",
        "pipeline::*",
        "ui",
        "ui::other",
        "http",
        "http::Client",
        "api::leaf::User",
        "ui::Thing",
        "ui::bars::g",
        "settings",
        "ui::bars::h",
        "ui::last",
    ];
    assert_eq!(paths, expected);
}

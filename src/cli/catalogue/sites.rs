//! The places where `cli` makes a failure by itself, without an error's type.

use super::source::{files, strings};

/// Files in which a hint stands elsewhere than where the failure is made, and where.
const MADE_ELSEWHERE: [(&str, &str); 4] = [
    ("src/cli/links/flags.rs", "each caller of this place gives its own"),
    ("src/cli/manifest_source.rs", "by what the system says: see the wrong starts above"),
    ("src/cli/plan.rs", "the advice of the exit code"),
    ("src/cli/reports.rs", "each caller of this place gives its own"),
];

/// A place that makes a failure.
#[derive(Debug)]
pub(super) struct Site {
    /// The file.
    pub(super) file: String,
    /// What it says, as far as the source tells it.
    pub(super) what: String,
    /// What it advises, as far as the source tells it.
    pub(super) hint: String,
}

/// Every place, in the order of the files. Those that only turn a type of `samples` into a failure are left out.
pub(super) fn all() -> Vec<Site> {
    let mut sites = Vec::new();
    for (file, text) in files() {
        let is_of_types = ["src/cli/failure.rs", "src/cli/sharded/opening.rs"].contains(&file.as_str());
        if !file.starts_with("src/cli/") || is_of_types {
            continue;
        }
        for (at, _) in text.match_indices("Failure::new(") {
            sites.push(site(&file, &text, at));
        }
    }
    sites
}

fn site(file: &str, text: &str, at: usize) -> Site {
    let arguments = arguments(&text[at + "Failure::new".len()..]);
    let function = text[..at].rfind("\nfn ").max(text[..at].rfind(" fn ")).unwrap_or(0);
    let before = &text[function..at];
    let told = |index: usize| {
        let argument = arguments.get(index).copied().unwrap_or_default();
        let own = strings(argument);
        if own.is_empty() { of_name(argument.trim(), before) } else { own }
    };
    let what = told(1);
    let what = if what.is_empty() { context(before) } else { what };
    let mut hint = told(2).join(" / ");
    if let Some((_, why)) =
        MADE_ELSEWHERE.iter().find(|(place, _)| *place == file).filter(|_| hint.is_empty())
    {
        hint = format!("({why})");
    }
    Site { file: file.to_owned(), what: what.join(" / "), hint }
}

/// What a name was last given before, as far as that holds strings: `let hint = …;`.
fn of_name(argument: &str, before: &str) -> Vec<String> {
    let name: String =
        argument.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let given = ["let ", "let (", "|"].iter().filter_map(|word| before.rfind(&format!("{word}{name}"))).max();
    given.map_or_else(Vec::new, |at| strings(statement(&before[at..])))
}

/// The context that was added to an error last.
fn context(before: &str) -> Vec<String> {
    before.rfind("context(").map_or_else(Vec::new, |at| strings(statement(&before[at..])))
}

/// A statement up to its semicolon, outside of strings.
fn statement(source: &str) -> &str {
    let mut is_string = false;
    let mut is_escaped = false;
    for (at, letter) in source.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_string = !is_string,
            ';' if !is_string => return &source[..at],
            _ => {}
        }
    }
    source
}

/// The arguments of a call that begins with its parenthesis.
fn arguments(source: &str) -> Vec<&str> {
    let (mut depth, mut is_string, mut is_escaped) = (0_u32, false, false);
    let (mut begin, mut arguments) = (1, Vec::new());
    for (at, letter) in source.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_string = !is_string,
            _ if is_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    arguments.push(&source[begin..at]);
                    return arguments;
                }
            }
            ',' if depth == 1 => {
                arguments.push(&source[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    arguments
}

#[test]
fn the_arguments_of_a_call_are_told_apart() {
    assert_eq!(arguments("(a, f(b, c), \"d, (\")"), ["a", " f(b, c)", " \"d, (\""]);
    let text = "\nfn f() {\n    let hint = \"do that\";\n    Err(Failure::new(ExitCode::Usage, anyhow!(\"it broke\"), hint))";
    let found = site("x", text, text.find("Failure::new(").unwrap());
    assert_eq!((found.what.as_str(), found.hint.as_str()), ("it broke", "do that"));
}

#[test]
fn every_place_that_makes_a_failure_says_what_to_do() {
    let sites = all();
    assert!(sites.len() > 40, "{}", sites.len());
    for site in sites {
        assert!(site.hint.len() > 8, "{}: {:?} has no hint that the source tells", site.file, site.what);
    }
}

//! The pages as text: prose, headings and blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A page of documentation.
pub(super) struct Page {
    /// Its path from the package's root.
    pub(super) name: String,
    pub(super) text: String,
}

/// What stands between two fences.
#[derive(Debug)]
pub(super) struct Block {
    /// The word behind the opening fence.
    pub(super) language: String,
    /// The line of the page on which its text begins, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// The package's root.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that people read.
pub(super) fn pages() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md"), "CHANGELOG.md".into(), "manifests/README.md".into()];
    let mut entries: Vec<_> = std::fs::read_dir(root().join("docs")).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let names = entries.iter().map(|entry| Path::new("docs").join(entry.file_name()));
    paths.extend(names.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    paths.iter().map(|path| page(path.to_str().unwrap())).collect()
}

/// The page with this path.
pub(super) fn page(name: &str) -> Page {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { name: name.to_owned(), text }
}

impl Page {
    /// Its blocks in order.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_inside = false;
        for (number, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(_) if is_inside => is_inside = false,
                Some(language) => {
                    let language = language.trim().to_owned();
                    blocks.push(Block { language, line: number + 2, text: String::new() });
                    is_inside = true;
                }
                None if is_inside => {
                    let text = &mut blocks.last_mut().unwrap().text;
                    text.push_str(line);
                    text.push('\n');
                }
                None => {}
            }
        }
        assert!(!is_inside, "{} has a block without an end", self.name);
        blocks
    }

    /// Its lines outside of blocks.
    pub(super) fn prose(&self) -> String {
        let mut prose = String::new();
        for (number, part) in self.text.split("\n```").enumerate() {
            if number % 2 == 0 {
                // Behind a closing fence nothing stands but the line's end.
                prose.push_str(part);
                prose.push('\n');
            }
        }
        prose
    }

    /// Where a link into it may lead: the name that a forge gives to each heading.
    pub(super) fn anchors(&self) -> Vec<String> {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        let titles = headings.map(|line| line.trim_start_matches('#').trim());
        titles
            .map(|title| {
                let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
                let slug: String = title.to_lowercase().chars().filter(kept).collect();
                let slug = slug.replace(' ', "-");
                let count = known.entry(slug.clone()).or_default();
                *count += 1;
                if *count == 1 { slug } else { format!("{slug}-{}", *count - 1) }
            })
            .collect()
    }

    /// The targets of its links and pictures.
    pub(super) fn links(&self) -> Vec<String> {
        let prose = self.prose();
        // What stands in backticks shows how something is written.
        let told: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("");
        let targets = told.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target.to_owned()).collect()
    }
}

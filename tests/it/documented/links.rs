//! Every link leads to a file that is there and to a heading that is in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::pages::{Page, page, pages, root};

/// The path that a link of this page means, from the package's root.
fn meant(from: &Page, target: &str) -> PathBuf {
    let folder = Path::new(&from.name).parent().unwrap();
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{}: {target} leads out of the package", from.name),
            other => path.push(other),
        }
    }
    path
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for from in pages() {
        for link in from.links().iter().filter(|link| !link.contains("://")) {
            count += 1;
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if target.is_empty() { PathBuf::from(&from.name) } else { meant(&from, target) };
            if !root().join(&path).exists() {
                wrong.push(format!("{}: {link}: there is no such file", from.name));
            } else if !anchor.is_empty() {
                let anchors = page(path.to_str().unwrap()).anchors();
                if !anchors.iter().any(|known| known == anchor) {
                    wrong.push(format!("{}: {link}: there is no such heading", from.name));
                }
            }
        }
    }
    assert!(count > 100, "{count} links");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_is_found_from_the_readme() {
    let readme = page("README.md");
    let linked: BTreeSet<PathBuf> = readme
        .links()
        .iter()
        .filter(|link| !link.contains("://"))
        .map(|link| meant(&readme, link.split('#').next().unwrap()))
        .collect();
    let pages = pages();
    let missed: Vec<&str> = pages
        .iter()
        .map(|page| page.name.as_str())
        .filter(|name| !["README.md", "CHANGELOG.md"].contains(name) && !linked.contains(Path::new(name)))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// Comments, messages and files to install name pages, too.
#[test]
fn every_page_that_is_named_elsewhere_is_there() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut folders: Vec<PathBuf> =
        ["src", "tests", "benches", "deploy", ".ci"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            for (place, _) in text.match_indices("docs/") {
                let is_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
                let rest = &text[place + 5..];
                let name = &rest[..rest.find(|letter| !is_name(letter)).unwrap_or(rest.len())];
                if name.is_empty() || !rest[name.len()..].starts_with(".md") {
                    continue;
                }
                count += 1;
                if !root().join(format!("docs/{name}.md")).exists() {
                    wrong.push(format!("{}: docs/{name}.md", entry.path().display()));
                }
            }
        }
    }
    assert!(count > 20, "{count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

//! What has surely reached the disk, and what a loss of power leaves of the rest.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::happening::{File, Happening};
use crate::support::Dice;

/// A sector: what a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Names and contents, some of them on the disk and some on their way.
#[derive(Default)]
pub(super) struct Disk<'a> {
    contents: HashMap<File, Content<'a>>,
    names: Names,
    pending_names: Vec<(usize, &'a Happening)>,
}

/// A folder's names: what each path is.
type Names = BTreeMap<String, Node>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(File),
}

#[derive(Default)]
struct Content<'a> {
    durable: Vec<u8>,
    pending: Vec<(usize, &'a Happening)>,
}

/// How the power treats what wasn't flushed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Loss {
    /// All of it is gone.
    All,
    /// Nothing is: as if only the process had died.
    Nothing,
    /// Each write and each name comes through or not.
    Some,
    /// Each sector of each write comes through or not, and each name.
    Torn,
}

impl Loss {
    pub(super) fn by_chance(dice: &mut Dice) -> Self {
        *dice.pick(&[Self::All, Self::Nothing, Self::Some, Self::Some, Self::Torn, Self::Torn, Self::Torn])
    }
}

impl<'a> Disk<'a> {
    /// The disk after the first `end` happenings.
    pub(super) fn after(happenings: &'a [Happening], end: usize) -> Self {
        let mut disk = Self::default();
        for (index, happening) in happenings[..end].iter().enumerate() {
            match happening {
                Happening::Written { file, .. } | Happening::Truncated { file, .. } => {
                    disk.contents.entry(*file).or_default().pending.push((index, happening));
                }
                Happening::Flushed { file, before, .. } => {
                    disk.contents.entry(*file).or_default().flush(*before);
                }
                Happening::FlushedFolder { path, before } => disk.flush_folder(path, *before),
                Happening::Made { .. }
                | Happening::MadeFolder { .. }
                | Happening::Renamed { .. }
                | Happening::Removed { .. } => disk.pending_names.push((index, happening)),
                Happening::Requested { .. } | Happening::Claimed { .. } | Happening::Exited => {}
            }
        }
        disk
    }

    fn flush_folder(&mut self, folder: &str, before: usize) {
        let (flushed, pending) = std::mem::take(&mut self.pending_names)
            .into_iter()
            .partition(|(index, happening)| *index < before && folder_of(path_of(happening)) == folder);
        self.pending_names = pending;
        let flushed: Vec<(usize, &Happening)> = flushed;
        for (_, happening) in flushed {
            rename(&mut self.names, happening);
        }
    }

    /// Writes into an empty folder what the power leaves.
    pub(super) fn lose_power(&self, loss: Loss, dice: &mut Dice, into: &Path) {
        let mut names = self.names.clone();
        for (_, happening) in &self.pending_names {
            if comes_through(loss, dice) {
                rename(&mut names, happening);
            }
        }
        for (path, node) in &names {
            // What is in a folder whose own name is lost, is lost.
            if !ancestors(path).all(|folder| names.get(folder) == Some(&Node::Folder)) {
                continue;
            }
            match node {
                Node::Folder => std::fs::create_dir(into.join(path)).unwrap(),
                Node::File(file) => {
                    let content = self.contents.get(file);
                    let bytes = content.map(|content| content.left(loss, dice)).unwrap_or_default();
                    std::fs::write(into.join(path), bytes).unwrap();
                }
            }
        }
    }
}

impl Content<'_> {
    fn flush(&mut self, before: usize) {
        let flushed = self.pending.iter().take_while(|(index, _)| *index < before).count();
        for (_, happening) in self.pending.drain(..flushed) {
            apply(&mut self.durable, happening, |_| true);
        }
    }

    fn left(&self, loss: Loss, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (_, happening) in &self.pending {
            match loss {
                Loss::Torn => apply(&mut bytes, happening, |_| dice.percent(50)),
                _ if comes_through(loss, dice) => apply(&mut bytes, happening, |_| true),
                _ => {}
            }
        }
        bytes
    }
}

fn comes_through(loss: Loss, dice: &mut Dice) -> bool {
    match loss {
        Loss::All => false,
        Loss::Nothing => true,
        Loss::Some | Loss::Torn => dice.percent(50),
    }
}

/// Makes a change to a file's bytes, as far as its sectors come through.
fn apply(content: &mut Vec<u8>, happening: &Happening, mut comes_through: impl FnMut(usize) -> bool) {
    match happening {
        Happening::Truncated { length, .. } => {
            if comes_through(0) {
                content.resize(*length, 0);
            }
        }
        Happening::Written { at, bytes, .. } => {
            let end = at + bytes.len();
            for sector in at / SECTOR..end.div_ceil(SECTOR) {
                let (from, to) = ((*at).max(sector * SECTOR), end.min((sector + 1) * SECTOR));
                if comes_through(sector) {
                    content.resize(content.len().max(to), 0);
                    content[from..to].copy_from_slice(&bytes[from - at..to - at]);
                }
            }
        }
        other => panic!("{other:?} is no change of a content"),
    }
}

fn rename(names: &mut Names, happening: &Happening) {
    match happening {
        Happening::Made { path, file } => drop(names.insert(path.clone(), Node::File(*file))),
        Happening::MadeFolder { path } => drop(names.insert(path.clone(), Node::Folder)),
        Happening::Removed { path } => drop(names.remove(path)),
        Happening::Renamed { from, to, file } => {
            names.remove(from);
            names.insert(to.clone(), Node::File(*file));
        }
        other => panic!("{other:?} is no change of a name"),
    }
}

fn path_of(happening: &Happening) -> &str {
    match happening {
        Happening::Made { path, .. } | Happening::MadeFolder { path } | Happening::Removed { path } => path,
        // Both names are in one folder: files are replaced beside themselves.
        Happening::Renamed { to, .. } => to,
        other => panic!("{other:?} is no change of a name"),
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders that a path is in, but for the one that was there from the beginning.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder_of(path)), |folder| Some(folder_of(folder)))
        .take_while(|folder| !folder.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(at: usize, bytes: &[u8]) -> Happening {
        Happening::Written { file: File(0), at, bytes: bytes.to_vec() }
    }

    fn left(happenings: &[Happening], loss: Loss, seed: u64) -> Option<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        Disk::after(happenings, happenings.len()).lose_power(loss, &mut Dice::new(seed), folder.path());
        std::fs::read(folder.path().join("a")).ok()
    }

    #[test]
    fn what_was_not_flushed_can_be_lost_and_what_was_cannot() {
        let made = Happening::Made { path: "a".to_owned(), file: File(0) };
        let flushed = |before| Happening::Flushed { file: File(0), before, path: "a".to_owned() };
        let named = Happening::FlushedFolder { path: String::new(), before: 9 };
        let all = [made, written(0, b"one"), flushed(2), written(3, b"two"), named];
        assert_eq!(left(&all, Loss::All, 0).unwrap(), b"one");
        assert_eq!(left(&all, Loss::Nothing, 0).unwrap(), b"onetwo");
        assert_eq!(left(&all[..4], Loss::All, 0), None, "its name was lost");
        let either: Vec<_> = (0..20).map(|seed| left(&all, Loss::Some, seed).unwrap().len()).collect();
        assert!(either.contains(&3) && either.contains(&6), "{either:?}");
    }

    #[test]
    fn a_write_is_torn_between_sectors_only() {
        let made = Happening::Made { path: "a".to_owned(), file: File(0) };
        let named = Happening::FlushedFolder { path: String::new(), before: 9 };
        let all = [made, written(100, &[7; 1_200]), named];
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let mut bytes = left(&all, Loss::Torn, seed).unwrap();
            bytes.resize(1_300, 0);
            for part in [100..512, 512..1_024, 1_024..1_300] {
                let first = bytes[part.start];
                assert!(bytes[part].iter().all(|byte| *byte == first), "a sector is torn");
            }
            seen.insert((bytes[100], bytes[600], bytes[1_200]));
        }
        assert_eq!(seen.len(), 8);
    }
}

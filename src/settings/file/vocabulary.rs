//! The keys that there are, and whether each key of a file is one of them.

use std::collections::BTreeSet;

use super::complaint::Complaint;
use super::entry::SettingsFile;
use super::error::Refused;
use super::suggestion::closest;
use crate::settings::secrets::instead_of;

/// One thing that a verb's command line takes, and under which key a file may hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The verb's table, as `run` or `state.prune`.
    pub table: String,
    /// The flag's long name; of what stands without a flag, its own.
    pub key: String,
    /// Its environment variable.
    pub variable: Option<String>,
    /// Whether it may stand in a file.
    pub standing: Standing,
}

/// Whether something may stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Setting,
    /// It is a flag of one call.
    OneCall,
    /// It has no flag.
    Positional,
}

/// All that the command line takes.
#[derive(Debug)]
pub struct Vocabulary(Vec<Declaration>);

impl Vocabulary {
    /// The vocabulary of these.
    #[must_use]
    pub fn new(declarations: Vec<Declaration>) -> Self {
        Self(declarations)
    }

    /// What is wrong with the keys and tables of a file, line by line.
    #[must_use]
    pub fn judge(&self, file: &SettingsFile) -> Vec<Refused> {
        let mut refused = Vec::new();
        for (table, line) in &file.tables {
            if let Some(complaint) = self.judge_table(table) {
                refused.push(Refused { line: *line, complaint });
            }
        }
        for entry in &file.entries {
            let complaint = match &entry.table {
                None => self.judge_key(&entry.key),
                // Of an unknown table it is enough to say that.
                Some(table) if !self.has_table(table) => None,
                Some(table) => self.judge_key_of(table, &entry.key),
            };
            refused.extend(complaint.map(|complaint| Refused { line: entry.line, complaint }));
        }
        refused.sort_by_key(|refused| refused.line);
        refused
    }

    /// The tables that have a setting of this name.
    #[must_use]
    pub fn tables_with(&self, key: &str) -> Vec<&str> {
        let mut tables = Vec::new();
        for declared in self.settings().filter(|declared| declared.key == key) {
            if !tables.contains(&declared.table.as_str()) {
                tables.push(declared.table.as_str());
            }
        }
        tables
    }

    fn settings(&self) -> impl Iterator<Item = &Declaration> {
        self.0.iter().filter(|declared| declared.standing == Standing::Setting)
    }

    fn has_table(&self, table: &str) -> bool {
        self.0.iter().any(|declared| declared.table == table)
    }

    fn judge_table(&self, table: &str) -> Option<Complaint> {
        if self.has_table(table) {
            return None;
        }
        let below = self.tables_below(table);
        if !below.is_empty() {
            return Some(Complaint::NotATable { table: table.to_owned(), verbs: below });
        }
        let tables = self.0.iter().map(|declared| declared.table.as_str());
        let nearest = closest(table, tables).map(ToOwned::to_owned);
        Some(Complaint::UnknownTable { table: table.to_owned(), nearest })
    }

    /// The verb of this name, or those below it.
    fn tables_below(&self, name: &str) -> Vec<String> {
        let is_below = |table: &str| {
            table.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let below: BTreeSet<_> =
            self.settings().map(|declared| declared.table.as_str()).filter(|table| is_below(table)).collect();
        below.into_iter().map(ToOwned::to_owned).collect()
    }

    fn judge_key(&self, key: &str) -> Option<Complaint> {
        self.judge_among(key, |_| true).map(|complaint| match complaint {
            Complaint::UnknownKey { key, nearest: None } => match self.tables_below(&key) {
                verbs if verbs.is_empty() => Complaint::UnknownKey { key, nearest: None },
                verbs => Complaint::NotATable { table: key, verbs },
            },
            complaint => complaint,
        })
    }

    fn judge_key_of(&self, table: &str, key: &str) -> Option<Complaint> {
        let complaint = self.judge_among(key, |declared| declared.table == table)?;
        if let Complaint::UnknownKey { .. } = &complaint {
            let verbs: Vec<_> = self.tables_with(key).into_iter().map(ToOwned::to_owned).collect();
            if !verbs.is_empty() {
                return Some(Complaint::ElsewhereOnly {
                    table: table.to_owned(),
                    key: key.to_owned(),
                    verbs,
                });
            }
            // It may be misspelt as well as misplaced.
            return self.judge_among(key, |_| true);
        }
        Some(complaint)
    }

    fn judge_among(&self, key: &str, is_meant: impl Fn(&Declaration) -> bool) -> Option<Complaint> {
        let among = || self.0.iter().filter(|declared| is_meant(declared));
        let exactly = || among().filter(|declared| declared.key == key);
        if exactly().any(|declared| declared.standing == Standing::Setting) {
            return None;
        }
        let key = key.to_owned();
        match exactly().next().map(|declared| declared.standing) {
            Some(Standing::OneCall) => return Some(Complaint::OneCall { key }),
            Some(Standing::Positional) => return Some(Complaint::Positional { key }),
            Some(Standing::Setting) | None => {}
        }
        let settings = || among().filter(|declared| declared.standing == Standing::Setting);
        let plain = key.trim_start_matches('-').replace('_', "-").to_ascii_lowercase();
        let is_it = |declared: &&Declaration| {
            declared.key == plain
                || declared.variable.as_ref().is_some_and(|variable| variable.eq_ignore_ascii_case(&key))
        };
        if let Some(declared) = settings().find(is_it) {
            return Some(Complaint::Misspelt { key, right: declared.key.clone() });
        }
        let mut of_one_call = among().filter(|declared| declared.standing == Standing::OneCall);
        if let Some(declared) = of_one_call.find(is_it) {
            return Some(Complaint::OneCall { key: declared.key.clone() });
        }
        let nearest = closest(&plain, settings().map(|declared| declared.key.as_str()));
        // A key that names a secret is never taken for a slip.
        match (nearest, instead_of(&key)) {
            (None, Some(instead)) => Some(Complaint::Secret { key, instead: instead.to_owned() }),
            (nearest, _) => Some(Complaint::UnknownKey { key, nearest: nearest.map(ToOwned::to_owned) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn vocabulary() -> Vocabulary {
        let declared = |table: &str, key: &str, variable: Option<&str>, standing| Declaration {
            table: table.to_owned(),
            key: key.to_owned(),
            variable: variable.map(ToOwned::to_owned),
            standing,
        };
        Vocabulary::new(vec![
            declared("run", "leaf-rate", Some("X_LEAF_RATE"), Standing::Setting),
            declared("run", "leaf-url", Some("LEAF_URL"), Standing::Setting),
            declared("run", "leaf-token-file", Some("X_LEAF_TOKEN_FILE"), Standing::Setting),
            declared("run", "dry-run", None, Standing::OneCall),
            declared("run", "limit", Some("X_LIMIT"), Standing::OneCall),
            declared("run", "manifest", None, Standing::Positional),
            declared("run", "report", Some("X_REPORT"), Standing::Setting),
            declared("audit", "leaf-rate", Some("X_LEAF_RATE"), Standing::Setting),
            declared("audit", "report", None, Standing::OneCall),
            declared("state.prune", "keep-runs", Some("X_KEEP_RUNS"), Standing::Setting),
        ])
    }

    /// What is said of a text, without its line.
    fn said(text: &str) -> Vec<String> {
        let file = SettingsFile::parse(Path::new("x.toml"), text).unwrap();
        vocabulary().judge(&file).into_iter().map(|refused| refused.complaint.to_string()).collect()
    }

    #[test]
    fn settings_may_stand_at_the_top_and_under_their_verbs() {
        let text = "leaf-rate = '5/s'\nkeep-runs = 5\nreport = 'x'\n[run]\nleaf-rate = '6/s'\n[state.prune]\nkeep-runs = 3\n";
        assert_eq!(said(text), Vec::<String>::new());
    }

    #[test]
    fn a_slip_is_answered_with_the_right_key() {
        for (text, answer) in [
            ("leaf-rat = 1", "there is no setting `leaf-rat`; did you mean leaf-rate?"),
            ("[run]\nleaf-rat = 1", "there is no setting `leaf-rat`; did you mean leaf-rate?"),
            ("leaf_rate = 1", "write `leaf-rate` instead of `leaf_rate`"),
            ("--leaf-rate = 1", "write `leaf-rate` instead of `--leaf-rate`"),
            ("Leaf-Rate = 1", "write `leaf-rate` instead of `Leaf-Rate`"),
            ("X_LEAF_RATE = 1", "write `leaf-rate` instead of `X_LEAF_RATE`"),
            ("LEAF_URL = 1", "write `leaf-url` instead of `LEAF_URL`"),
            ("[state.prune]\nkeep_runs = 1", "write `keep-runs` instead of `keep_runs`"),
            ("[audit]\nleaf_url = 1", "write `leaf-url` instead of `leaf_url`"),
            ("leaf-token-fil = 1", "there is no setting `leaf-token-fil`; did you mean leaf-token-file?"),
            ("colour = 1", "there is no setting `colour`; `stara-onboard init -` lists all"),
            (
                "[audit]\nkeep-runs = 1",
                "`keep-runs` is no setting of audit, but of state.prune: write it at the top, or under [state.prune]",
            ),
            ("[runn]\nleaf-rate = 1", "there is no verb `runn`; did you mean [run]?"),
            ("[state]\nkeep-runs = 1", "the settings of `state` stand under [state.prune]"),
            ("run = 1", "the settings of `run` stand under [run]"),
            ("[[run]]\nleaf-rate = 1", "the settings of `run` stand under [run]"),
            ("dry-run = true", "`dry-run` belongs to one call: give it on the command line as --dry-run"),
            ("X_LIMIT = 1", "`limit` belongs to one call: give it on the command line as --limit"),
            ("dry_run = true", "`dry-run` belongs to one call: give it on the command line as --dry-run"),
            ("[audit]\nreport = 1", "`report` belongs to one call: give it on the command line as --report"),
            ("manifest = 'x.csv'", "`manifest` is no setting: it is given on the command line"),
        ] {
            assert_eq!(said(text), [answer], "{text}");
        }
    }

    #[test]
    fn a_secret_is_sent_to_where_it_belongs_and_not_repeated() {
        for key in ["leaf-token", "LEAF_TOKEN", "leaf_password", "password", "[run]\napi-key"] {
            let said = said(&format!("{key} = 'eyJhbGciOi-secret'"));
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains("is a secret") && said[0].contains("environment"), "{said:?}");
            assert!(!said[0].contains("eyJ"), "{said:?}");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once_and_in_order() {
        let file =
            SettingsFile::parse(Path::new("x.toml"), "a-b = 1\nleaf-rate = 1\n\nc-d = 1\n[e]\nf = 1\n")
                .unwrap();
        let lines: Vec<_> = vocabulary().judge(&file).iter().map(|refused| refused.line).collect();
        assert_eq!(lines, [1, 4, 5]);
    }
}

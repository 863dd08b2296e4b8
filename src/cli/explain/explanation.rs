//! Everything that is to be said about one code.

use serde::Serialize;

use crate::cli::exit_code::ExitCode;
use crate::manifest::LintKind;
use crate::model::{Finding, OutcomeCode, Owner, Sign};

/// What a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// How a row ends.
    Outcome,
    /// How the process ends.
    ExitCode,
    /// What an audit finds of a user.
    Finding,
    /// What a plan foresees for a row.
    Sign,
    /// What the lint finds in a manifest.
    Lint,
}

impl Kind {
    /// Every kind, in the order in which they are listed.
    pub(super) const ALL: [Self; 5] = [Self::Outcome, Self::ExitCode, Self::Finding, Self::Sign, Self::Lint];

    /// The heading above the kind's codes.
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::Outcome => "Outcomes of a row",
            Self::ExitCode => "Exit codes",
            Self::Finding => "Findings of an audit",
            Self::Sign => "Signs of a plan",
            Self::Lint => "Findings of check",
        }
    }

    /// What a single code of it is called.
    const fn name(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::ExitCode => "exit code",
            Self::Finding => "finding of an audit",
            Self::Sign => "sign of a plan",
            Self::Lint => "finding of check",
        }
    }
}

/// Everything that is to be said about one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    pub(super) kind: Kind,
    pub(super) code: String,
    /// What it means, in one sentence or two.
    pub(super) meaning: &'static str,
    /// Who must act; none for what isn't decided yet.
    owner: Option<&'static str>,
    /// What to do, in one sentence.
    advice: Option<&'static str>,
    /// What the next run does, in a clause.
    next_run: Option<&'static str>,
}

impl Explanation {
    /// Of every code that this program uses.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let outcomes = OutcomeCode::ALL.iter().map(|code| Self {
            kind: Kind::Outcome,
            code: code.as_str().to_owned(),
            meaning: code.meaning(),
            owner: Some(code.owner().as_str()),
            advice: Some(code.advice()),
            next_run: Some(code.next_run().as_str()),
        });
        let exit_codes = ExitCode::ALL.into_iter().map(|code| Self {
            kind: Kind::ExitCode,
            code: code.number().to_string(),
            meaning: code.meaning(),
            owner: Some(code.owner()),
            advice: Some(code.advice()),
            next_run: Some(code.next_run()),
        });
        let findings = Finding::ALL.into_iter().map(|finding| Self {
            kind: Kind::Finding,
            code: finding.as_str().to_owned(),
            meaning: finding.meaning(),
            owner: Some(finding.owner().as_str()),
            advice: Some(finding.advice()),
            next_run: Some(finding.next_run()),
        });
        let signs = Sign::ALL.into_iter().map(|sign| Self {
            kind: Kind::Sign,
            code: sign.as_str().to_owned(),
            meaning: sign.meaning(),
            owner: None,
            advice: None,
            next_run: None,
        });
        let lint = LintKind::ALL.into_iter().map(|kind| Self {
            kind: Kind::Lint,
            code: kind.as_str().to_owned(),
            meaning: kind.meaning(),
            owner: Some(Owner::You.as_str()),
            advice: Some(kind.advice()),
            next_run: Some(kind.next_run()),
        });
        outcomes.chain(exit_codes).chain(findings).chain(signs).chain(lint)
    }

    /// Whether somebody who writes this means the code: capitals, and what stands between two words, don't matter.
    pub(super) fn is_meant_by(&self, text: &str) -> bool {
        self.code == text || (plain(text).len() > 1 && plain(&self.code) == plain(text))
    }

    /// How alike the code and a text are, from 0 to 1.
    pub(super) fn likeness(&self, text: &str) -> f64 {
        strsim::jaro_winkler(&plain(&self.code), &plain(text))
    }

    /// The whole of it, for people.
    pub(super) fn text(&self) -> String {
        let said =
            [("Who acts:", self.owner), ("What to do:", self.advice), ("The next run:", self.next_run)];
        let said = said.into_iter().filter_map(|(label, text)| Some(format!("  {label:<14} {}\n", text?)));
        format!("{} ({})\n  {}\n", self.code, self.kind.name(), self.meaning) + &said.collect::<String>()
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_meant_however_it_is_written() {
        let code = |name| Explanation::all().find(|explanation| explanation.code == name).unwrap();
        for text in ["unknownUser", "unknown user", "UNKNOWN-USER", "unknown_user"] {
            assert!(code("unknownUser").is_meant_by(text), "{text}");
        }
        assert!(code("-").is_meant_by("-") && !code("-").is_meant_by("+") && !code("x").is_meant_by("X."));
        assert!(code("11").is_meant_by("11") && !code("1").is_meant_by("11"));
    }

    #[test]
    fn no_code_is_explained_twice_and_everything_is_said() {
        let all: Vec<Explanation> = Explanation::all().collect();
        for (place, explanation) in all.iter().enumerate() {
            assert!(!all[..place].iter().any(|other| other.code == explanation.code), "{explanation:?}");
            assert!(explanation.meaning.len() > 10, "{explanation:?}");
            let is_whole = [explanation.owner, explanation.advice, explanation.next_run]
                .into_iter()
                .all(|text| text.is_some_and(|text| text.len() > 2));
            assert_eq!(is_whole, explanation.kind != Kind::Sign, "{explanation:?}");
        }
    }
}

//! Tries one row's login at Stara, to see which dialect is live. A login that is refused is never sent again.

use serde_json::{Value, json};

use super::check::Check;
use super::manifest::CanaryRow;
use super::memory::{Memory, Refused};
use super::verdict::Verdict;
use crate::api::StaraApi;
use crate::cli::signals::HeldBack;
use crate::http::HttpClient;
use crate::model::Dialect;
use crate::pipeline::Signal;

const NAME: &str = "canary";

/// What became of a canary.
#[derive(Debug)]
pub(super) struct Tried {
    line: u64,
    /// In which dialects it was sent.
    sent: Vec<Dialect>,
    /// In which one Stara accepted it.
    live: Option<Dialect>,
    /// What the last answer was, in one word.
    result: &'static str,
    /// Whether its refusal is remembered.
    is_remembered: bool,
    /// The signal that came meanwhile, and waited for the end.
    pub(super) signal: Option<Signal>,
}

impl Tried {
    /// Nothing was sent.
    pub(super) const fn not_sent(line: u64) -> Self {
        Self { line, sent: Vec::new(), live: None, result: "not-sent", is_remembered: false, signal: None }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "line": self.line,
            "sent": self.sent.iter().map(|dialect| dialect.as_str()).collect::<Vec<_>>(),
            "dialect": self.live.map(Dialect::as_str),
            "result": self.result,
            "remembered": self.is_remembered,
        })
    }
}

/// A row that is to be tried.
pub(super) struct Canary<'a> {
    pub(super) of: &'a CanaryRow,
    pub(super) stara: &'a HttpClient,
    /// The dialect that a run would speak.
    pub(super) configured: Dialect,
}

impl Canary<'_> {
    /// Sends the row's login in the configured dialect, and where that wasn't understood in the other one. A signal is held
    /// back until the answer has come: a refusal that nobody remembers would be sent again.
    pub(super) async fn send(&self, memory: &Memory, signals: &mut HeldBack) -> (Check, Tried) {
        let (mut check, tried) = self.try_dialects(memory, signals).await;
        if let Some(ledger) = memory.made() {
            check.found = format!("{}; {} was made for its memory", check.found, ledger.display());
        }
        (check, tried)
    }

    async fn try_dialects(&self, memory: &Memory, signals: &mut HeldBack) -> (Check, Tried) {
        let row = &self.of.row;
        let mut tried = Tried::not_sent(row.line);
        let other = match self.configured {
            Dialect::Json => Dialect::Form,
            Dialect::Form => Dialect::Json,
        };
        let mut statuses = Vec::new();
        for dialect in [self.configured, other] {
            let has_succeeded = memory.has_succeeded(dialect);
            tried.sent.push(dialect);
            let stara = StaraApi::new(self.stara.clone(), dialect);
            // The apiKey is let go at once: a /token could void the tokens that Leaf holds for this grower.
            let answer = stara.authenticate(&row.login, &row.password).await.map(drop);
            tried.signal = signals.came();
            match Verdict::of(answer, has_succeeded) {
                Verdict::Accepted => {
                    (tried.live, tried.result) = (Some(dialect), "accepted");
                    return (self.accepted(dialect), tried);
                }
                Verdict::Refused { status, is_clear } => {
                    let refused = Refused { canary: self.of, stara: self.stara, dialect, status };
                    let remembered = memory.remember(&refused);
                    (tried.result, tried.is_remembered) = ("refused", remembered.is_ok());
                    return (self.refused(dialect, status, is_clear, remembered), tried);
                }
                Verdict::Unanswered { status, is_throttled } => {
                    tried.result = "no-answer";
                    return (unanswered(dialect, status, is_throttled), tried);
                }
                Verdict::NotUnderstood { status } => statuses.push(format!("{dialect}: {status}")),
            }
            if tried.signal.is_some() {
                tried.result = "stopped";
                let found = format!("stopped, when {} was known not to be understood", statuses.join(", "));
                return (Check::skipped(NAME, found), tried);
            }
        }
        tried.result = "not-understood";
        let found = format!("Stara understands neither dialect ({})", statuses.join(", "));
        let check = Check::problem(
            NAME,
            found,
            "check --stara-url, its path and a proxy in between; no login was accepted",
        );
        (check, tried)
    }

    fn accepted(&self, live: Dialect) -> Check {
        let found = format!("Stara speaks {live}: it accepted the login of line {}", self.of.row.line);
        match live {
            _ if live == self.configured => Check::ok(NAME, found),
            Dialect::Json => Check::problem(NAME, found, "set --stara-dialect json (or leave it out)"),
            Dialect::Form => Check::problem(
                NAME,
                found,
                "set --stara-dialect form, and STARA_ACCESS_TOKEN_CLIENT unless each row has an accessTokenClient",
            ),
        }
    }

    fn refused(
        &self,
        dialect: Dialect,
        status: u16,
        is_clear: bool,
        remembered: Result<(), String>,
    ) -> Check {
        let line = self.of.row.line;
        let memory = match remembered {
            Ok(()) => "it is remembered, and a run doesn't send it again".to_owned(),
            Err(why) => format!("the next run doesn't know of it ({why})"),
        };
        let found = format!(
            "Stara refused the login of line {line} in {dialect} ({status}), and it is not sent in the other dialect; {memory}"
        );
        let advice = if is_clear {
            "that is what a wrong password gets: mend it, or try a line whose password is known to be right"
        } else {
            "it may be about the login, or about whoever stands before Stara (a firewall, an allow-list): ask before another \
             login is tried"
        };
        Check::warning(NAME, found, advice)
    }
}

fn unanswered(dialect: Dialect, status: Option<u16>, is_throttled: bool) -> Check {
    let said = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let found = format!(
        "sent in {dialect}, Stara's answer says nothing of the dialect ({said}); it is not sent again"
    );
    if is_throttled {
        return Check::warning(
            NAME,
            found,
            "Stara wants a pause: try again in some minutes, or lower --stara-rate",
        );
    }
    Check::problem(
        NAME,
        found,
        "try again when Stara is well; a redirect means that --stara-url is another one",
    )
}

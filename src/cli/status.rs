//! `status`: what the ledger knows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::StatusArguments;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::latencies::{latencies_json, latency_line};
use super::shard::{open_to_read, tell_of_part};
use super::sharded;
use super::watching::watch;
use crate::checkpoint::{
    AuditRecord, LearnedRate, Ledger, LedgerError, OutcomeCounts, RunKind, RunLock, RunRecord, StageLatency,
    Target, UserRecord,
};
use crate::model::{CredentialId, Finding, LeafUserId, Login, Origin, OutcomeCode, Service, UnixMillis};
use crate::ui::printable;

/// How many runs are listed.
const LISTED_RUNS: u32 = 10;

/// Writes data to stdout. A reader that has gone away has all it wanted.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Shows the latest run, or one user.
pub(super) fn status(arguments: &StatusArguments) -> Result<ExitCode, Failure> {
    let as_user = |path: &Path| path.to_str().and_then(|text| text.parse::<LeafUserId>().ok());
    let (paths, users) = arguments.ledgers.paths(arguments.sandbox.is_on(), |path| as_user(path).is_some());
    let mut users = users.iter().filter_map(|path| as_user(path)).chain(arguments.leaf_user_id);
    let user_id = users.next();
    if users.next().is_some() {
        let error = anyhow::anyhow!("status shows one user at a time");
        return Err(Failure::new(ExitCode::Usage, error, "name one leafUserId"));
    }
    if let Some(interval) = arguments.watch.interval() {
        return watch(&paths, &arguments.ledgers.first, interval);
    }
    let [path] = paths.as_slice() else { return sharded::status(arguments, &paths, user_id) };
    let ledger = open_to_read(path, &arguments.ledgers.first)?;
    if let Some(id) = user_id {
        return user(&ledger, id, arguments.json);
    }
    let standing = Standing::of(&ledger)?;
    tell_of_part(&ledger, standing.runs.first());
    let told = if arguments.json { format!("{:#}\n", standing.json()) } else { printable(&standing.text()) };
    print(&told);
    Ok(ExitCode::Done)
}

/// How things stand in one ledger.
pub(super) struct Standing<'a> {
    ledger: &'a Ledger,
    target: Option<Target>,
    holder: Option<String>,
    runs: Vec<RunRecord>,
    learned: Vec<LearnedRate>,
    /// The lines of the latest run by outcome.
    outcomes: OutcomeCounts,
    /// The last audit of the latest run's manifest, or of everybody.
    audit: Option<AuditRecord>,
    /// How long answers took in the latest run, as far as it was measured.
    latencies: Vec<StageLatency>,
}

impl<'a> Standing<'a> {
    /// How things stand in this ledger.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub(super) fn of(ledger: &'a Ledger) -> Result<Self, LedgerError> {
        let runs = ledger.runs(LISTED_RUNS)?;
        let measured = runs.first().map(|run| ledger.run_measures(run.run)).transpose()?.flatten();
        let counted = runs.first().map(|run| ledger.count_outcomes(run.run)).transpose()?;
        let of_manifest =
            runs.first().map(|run| ledger.last_audit(Some(&run.manifest))).transpose()?.flatten();
        Ok(Self {
            ledger,
            audit: of_manifest.into_iter().chain(ledger.last_audit(None)?).max_by_key(|audit| audit.at.0),
            target: ledger.target()?,
            holder: RunLock::holder(ledger.path()).map(|holder| holder.to_string()),
            learned: ledger.learned_rates()?,
            outcomes: counted.unwrap_or_default(),
            latencies: measured.map(|measured| measured.latencies).unwrap_or_default(),
            runs,
        })
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "schema": 1,
            "ledger": self.ledger.path().display().to_string(),
            "shard": self.ledger.shard().map(|shard| shard.to_string()),
            "target": self.target.as_ref().map(ToString::to_string),
            "running": self.holder,
            "learnedRates": rates_json(&self.learned),
            "outcomes": self.outcomes.by_name(),
            "underWay": self.under_way(),
            "latencies": latencies_json(&self.latencies),
            "runs": self.runs.iter().map(run_json).collect::<Vec<_>>(),
        })
    }

    /// How many lines a run is about; none where nobody is at work.
    fn under_way(&self) -> u64 {
        self.holder.as_ref().map_or(0, |_| self.outcomes.open())
    }

    fn text(&self) -> String {
        let mut text = format!("Ledger {}\n", self.ledger.path().display());
        // Writing into a string can't fail.
        if let Some(shard) = self.ledger.shard() {
            let _ = writeln!(text, "  holds the lines of shard {shard}");
        }
        if let Some(target) = &self.target {
            let _ = writeln!(text, "  belongs to {target}");
        }
        if let Some(holder) = &self.holder {
            let _ = writeln!(text, "  a run is at work ({holder}), so that these figures still change");
        }
        for learned in &self.learned {
            let (per_second, at) = (learned.per_second, learned.at.to_rfc3339());
            let _ = writeln!(
                text,
                "  {} took {per_second:.1}/s without complaint (learned on {at})",
                learned.service
            );
        }
        let Some(latest) = self.runs.first() else {
            text.push_str("No manifest has been run yet.\n");
            return text;
        };
        let _ = writeln!(text, "\nLatest run, {}: {} lines of {}", latest.run, latest.lines, latest.manifest);
        match self.under_way() {
            0 => text.push_str(&outcome_lines(&self.outcomes, 0)),
            under_way => text.push_str(&outcome_lines(&self.outcomes.without_open(), under_way)),
        }
        if let Some(audit) = &self.audit {
            text.push_str(&audit_line(audit));
        }
        if let Some(line) = latency_line(&self.latencies) {
            let _ = writeln!(text, "{line}");
        }
        text.push_str("\nRuns, the latest first:\n");
        for (place, run) in self.runs.iter().enumerate() {
            let is_at_work = place == 0 && self.holder.is_some();
            let _ = writeln!(text, "  {}", run_line(run, is_at_work));
        }
        text
    }
}

/// What Leaf held when it was audited last: an outcome tells only what became of a row when it was carried out.
fn audit_line(audit: &AuditRecord) -> String {
    let counts = &audit.counts;
    let found = Finding::ALL.into_iter().map(|finding| (counts.of(finding), finding.as_str()));
    let found = found.filter(|(users, _)| *users > 0).map(|(users, finding)| format!(", {users} {finding}"));
    let hint = if counts.drift() > 0 { " (`audit` again says who, and what to do)" } else { "" };
    let found: String = found.collect();
    format!("Last audit, {}: {} healthy{found}{hint}\n", audit.at.to_rfc3339(), counts.healthy)
}

/// How many lines have each outcome, and what to do about it; and how many a run is about.
pub(super) fn outcome_lines(outcomes: &OutcomeCounts, under_way: u64) -> String {
    let line = |(code, count): (OutcomeCode, u64)| format!("{count:>11}  {code:<26} {}\n", code.advice());
    let mut lines: String = outcomes.iter().map(line).collect();
    if under_way > 0 {
        // Writing into a string can't fail.
        let _ = writeln!(lines, "{under_way:>11}  under way");
    }
    lines
}

pub(super) fn rates_json(learned: &[LearnedRate]) -> Value {
    let rate = |learned: &LearnedRate| {
        json!({
            "service": learned.service.as_str().to_lowercase(),
            "perSecond": (learned.per_second * 1_000.0).round() / 1_000.0,
            "at": learned.at.to_rfc3339(),
        })
    };
    learned.iter().map(rate).collect()
}

/// A run in one line, and whether its process is at work where it hasn't ended.
pub(super) fn run_line(run: &RunRecord, is_at_work: bool) -> String {
    let ending = match (&run.ending, run.exit_code) {
        (Some(ending), Some(code)) => format!("{ending} (exit {code})"),
        _ if is_at_work => "at work".to_owned(),
        _ => "killed".to_owned(),
    };
    let asked = |service: Service| {
        let totals = run.hosts.get(&service.as_str().to_lowercase())?;
        Some(rate(run, service, totals.requests))
    };
    let hosts: Vec<String> = Service::ALL.into_iter().filter_map(asked).collect();
    let kind = match run.kind {
        RunKind::Run => String::new(),
        RunKind::Repair | RunKind::Detach => format!(" ({})", run.kind.as_str()),
    };
    let mut line = format!(
        "{:>5}{kind} {} {}: {} to do of {}, {ending}",
        run.run,
        run.started_at.to_rfc3339(),
        run.manifest,
        run.to_do,
        run.lines
    );
    if !hosts.is_empty() {
        let _ = write!(line, "; {}", hosts.join(", "));
    }
    line
}

/// What a host was asked, and how fast on average.
fn rate(run: &RunRecord, host: Service, requests: u64) -> String {
    let elapsed = run.ended_at.and_then(|ended| ended.elapsed_since(run.started_at));
    match elapsed.map(|elapsed| elapsed.as_secs_f64()).filter(|seconds| *seconds > 0.0) {
        #[expect(clippy::cast_precision_loss, reason = "an average for people")]
        Some(seconds) => format!("{host} {requests} requests, {:.1}/s on average", requests as f64 / seconds),
        None => format!("{host} {requests} requests"),
    }
}

/// A run for programs.
pub(super) fn run_json(run: &RunRecord) -> Value {
    json!({
        "run": run.run,
        "kind": run.kind.as_str(),
        "startedAt": run.started_at.to_rfc3339(),
        "endedAt": run.ended_at.map(UnixMillis::to_rfc3339),
        "manifest": run.manifest,
        "lines": run.lines,
        "toDo": run.to_do,
        "exitCode": run.exit_code,
        "ending": run.ending,
        "outcomes": run.outcomes,
        "hosts": run.hosts,
    })
}

/// Shows what a ledger knows of one user.
pub(super) fn user(ledger: &Ledger, id: LeafUserId, json: bool) -> Result<ExitCode, Failure> {
    let lines = ledger.lines_of(id)?;
    let Some(record) = ledger.user(id)? else {
        let error = anyhow::anyhow!("the ledger has never met the user {id}");
        let hint = match ledger.shard().filter(|shard| !shard.takes(id)) {
            Some(shard) => format!("it belongs to shard {0}: say --shard {0}", shard.holder_of(id)),
            None => "check the id, or name the ledger with --state FILE".to_owned(),
        };
        return Err(Failure::new(ExitCode::Usage, error, hint));
    };
    let value = user_json(ledger, id, &lines, &record)?;
    if json {
        print(&format!("{value:#}\n"));
    } else {
        print(&printable(&user_text(id, &lines, &record, &value)));
    }
    Ok(ExitCode::Done)
}

fn user_json(ledger: &Ledger, id: LeafUserId, lines: &[u64], record: &UserRecord) -> Result<Value, Failure> {
    let outcome = record.outcome.as_ref().map(|known| {
        let outcome = &known.outcome;
        json!({
            "run": known.run,
            "finishedAt": known.finished_at.to_rfc3339(),
            "outcome": outcome.code.as_str(),
            "origin": outcome.origin.map(Origin::as_str),
            "stage": outcome.stage.as_str(),
            "httpStatus": outcome.http_status,
            "attempts": outcome.attempts,
            "message": outcome.message,
            "advice": outcome.code.advice(),
        })
    });
    let credential = record.held.as_ref().map(|held| {
        json!({
            "id": held.id.as_str(),
            "ours": held.ours,
            "login": held.login.as_ref().map(Login::as_str),
            "origin": held.origin.map(Origin::as_str),
            "run": held.run,
        })
    });
    let finding = ledger.finding_of(id)?.map(|found| {
        let credential = found.credential.as_ref();
        json!({
            "finding": found.finding.as_str(),
            "since": found.since.to_rfc3339(),
            "at": found.at.to_rfc3339(),
            "audits": found.audits,
            "credentialId": credential.and_then(|credential| credential.id.as_ref()).map(CredentialId::as_str),
            "credentialStatus": credential.and_then(|credential| credential.status.as_deref()),
            "advice": found.finding.advice(),
        })
    });
    let intent = record.intent.as_ref().map(|intent| {
        json!({
            "at": intent.at.to_rfc3339(),
            "attaches": intent.attaches,
            "acknowledged": intent.acknowledged,
            "replacing": intent.replacing,
        })
    });
    let link = ledger.link_note(id)?.map(
        |note| json!({ "madeAt": note.made_at.to_rfc3339(), "expiresAt": note.expires_at.to_rfc3339() }),
    );
    let event = |event: crate::checkpoint::SavedEvent| json!({ "id": event.id, "createdDate": event.created, "statusCode": event.status_code });
    Ok(json!({
        "schema": 1,
        "leafUserId": id.to_string(),
        "lines": lines,
        "login": record.login.as_ref().map(Login::as_str),
        "outcome": outcome,
        "credential": credential,
        "finding": finding,
        "openIntent": intent,
        "magicLink": link,
        "savedEvents": ledger.events_of(id)?.into_iter().map(event).collect::<Vec<_>>(),
    }))
}

fn user_text(id: LeafUserId, lines: &[u64], record: &UserRecord, value: &Value) -> String {
    let mut text = format!("User {id}\n");
    let listed: Vec<String> = lines.iter().map(u64::to_string).collect();
    // Writing into a string can't fail.
    let _ = match listed.as_slice() {
        [] => writeln!(text, "  not in the latest manifest"),
        lines => writeln!(text, "  line {} of the latest run", lines.join(", ")),
    };
    if let Some(login) = &record.login {
        let _ = writeln!(text, "  login       {}", login.as_str());
    }
    match &record.outcome {
        None => text.push_str("  no outcome yet\n"),
        Some(known) => {
            let outcome = &known.outcome;
            let (at, code) = (known.finished_at.to_rfc3339(), outcome.code);
            let _ =
                writeln!(text, "  outcome     {code} at stage {} on {at}, run {}", outcome.stage, known.run);
            if !outcome.message.is_empty() {
                let _ = writeln!(text, "              {}", outcome.message);
            }
            let _ = writeln!(text, "  advice      {}", code.advice());
        }
    }
    if let Some(held) = &record.held {
        let whose = if held.ours { "ours" } else { "not ours" };
        let run = held.run.map_or_else(String::new, |run| format!(", run {run}"));
        let _ = writeln!(text, "  credential  {} ({whose}{run})", held.id.as_str());
    }
    if let Some(found) = value["finding"].as_object() {
        let said = |field: &str| found[field].as_str().unwrap_or_default();
        let _ =
            writeln!(text, "  last audit  {} on {}, since {}", said("finding"), said("at"), said("since"));
        let _ = writeln!(text, "              {}", said("advice"));
    }
    if let Some(intent) = &record.intent {
        let what = if intent.attaches == 0 { "a deletion" } else { "an attach" };
        let _ = writeln!(text, "  in the open {what} announced on {}", intent.at.to_rfc3339());
    }
    if let Some(link) = value["magicLink"].as_object() {
        let said = |field: &str| link[field].as_str().unwrap_or_default();
        let _ = writeln!(text, "  magic link  made on {}, works until {}", said("madeAt"), said("expiresAt"));
    }
    for event in value["savedEvents"].as_array().into_iter().flatten() {
        let created = event["createdDate"].as_str().unwrap_or_default();
        let _ = writeln!(text, "  event       {created} status {}", event["statusCode"]);
    }
    text
}

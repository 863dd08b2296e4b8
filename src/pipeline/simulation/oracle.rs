//! The rules that hold whatever goes wrong, as obvious as they can be written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::arrived::{Arrived, Asked};
use super::links::{LinkNight, Links};
use super::manifest::{Line, rows};
use super::nightly::Nightly;
use super::pace::Pace;
use super::precedence::Precedence;
use super::setting::{SETTLE, Setting};
use super::stara::Stara;
use super::world::Sent;
use crate::checkpoint::{Intent, Ledger, LedgerError, LineResult, UserRecord};
use crate::model::{LeafUserId, OutcomeCode, Service, UnixMillis};
use crate::pipeline::OnExisting;

/// A run that resumes knows when the intent was written down, and its attach left when that was durable.
const COMMITTING: Duration = Duration::from_millis(100);

/// What the client hears of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// An answer.
    Answer { status: u16, retry_after: Option<u64>, shows_nothing: bool },
    /// That it never left.
    NotSent,
    /// That the connection broke.
    Broken,
}

/// What was sent for one user, over all runs.
#[derive(Debug, Default)]
struct Traces {
    /// Attaches of which the client was never told that they weren't processed, by number.
    attaches: BTreeMap<u32, Duration>,
    /// When looks left that showed nothing.
    absences: Vec<Duration>,
    /// When deletions left.
    removals: Vec<Duration>,
    /// Deletions of which the client was never told what they did, by number.
    unknown_removals: BTreeMap<u32, Duration>,
    /// The intent of the last attach or deletion in this run.
    announced: Option<Intent>,
}

#[derive(Debug)]
pub(super) struct Oracle {
    /// What was violated, the first first.
    pub(super) objections: Vec<String>,
    /// The ledger, through a connection of our own.
    pub(super) reader: Option<Ledger>,
    paces: [Pace; 2],
    concurrency: usize,
    /// The manifest of this run.
    lines: Vec<Line>,
    nightly: Nightly,
    precedence: Precedence,
    pub(super) links: Links,
    under_way: BTreeMap<u32, (Asked, Option<LeafUserId>)>,
    users: BTreeMap<LeafUserId, Traces>,
    /// Logins and passwords that were refused with a 401 in this run.
    refused: BTreeSet<(String, String)>,
    /// Those whose refusal is durable.
    refused_for_good: BTreeSet<(String, String)>,
    /// Those of them that were refused while the ledger's key was missing, and not since.
    refused_without_key: BTreeSet<(String, String)>,
    /// The outcomes observed in this run, by line.
    pub(super) finished: BTreeMap<u64, (LeafUserId, OutcomeCode)>,
    /// The newest of Leaf's tokens that the client has, and whether it needs another.
    bearer: Option<String>,
    needs_bearer: bool,
}

impl Oracle {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            objections: Vec::new(),
            reader: None,
            paces: [Pace::new(setting.stara_rate), Pace::new(setting.leaf_rate)],
            concurrency: setting.concurrency,
            lines: Vec::new(),
            nightly: Nightly::new(setting.most_changes, setting.on_existing == OnExisting::Replace),
            precedence: Precedence::default(),
            links: Links::new(),
            under_way: BTreeMap::new(),
            users: BTreeMap::new(),
            refused: BTreeSet::new(),
            refused_for_good: BTreeSet::new(),
            refused_without_key: BTreeSet::new(),
            finished: BTreeMap::new(),
            bearer: None,
            needs_bearer: true,
        }
    }

    /// Objects under the name of a rule.
    pub(super) fn object(&mut self, rule: &str, what: &str) {
        self.objections.push(format!("{rule}: {what}"));
    }

    /// A run begins with a process that knows nothing but its ledger.
    pub(super) fn begin_run(
        &mut self,
        lines: &[Line],
        given_token: Option<String>,
        link_night: LinkNight,
        wall: UnixMillis,
    ) {
        self.lines = lines.to_vec();
        let recorded: Vec<_> = rows(lines).map(|(user, line)| (user, line, self.recorded(user))).collect();
        self.nightly.begin(&recorded);
        let is_refused = |user, line: &Line| {
            let pair = (line.login.clone(), line.password.clone());
            self.nightly.is_unchanged(user, line) && self.refused_for_good.contains(&pair)
        };
        self.links.begin(link_night, &recorded, is_refused);
        self.precedence = Precedence::new(&recorded, wall);
        self.needs_bearer = given_token.is_none();
        self.bearer = given_token;
        self.under_way.clear();
        self.refused.clear();
        self.finished.clear();
        for pace in &mut self.paces {
            *pace = Pace::new(pace.rate);
        }
        for traces in self.users.values_mut() {
            traces.announced = None;
        }
    }

    /// What the ledger says of a user at this moment.
    pub(super) fn recorded(&self, user: LeafUserId) -> Option<UserRecord> {
        self.reader.as_ref()?.user(user).unwrap()
    }

    /// The credential that the durable intent says is to be deleted.
    pub(super) fn meant_removal(&self, user: Option<LeafUserId>) -> Option<String> {
        let removing = self.recorded(user?)?.intent?.removing?;
        Some(removing.as_str().to_owned())
    }

    /// The login of a user's row.
    pub(super) fn row_login(&self, user: LeafUserId) -> Option<String> {
        self.nightly.login_of(user)
    }

    /// The login of the manifest's line of this number.
    pub(super) fn login_of(&self, line: u64) -> Option<String> {
        let line = usize::try_from(line).ok()?.checked_sub(2)?;
        self.lines.get(line).map(|line| line.login.clone())
    }

    /// A request leaves.
    pub(super) fn on_leaving(
        &mut self,
        arrived: &Arrived,
        number: u32,
        now: Duration,
        wall: UnixMillis,
        stara: &Stara,
    ) {
        self.check_pace(arrived.host, now);
        let expected = super::network::origin(arrived.host);
        if arrived.origin != expected {
            self.object("no redirect is followed", &format!("a request left for {}", arrived.origin));
        }
        let is_list = |asked: &Asked| matches!(asked, Asked::List { .. });
        let others = self.under_way.values().filter(|(asked, _)| !is_list(asked)).count();
        if !is_list(&arrived.asked) && others >= self.concurrency {
            let most = self.concurrency;
            self.object("concurrency", &format!("{} requests under way, and {most} rows", most + 1));
        }
        self.check_night(arrived, stara);
        self.check_links(arrived, wall, stara);
        match &arrived.asked {
            Asked::Authenticate { login, password } => self.check_login(login, password),
            Asked::Tokens { api_key } if stara.login_of(api_key).is_none() => {
                self.object("own tokens", "an apiKey that nobody got");
            }
            Asked::LeafToken => self.check_token_renewal(),
            Asked::Attach { api_key, access_token } => {
                let login = stara.login_of(api_key);
                self.check_tokens(arrived, login.as_deref(), access_token, stara);
                self.check_attach(arrived, now, wall);
                if let Some(user) = arrived.user {
                    self.users.entry(user).or_default().attaches.insert(number, now);
                }
            }
            Asked::Remove => self.check_removal(arrived, number, now, wall),
            Asked::Unknown => self.object("known calls", "a call that nobody knows"),
            Asked::Tokens { .. }
            | Asked::List { .. }
            | Asked::User
            | Asked::Credential
            | Asked::Events
            | Asked::MagicLink { .. } => {}
        }
        self.under_way.insert(number, (arrived.asked.clone(), arrived.user));
    }

    fn check_night(&mut self, arrived: &Arrived, stara: &Stara) {
        let login = login_of(arrived, stara);
        let overtaken = self.precedence.on_leaving(arrived.user, login.as_deref());
        for (rule, what) in self.nightly.check(arrived).into_iter().chain(overtaken) {
            self.object(rule, &what);
        }
    }

    fn check_links(&mut self, arrived: &Arrived, wall: UnixMillis, stara: &Stara) {
        if matches!(arrived.asked, Asked::MagicLink { .. }) && !self.links.has_told() {
            let codes = self.codes();
            let is_told = |(user, line): (LeafUserId, &Line)| {
                let code = self.lines.iter().position(|other| other == line).map(|place| place as u64 + 2);
                (codes.get(&code?) == Some(&OutcomeCode::StaraLoginRejected)).then_some(user)
            };
            let told = rows(&self.lines).filter_map(is_told).collect();
            self.links.begin_asking(told);
        }
        let row = arrived.user.and_then(|user| rows(&self.lines).find(|(id, _)| *id == user));
        let under_way = self.under_way.values().map(|(asked, _)| asked);
        let wrongs = self.links.check(arrived, under_way, row.map(|(_, line)| line), stara, wall);
        for (rule, what) in wrongs {
            self.object(rule, &what);
        }
    }

    /// How every line stands by the ledger alone.
    pub(super) fn codes(&self) -> BTreeMap<u64, OutcomeCode> {
        let Some(reader) = &self.reader else { return BTreeMap::new() };
        let Some(latest) = reader.latest_run().unwrap() else { return BTreeMap::new() };
        let read = |results: &mut dyn Iterator<Item = Result<LineResult, LedgerError>>| {
            results.map(Result::unwrap).map(|result| (result.line, result.outcome.code)).collect()
        };
        reader.with_results(latest.run, read).unwrap()
    }

    /// A run is over, in order and without being stopped or not.
    pub(super) fn end_links(&mut self, is_whole: bool, wall: UnixMillis) {
        let codes = self.codes();
        let Some(reader) = &self.reader else { return };
        let noted = |user| (reader.link_note(user).unwrap(), reader.user(user).unwrap());
        for (rule, what) in self.links.end(is_whole, &self.lines, &codes, wall, noted) {
            self.object(rule, &what);
        }
    }

    fn check_pace(&mut self, host: Service, now: Duration) {
        for (rule, wrong) in self.paces[place(host)].check(host, now) {
            self.object(rule, &wrong);
        }
    }

    fn check_login(&mut self, login: &str, password: &str) {
        let is_same =
            |asked: &Asked| matches!(asked, Asked::Authenticate { login: other, .. } if other == login);
        if self.under_way.values().any(|(asked, _)| is_same(asked)) {
            self.object("one authentication a login", &format!("{login} twice at a time"));
        }
        let pair = (login.to_owned(), password.to_owned());
        let is_remembered = self.refused_for_good.contains(&pair) && !self.is_beyond_memory(&pair);
        if self.refused.contains(&pair) || is_remembered {
            self.object("nobody is locked out", &format!("{login}'s refused password was sent again"));
        }
        if !self.nightly.may_ask_with(login, password) {
            self.object("own logins", &format!("{login} with a password of no row that has work left"));
        }
    }

    /// Without its key the ledger tells refused logins by their users' records alone: a refusal then answers no other row
    /// once the key is back, and without the key none is known whose user is attached by now.
    fn is_beyond_memory(&self, pair: &(String, String)) -> bool {
        let is_same = |line: &Line| line.login == pair.0 && line.password == pair.1;
        if self.links.has_key() {
            let is_another = |(user, line): (LeafUserId, &Line)| is_same(line) && !self.links.remembers(user);
            return self.refused_without_key.contains(pair) && rows(&self.lines).any(is_another);
        }
        let tells = |(user, line): (LeafUserId, &Line)| {
            let last = self.recorded(user).and_then(|record| record.outcome);
            line.login == pair.0
                && last.is_some_and(|last| last.outcome.code == OutcomeCode::StaraLoginRejected)
        };
        !rows(&self.lines).any(tells)
    }

    fn check_token_renewal(&mut self) {
        if self.under_way.values().any(|(asked, _)| *asked == Asked::LeafToken) {
            self.object("token renewal", "two logins to Leaf at a time");
        }
        if !self.needs_bearer {
            self.object("token renewal", "a login to Leaf while the token was good");
        }
    }

    fn check_tokens(&mut self, arrived: &Arrived, login: Option<&str>, access_token: &str, stara: &Stara) {
        let Some(login) = login else {
            return self.object("own tokens", "an attach with an apiKey that nobody got");
        };
        let is_own = |line: &Line| line.user == arrived.user && line.login == login;
        if !self.lines.iter().any(is_own) {
            self.object("own tokens", &format!("{:?} attached with {login}'s apiKey", arrived.user));
        }
        if stara.newest_token(login) != access_token {
            self.object("own tokens", &format!("an attach with tokens of {login} that are void"));
        }
    }

    /// No attach leaves without an intent that is durable, and none while another one may yet take effect.
    fn check_attach(&mut self, arrived: &Arrived, now: Duration, wall: UnixMillis) {
        let rule = "no POST without a durable intent";
        let Some(id) = arrived.user else { return };
        let intent = self.recorded(id).and_then(|record| record.intent);
        let Some(intent) = self.check_intent(rule, id, intent, wall) else { return };
        if intent.attaches == 0 {
            self.object(rule, &format!("the intent of {id} announces no attach"));
        }
        let traces = self.users.entry(id).or_default();
        let unsettled =
            traces.unknown_removals.values().find(|removal| **removal + SETTLE > now + COMMITTING).copied();
        if let Some(removal) = unsettled {
            let age = now.saturating_sub(removal);
            let what = format!("{id} was posted {age:?} after a DELETE that may yet take effect");
            self.object("no POST before a deletion has settled", &what);
        }
        let traces = self.users.entry(id).or_default();
        let Some(last) = traces.attaches.values().max() else { return };
        let is_absent = traces.absences.iter().any(|look| *look + COMMITTING >= *last + SETTLE);
        let is_removed = traces.removals.iter().any(|removal| removal > last);
        if !is_absent && !is_removed {
            let age = now.saturating_sub(*last);
            let what = format!("{id} was posted again {age:?} after a POST that may yet take effect");
            self.object("no second POST before a settled absence", &what);
        }
    }

    fn check_removal(&mut self, arrived: &Arrived, number: u32, now: Duration, wall: UnixMillis) {
        let rule = "no DELETE without a durable intent";
        let Some(id) = arrived.user else { return };
        let intent = self.recorded(id).and_then(|record| record.intent);
        let Some(intent) = self.check_intent(rule, id, intent, wall) else { return };
        if !intent.replacing || intent.attaches > 0 {
            self.object(rule, &format!("the intent of {id} announces no deletion"));
        }
        let traces = self.users.entry(id).or_default();
        traces.removals.push(now);
        traces.unknown_removals.insert(number, now);
    }

    /// Each of them has an intent of its own, made just before.
    fn check_intent(
        &mut self,
        rule: &str,
        id: LeafUserId,
        intent: Option<Intent>,
        wall: UnixMillis,
    ) -> Option<Intent> {
        let Some(intent) = intent else {
            self.object(rule, &format!("there is none for {id}"));
            return None;
        };
        let last = self.users.entry(id).or_default().announced.replace(intent.clone());
        // Two requests may leave within one millisecond.
        let is_new = last.is_none_or(|last| intent.at > last.at || intent.at == wall);
        if intent.at > wall || !is_new {
            self.object(rule, &format!("that of {id} is of another request"));
        }
        if self.under_way.values().any(|(asked, user)| *user == Some(id) && asked.is_write()) {
            self.object(rule, &format!("two writes for {id} at a time"));
        }
        Some(intent)
    }

    /// The client hears what came of a request.
    pub(super) fn on_heard(&mut self, arrived: &Arrived, sent: &Sent, heard: Heard, now: Duration) {
        let (status, retry_after, shows_nothing) = match heard {
            Heard::Answer { status, retry_after, shows_nothing } => (status, retry_after, shows_nothing),
            Heard::NotSent => (0, None, false),
            Heard::Broken => return,
        };
        if let Some(seconds) = retry_after.filter(|_| matches!(status, 429 | 503)) {
            self.paces[place(arrived.host)].hold(Duration::from_secs(seconds), now);
        }
        match &arrived.asked {
            Asked::Authenticate { login, password } if status == 401 => {
                self.refused.insert((login.clone(), password.clone()));
            }
            Asked::Attach { .. } => {
                let is_told = matches!(status, 0 | 300..=399 | 400 | 401 | 403 | 404 | 409 | 422 | 429);
                if let Some(traces) = arrived.user.filter(|_| is_told).and_then(|id| self.users.get_mut(&id))
                {
                    traces.attaches.remove(&sent.number);
                }
            }
            Asked::Remove => {
                let is_told =
                    matches!(status, 0 | 200..=299 | 300..=399 | 400 | 401 | 403 | 404 | 409 | 422 | 429);
                if let Some(traces) = arrived.user.filter(|_| is_told).and_then(|id| self.users.get_mut(&id))
                {
                    traces.unknown_removals.remove(&sent.number);
                }
            }
            Asked::MagicLink { .. } if !(200..300).contains(&status) => {
                arrived.user.into_iter().for_each(|user| self.links.on_trouble(user));
            }
            Asked::User | Asked::Credential if shows_nothing => {
                if let Some(user) = arrived.user {
                    self.users.entry(user).or_default().absences.push(sent.left);
                }
            }
            _ => {}
        }
        if status == 401 && arrived.bearer.is_some() && arrived.bearer == self.bearer {
            self.needs_bearer = true;
        }
    }

    /// The client has read tokens that this apiKey was given.
    pub(super) fn on_tokens(&mut self, login: Option<String>) {
        self.nightly.in_hand.extend(login);
    }

    /// Something goes wrong with a request that has just left.
    pub(super) fn on_trouble(&mut self, arrived: &Arrived, stara: &Stara) {
        let login = login_of(arrived, stara);
        self.precedence.on_trouble(arrived.user, login.as_deref());
        if let (Asked::MagicLink { .. }, Some(user)) = (&arrived.asked, arrived.user) {
            self.links.on_trouble(user);
        }
    }

    /// The client has read this token of Leaf's.
    pub(super) fn on_bearer(&mut self, token: String) {
        self.bearer = Some(token);
        self.needs_bearer = false;
    }

    /// A request isn't under way any more, heard of or given up.
    pub(super) fn on_over(&mut self, number: u32) {
        self.under_way.remove(&number);
    }

    /// An outcome is observed.
    pub(super) fn on_finished(&mut self, line: u64, user: LeafUserId, code: OutcomeCode) {
        self.precedence.on_finished(user);
        self.nightly.on_finished(user);
        self.links.on_finished(user, code);
        if self.finished.insert(line, (user, code)).is_some() {
            self.object("one outcome a row", &format!("line {line} ended twice"));
        }
        if code == OutcomeCode::Internal {
            self.object("no defect", &format!("line {line} ended as internal"));
        }
        let recorded = self.recorded(user).and_then(|record| record.outcome);
        if recorded.map(|record| record.outcome.code) != Some(code) {
            self.object("no outcome before its commit", &format!("{code} of line {line} isn't durable"));
        }
        if code == OutcomeCode::StaraLoginRejected
            && let Some(line) = usize::try_from(line - 2).ok().and_then(|line| self.lines.get(line))
        {
            let pair = (line.login.clone(), line.password.clone());
            if self.links.has_key() && self.refused.contains(&pair) {
                self.refused_without_key.remove(&pair);
            } else if !self.links.has_key() && !self.refused_for_good.contains(&pair) {
                self.refused_without_key.insert(pair.clone());
            }
            self.refused_for_good.insert(pair);
        }
    }
}

/// The login that a request to Stara is about.
fn login_of(arrived: &Arrived, stara: &Stara) -> Option<String> {
    match &arrived.asked {
        Asked::Authenticate { login, .. } => Some(login.clone()),
        Asked::Tokens { api_key } => stara.login_of(api_key),
        _ => None,
    }
}

fn place(host: Service) -> usize {
    usize::from(host == Service::Leaf)
}

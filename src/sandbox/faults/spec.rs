//! Faults as the command line writes them: which calls, what happens, and how often, in one text.

use std::time::Duration;

use super::super::call::{CallKind, Calls};
use super::{Advice, Alteration, Answer, Body, Fault, PageFlaw, Quota, RetryAfter, Trouble, When};
use crate::model::{Login, Service};

/// A text that describes no fault, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultSpecError {
    /// Neither a named fault nor a status.
    #[error(
        "names no fault: write [CALLS:]FAULT[:OPTION…] with a fault of docs/SANDBOX.md, or an HTTP status"
    )]
    Unknown,
    /// A status alone doesn't say which calls it is the answer to.
    #[error("doesn't say which calls are answered with {0}: write attach:{0}, stara:{0} or all:{0}")]
    NoCalls(u16),
    /// An option that isn't one, or whose value isn't.
    #[error("has an option that can't be understood: {0}")]
    BadOption(String),
    /// Calls that this fault can do nothing to.
    #[error("can do nothing to these calls: {0}")]
    UnfitCalls(String),
    /// An option that says nothing about this kind of fault.
    #[error("has an option that doesn't fit it: {0}")]
    Unfit(String),
}

impl Fault {
    /// The fault that `spec` describes: `[CALLS:]FAULT[:OPTION…]`. `docs/SANDBOX.md` has the grammar.
    ///
    /// # Errors
    ///
    /// When the text describes none.
    pub fn parse(spec: &str) -> Result<Self, FaultSpecError> {
        // A URL holds colons, so it stands last and is taken whole.
        let (spec, redirect) = match spec.split_once(":to=") {
            Some((spec, to)) => (spec, Some(to)),
            None => (spec, None),
        };
        let mut parts = spec.split(':').peekable();
        let calls = parts.peek().copied().and_then(|name| Some((name, Calls::named(name)?)));
        if calls.is_some() {
            parts.next();
        }
        let what = parts.next().ok_or(FaultSpecError::Unknown)?;
        let mut fault = of_what(what, calls.map(|(_, calls)| calls))?;
        if let Some((name, calls)) = calls {
            if !fault.trouble.can_befall(calls) {
                return Err(FaultSpecError::UnfitCalls(name.to_owned()));
            }
            fault = fault.on(calls);
        }
        for option in parts {
            fault = fault.with_option(option)?;
        }
        if let Some(to) = redirect {
            fault.trouble.redirect_to(to).ok_or_else(|| FaultSpecError::Unfit(format!("to={to}")))?;
        }
        Ok(fault)
    }

    fn with_option(self, option: &str) -> Result<Self, FaultSpecError> {
        let bad = || FaultSpecError::BadOption(option.to_owned());
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        if let Some(when) = when(name, value) {
            return Ok(self.when(when));
        }
        match (name, value) {
            ("user", Some(id)) => Ok(self.for_user(id.parse().map_err(|_| bad())?)),
            ("page", Some(page)) => {
                let page = page.parse().map_err(|_| bad())?;
                let fits = self.calls.include(Service::Leaf, CallKind::ListUsers);
                fits.then(|| self.for_page(page)).ok_or_else(|| FaultSpecError::Unfit(option.to_owned()))
            }
            ("login", Some(login)) if !login.is_empty() => Ok(self.for_login(Login::new(login))),
            _ => {
                let mut fault = self;
                let change = Change::parse(name, value).ok_or_else(bad)?;
                let fits = fault.trouble.change(change);
                fits.map(|()| fault).ok_or_else(|| FaultSpecError::Unfit(option.to_owned()))
            }
        }
    }
}

fn of_what(what: &str, calls: Option<Calls>) -> Result<Fault, FaultSpecError> {
    if let Ok(fault) = what.parse::<Fault>() {
        return Ok(fault);
    }
    let status = what.parse().ok().filter(|status| what.len() == 3 && (200..600).contains(status));
    let status = status.ok_or(FaultSpecError::Unknown)?;
    let calls = calls.ok_or(FaultSpecError::NoCalls(status))?;
    Ok(Fault::new(calls, When::Always, Trouble::Answer(Answer::new(status))))
}

fn when(name: &str, value: Option<&str>) -> Option<When> {
    let count = || value?.parse::<u64>().ok().filter(|count| *count > 0);
    match name {
        "always" if value.is_none() => Some(When::Always),
        "nth" => count().map(When::Nth),
        "every" => count().map(When::EveryNth),
        "first" => count().map(When::First),
        "after" => value?.parse().ok().map(When::After),
        "each" => value?.parse().ok().map(When::FirstPerRow),
        "once" => probability(value?).map(When::FirstChance),
        "rows" => probability(value?).map(When::RowChance),
        _ => probability(name).filter(|_| value.is_none()).map(When::Chance),
    }
}

/// `20%` as 0.2.
fn probability(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// What an option changes in what a fault does.
enum Change {
    Time(Duration),
    Looks(u32),
    Bytes(u64),
    Total(u64),
    Users(u32),
    Size(u64),
    Rate(f64),
    Burst(u32),
    Refusals(u32),
    Body(Body),
    AfterEffect,
    /// In seconds, or as a date; for a quota, which knows the time itself, without one.
    RetryAfter(Advice, Option<Duration>),
}

impl Change {
    fn parse(name: &str, value: Option<&str>) -> Option<Self> {
        Some(match (name, value) {
            ("time", Some(text)) => Self::Time(duration(text)?),
            ("looks", Some(text)) => Self::Looks(text.parse().ok()?),
            ("bytes", Some(text)) => Self::Bytes(text.parse().ok()?),
            ("total", Some(text)) => Self::Total(text.parse().ok()?),
            ("users", Some(text)) => Self::Users(text.parse().ok()?),
            ("size", Some(text)) => Self::Size(text.parse().ok().filter(|size| *size > 0)?),
            ("rate", Some(text)) => Self::Rate(per_second(text)?),
            ("burst", Some(text)) => Self::Burst(text.parse().ok().filter(|burst| *burst > 0)?),
            ("refusals", Some(text)) => Self::Refusals(text.parse().ok().filter(|count| *count > 0)?),
            ("body", Some("problem")) => Self::Body(Body::Problem),
            ("body", Some("html")) => Self::Body(Body::Html),
            ("body", Some("text")) => Self::Body(Body::Text),
            ("body", Some("empty")) => Self::Body(Body::Empty),
            ("after-effect", None) => Self::AfterEffect,
            ("retry-after", None) => Self::RetryAfter(Advice::Seconds, None),
            ("retry-date", None) => Self::RetryAfter(Advice::Date, None),
            ("retry-after", Some(text)) => Self::RetryAfter(Advice::Seconds, Some(duration(text)?)),
            ("retry-date", Some(text)) => Self::RetryAfter(Advice::Date, Some(duration(text)?)),
            _ => return None,
        })
    }
}

impl Trouble {
    /// Makes the change, where it fits.
    fn change(&mut self, change: Change) -> Option<()> {
        match (&mut *self, change) {
            (
                Self::LateEffect(time)
                | Self::CutThenLateEffect(time)
                | Self::LateAnswer(time)
                | Self::Lag { hidden_for: time, .. }
                | Self::Altered(Alteration::Slow(time)),
                Change::Time(new),
            ) => *time = new,
            (Self::Lag { looks, .. }, Change::Looks(new)) => *looks = new,
            (Self::Altered(Alteration::Huge(bytes)), Change::Bytes(new)) => *bytes = new,
            (Self::Page(PageFlaw::FalseTotal(total)), Change::Total(new)) => *total = new,
            (Self::Page(PageFlaw::UsersInFront(users)), Change::Users(new)) => *users = new,
            (Self::Page(PageFlaw::SmallPages(size)), Change::Size(new)) => *size = new,
            (Self::Lockout { refusals }, Change::Refusals(new)) => *refusals = new,
            (Self::Quota(quota), Change::Rate(rate)) => quota.per_second = rate,
            (Self::Answer(answer), Change::Rate(per_second)) => {
                // Said before it, `retry-after=…` would be forgotten without a word.
                if *answer != Answer::new(answer.status) {
                    return None;
                }
                let quota = Quota { per_second, burst: 5, status: answer.status, advice: Advice::None };
                *self = Self::Quota(quota);
            }
            (Self::Quota(quota), Change::Burst(burst)) => quota.burst = burst,
            (Self::Quota(quota), Change::RetryAfter(advice, None)) => quota.advice = advice,
            (Self::Answer(answer) | Self::AnswerAfterEffect(answer), Change::Body(body)) => {
                answer.body = body;
            }
            (
                Self::Answer(answer) | Self::AnswerAfterEffect(answer),
                Change::RetryAfter(advice, Some(time)),
            ) => {
                answer.retry_after = Some(match advice {
                    Advice::Date => RetryAfter::DateIn(time),
                    _ => RetryAfter::Seconds(time.as_secs()),
                });
            }
            (Self::Answer(answer), Change::AfterEffect) => *self = Self::AnswerAfterEffect(*answer),
            _ => return None,
        }
        Some(())
    }

    fn redirect_to(&mut self, new: &str) -> Option<()> {
        match self {
            Self::Redirect(to) => new.clone_into(to),
            _ => return None,
        }
        Some(())
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    }
}

fn per_second(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let number: f64 = number.parse().ok().filter(|number| *number > 0.0 && *number <= 1_000_000.0)?;
    match unit {
        "s" => Some(number),
        "min" => Some(number / 60.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::UserFlaw;

    fn parsed(spec: &str) -> (Calls, When, Trouble) {
        let fault = Fault::parse(spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
        (fault.calls, fault.when, fault.trouble)
    }

    #[test]
    fn every_named_fault_is_one_by_its_name_alone() {
        for name in Fault::NAMES {
            let (fault, named) = (Fault::parse(name).unwrap(), name.parse::<Fault>().unwrap());
            assert_eq!((fault.calls, fault.when), (named.calls, named.when), "{name}");
            assert_eq!(fault.trouble, named.trouble, "{name}");
        }
    }

    #[test]
    fn calls_and_frequency_are_chosen_around_the_name() {
        const ATTACH: Calls = Calls::One(CallKind::CreateCredential);
        let lost = Trouble::ReplyLost;
        assert_eq!(parsed("attach:reply-lost:20%"), (ATTACH, When::Chance(0.2), lost.clone()));
        assert_eq!(parsed("reply-lost:once=20%").1, When::FirstChance(0.2));
        assert_eq!(parsed("reply-lost:rows=20%").1, When::RowChance(0.2));
        assert_eq!(parsed("stara-lockout:refusals=5").2, Trouble::Lockout { refusals: 5 });
        assert_eq!(parsed("leaf.attach:reply-lost:nth=7"), (ATTACH, When::Nth(7), lost.clone()));
        assert_eq!(parsed("all:reply-lost:always"), (Calls::All, When::Always, lost.clone()));
        let remove = Calls::One(CallKind::DeleteCredential);
        assert_eq!(parsed("remove:reply-lost:every=3"), (remove, When::EveryNth(3), lost.clone()));
        assert_eq!(parsed("reply-lost:each=2"), (ATTACH, When::FirstPerRow(2), lost.clone()));
        assert_eq!(parsed("reply-lost:after=9"), (ATTACH, When::After(9), lost));
        let fault = Fault::parse("hang:user=0a1b2c3d-0000-4000-8000-00000000abcd:login=ana").unwrap();
        assert!(fault.user.is_some() && fault.login == Some(Login::new("ana")));
    }

    #[test]
    fn a_status_is_an_answer_and_with_a_rate_a_quota() {
        let authenticate = Calls::One(CallKind::Authenticate);
        let quota = |status, advice| Trouble::Quota(Quota { per_second: 40.0, burst: 5, status, advice });
        assert_eq!(
            parsed("stara.autenticacao:429:rate=40/s"),
            (authenticate, When::Always, quota(429, Advice::None))
        );
        let (calls, _, trouble) = parsed("stara:503:rate=2400/min:retry-date");
        assert_eq!((calls, trouble), (Calls::Of(Service::Stara), quota(503, Advice::Date)));
        let answer = Answer::new(500).body(Body::Html);
        assert_eq!(parsed("attach:500:body=html:after-effect").2, Trouble::AnswerAfterEffect(answer));
        let wait = Answer::new(503).retry_after(RetryAfter::Seconds(120));
        assert_eq!(parsed("leaf:503:retry-after=2m").2, Trouble::Answer(wait));
    }

    #[test]
    fn what_a_fault_is_made_of_can_be_changed() {
        let seconds = Duration::from_secs;
        assert_eq!(parsed("late-effect:time=5s").2, Trouble::LateEffect(seconds(5)));
        assert_eq!(
            parsed("lagging-looks:looks=4:time=1s").2,
            Trouble::Lag { looks: 4, hidden_for: seconds(1) }
        );
        assert_eq!(parsed("huge-body:bytes=70000").2, Trouble::Altered(Alteration::Huge(70_000)));
        let there = Trouble::Redirect("http://127.0.0.1:1/x?a=b".to_owned());
        assert_eq!(parsed("attach:redirect:5%:to=http://127.0.0.1:1/x?a=b").2, there);
    }

    #[test]
    fn the_list_and_what_it_shows_have_faults_of_their_own() {
        const LIST: Calls = Calls::One(CallKind::ListUsers);
        let shift = Trouble::Page(PageFlaw::UsersInFront(3));
        assert_eq!(parsed("list:list-shifts:users=3"), (LIST, When::EveryNth(2), shift));
        let total = Trouble::Page(PageFlaw::FalseTotal(90));
        assert_eq!(parsed("list-false-total:total=90"), (LIST, When::Always, total));
        let small = Trouble::Page(PageFlaw::SmallPages(50));
        assert_eq!(parsed("list-small-pages:size=50").2, small);
        let null = Trouble::User(UserFlaw::NullCredential);
        assert_eq!(parsed("embedded-null:5%"), (LIST, When::Chance(0.05), null.clone()));
        assert_eq!(parsed("user:embedded-null").0, Calls::One(CallKind::GetUser));
        assert_eq!(parsed("leaf:embedded-null").2, null);
        assert_eq!(Fault::parse("list:503:page=2").unwrap().page, Some(2));
        assert_eq!(Fault::parse("leaf.users:hang:page=0").unwrap().page, Some(0));
    }

    #[test]
    fn what_is_no_fault_is_refused_with_a_reason() {
        for (spec, reason) in [
            ("", "names no fault"),
            ("attach", "names no fault"),
            ("mishap", "names no fault"),
            ("stara.attach:hang", "names no fault"),
            ("attach:99", "names no fault"),
            ("429", "doesn't say which calls"),
            ("hang:rows=few%", "can't be understood: rows=few%"),
            ("token:stara-lockout", "can do nothing to these calls: token"),
            ("stara-lockout:refusals=0", "can't be understood: refusals=0"),
            ("hang:refusals=3", "doesn't fit it: refusals=3"),
            ("hang:sometimes", "can't be understood: sometimes"),
            ("hang:120%", "can't be understood: 120%"),
            ("hang:nth=0", "can't be understood: nth=0"),
            ("hang:user=me", "can't be understood: user=me"),
            ("hang:time=5s", "doesn't fit it: time=5s"),
            ("hang:to=/x", "doesn't fit it: to=/x"),
            ("attach:list-shifts", "can do nothing to these calls: attach"),
            ("user:list-user-twice", "can do nothing to these calls: user"),
            ("stara:turned-missing", "can do nothing to these calls: stara"),
            ("look:embedded-null", "can do nothing to these calls: look"),
            ("look:lagging-looks", "can do nothing to these calls: look"),
            ("list:embedded-null:total=3", "doesn't fit it: total=3"),
            ("list:500:page=last", "can't be understood: page=last"),
            ("attach:500:page=3", "doesn't fit it: page=3"),
            ("stara:429:retry-after=5s:rate=1/s", "doesn't fit it: rate=1/s"),
        ] {
            let error = Fault::parse(spec).unwrap_err().to_string();
            assert!(error.contains(reason), "{spec}: {error}");
        }
    }
}

//! The steps of a row that meets no trouble, without a look before: authenticate, token, attach, verify.

use std::time::Duration;

use stara_onboard::http::RetryPolicy;
use stara_onboard::model::{Credential, CredentialId};
use stara_onboard::pipeline::journey::{Answer, Effect, Event, Journey, JourneyStart};
use stara_onboard::pipeline::{JourneyRules, OnExisting};

const RULES: JourneyRules = JourneyRules {
    precheck: false,
    on_existing: OnExisting::Keep,
    verify_wait: Duration::from_secs(30),
    settle: Duration::from_secs(120),
    review_after: Duration::from_secs(900),
    row_deadline: Duration::from_secs(900),
    stara: RetryPolicy::with_attempts(3),
    leaf: RetryPolicy::with_attempts(4),
};

#[divan::bench]
fn row_without_trouble() -> Effect {
    let credential = || Some(Credential { id: CredentialId::new("c0ffee"), status: Some("OK".to_owned()) });
    let mut journey = Journey::new(RULES, JourneyStart::default());
    let answers = [
        Event::Begun,
        Event::Answered(Answer::Kept),
        Event::Answered(Answer::Kept),
        Event::Answered(Answer::Attached(201, credential())),
        Event::Answered(Answer::Credential(credential())),
    ];
    let mut last = None;
    for (answer, at) in answers.into_iter().zip(0..) {
        last = Some(journey.on(divan::black_box(answer), Duration::from_millis(at)));
    }
    let last = last.expect("an effect");
    assert!(matches!(last, Effect::Finish(_)), "{last:?}");
    last
}

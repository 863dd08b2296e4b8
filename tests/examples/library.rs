//! What the library promises to whoever calls it.

use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use stara_onboard::{
    Ending, ErrorKind, Event, LeafToken, Manifest, Onboarding, OutcomeCode, Results, Secret, Services,
};

/// A folder with room for a ledger.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("state/ledger.db")
    }

    fn onboarding(&self, rows: usize) -> Onboarding {
        Onboarding::new(growers(rows), Services::sandbox(), self.ledger())
    }
}

fn growers(rows: usize) -> Manifest {
    let rows = (1..=rows).map(|row| format!("{},grower{row}@agro.example,trator{row},F{row}\n", user(row)));
    let text = format!("leafUserId,login,password,farm\n{}", rows.collect::<String>());
    Manifest::from_bytes("growers.csv", text.into_bytes())
}

fn user(row: usize) -> String {
    format!("00000000-0000-4000-8000-{row:012x}")
}

#[test]
fn every_line_has_one_result_with_what_was_kept_of_it() {
    let place = Place::new();
    let text =
        format!("leafUserId,login,password,farm\n{},a@x.example,p1,North\nno-uuid,b,p2,South\n", user(1));
    let manifest = Manifest::from_bytes("two.csv", text.into_bytes()).keep_column("farm");
    let finished = Onboarding::new(manifest, Services::sandbox(), place.ledger()).run(|_| {}).wait().unwrap();
    assert_eq!((finished.ending(), finished.exit_code()), (Ending::RowsFailed, 3));
    assert_eq!(finished.stopped_by(), None);
    let rows: Vec<_> = finished.results().rows().unwrap().map(Result::unwrap).collect();
    let codes: Vec<_> = rows.iter().map(|row| (row.line, row.code, row.kept.concat())).collect();
    assert_eq!(
        codes,
        [(2, OutcomeCode::Attached, "North".to_owned()), (3, OutcomeCode::ManifestInvalid, String::new())]
    );
    assert_eq!(rows[0].leaf_user_id.unwrap().to_string(), user(1));
    assert!(rows[0].finished_at.is_some() && rows[0].credential_id.is_some() && rows[0].is_selected);
    assert_eq!(rows[1].login, None, "a password may stand there, as in any cell of such a line");
}

#[test]
fn results_of_more_lines_than_a_page_come_in_order_and_add_up() {
    let place = Place::new();
    let finished = place.onboarding(1_100).limit(3).run(|_| {}).wait().unwrap();
    assert_eq!(finished.ending(), Ending::Done);
    let results = Results::of_latest_run(place.ledger()).unwrap();
    let lines: Vec<u64> = results.rows().unwrap().map(|row| row.unwrap().line).collect();
    assert_eq!(lines, (2..1_102).collect::<Vec<_>>());
    assert_eq!(results.counts().map(|(_, lines)| lines).sum::<u64>(), results.lines());
    assert_eq!(results.rows().unwrap().filter(|row| row.as_ref().unwrap().is_selected).count(), 3);
}

#[test]
fn a_second_run_of_a_done_manifest_tries_nobody() {
    let place = Place::new();
    place.onboarding(4).run(|_| {}).wait().unwrap();
    let (sender, heard) = mpsc::channel();
    place.onboarding(4).run(move |event| sender.send(event).unwrap()).wait().unwrap();
    let heard: Vec<_> = heard.iter().collect();
    assert!(heard.iter().any(|event| matches!(event, Event::Started { to_do: 0, done_before: 4, .. })));
    assert!(!heard.iter().any(|event| matches!(event, Event::RowEnded { .. })), "{heard:?}");
}

#[test]
fn one_run_at_a_time_holds_the_ledger() {
    let place = Place::new();
    let (sender, heard) = mpsc::channel();
    let (ended, end) = mpsc::channel::<()>();
    let first = place.onboarding(4).run(move |event| {
        if matches!(event, Event::Started { .. }) {
            sender.send(()).unwrap();
            end.recv().unwrap();
        }
    });
    heard.recv().unwrap();
    let error = place.onboarding(4).run(|_| {}).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Held, "{error}");
    ended.send(()).unwrap();
    assert_eq!(first.wait().unwrap().ending(), Ending::Done);
    assert_eq!(place.onboarding(4).run(|_| {}).wait().unwrap().ending(), Ending::Done);
}

#[test]
fn a_run_that_is_dropped_ends_and_can_be_resumed() {
    let place = Place::new();
    let (sender, heard) = mpsc::channel();
    let dropped = place.onboarding(400).run(move |event| {
        if matches!(event, Event::RowEnded { .. }) {
            // Nobody listens once it was dropped.
            _ = sender.send(());
        }
    });
    heard.recv().unwrap();
    drop(dropped);
    // Its thread lets go of the listener, and so of the sender, when it has ended.
    while heard.recv().is_ok() {}
    let finished = place.onboarding(400).run(|_| {}).wait().unwrap();
    assert_eq!(finished.results().counts().collect::<Vec<_>>(), [(OutcomeCode::Attached, 400)]);
}

#[test]
fn a_listener_that_panics_stops_the_run_and_the_next_one_resumes() {
    let place = Place::new();
    let error = place.onboarding(40).run(|event| assert!(!matches!(event, Event::RowEnded { .. }))).wait();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    let finished = place.onboarding(40).run(|_| {}).wait().unwrap();
    assert_eq!(finished.results().counts().collect::<Vec<_>>(), [(OutcomeCode::Attached, 40)]);
}

#[test]
fn results_that_another_run_has_replaced_are_refused() {
    let place = Place::new();
    let first = place.onboarding(4).run(|_| {}).wait().unwrap();
    place.onboarding(5).run(|_| {}).wait().unwrap();
    let error = first.results().rows().err().unwrap();
    assert!(error.to_string().contains("another run has begun since"), "{error}");
    assert_eq!(Results::of_latest_run(place.ledger()).unwrap().run(), 2);
}

#[test]
fn a_ledger_belongs_to_one_pair_of_services() {
    let place = Place::new();
    place.onboarding(2).run(|_| {}).wait().unwrap();
    let token = LeafToken::given(Secret::new("token".to_owned()));
    let services = Services::at("https://stara.invalid", "https://leaf.invalid", token);
    let error = Onboarding::new(growers(2), services, place.ledger()).run(|_| {}).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ledger, "{error}");
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_made() {
    let place = Place::new();
    let token = || LeafToken::given(Secret::new("token".to_owned()));
    let refused = |services: Services, manifest: Manifest| {
        let error = Onboarding::new(manifest, services, place.ledger()).run(|_| {}).wait().unwrap_err();
        assert!(!place.ledger().exists());
        error.kind()
    };
    let plain = Services::at("http://stara.example", "https://leaf.example", token());
    assert_eq!(refused(plain, growers(1)), ErrorKind::Settings);
    let bad = Services::at("https://stara.example", "leaf", token());
    assert_eq!(refused(bad, growers(1)), ErrorKind::Settings);
    let file = LeafToken::in_file(place.folder.path().join("no-token"));
    assert_eq!(refused(Services::production(file), growers(1)), ErrorKind::Settings);
    let split = LeafToken::given(Secret::new("two\nlines".to_owned()));
    assert_eq!(refused(Services::production(split), growers(1)), ErrorKind::Settings);
    let strange = Manifest::from_bytes("strange.csv", b"a,b\n1,2\n".to_vec());
    assert_eq!(refused(Services::sandbox(), strange), ErrorKind::Manifest);
}

#[test]
fn a_run_is_a_future_on_whichever_executor() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let place = Place::new();
    let heard = Arc::new(Mutex::new(0));
    let hearing = Arc::clone(&heard);
    let run = is_send(place.onboarding(3).run(move |event| {
        if matches!(event, Event::RowEnded { .. }) {
            *hearing.lock().unwrap() += 1;
        }
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let finished = runtime.block_on(run).unwrap();
    assert_eq!((finished.ending(), *heard.lock().unwrap()), (Ending::Done, 3));
}

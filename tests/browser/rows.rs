//! The table of rows: searched, narrowed, sorted, copied, by mouse and by keyboard.

use serde_json::json;

use crate::browser::{Browser, browser};
use crate::world::Place;

const STATUS: &str = "document.querySelector('#status').textContent";
const LINES: &str = "[...document.querySelectorAll('#body .row')].slice(0, 3).map((row) => row.querySelector('.line').textContent)";
const FOCUS: &str = "document.activeElement.getAttribute('aria-rowindex') || document.activeElement.id || document.activeElement.tagName";
const OPEN: &str = "document.querySelector('#detail').open";

/// A browser on the page of 400 rows, of which 300 aren't fine.
fn opened() -> Option<(Place, Browser)> {
    let place = Place::mixed(400);
    let page = place.run(&["--keep-column", "fazenda"]);
    let browser = browser(&page)?;
    Some((place, browser))
}

fn typed(browser: Browser, text: &str) -> Browser {
    browser
        .step(["js", "const search = document.querySelector('#search'); search.focus(); search.select()"])
        .step(["keys", text])
        .see(STATUS)
        .see(LINES)
}

#[test]
fn a_search_finds_all_words_in_any_column_whatever_their_accents_and_capitals() {
    let Some((_place, browser)) = opened() else { return };
    let browser = typed(browser.see(STATUS), "grower16@");
    let browser = typed(browser, "JOAO 16 stara-login");
    let browser = typed(browser, "0a1b2c3d-0000-4000-8000-000000000001");
    let browser = typed(browser, "http 404 leaf-user-unknown");
    let browser = typed(browser, "nobody-of-this-name");
    let seen = browser.step(["keys", "ESCAPE"]).see(STATUS).go();
    let expected = [
        "300 rows",
        "1 of 300 rows",
        // Of the rows whose login was refused, those with a 16 somewhere: 16, 160, 168, 216, and in the user's id 0x160 and 0x168.
        "6 of 300 rows",
        "1 of 300 rows",
        "50 of 300 rows",
        "No row matches.",
        "300 rows",
    ];
    assert_eq!(
        seen.all(STATUS),
        expected.iter().map(|text| json!(text)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    assert_eq!(seen.all(LINES)[0], &json!(["18"]));
    seen.expect_quiet();
}

#[test]
fn rows_are_narrowed_to_outcomes_and_sorted_by_any_column() {
    let Some((_place, browser)) = opened() else { return };
    let chip = |place: u32| format!("#chips button:nth-child({place})");
    let sort = |column: &str| format!("#columns [data-key={column}] button");
    let seen = browser
        .see("[...document.querySelectorAll('#chips button')].map((chip) => chip.textContent).sort()")
        .step(["click", "button.show[data-code=leaf-user-unknown]"])
        .see(STATUS)
        .see(LINES)
        .step(["click", &sort("line")])
        .see(LINES)
        .step(["click", &sort("login")])
        .see(LINES)
        .see("[...document.querySelectorAll('#columns [aria-sort]')].map((cell) => cell.getAttribute('aria-sort')).join(' ')")
        .step(["click", "#chips [aria-pressed=true]"])
        .see(STATUS)
        .step(["click", &chip(1)])
        .step(["click", &chip(2)])
        .see(STATUS)
        .go();
    let codes = [
        "credential-unhealthy50",
        "leaf-credentials-refused50",
        "leaf-user-forbidden50",
        "leaf-user-unknown50",
        "stara-login-rejected50",
        "stara-unexpected-answer50",
    ];
    assert_eq!(seen.result(0), &json!(codes));
    assert_eq!(seen.all(STATUS), [&json!("50 of 300 rows"), &json!("300 rows"), &json!("100 of 300 rows")]);
    // The nth grower stands on line n + 2; grower1 comes before grower9.
    assert_eq!(
        seen.all(LINES)[..3],
        [&json!(["3", "11", "19"]), &json!(["395", "387", "379"]), &json!(["3", "11", "19"])]
    );
    assert_eq!(seen.result(8), "none none none none ascending none");
    seen.expect_quiet();
}

#[test]
fn only_the_rows_in_sight_are_in_the_document_and_the_last_ones_can_be_reached() {
    let Some((_place, browser)) = opened() else { return };
    let there = "document.querySelectorAll('#body .row').length";
    let seen = browser
        .see(there)
        .step(["js", "document.querySelector('#grid').scrollTop = 1e9"])
        .step(["wait", "return document.querySelector('#body [aria-rowindex=\"301\"]') !== null"])
        .see(there)
        .see("document.querySelector('#grid').getAttribute('aria-rowcount')")
        .go();
    for there in seen.all(there) {
        assert!(there.as_u64().unwrap() < 60, "{there}");
    }
    assert_eq!(seen.last(), "301");
    seen.expect_quiet();
}

#[test]
fn the_keyboard_alone_is_enough() {
    let Some((_place, browser)) = opened() else { return };
    let seen = browser
        .step(["keys", "/"])
        .see(FOCUS)
        .step(["keys", "ARROW_DOWN"])
        .see(FOCUS)
        .step(["keys", "ARROW_DOWN", "ARROW_DOWN", "PAGE_DOWN"])
        .step(["keys", "END"])
        .see(FOCUS)
        .step(["keys", "HOME", "ARROW_DOWN", "ENTER"])
        .see(OPEN)
        .see("document.querySelector('#detail-title').textContent")
        .step(["keys", "ARROW_RIGHT"])
        .see("document.querySelector('#detail-title').textContent + '.'")
        .step(["keys", "ESCAPE"])
        .see("!document.querySelector('#detail').open")
        // The browser tells a moment later that it is closed.
        .step(["wait", "return document.activeElement.getAttribute('aria-rowindex') === '4'"])
        .see(FOCUS)
        .go();
    let focus: Vec<_> = seen.all(FOCUS).into_iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!(focus, ["search", "2", "301", "4"]);
    assert_eq!(seen.all(OPEN)[0], true);
    assert_eq!(seen.text("document.querySelector('#detail-title').textContent"), "Line 3");
    assert_eq!(seen.text("document.querySelector('#detail-title').textContent + '.'"), "Line 4.");
    assert_eq!(seen.text("!document.querySelector('#detail').open"), "true");
    seen.expect_quiet();
}

#[test]
fn what_is_copied_goes_into_a_spreadsheet_as_text() {
    let rows = [
        vec!["no-uuid".to_owned(), "ana".to_owned(), "x".to_owned(), "=2+3".to_owned()],
        vec![
            crate::support::user(1).to_string(),
            "@agro".to_owned(),
            "sandbox:wrong-password".to_owned(),
            "a\tb \"c\"".to_owned(),
        ],
    ];
    let place = Place::new(&["leafUserId", "login", "password", "note"], &rows);
    let page = place.run(&["--keep-column", "note"]);
    let Some(browser) = browser(&page) else { return };
    let seen = browser
        .step(["clipboard"])
        .step(["click", "#copy-rows"])
        .step(["wait", "return document.querySelector('#status').textContent.includes('copied')"])
        .step(["clipboard"])
        .step(["click", "#copy-users"])
        .step(["wait", "return document.querySelector('#status').textContent.includes('leafUserIds')"])
        .step(["clipboard"])
        .go();
    let copied = seen.result(3).as_str().unwrap();
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(copied.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(reader.headers().unwrap().iter().next_back(), Some("note"));
    assert_eq!(records.len(), 2, "{copied}");
    assert_eq!(
        (&records[1][2], &records[1][3], &records[1][12]),
        ("'@agro", "stara-login-rejected", "a\tb \"c\"")
    );
    assert_eq!(&records[0][12], "", "in a shifted row any cell may be the password");
    assert_eq!(seen.last(), &json!(format!("{}\n", crate::support::user(1))));
    seen.expect_quiet();
}

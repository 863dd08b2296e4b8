//! The largest table a page holds.

use crate::browser::browser;
use crate::support::user;
use crate::world::Place;

/// How long a search may take before the test fails, in milliseconds: ten times what is promised, because a test may not
/// depend on what else the machine does. What it took is printed.
const PATIENCE: f64 = 2_000.0;

/// From the key that was pressed until the browser has painted what came of it.
const SEARCH: &str = "
    const search = document.querySelector('#search');
    const times = [];
    const words = ['g', 'grower9', 'grower99 fazenda', '0a1b2c3d', 'sao joao 77', 'none of them'];
    const next = () => {
        if (times.length === words.length) { window.times = times; return; }
        const began = performance.now();
        search.value = words[times.length];
        search.dispatchEvent(new Event('input', { bubbles: true }));
        requestAnimationFrame(() => setTimeout(() => { times.push(performance.now() - began); next(); }));
    };
    next();";

#[test]
fn ten_thousand_rows_open_and_answer_a_search_at_once_and_the_rest_is_named() {
    // Two lines of one user with different passwords: both fail, and nothing is sent.
    let line = |number: usize| {
        let login = format!("grower{number}@agro.example");
        let farm = format!("Fazenda São João {number}");
        vec![user(number / 2).to_string(), login, format!("p{number}"), farm]
    };
    let header = ["leafUserId", "login", "password", "fazenda"];
    let place = Place::new(&header, &(0..10_200).map(line).collect::<Vec<_>>());
    let page = place.run(&["--max-invalid", "100%", "--keep-column", "fazenda", "--report", "all.csv"]);
    let bytes = page.metadata().unwrap().len();
    assert!(bytes < 6_000_000, "{bytes}");
    let Some(browser) = browser(&page) else { return };
    let note = "document.querySelector('.rows-section .note').textContent";
    let seen = browser
        .see("document.querySelector('#status').textContent")
        .see(note)
        .step(["js", SEARCH])
        .step(["wait", "return window.times"])
        .step(["axe"])
        .go();
    assert_eq!(seen.text("document.querySelector('#status').textContent"), "10,000 rows");
    let said = seen.text(note);
    assert!(said.contains("200 more") && said.contains("all.csv"), "{said}");
    let times: Vec<f64> =
        seen.result(3).as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect();
    println!("{bytes} bytes, opened in {:.2} s, searches to the picture in {times:.0?} ms", seen.opened_in);
    assert!(times.iter().all(|time| *time < PATIENCE), "{times:?}");
    assert_eq!(seen.last(), &serde_json::json!([]), "what axe found");
    seen.expect_quiet();
}

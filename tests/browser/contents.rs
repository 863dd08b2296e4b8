//! What a page tells, to whom, and in what light.

use crate::browser::browser;
use crate::world::Place;

const HEADLINE: &str = "document.querySelector('h1').textContent";

#[test]
fn a_page_says_in_one_sentence_what_happened_and_who_must_act_and_axe_finds_nothing() {
    let place = Place::mixed(80);
    let page = place.run(&["--keep-column", "fazenda", "--report", "all.csv"]);
    let Some(browser) = browser(&page) else { return };
    let outcomes = "[...document.querySelectorAll('.outcomes tbody tr')].map((row) => row.cells[0].textContent + ' ' + row.cells[1].textContent)";
    let groups = "[...document.querySelectorAll('.group h3')].map((group) => group.textContent)";
    let images = "[...document.querySelectorAll('svg')].every((image) => image.getAttribute('role') === 'img' ? (image.getAttribute('aria-label') || image.querySelector('title')) : image.getAttribute('aria-hidden') === 'true')";
    let seen = browser
        .see(HEADLINE)
        .see(outcomes)
        .see(groups)
        .see(images)
        .see("document.querySelector('.rehearsal').textContent")
        .see("document.querySelector('.rows-section .hint').textContent")
        .step(["axe"])
        .go();
    assert_eq!(
        seen.text(HEADLINE),
        "20 of 80 rows are attached; 10 need their growers, 10 need their growers or you, 30 need you and 10 need the \
         makers of this tool."
    );
    let expected = [
        "attached 10",
        "already-attached 10",
        "stara-login-rejected 10",
        "credential-unhealthy 10",
        "leaf-user-unknown 10",
        "leaf-user-forbidden 10",
        "leaf-credentials-refused 10",
        "stara-unexpected-answer 10",
    ];
    assert_eq!(seen.all(outcomes)[0], &serde_json::json!(expected));
    let expected = ["The growers 10", "The growers, or you 10", "You 30", "The makers of this tool 10"];
    assert_eq!(seen.all(groups)[0], &serde_json::json!(expected));
    assert_eq!(seen.all(images)[0], &serde_json::json!(true), "every drawing has words, or is beside them");
    assert!(seen.text("document.querySelector('.rows-section .hint').textContent").contains("all.csv"));
    assert_eq!(seen.last(), &serde_json::json!([]), "what axe found");
    seen.expect_quiet();
}

#[test]
fn a_dark_page_and_one_on_a_phone_are_as_readable() {
    let place = Place::mixed(40);
    let page = place.run(&["--keep-column", "fazenda"]);
    let sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let paper = "getComputedStyle(document.body).backgroundColor";
    for is_dark in [false, true] {
        for (width, height) in [(1280, 900), (360, 780)] {
            let Some(browser) = browser(&page) else { return };
            let browser = if is_dark { browser.dark() } else { browser };
            let detail = "document.querySelector('#body .row').click()";
            let seen = browser
                .size(width, height)
                .see(sideways)
                .see(paper)
                .step(["axe"])
                .step(["js", detail])
                .step(["wait", "return document.querySelector('#detail').open"])
                .see(sideways)
                .step(["axe"])
                .go();
            assert_eq!(
                seen.all(sideways),
                [&serde_json::json!(0); 2],
                "there is nothing to scroll to sideways"
            );
            assert_eq!(seen.text(paper) == "rgb(251, 250, 247)", !is_dark, "{}", seen.text(paper));
            for step in [2, 6] {
                assert_eq!(seen.result(step), &serde_json::json!([]), "axe, {width} wide, dark: {is_dark}");
            }
            seen.expect_quiet();
        }
    }
}

#[test]
fn a_run_in_which_all_went_well_needs_nobody_and_lists_no_rows() {
    let place = Place::new(
        &["leafUserId", "login", "password"],
        &(0..3)
            .map(|number| {
                vec![crate::support::user(number).to_string(), format!("g{number}"), "right".to_owned()]
            })
            .collect::<Vec<_>>(),
    );
    let page = place.run(&[]);
    let Some(browser) = browser(&page) else { return };
    let seen = browser
        .see(HEADLINE)
        .see("document.querySelector('#rows')")
        .see("document.querySelector('#acting').nextElementSibling.textContent")
        .step(["axe"])
        .go();
    assert_eq!(seen.text(HEADLINE), "All 3 rows are attached, and nobody has to do anything.");
    assert!(seen.all("document.querySelector('#rows')")[0].is_null());
    assert_eq!(seen.last(), &serde_json::json!([]), "what axe found");
    seen.expect_quiet();
}

#[test]
fn the_nights_before_are_shown_once_there_are_several() {
    let place = Place::mixed(16);
    place.run(&[]);
    let page = place.run(&["--retry-failed"]);
    let Some(browser) = browser(&page) else { return };
    let nights = "[...document.querySelectorAll('[aria-labelledby=nights] tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent).filter((_, place) => place !== 1).join(' '))";
    let seen = browser
        .see("document.querySelector('.trend figcaption').textContent")
        .see(nights)
        .step(["js", "document.querySelectorAll('details').forEach((details) => details.open = true)"])
        .step(["axe"])
        .go();
    assert_eq!(
        seen.text("document.querySelector('.trend figcaption').textContent"),
        "12 rows wait for somebody, as many as the run before."
    );
    assert_eq!(seen.all(nights)[0], &serde_json::json!(["1 16 4 12 0", "2 16 4 12 0"]));
    assert_eq!(seen.last(), &serde_json::json!([]), "what axe found");
    seen.expect_quiet();
}

#[test]
fn without_its_script_a_page_tells_everything_but_the_single_rows() {
    let place = Place::mixed(16);
    let page = place.run(&[]);
    let Some(browser) = browser(&page) else { return };
    let shown = "document.body.innerText";
    // What a test evaluates isn't the page's script.
    let seen = browser.without_script().see(shown).go();
    let text = seen.text(shown);
    assert!(text.contains("4 of 16 rows are attached"), "{text}");
    assert!(text.contains("stara-login-rejected"), "{text}");
    assert!(text.contains("this page needs its script"), "{text}");
    assert!(!text.contains("Show these rows"), "a button without a script would do nothing: {text}");
}

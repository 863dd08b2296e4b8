//! Manifests that would like to be markup, or to look like something else.

use crate::browser::browser;
use crate::support::user;
use crate::world::Place;

const HOSTILE: [&str; 9] = [
    "</script><script>window.owned = 1</script>",
    "\"><img src=x onerror=\"window.owned = 2\">",
    "<svg onload=window.owned=3>",
    "<!--<script>",
    "]]></textarea></style><b>bold</b>",
    "javascript:window.owned=4",
    "\u{202e}moc.elpmaxe@gnp\u{2066}\u{200b}\u{0}\u{7}",
    "\u{2028}\u{2029}&lt;b&gt;\\u003cb\\u003e",
    "${window.owned = 5}{{7*7}}{% raw %}",
];

#[test]
fn no_cell_no_column_and_no_file_name_becomes_markup() {
    let cell = |text: &str| text.replace('\0', "");
    let mut rows: Vec<Vec<String>> = HOSTILE
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let text = cell(text);
            vec![user(number).to_string(), text.clone(), "sandbox:wrong-password".to_owned(), text]
        })
        .collect();
    rows.push(vec![
        user(90).to_string(),
        "long".to_owned(),
        "sandbox:wrong-password".to_owned(),
        "<b>".repeat(3_400),
    ]);
    let column = "<img src=x onerror=window.owned=6>";
    let place = Place::new(&["leafUserId", "login", "password", column], &rows);
    let name = "<img src=x onerror=window.owned=7>.csv";
    std::fs::rename(place.path("growers.csv"), place.path(name)).unwrap();
    let page = {
        let program = crate::support::Invocation::new(place.folder()).args(["run", name, "--sandbox"]);
        let more = ["--max-failures", "100%", "--report", "page.html", "--keep-column", column];
        program.args(more).end().with_code(3);
        place.path("page.html")
    };
    let source = std::fs::read_to_string(&page).unwrap();
    assert_eq!(source.matches("<script").count(), 2, "the data and the script");
    assert_eq!(source.matches("</script").count(), 2);
    assert!(!source.contains("<img") && !source.contains('\u{202e}') && !source.contains('\u{2028}'));
    let Some(browser) = browser(&page) else { return };
    let logins = "[...document.querySelectorAll('#body .cell.login')].map((cell) => cell.textContent)";
    let strangers = "document.querySelectorAll('img, iframe, object, embed, link, base, form, [onerror], [onload]').length";
    let mut browser = browser.see(logins);
    for _ in 0..rows.len() {
        browser = browser
            .step(["js", "document.querySelector('#detail').open ? document.querySelector('#detail-after').click() : document.querySelector('#body .row').click()"])
            .see("document.querySelector('#detail-list dd:last-child').textContent");
    }
    // What is written out is found as it is shown.
    let found = "document.querySelector('#grid').getAttribute('aria-rowcount')";
    let seen = browser
        .see("window.owned === undefined")
        .see(strangers)
        .see("document.querySelectorAll('script').length")
        .see("document.querySelector('.eyebrow').textContent")
        .step(["js", "document.querySelector('#detail').close(); const search = document.querySelector('#search'); search.value = '[u+202e]moc'; search.dispatchEvent(new Event('input', { bubbles: true }))"])
        .see(found)
        .go();
    let shown: Vec<String> = seen.all(logins)[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown[0], HOSTILE[0]);
    assert_eq!(shown[1], HOSTILE[1]);
    assert_eq!(shown[6], "[U+202E]moc.elpmaxe@gnp[U+2066][U+200B][U+0007]");
    assert!(shown[7].ends_with("&lt;b&gt;\\u003cb\\u003e"), "{}", shown[7]);
    let kept = seen.all("document.querySelector('#detail-list dd:last-child').textContent");
    assert_eq!(kept[0], HOSTILE[0]);
    let long = kept[rows.len() - 1].as_str().unwrap();
    assert!(long.starts_with("<b><b>") && long.ends_with('…') && long.chars().count() == 501, "{long}");
    assert_eq!(seen.text("window.owned === undefined"), "true");
    assert_eq!(seen.text(strangers), "0");
    assert_eq!(seen.text(found), "2", "the head and one row");
    assert_eq!(seen.text("document.querySelectorAll('script').length"), "2");
    assert!(seen.text("document.querySelector('.eyebrow').textContent").contains(name));
    seen.expect_quiet();
}

#[test]
fn cells_that_swell_when_they_are_escaped_leave_a_page_under_six_megabytes_that_says_what_it_left_out() {
    // Two lines of one user with different passwords: both fail, and nothing is sent.
    let line = |number: usize| {
        let swelling = "<&>\u{2028}".repeat(200);
        vec![user(number / 2).to_string(), format!("{number}{swelling}"), format!("p{number}"), swelling]
    };
    let place =
        Place::new(&["leafUserId", "login", "password", "note"], &(0..2_000).map(line).collect::<Vec<_>>());
    let page = place.run(&["--max-invalid", "100%", "--keep-column", "note"]);
    let bytes = page.metadata().unwrap().len();
    assert!((4_000_000..6_000_000).contains(&bytes), "{bytes}");
    let Some(browser) = browser(&page) else { return };
    let note = "document.querySelector('.rows-section .note').textContent";
    let seen = browser.see("document.querySelector('#grid').getAttribute('aria-rowcount')").see(note).go();
    let listed: usize = seen.result(0).as_str().unwrap().parse::<usize>().unwrap() - 1;
    assert!((500..2_000).contains(&listed), "{listed}");
    let said = seen.text(note);
    assert!(said.contains(&format!("the first {listed} of them")), "{said}");
    assert!(said.contains("stara-onboard report"), "{said}");
    seen.expect_quiet();
}

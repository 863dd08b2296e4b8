//! A page on paper.

use serde_json::json;

use crate::browser::browser;
use crate::world::Place;

#[test]
fn a_printed_page_holds_the_rows_that_were_listed_and_no_controls() {
    let place = Place::mixed(400);
    let page = place.run(&[]);
    let Some(browser) = browser(&page) else { return };
    let (all, few) = (place.path("all.pdf"), place.path("few.pdf"));
    let counted = "addEventListener('beforeprint', () => { \
        window.printed = document.querySelectorAll('#printed tbody tr').length; \
        window.hidden = [...document.querySelectorAll('button, input, select, .frame')].filter((one) => matchMedia('print').matches && one.offsetParent !== null).length; })";
    let seen = browser
        .dark()
        .step(["js", counted])
        .step(["pdf", all.to_str().unwrap()])
        .see("window.printed")
        .see("window.hidden")
        .step(["click", "button.show[data-code=leaf-user-unknown]"])
        .step(["pdf", few.to_str().unwrap()])
        .see("[window.printed, document.querySelectorAll('#printed tr').length]")
        .go();
    assert_eq!(seen.text("window.printed"), "300");
    assert_eq!(seen.text("window.hidden"), "0");
    assert_eq!(seen.last(), &json!([50, 0]), "and afterwards the page is what it was");
    let pages = |path: &std::path::Path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
    };
    assert!(pages(&all) > pages(&few) && pages(&few) > 1, "{} and {}", pages(&all), pages(&few));
    seen.expect_quiet();
}

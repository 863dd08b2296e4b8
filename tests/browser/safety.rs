//! What a page can't do, whatever somebody managed to put into it.

use serde_json::json;

use crate::browser::browser;
use crate::world::Place;

#[test]
fn even_markup_that_got_in_could_neither_run_nor_call_anybody() {
    let place = Place::mixed(8);
    let page = place.run(&[]);
    let Some(browser) = browser(&page) else { return };
    let inject = "document.body.insertAdjacentHTML('beforeend', '<b id=in onclick=\"window.owned = 1\">x</b>'); document.querySelector('#in').click(); \
        const made = document.createElement('script'); made.textContent = 'window.owned = 2'; document.body.append(made);";
    let seen = browser.step(["smuggle"]).step(["js", inject]).see("window.owned === undefined").go();
    let smuggled = seen.result(0);
    assert_eq!(smuggled["connections"], 0, "{smuggled}");
    assert_eq!(smuggled["told"], json!(["img refused", "script refused", "link refused", "fetch refused"]));
    assert_eq!(seen.last(), true);
    let breaches = seen.said.iter().filter(|said| said.contains("Content Security Policy")).count();
    assert!(breaches >= 6, "the policy is what refused them: {:?}", seen.said);
}

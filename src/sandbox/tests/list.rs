//! The flaws of the list of users, over the wire.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::client::{Client, Received};
use super::fixtures::{credentials_path, leaf, login, recording, secret, soon, start, user, user_path};
use crate::sandbox::{CallKind, Fault, Sandbox, SandboxOptions, World};

/// A sandbox with 250 users, the first ten of which hold a healthy credential, and these faults in force.
async fn with_faults(specs: &[&str]) -> Sandbox {
    let world = World::closed();
    for number in 0..250 {
        world.add_grower(user(number), &login("ana"), &secret("x"));
        if number < 10 {
            world.seed_credential(user(number), "OK");
        }
    }
    for spec in specs {
        world.inject(Fault::parse(spec).unwrap());
    }
    start(recording(), world).await
}

fn page(client: &mut Client, number: u64) -> Received {
    client.get(&format!("/services/usermanagement/api/users?page={number}&size=100")).unwrap()
}

/// The ids on a page, in their order.
fn ids(page: &Received) -> Vec<String> {
    let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
    page.json().as_array().unwrap().iter().map(id).collect()
}

fn users(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
    numbers.into_iter().map(|number| user(number).to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_a_total_is_whole_otherwise() {
    let sandbox = with_faults(&["list-without-total"]).await;
    let first = page(&mut leaf(&sandbox), 0);
    assert_eq!(first.header("X-Total-Count"), None);
    assert_eq!(ids(&first), users(0..100));
    assert!(first.header("Link").unwrap().contains("next"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_total_is_told_by_header_and_links_and_changes_no_page() {
    for (spec, total, has_next) in
        [("list-false-total", "1", false), ("list:list-false-total:total=9000", "9000", true)]
    {
        let sandbox = with_faults(&[spec]).await;
        let mut leaf = leaf(&sandbox);
        let second = page(&mut leaf, 1);
        assert_eq!(second.header("X-Total-Count"), Some(total));
        assert_eq!(second.header("Link").unwrap().contains("next"), has_next);
        assert_eq!(ids(&second), users(100..200));
        assert_eq!(page(&mut leaf, 3).json(), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_shifts_while_it_is_read_shows_users_twice_and_never() {
    let sandbox = with_faults(&["list-shifts"]).await;
    let mut leaf = leaf(&sandbox);
    let [first, second, third] = [0, 1, 2].map(|number| page(&mut leaf, number));
    assert_eq!((ids(&first), ids(&second)), (users(0..100), users(99..199)));
    assert_eq!(ids(&third), users(200..250), "user 199 was never shown");
    let totals = [&first, &second, &third].map(|page| page.header("X-Total-Count").unwrap().to_owned());
    assert_eq!(totals, ["250", "251", "250"]);
    assert_eq!(sandbox.world().faults_befallen("list-shifts"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_and_go_in_front_of_the_list_as_often_as_the_fault_says() {
    let sandbox = with_faults(&["list-shifts:first=1:users=3"]).await;
    let mut leaf = leaf(&sandbox);
    let first = ids(&page(&mut leaf, 0));
    assert_eq!(first[3..], users(0..97));
    assert_eq!(ids(&page(&mut leaf, 1)), users(100..200), "97 to 99 slipped over the edge");
    assert_eq!(leaf.get(&format!("/services/usermanagement/api/users/{}", first[0])).unwrap().status, 404);
    assert_eq!(sandbox.world().users().len(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_knows_one_page_only_shows_it_for_every_number() {
    let sandbox = with_faults(&["list-same-page"]).await;
    let mut leaf = leaf(&sandbox);
    for number in [0, 2, 70] {
        assert_eq!(ids(&page(&mut leaf, number)), users(0..100));
    }
    assert!(page(&mut leaf, 1).header("Link").unwrap().contains("page=2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_have_smaller_pages_than_asked_for() {
    let sandbox = with_faults(&["list-small-pages:size=30"]).await;
    let mut leaf = leaf(&sandbox);
    assert_eq!(ids(&page(&mut leaf, 0)), users(0..30));
    let second = page(&mut leaf, 1);
    assert_eq!(ids(&second), users(30..60));
    assert_eq!(second.header("X-Total-Count"), Some("250"));
    assert!(second.header("Link").unwrap().contains("page=2&size=30>; rel=\"next\""));
    let smaller = leaf.get("/services/usermanagement/api/users?page=1&size=10").unwrap();
    assert_eq!(ids(&smaller), users(10..20));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_credential_is_shown_as_the_fault_says_and_stays_as_it_is() {
    for (fault, held, none) in [
        ("embedded-without-status", Some(json!("id")), Some(Value::Null)),
        ("embedded-without-id", Some(json!("status")), Some(Value::Null)),
        ("embedded-null", Some(Value::Null), Some(Value::Null)),
        ("embedded-empty", Some(json!({})), Some(json!({}))),
        ("embedded-missing", None, None),
    ] {
        for calls in ["list", "user"] {
            let sandbox = with_faults(&[&format!("{calls}:{fault}")]).await;
            let mut leaf = leaf(&sandbox);
            let [holder, other] = if calls == "list" {
                let listed = page(&mut leaf, 0).json();
                [listed[0].clone(), listed[50].clone()]
            } else {
                [0, 50].map(|number| leaf.get(&user_path(user(number))).unwrap().json())
            };
            assert_eq!(other.get("staraCredentials").cloned(), none, "{calls}:{fault}");
            let shown = holder.get("staraCredentials").cloned();
            if let Some(Value::String(kept)) = &held {
                let shown = shown.unwrap();
                assert!(shown[kept].is_string() && shown["apiKey"].is_string(), "{calls}:{fault}");
                assert_eq!(shown.as_object().unwrap().len(), 6, "{calls}:{fault}: one field is missing");
            } else {
                assert_eq!(shown, held, "{calls}:{fault}");
            }
            assert_eq!(sandbox.world().credential(user(0)).unwrap().status, "OK");
            assert_eq!(sandbox.world().faults_befallen(fault), if calls == "list" { 100 } else { 2 });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_may_lack_its_id_or_status_where_it_stands_alone_too() {
    for (field, kept) in [("id", "status"), ("status", "id")] {
        let sandbox = with_faults(&[&format!("look:embedded-without-{field}")]).await;
        let mut leaf = leaf(&sandbox);
        let look = leaf.get(&credentials_path(user(0))).unwrap().json();
        assert!(look.get(field).is_none() && look[kept].is_string(), "{field}");
        let shown = leaf.get(&user_path(user(0))).unwrap().json();
        assert!(shown["staraCredentials"][field].is_string(), "{field}: only the look is befallen");
        assert_eq!(leaf.get(&credentials_path(user(50))).unwrap().status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaw_of_users_befalls_each_of_them_by_itself() {
    let one = format!("embedded-missing:user={}", user(7));
    let sandbox = with_faults(&[&one, "embedded-null:50%"]).await;
    let listed = page(&mut leaf(&sandbox), 0).json();
    let listed = listed.as_array().unwrap();
    for (number, shown) in listed.iter().enumerate().take(10) {
        let is_missing = shown.get("staraCredentials").is_none();
        assert!(number == 7 || !is_missing, "{number}");
    }
    let nulls = listed[..10].iter().filter(|shown| shown["staraCredentials"].is_null()).count();
    assert!((1..10).contains(&nulls), "{nulls} of 10 at one in two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_listed_twice_may_be_shown_in_two_ways() {
    let twice = format!("list-user-twice:user={}", user(3));
    let sandbox = with_faults(&[&twice, "embedded-null:each=1"]).await;
    let listed = page(&mut leaf(&sandbox), 0);
    assert_eq!(ids(&listed)[2..6], users([2, 3, 3, 4]));
    assert_eq!(ids(&listed).len(), 101);
    let statuses = [3, 4].map(|place| listed.json()[place]["staraCredentials"]["status"].clone());
    assert_eq!(statuses, [Value::Null, json!("OK")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flaws_of_the_list_add_up_with_each_other_and_with_any_other_fault() {
    let specs = ["list-without-total", "embedded-empty", "list:truncated-body:page=1", "list:500:page=2"];
    let sandbox = with_faults(&specs).await;
    let mut leaf = leaf(&sandbox);
    let first = page(&mut leaf, 0);
    assert_eq!(first.header("X-Total-Count"), None);
    assert_eq!(first.json()[0]["staraCredentials"], json!({}));
    let second = page(&mut leaf, 1);
    assert_eq!(second.header("X-Total-Count"), None);
    assert!(serde_json::from_slice::<Value>(&second.body).is_err());
    assert_eq!(
        [page(&mut leaf, 2).status, page(&mut leaf, 2).status, page(&mut leaf, 0).status],
        [500, 500, 200]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_fail_in_every_way_that_any_call_may_fail_in() {
    for (spec, kind) in [
        ("list:reply-lost:page=1", ErrorKind::UnexpectedEof),
        ("list:reset-before-effect:page=1", ErrorKind::ConnectionReset),
    ] {
        let sandbox = with_faults(&[spec]).await;
        let mut client = leaf(&sandbox);
        assert_eq!(page(&mut client, 0).status, 200, "{spec}");
        let failed = client.get("/services/usermanagement/api/users?page=1&size=100");
        assert_eq!(failed.unwrap_err().kind(), kind, "{spec}");
    }
    let sandbox = with_faults(&["users:hang:nth=2"]).await;
    let mut client = leaf(&sandbox);
    assert_eq!(page(&mut client, 0).status, 200);
    client.send("GET", "/services/usermanagement/api/users?page=1", "", "some-token", "").unwrap();
    soon(sandbox.world().until(|world| world.faults_befallen("hang") == 1)).await;
    drop(client);
    let seen = sandbox.seen().pop().unwrap();
    assert_eq!((seen.call, seen.status), (CallKind::ListUsers, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_follows_users_who_come_and_go() {
    let sandbox = start(SandboxOptions::default(), World::closed()).await;
    let (world, mut leaf) = (sandbox.world(), leaf(&sandbox));
    for number in 0..3 {
        world.add_user(user(number));
    }
    assert!(world.delete_user(user(1)));
    assert_eq!(ids(&page(&mut leaf, 0)), users([0, 2]));
    assert_eq!(page(&mut leaf, 0).header("X-Total-Count"), Some("2"));
    assert_eq!(leaf.get(&user_path(user(1))).unwrap().status, 404);
    assert!(!world.delete_user(user(1)) && !world.delete_user(user(9)), "nobody is deleted twice");
}

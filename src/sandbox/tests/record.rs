//! What the record's file says of the calls that it is hard to tell apart otherwise.

use std::sync::Arc;

use serde_json::{Value, json};

use super::fixtures::{credentials_path, leaf, start, user};
use crate::sandbox::{Fault, ListPage, SandboxOptions, World};

#[tokio::test(flavor = "multi_thread")]
async fn list_calls_are_recorded_with_page_and_size_and_with_every_flaw_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seen.jsonl");
    let file = Arc::new(std::fs::File::create_new(&path).unwrap());
    let options = SandboxOptions { record: true, record_to: Some(file), ..SandboxOptions::default() };
    let world = World::open();
    for number in 0..3 {
        world.seed_credential(user(number), "OK");
    }
    for spec in ["list-without-total:page=1", "embedded-null"] {
        world.inject(Fault::parse(spec).unwrap());
    }
    let sandbox = start(options, world).await;
    let list = "/services/usermanagement/api/users";
    let mut client = leaf(&sandbox);
    for call in [format!("{list}?page=1&size=2"), list.to_owned(), credentials_path(user(0))] {
        assert_eq!(client.get(&call).unwrap().status, 200);
    }
    let pages: Vec<_> = sandbox.seen().into_iter().map(|call| call.page).collect();
    let page = |number, size| Some(ListPage { number, size });
    assert_eq!(pages, [page(1, 2), page(0, 20), None]);

    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let received: Vec<_> = lines.iter().filter(|line| line["event"] == "received").collect();
    assert_eq!((&received[0]["page"], &received[0]["size"]), (&json!(1), &json!(2)));
    assert_eq!((&received[1]["page"], &received[1]["size"]), (&json!(0), &json!(20)));
    assert!(received[2].get("page").is_none() && received[2].get("size").is_none());
    let faults: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "fault")
        .map(|line| (&line["call"], &line["fault"]))
        .collect();
    let [first, second] = [json!(1), json!(2)];
    let [total, null] = [json!("list-without-total"), json!("embedded-null")];
    assert_eq!(faults, [(&first, &total), (&first, &null), (&second, &null)]);
}

//! The simulated services as a verb of their own: what is asked of them wrongly.

use crate::support::Bench;

#[test]
fn a_fault_that_is_none_is_refused_with_a_reason() {
    let bench = Bench::new(&[]);
    for (fault, reason) in [
        ("mishap", "names no fault hint: write [CALLS:]FAULT[:OPTION…]"),
        ("429", "doesn't say which calls are answered with 429 hint: write attach:429, stara:429 or all:429"),
        ("attach:hang:sometimes", "has an option that can't be understood: sometimes"),
        ("attach:hang:rate=1/s", "has an option that doesn't fit it: rate=1/s"),
    ] {
        bench.program().args(["sandbox", "--fault", fault]).end().with_code(2).saying(reason);
    }
    let ended = bench.program().args(["sandbox", "--second-attach", "500"]).end().with_code(2);
    ended.saying("must be 409, 400, replace or second-object");
}

#[test]
fn a_record_is_never_written_over() {
    let bench = Bench::new(&[]);
    bench.write("seen.jsonl", "of yesterday");
    let ended = bench.program().args(["sandbox", "--record", "seen.jsonl"]).end().with_code(2);
    ended.saying("the record seen.jsonl can't be made").saying("name a file that isn't there yet");
    assert_eq!(std::fs::read(bench.path("seen.jsonl")).unwrap(), b"of yesterday");
}

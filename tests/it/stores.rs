//! Objects of stores, `s3://bucket/key`: in a build without them, and where none may stand.

use crate::support::{Bench, growers};

#[cfg(not(feature = "object-store"))]
#[test]
fn a_build_without_object_stores_says_so_and_how_to_have_them() {
    let bench = Bench::new(&growers(2));
    for arguments in [
        &["run", "s3://growers/g.csv"][..],
        &["run", "S3://growers/g.csv.gz", "--sandbox"],
        &["plan", "s3://growers/g.csv"],
        &["check", "s3://growers/g.csv"],
        &["run", "growers.csv", "--report", "s3://growers/results.csv"],
        &["detach", "s3://growers/leavers.csv", "--yes"],
    ] {
        let ended = bench.program().args(arguments).end().with_code(2);
        ended.saying("this program was built without them").saying("--features object-store");
    }
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("s3:").exists() && !bench.path("S3:").exists(), "a folder was made of it");
}

#[test]
fn only_manifests_and_reports_may_be_in_a_store() {
    let bench = Bench::new(&growers(2));
    for arguments in [
        &["--state", "s3://growers/ledger.db"][..],
        &["--leaf-token-file", "s3://growers/token"],
        &["--ca-cert", "s3://growers/roots.pem"],
        &["--log-file", "s3://growers/log"],
        &["--metrics", "s3://growers/metrics.prom"],
        &["--magic-links", "s3://growers/links.csv"],
    ] {
        let ended = bench.program().args(["run", "growers.csv"]).args(arguments).end().with_code(2);
        ended.saying("can't be in an object store: s3://growers/").saying("hint: nothing was sent");
    }
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("s3:").exists(), "a folder was made of it");
}

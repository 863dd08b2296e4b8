//! A build without age knows what it is given.

use crate::support::{Bench, growers};

#[test]
fn an_age_file_is_refused_with_both_ways_out() {
    let bench = Bench::new(&growers(3));
    for beginning in ["age-encryption.org/v1\n-> X25519 x\n", "-----BEGIN AGE ENCRYPTED FILE-----\n"] {
        bench.write("growers.csv", beginning);
        let ended = bench.run_of("growers.csv", &["--age-identity", "key.txt"]).end().with_code(2);
        ended
            .saying("is encrypted with age, and this program was built without it")
            .saying("--decrypt-command 'age");
    }
    assert_eq!(bench.calls(), 0);
}

//! Errors without a hint of their own, each with the reason.

use super::source;

/// A value of a flag, a variable or a key of the settings file.
const VALUE: &str = "a value that can't be used: its sentence says what to write, and the hint repeats it";

/// Told within another error, which has the hint.
const WITHIN: &str = "told as the cause of another error, which has the hint";

/// What a row's outcome is made of, which has an advice of its own.
const OUTCOME: &str = "becomes the outcome of a row, whose code has its own advice (`explain CODE`)";

/// What a program reads that wrote it itself.
const OWN: &str = "read from what this program wrote; shown as damage of the ledger";

/// The types without a hint, and why they have none.
pub(super) const UNHINTED: &[(&str, &str)] = &[
    ("BodyError", OUTCOME),
    (
        "BucketError",
        "told as the cause of another error, whose hint is that of `BucketError::hint`, which has one for each",
    ),
    ("CarryError", "stands for the error of staging or of the run"),
    ("ClientError", WITHIN),
    ("Complaint", "one line of a settings file that is refused: the sentence says what to write"),
    ("DiscreetError", WITHIN),
    ("Distrust", WITHIN),
    ("ExtraRootsError", WITHIN),
    ("FaultSpecError", VALUE),
    ("GivenUp", OUTCOME),
    ("LogError", "told beside what the ledger saved, with the hint to run the same command again"),
    ("ManifestError", "names the manifest before its problem, which has the hint"),
    ("ParseAddressError", WITHIN),
    ("ParseChoiceError", VALUE),
    ("ParseDecryptCommandError", VALUE),
    ("ParseDelimiterError", VALUE),
    ("ParseDialectError", VALUE),
    ("ParseDurationError", VALUE),
    ("ParseFieldError", VALUE),
    ("ParseHoldError", OWN),
    ("ParseLeafUserIdError", VALUE),
    ("ParseLimitError", VALUE),
    ("ParseLintKindError", VALUE),
    ("ParseProfileError", VALUE),
    ("ParseProgressError", VALUE),
    ("ParseRateError", VALUE),
    ("ParseSandboxError", VALUE),
    ("ParseSecondAttachError", VALUE),
    ("ParseShardError", VALUE),
    ("ParseShardFlagError", VALUE),
    ("ProbeError", "a line of `doctor`, which advises what to do"),
    ("ReachError", "a line of `doctor`, which advises what to do"),
    ("ReadingError", "stands for the ledger's or the manifest's error"),
    ("RecordError", WITHIN),
    ("ReportError", WITHIN),
    ("SendError", OUTCOME),
    ("SourceChanged", WITHIN),
    ("StageError", "stands for the ledger's or the manifest's error"),
    ("StreamFault", "becomes a problem of the manifest, which has the hint"),
    ("SubjectsError", "stands for the ledger's or the manifest's error"),
    ("TransportError", WITHIN),
    ("UnknownCodeError", OWN),
    ("UnknownEndingError", WITHIN),
    ("KeptColumnError", WITHIN),
    ("UnknownFaultError", VALUE),
    ("UnknownFindingError", OWN),
    ("UnknownStageError", OWN),
];

/// Variants without a hint of their own, of types of which others have one.
pub(super) const STANDING_FOR_ANOTHER: &[&str] =
    &["StagingError::Manifest", "StagingError::Ledger", "RunError::Ledger", "ShardedLedgerError::Ledger"];

#[test]
fn every_reason_is_about_an_error_that_there_is() {
    let declared = source::declared();
    for (name, _) in UNHINTED {
        assert!(declared.iter().any(|declared| declared.name == *name), "{name} is gone: leave it out");
    }
    for name in STANDING_FOR_ANOTHER {
        let (of, variant) = name.split_once("::").unwrap();
        let is_there = |declared: &source::Declared| {
            declared.name == of && declared.variants.contains(&variant.to_owned())
        };
        assert!(declared.iter().any(is_there), "{name} is gone: leave it out");
    }
}

//! What the tool must keep to, and which of it a comparison missed.
//!
//! The targets hold on two idle processors. A machine is never quite idle, so that each has a margin; a comparison that is
//! for publishing shows the figures themselves.

use crate::comparison::Compared;
use crate::setting::Setting;

/// From how many rows on speed and processor time are judged: below, it is the start that counts.
const JUDGED_ROWS: u32 = 100_000;

/// The part of the bare program's rows per second that the tool keeps at least, without latency: 0.9, and a margin.
const SPEED: f64 = 0.9 - 0.05;

/// The same from 20 ms of latency on: 0.97, and a margin.
const SPEED_WITH_LATENCY: f64 = 0.97 - 0.02;

/// From how many milliseconds on it is latency that bounds the speed.
const LATENCY: u64 = 20;

/// How many times the bare program's processor time a row the tool takes at most, without latency: 1.25, and a margin. With
/// latency there are fewer writes in a group, on processors that have time for it.
const PROCESSOR_TIME: f64 = 1.25 + 0.07;

/// The peak of memory at most, in units of 10⁶ bytes. It has no margin, for load doesn't change it.
const PEAK_MEMORY: f64 = 64.0;

/// With how few rows the peak of memory is one that others are compared with.
const FEW_ROWS: u32 = 10_000;

/// How much more than with few rows it may be: a factor, and units of 10⁶ bytes.
const MORE_MEMORY: (f64, f64) = (1.1, 2.0);

/// How many times as long ten times the rows take: 9 to 11, and a margin.
const GROWTH: (f64, f64) = (9.0 - 0.5, 11.0 + 0.5);

/// Each target that was missed, in a sentence.
pub(crate) fn missed(compared: &[Compared]) -> Vec<String> {
    let mut missed = Vec::new();
    for one in compared {
        let Setting { rows, latency, manifest, tls, .. } = one.setting;
        let mut miss = |what: String| {
            missed.push(format!("{rows} rows of {manifest}, TLS {tls}, {latency} ms: {what}"));
        };
        let least = if latency >= LATENCY { SPEED_WITH_LATENCY } else { SPEED };
        if rows >= JUDGED_ROWS && one.speed() < least {
            miss(format!("{:.2} of the bare program's rows/s, and at least {least} is wanted", one.speed()));
        }
        if rows >= JUDGED_ROWS && latency < LATENCY && one.processor_time() > PROCESSOR_TIME {
            let taken = one.processor_time();
            miss(format!("{taken:.2} times its processor time, and at most {PROCESSOR_TIME} is wanted"));
        }
        let peak = one.peak_memory();
        if peak >= PEAK_MEMORY {
            miss(format!("a peak of {peak:.1} MB, and less than {PEAK_MEMORY} is wanted"));
        }
        if let Some(few) = compared.iter().find(|few| is_same_but_for_rows(few, one, FEW_ROWS)) {
            let (factor, more) = MORE_MEMORY;
            let most = few.peak_memory() * factor + more;
            if peak > most {
                miss(format!("a peak of {peak:.1} MB, and with few rows it allows {most:.1}"));
            }
        }
        if let Some((times, _)) = growth_to(one, compared)
            && (times < GROWTH.0 || times > GROWTH.1)
        {
            miss(format!("{times:.1} times as long as a tenth of the rows, and 9 to 11 is wanted"));
        }
    }
    missed
}

/// How time grew with the rows, in sentences.
pub(crate) fn growth(compared: &[Compared]) -> Vec<String> {
    let sentence = |one: &Compared| {
        let (times, tenth) = growth_to(one, compared)?;
        let Setting { rows, manifest, tls, latency, .. } = one.setting;
        Some(format!(
            "{rows} rows of {manifest} (TLS {tls}, {latency} ms) took {times:.2} times as long as {tenth}."
        ))
    };
    compared.iter().filter_map(sentence).collect()
}

/// How many times as long as a tenth of the rows, where those were measured and are enough to be judged.
fn growth_to(one: &Compared, compared: &[Compared]) -> Option<(f64, u32)> {
    let tenth = one.setting.rows / 10;
    let few = compared.iter().find(|few| is_same_but_for_rows(few, one, tenth))?;
    (tenth >= JUDGED_ROWS).then(|| (one.seconds() / few.seconds(), tenth))
}

fn is_same_but_for_rows(few: &Compared, many: &Compared, rows: u32) -> bool {
    few.setting == Setting { rows, ..many.setting } && many.setting.rows > rows
}

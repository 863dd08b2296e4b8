//! The run over time: rows a second, and what each host was asked against what it permitted.

use std::fmt::Write as _;

use super::wording::{average, count, counted, duration, instant, rate_text};
use crate::checkpoint::{HostSlot, MeasuredSlot, RunKind, RunMeasures};
use crate::model::{Service, UnixMillis};

/// How high a chart is, in units of its own; it is as many wide as there are slots.
pub(super) const HEIGHT: f64 = 100.0;

/// The most rows of the table beside the charts.
const MOST_SPANS: u32 = 24;

/// How many times higher than what was sent a permitted rate may lie before it is cut off at the top.
const MOST_ROOM: f64 = 2.5;

/// The charts, and the same as a table.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) width: u32,
    pub(super) charts: Vec<Chart>,
    pub(super) begins: String,
    pub(super) ends: String,
    pub(super) slot: String,
    /// Whether any host had a quota.
    pub(super) has_quota: bool,
    pub(super) hosts: Vec<&'static str>,
    pub(super) spans: Vec<Span>,
}

/// One chart.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) key: &'static str,
    pub(super) summary: String,
    pub(super) most: String,
    /// What happened, as an area.
    pub(super) area: String,
    /// What was permitted, as a line; empty where there was no quota.
    pub(super) permitted: String,
    /// Slots in which the host asked us to slow down.
    pub(super) throttled: Vec<u32>,
    /// Slots in which requests failed.
    pub(super) failed: Vec<u32>,
    /// Slots in which nobody might ask the host.
    pub(super) held: Vec<u32>,
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) from: String,
    pub(super) rows: String,
    pub(super) hosts: Vec<HostSpan>,
}

/// What a host was asked in a line of the table.
#[derive(Debug)]
pub(super) struct HostSpan {
    pub(super) requests: String,
    pub(super) permitted: String,
    pub(super) throttled: String,
    pub(super) failed: String,
}

/// The time line of what a run of this kind measured; `None` where it measured nothing.
pub(super) fn timeline(kind: RunKind, measures: &RunMeasures) -> Option<Timeline> {
    let width = measures.slots.last()?.slot.checked_add(1)?;
    let seconds = measures.slot_seconds.max(1);
    let hosts: Vec<Service> = Service::ALL
        .into_iter()
        .filter(|service| kind != RunKind::Detach || *service == Service::Leaf)
        .filter(|service| !measures.total(*service).is_empty())
        .collect();
    let mut charts = vec![rows_chart(measures, seconds)];
    charts.extend(hosts.iter().map(|service| host_chart(*service, measures, seconds)));
    let end = measures.began_at.0.saturating_add(i64::from(width) * i64::from(seconds) * 1_000);
    let (begins, ends) = (instant(measures.began_at), instant(UnixMillis(end)));
    // A day that is said already isn't said again.
    let ends = match (begins.split_once(' '), ends.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
        _ => ends,
    };
    let has_quota = charts.iter().any(|chart| !chart.permitted.is_empty());
    Some(Timeline {
        width,
        charts,
        begins,
        ends,
        has_quota,
        slot: counted(u64::from(seconds), "second"),
        hosts: hosts.iter().map(|service| service.as_str()).collect(),
        spans: spans(measures, width, seconds, &hosts),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a height in a drawing")]
fn per_second(number: u64, seconds: u32) -> f64 {
    number as f64 / f64::from(seconds)
}

fn rows_chart(measures: &RunMeasures, seconds: u32) -> Chart {
    let rates: Vec<(u32, f64)> =
        measures.slots.iter().map(|slot| (slot.slot, per_second(slot.rows, seconds))).collect();
    let most = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let total: u64 = measures.slots.iter().map(|slot| slot.rows).sum();
    let step = if seconds == 1 { "second".to_owned() } else { format!("{seconds} seconds") };
    let summary = format!("{} ended, at most {} in any {step}.", counted(total, "row"), rate_text(most));
    Chart {
        title: "Rows that ended, a second".to_owned(),
        key: "rows",
        summary,
        most: rate_text(most),
        area: area(&rates, most),
        permitted: String::new(),
        throttled: Vec::new(),
        failed: Vec::new(),
        held: Vec::new(),
    }
}

fn host_chart(service: Service, measures: &RunMeasures, seconds: u32) -> Chart {
    let slots: Vec<(u32, HostSlot)> =
        measures.slots.iter().map(|slot| (slot.slot, slot.host(service))).collect();
    let asked: Vec<(u32, f64)> =
        slots.iter().map(|(slot, host)| (*slot, per_second(host.requests, seconds))).collect();
    let rates: Vec<(u32, f64)> = slots.iter().filter_map(|(slot, host)| Some((*slot, host.rate?))).collect();
    let peak = asked.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let permitted = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let most = peak.max(permitted.min(peak * MOST_ROOM));
    let with = |what: fn(&HostSlot) -> u64| {
        slots.iter().filter(|(_, host)| what(host) > 0).map(|(slot, _)| *slot).collect::<Vec<_>>()
    };
    Chart {
        title: format!("Requests to {service}, a second"),
        key: "requests",
        summary: host_summary(service, measures, peak, &rates),
        most: rate_text(most),
        area: area(&asked, most),
        permitted: line(&rates, most),
        throttled: with(|host| host.throttled),
        failed: with(|host| host.failed),
        held: with(|host| host.held_ms),
    }
}

/// What a host's chart shows, in words.
fn host_summary(service: Service, measures: &RunMeasures, peak: f64, rates: &[(u32, f64)]) -> String {
    let total = measures.total(service);
    let mut said = format!("{}, at most {}", counted(total.requests, "request"), rate_text(peak));
    let lowest = rates.iter().map(|(_, rate)| *rate).reduce(f64::min);
    let highest = rates.iter().map(|(_, rate)| *rate).reduce(f64::max);
    // Writing into a string can't fail.
    let _ = match (lowest, highest) {
        (Some(lowest), Some(highest)) if rate_text(lowest) != rate_text(highest) => {
            write!(said, "; permitted were {} to {}", rate_text(lowest), rate_text(highest))
        }
        (Some(rate), _) => write!(said, "; permitted were {}", rate_text(rate)),
        _ => write!(said, "; there was no quota"),
    };
    if total.throttled > 0 {
        let _ = write!(said, "; {} throttled", count(total.throttled));
    }
    if total.failed > 0 {
        let _ = write!(said, "; {} failed", count(total.failed));
    }
    if total.held_ms > 0 {
        let held = duration(std::time::Duration::from_millis(total.held_ms));
        let _ = write!(said, "; held for {held}");
    }
    said.push('.');
    said
}

fn height(value: f64, most: f64) -> f64 {
    if most > 0.0 { HEIGHT - (value / most).min(1.0) * HEIGHT } else { HEIGHT }
}

/// Steps over the bottom line, one a slot.
fn area(values: &[(u32, f64)], most: f64) -> String {
    let mut path = String::new();
    for (slot, value) in values.iter().filter(|(_, value)| *value > 0.0) {
        // Writing into a string can't fail.
        let _ = write!(path, "M{slot} {HEIGHT}V{:.1}h1V{HEIGHT}z", height(*value, most));
    }
    path
}

/// A line that goes from step to step, and stays where it was in slots in which nothing happened.
fn line(values: &[(u32, f64)], most: f64) -> String {
    let mut path = String::new();
    for (place, (slot, value)) in values.iter().enumerate() {
        let height = height(*value, most);
        // Writing into a string can't fail.
        let _ = if place == 0 {
            write!(path, "M{slot} {height:.1}h1")
        } else {
            write!(path, "H{slot}V{height:.1}h1")
        };
    }
    path
}

/// The slots brought together into a table that can be read aloud.
fn spans(measures: &RunMeasures, width: u32, seconds: u32, hosts: &[Service]) -> Vec<Span> {
    let each = width.div_ceil(MOST_SPANS).max(1);
    let mut spans = Vec::new();
    for first in (0..width).step_by(each as usize) {
        let within: Vec<&MeasuredSlot> =
            measures.slots.iter().filter(|slot| (first..first + each).contains(&slot.slot)).collect();
        if within.is_empty() {
            continue;
        }
        let length = std::time::Duration::from_secs(u64::from(each.min(width - first)) * u64::from(seconds));
        let from = measures.began_at.0.saturating_add(i64::from(first) * i64::from(seconds) * 1_000);
        let rate = |number| average(number, length).unwrap_or_else(|| "0".to_owned());
        let of_host = |service: &Service| {
            let slots = within.iter().map(|slot| slot.host(*service));
            let total = slots.clone().fold(HostSlot::default(), |total, slot| HostSlot {
                requests: total.requests + slot.requests,
                throttled: total.throttled + slot.throttled,
                failed: total.failed + slot.failed,
                rate: slot.rate.or(total.rate),
                held_ms: total.held_ms + slot.held_ms,
            });
            HostSpan {
                requests: rate(total.requests),
                permitted: total.rate.map_or_else(|| "–".to_owned(), rate_text),
                throttled: count(total.throttled),
                failed: count(total.failed),
            }
        };
        spans.push(Span {
            from: instant(UnixMillis(from))
                .split_once(' ')
                .map_or_else(String::new, |(_, time)| time.to_owned()),
            rows: rate(within.iter().map(|slot| slot.rows).sum()),
            hosts: hosts.iter().map(of_host).collect(),
        });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(slot: u32, rows: u64, stara: HostSlot) -> MeasuredSlot {
        MeasuredSlot { slot, rows, stara, leaf: HostSlot { requests: rows, ..HostSlot::default() } }
    }

    fn measures() -> RunMeasures {
        let asked = |requests, rate| HostSlot { requests, rate: Some(rate), ..HostSlot::default() };
        let throttled = HostSlot { throttled: 3, held_ms: 2_000, ..asked(10, 3.5) };
        RunMeasures {
            began_at: UnixMillis(1_795_269_800_125),
            slot_seconds: 2,
            slots: vec![slot(0, 4, asked(20, 5.0)), slot(1, 2, throttled), slot(47, 6, asked(2, 100.0))],
            latencies: Vec::new(),
        }
    }

    #[test]
    fn what_was_asked_is_drawn_against_what_was_permitted() {
        let timeline = timeline(RunKind::Run, &measures()).unwrap();
        assert_eq!((timeline.width, timeline.slot.as_str()), (48, "2 seconds"));
        assert_eq!((timeline.begins.as_str(), timeline.ends.as_str()), ("2026-11-21 14:03:20", "14:04:56"));
        let [rows, stara, leaf] = &timeline.charts[..] else { panic!("three charts") };
        assert_eq!(rows.area, "M0 100V33.3h1V100zM1 100V66.7h1V100zM47 100V0.0h1V100z");
        assert_eq!(stara.most, "25.0/s", "a rate far above is cut off");
        assert_eq!(stara.permitted, "M0 80.0h1H1V86.0h1H47V0.0h1");
        assert_eq!((&stara.throttled, &stara.held), (&vec![1], &vec![1]));
        assert_eq!(
            stara.summary,
            "32 requests, at most 10.0/s; permitted were 3.50/s to 100/s; 3 throttled; held for 2.0 s."
        );
        assert!(leaf.summary.ends_with("there was no quota."), "{}", leaf.summary);
        let spans = &timeline.spans;
        assert_eq!(spans.len(), 2, "spans in which nothing happened are left out");
        assert_eq!((spans[1].from.as_str(), spans[1].rows.as_str()), ("14:04:52", "1.50/s"));
        assert_eq!(spans[0].hosts[0].throttled, "3");
    }

    #[test]
    fn nothing_measured_is_no_time_line() {
        assert!(timeline(RunKind::Run, &RunMeasures { slots: Vec::new(), ..measures() }).is_none());
        let detach = timeline(RunKind::Detach, &measures()).unwrap();
        assert_eq!(detach.hosts, ["Leaf"]);
    }
}

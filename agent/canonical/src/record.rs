//! A record as our writer writes it: each key in its place, nothing between them, ASCII only. A verifier reads little
//! else, and this reads it in one pass. It may know less than JSON, and never more.

use crate::hex::{Hash, unhex};
use crate::json::Rest;

/// What a verifier needs of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// The hash of the record before; none where it is not one.
    pub prev: Option<Hash>,
    /// Its number.
    pub seq: u64,
    /// Its log.
    pub log: &'a [u8],
    /// Wall clock, milliseconds.
    pub time: i64,
    /// Its name.
    pub event: &'a [u8],
}

/// Keys that a record may leave out, in their order.
const SECTIONS: [&[u8]; 6] = [b",\"decision\":", b",\"reason\":", b",\"actor\":", b",\"proc\":", b",\"env\":", b",\"ctl\":"];
const RUN: &[u8] = b",\"run\":";
/// Our deepest value is `ext.prior.root`.
const DEPTH: u32 = 8;

/// Reads records. Parts that are the same bytes in one record after the other are read once.
#[derive(Default)]
pub struct Reader<'a> {
    /// From the version to the log.
    log: Part<'a>,
    /// From the class to the event.
    event: Part<'a>,
    /// Where and for what.
    run: Part<'a>,
}

/// Bytes that hold whole keys with their values, and the last of these values.
#[derive(Clone, Copy, Default)]
struct Part<'a> {
    whole: &'a [u8],
    last: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a record, if this is one of ours. Never a part of its caller, which is built to be small.
    #[inline(never)]
    pub fn read(&mut self, line: &'a [u8]) -> Option<Head<'a>> {
        let mut rest = Rest(line);
        rest.literal(b"{\"prev\":\"")?;
        let (prev, after) = rest.0.split_at_checked(64)?;
        let prev = Some(unhex(prev)?);
        rest.0 = after;
        rest.literal(b"\",\"seq\":")?;
        let seq = rest.number()?;
        let log = self.log.next(&mut rest, log)?;
        rest.literal(b",\"uid\":")?;
        rest.plain()?;
        rest.literal(b",\"time\":")?;
        let time = i64::try_from(rest.number()?).ok()?;
        rest.literal(b",\"boot_ns\":")?;
        rest.plain()?;
        let event = self.event.next(&mut rest, event)?;
        if !rest.0.starts_with(RUN) {
            for section in SECTIONS {
                if rest.literal(section).is_some() {
                    rest.value(DEPTH)?;
                }
            }
        }
        self.run.next(&mut rest, run)?;
        rest.literal(b",\"ext\":")?;
        rest.value(DEPTH)?;
        (rest.0 == b"}").then_some(Head { prev, seq, log, time, event })
    }
}

fn log<'a>(rest: &mut Rest<'a>) -> Option<&'a [u8]> {
    rest.literal(b",\"v\":1,\"log\":")?;
    rest.plain()
}

fn event<'a>(rest: &mut Rest<'a>) -> Option<&'a [u8]> {
    rest.literal(b",\"class_uid\":")?;
    let class = rest.small()?;
    rest.literal(b",\"type_uid\":")?;
    let kind = rest.small()?;
    rest.literal(b",\"activity_id\":")?;
    let activity = rest.small()?;
    rest.literal(b",\"severity_id\":")?;
    let severity = rest.small()?;
    rest.literal(b",\"status_id\":")?;
    let status = rest.small()?;
    rest.literal(b",\"event\":")?;
    let event = rest.plain()?;
    agree(class, kind, activity, severity, status).then_some(event)
}

fn run<'a>(rest: &mut Rest<'a>) -> Option<&'a [u8]> {
    rest.literal(RUN)?;
    rest.value(DEPTH)?;
    Some(b"")
}

/// OCSF: a type is its class times 100 and its activity; severities end at 6, statuses at 99.
pub fn agree(class: u32, kind: u32, activity: u32, severity: u32, status: u32) -> bool {
    kind == class.wrapping_mul(100).wrapping_add(activity) && severity <= 6 && status <= 99
}

impl<'a> Part<'a> {
    /// The part that comes next: as it was before, or read.
    fn next(&mut self, rest: &mut Rest<'a>, read: fn(&mut Rest<'a>) -> Option<&'a [u8]>) -> Option<&'a [u8]> {
        if self.whole.is_empty() || rest.literal(self.whole).is_none() {
            let from = rest.0;
            let last = read(rest)?;
            *self = Part { whole: &from[..from.len() - rest.0.len()], last };
        }
        Some(self.last)
    }
}

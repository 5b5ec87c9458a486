//! A moment from its parts, in UTC.

use crate::host::clock::Timestamp;

/// From a year and month, day, hour, minute, second; none where the calendar has no such moment.
pub(in crate::identity) fn moment(year: i32, [month, day, hour, minute, second]: [u8; 5]) -> Option<Timestamp> {
    let date = time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
    let at = time::PrimitiveDateTime::new(date, time::Time::from_hms(hour, minute, second).ok()?);
    Some(Timestamp::from_seconds(at.assume_utc().unix_timestamp()))
}

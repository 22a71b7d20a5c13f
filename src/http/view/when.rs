//! A moment as a reader meets it: near ones by distance, far ones by date, the exact one behind.

use time::format_description::well_known::Rfc3339;
use time::{Duration, Month, OffsetDateTime, UtcOffset};

/// A moment in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// `3 minutes ago`, `in 2 days`, or from a week on `21 Nov 2026`.
    pub text: String,
    /// RFC 3339 in UTC, for `<time datetime>`.
    pub exact: String,
}

impl When {
    /// `at` as seen from `now`.
    pub fn new(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        let at = at.to_offset(UtcOffset::UTC);
        let text = distance(at - now).unwrap_or_else(|| date(at));
        let exact = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
        Self { text, exact }
    }
}

fn distance(difference: Duration) -> Option<String> {
    let span = difference.abs();
    let (count, unit) = if span < Duration::MINUTE {
        return Some("just now".to_owned());
    } else if span < Duration::HOUR {
        (span.whole_minutes(), "minute")
    } else if span < Duration::DAY {
        (span.whole_hours(), "hour")
    } else if span < Duration::WEEK {
        (span.whole_days(), "day")
    } else {
        return None;
    };
    let plural = if count == 1 { "" } else { "s" };
    if difference.is_negative() {
        Some(format!("{count} {unit}{plural} ago"))
    } else {
        Some(format!("in {count} {unit}{plural}"))
    }
}

fn date(at: OffsetDateTime) -> String {
    let month = match at.month() {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    };
    format!("{} {month} {}", at.day(), at.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds_from_now: i64) -> String {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        When::new(now + Duration::seconds(seconds_from_now), now).text
    }

    #[test]
    fn near_moments_are_told_by_distance() {
        let table = [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (-3_599, "59 minutes ago"),
            (-3_600, "1 hour ago"),
            (-86_400, "1 day ago"),
            (-604_799, "6 days ago"),
            (7_200, "in 2 hours"),
            (2 * 86_400, "in 2 days"),
        ];
        for (seconds, words) in table {
            assert_eq!(text(seconds), words, "{seconds} s");
        }
    }

    #[test]
    fn from_a_week_on_the_date_is_told() {
        assert_eq!(text(-604_800), "8 Jan 2027");
        assert_eq!(text(604_800), "22 Jan 2027");
    }

    #[test]
    fn the_exact_moment_is_in_utc() {
        let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let tokyo = at.to_offset(UtcOffset::from_hms(9, 0, 0).unwrap());
        assert_eq!(When::new(tokyo, at).exact, "2027-01-15T08:00:00Z");
    }
}

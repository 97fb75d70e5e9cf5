//! The shop's clock: the file's times are those of the United Kingdom, without a zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};

/// The moment at which the clocks of the United Kingdom show that time. An hour that comes twice is the first one; one
/// that is left out counts as if it were not.
pub fn utc(local: NaiveDateTime) -> DateTime<Utc> {
    let offset = if is_summer(local) { TimeDelta::hours(1) } else { TimeDelta::zero() };
    (local - offset).and_utc()
}

/// The midnight that ends the day of that local time.
pub fn end_of_day(local: NaiveDateTime) -> DateTime<Utc> {
    utc(local.date().checked_add_days(Days::new(1)).unwrap_or(local.date()).and_time(NaiveTime::MIN))
}

/// From the last Sunday of March, one o'clock, to the last Sunday of October, two o'clock: so since 1996.
fn is_summer(local: NaiveDateTime) -> bool {
    let changes = |month, hour| {
        let last = NaiveDate::from_ymd_opt(local.year(), month, 31)?;
        let sunday = last - Days::new(last.weekday().days_since(Weekday::Sun).into());
        sunday.and_hms_opt(hour, 0, 0)
    };
    let (Some(begins), Some(ends)) = (changes(3, 1), changes(10, 2)) else { return false };
    begins <= local && local < ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn summer_time_is_an_hour_ahead() {
        for (local, moment) in [
            ("2010-12-01T08:26:00", "2010-12-01T08:26:00Z"),
            ("2011-03-27T00:59:00", "2011-03-27T00:59:00Z"),
            ("2011-03-27T02:00:00", "2011-03-27T01:00:00Z"),
            ("2011-07-01T12:00:00", "2011-07-01T11:00:00Z"),
            ("2011-10-30T00:30:00", "2011-10-29T23:30:00Z"),
            ("2011-10-30T02:00:00", "2011-10-30T02:00:00Z"),
        ] {
            assert_eq!(utc(at(local)), moment.parse::<DateTime<Utc>>().unwrap(), "{local}");
        }
    }

    #[test]
    fn a_day_ends_at_its_own_midnight() {
        assert_eq!(end_of_day(at("2011-06-30T09:00:00")), "2011-06-30T23:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(end_of_day(at("2011-12-31T09:00:00")), "2012-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}

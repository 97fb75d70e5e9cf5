//! What verify found, for people and for programs.

use super::check::Check;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// All checks of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The database.
    pub database: String,
    /// The moment that was looked at, by the database's clock.
    pub as_of: DateTime<Utc>,
    /// What the sample was chosen by.
    pub seed: i64,
    /// Schemas that are not in this database, or may not be read.
    pub missing: Vec<&'static str>,
    /// Every check, in the order they were made.
    pub checks: Vec<Check>,
    /// How long all of it took.
    pub seconds: f64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(Check::is_ok)
    }

    /// Writes it for people: a line for each check, and below those that failed what is wrong.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let colours = Colours::for_terminal();
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        writeln!(out, "database {} as of {}\n", self.database, self.as_of.format("%Y-%m-%d %H:%M:%S%.3f UTC"))?;
        for check in &self.checks {
            let verdict = if check.is_ok() { colours.good("ok   ") } else { colours.bad("WRONG") };
            let counted = format!("{} {}", thousands(check.counted), check.unit);
            let wrong = if check.is_ok() { String::new() } else { format!("{} wrong", thousands(check.wrong)) };
            writeln!(out, "{verdict}  {:width$}  {counted:36}  {wrong:14}  {:>8.2} s", check.name, check.seconds)?;
            for example in &check.examples {
                writeln!(out, "         {example}")?;
            }
            let more = check.wrong.saturating_sub(check.examples.len() as u64);
            if more > 0 {
                writeln!(out, "         … and {} more", thousands(more))?;
            }
            for note in &check.notes {
                writeln!(out, "         {}", colours.faint(note))?;
            }
        }
        writeln!(out)?;
        if !self.missing.is_empty() {
            writeln!(out, "not in this database, so not checked: {}", self.missing.join(", "))?;
        }
        let failed = self.checks.iter().filter(|check| !check.is_ok()).count();
        let verdict = match failed {
            0 => colours.good("all is well"),
            1 => colours.bad("1 check found something wrong"),
            more => colours.bad(&format!("{more} checks found something wrong")),
        };
        writeln!(out, "{verdict}: {} checks in {:.1} s", self.checks.len(), self.seconds)
    }
}

/// Colours where a person looks at them.
struct Colours(bool);

impl Colours {
    fn for_terminal() -> Self {
        Self(io::stdout().is_terminal())
    }

    fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn faint(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// 1234567 as 1,234,567.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> String {
        let report = Report {
            database: "shop".to_owned(),
            as_of: DateTime::UNIX_EPOCH,
            seed: 7,
            missing: vec!["invoices"],
            checks,
            seconds: 1.0,
        };
        let mut text = Vec::new();
        report.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_report_has_a_line_for_each_check_and_the_examples_of_what_is_wrong() {
        let mut good = Check::new("orders.heads", "partitions");
        good.saw(8);
        let mut bad = Check::new("order_view", "orders");
        bad.saw(1_234_567);
        (0..25).for_each(|number| bad.wrong(|| format!("order {number} has no row")));
        let text = report(vec![good, bad]);
        assert!(text.contains("ok     orders.heads  8 partitions"), "{text}");
        assert!(text.contains("WRONG  order_view    1,234,567 orders"), "{text}");
        assert!(text.contains("25 wrong") && text.contains("order 19 has no row") && text.contains("… and 5 more"));
        assert!(!text.contains("order 20 has no row"));
        assert!(text.contains("not checked: invoices") && text.contains("1 check found something wrong: 2 checks"));
    }
}

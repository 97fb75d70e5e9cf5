//! The table of figures, one row to a measurement, and how new rows replace old ones of the same figure in
//! docs/performance.md: what was not measured this time stays.

use crate::measure::Spread;
use serde::Serialize;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- figures: written by ./oms bench --write, do not edit -->";
const END: &str = "<!-- end of figures -->";
const HEAD: &str = "| figure | what | here | beside | ratio (least–most) | limit | met | measured |\n\
                    |---|---|---|---|---|---|---|---|\n";

/// What a ratio, or a value without one, has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// Not less than this.
    AtLeast(f64),
    /// Not more than this.
    AtMost(f64),
    /// Nothing is asked; it is told.
    None,
}

/// One measurement beside what it is compared with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The figure that it belongs to.
    pub figure: &'static str,
    /// What was measured.
    pub what: String,
    /// Our side, with its unit.
    pub here: String,
    /// The other side, with its unit.
    pub beside: String,
    /// Ours divided by the other: the median of the pairs.
    pub ratio: Option<f64>,
    /// The smallest and the largest ratio of a pair.
    pub spread: Option<(f64, f64)>,
    /// What the ratio has to keep to.
    pub limit: Limit,
    /// Whether it does; absent where nothing is asked.
    pub met: Option<bool>,
}

impl Row {
    /// A measurement that is told and not judged.
    pub(crate) fn told(figure: &'static str, what: impl Into<String>, here: impl Into<String>) -> Self {
        Self {
            figure,
            what: what.into(),
            here: here.into(),
            beside: String::new(),
            ratio: None,
            spread: None,
            limit: Limit::None,
            met: None,
        }
    }

    /// With the other side.
    pub(crate) fn beside(self, beside: impl Into<String>) -> Self {
        Self { beside: beside.into(), ..self }
    }

    /// With a ratio, judged by a limit.
    pub(crate) fn ratio(self, ratio: Spread, limit: Limit) -> Self {
        let spread = Some((ratio.least, ratio.most));
        Self { ratio: Some(ratio.median), spread, ..self }.judged(ratio.median, limit)
    }

    /// Judged by a limit on a value that is no ratio of pairs.
    pub(crate) fn judged(self, value: f64, limit: Limit) -> Self {
        let met = match limit {
            Limit::AtLeast(least) => Some(value >= least),
            Limit::AtMost(most) => Some(value <= most),
            Limit::None => None,
        };
        Self { limit, met, ..self }
    }

    fn line(&self, measured: &str) -> String {
        let ratio = match (self.ratio, self.spread) {
            (Some(ratio), Some((least, most))) => format!("{ratio:.2} ({least:.2}–{most:.2})"),
            (Some(ratio), None) => format!("{ratio:.2}"),
            (None, _) => String::new(),
        };
        let limit = match self.limit {
            Limit::AtLeast(least) => format!("≥ {least}"),
            Limit::AtMost(most) => format!("≤ {most}"),
            Limit::None => String::new(),
        };
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let Self { figure, what, here, beside, .. } = self;
        format!("| {figure} | {what} | {here} | {beside} | {ratio} | {limit} | {met} | {measured} |\n")
    }
}

/// Everything that one run measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What it ran on.
    pub machine: String,
    /// The day.
    pub date: String,
    /// The measurements, in the order of the figures.
    pub rows: Vec<Row>,
}

impl Report {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let lines = self.rows.iter().map(|row| row.line(&self.date));
        std::iter::once(format!("{}\n\n{HEAD}", self.machine)).chain(lines).collect()
    }

    /// Puts the rows into a document between the markers; those of figures that were not measured now stay.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn merged_into(&self, document: &str) -> Result<String, String> {
        let (before, rest) = document.split_once(BEGIN).ok_or_else(|| format!("the line {BEGIN} is missing"))?;
        let (old, after) = rest.split_once(END).ok_or_else(|| format!("the line {END} is missing"))?;
        let old: Vec<(&str, &str)> = old.lines().filter_map(|line| Some((figure_of(line)?, line))).collect();
        let mut table = format!("{BEGIN}\n{}\n\n{HEAD}", self.machine);
        for figure in crate::Figure::ALL {
            let name = figure.name();
            let mut measured = false;
            for row in self.rows.iter().filter(|row| row.figure == name) {
                table.push_str(&row.line(&self.date));
                measured = true;
            }
            if !measured {
                for (_, line) in old.iter().filter(|(of, _)| *of == name) {
                    let _ = writeln!(table, "{line}");
                }
            }
        }
        Ok(format!("{before}{table}{END}{after}"))
    }
}

fn figure_of(line: &str) -> Option<&str> {
    let first = line.strip_prefix("| ")?.split(" |").next()?;
    (first != "figure").then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(figure: &'static str, here: &str) -> Report {
        let ratio = Spread { median: 0.6, least: 0.55, most: 0.7 };
        let row = Row::told(figure, "something", here).beside("10/s").ratio(ratio, Limit::AtLeast(0.5));
        Report { machine: "2 cores".to_owned(), date: "2026-01-02".to_owned(), rows: vec![row] }
    }

    #[test]
    fn rows_of_figures_that_were_not_measured_stay() {
        let document = format!("# Title\n\n{BEGIN}\n{END}\n\nProse.\n");
        let first = report("append", "5/s").merged_into(&document).unwrap();
        let second = report("lone", "6/s").merged_into(&first).unwrap();
        let third = report("append", "7/s").merged_into(&second).unwrap();
        assert!(third.starts_with("# Title\n\n<!--") && third.ends_with("\n\nProse.\n"));
        assert!(third.contains("| append | something | 7/s | 10/s | 0.60 (0.55–0.70) | ≥ 0.5 | yes | 2026-01-02 |"));
        assert!(third.contains("| lone | something | 6/s |") && !third.contains("5/s |"));
        assert_eq!(third.matches("| figure |").count(), 1);
    }

    #[test]
    fn a_document_without_markers_is_refused() {
        assert!(report("append", "5/s").merged_into("# Title").unwrap_err().contains("figures"));
    }

    #[test]
    fn a_limit_that_is_not_kept_to_is_told() {
        let ratio = Spread { median: 2.1, least: 1.9, most: 2.2 };
        let row = Row::told("lone", "p99", "2 ms").ratio(ratio, Limit::AtMost(2.0));
        assert_eq!(row.met, Some(false));
        assert!(row.line("today").contains("**no**"));
    }
}

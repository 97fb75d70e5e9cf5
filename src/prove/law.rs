//! A law: a sentence that has to hold, how often it was looked at, and what broke it.

use serde::Serialize;

const MOST_EXAMPLES: usize = 10;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Law {
    /// The sentence.
    pub law: &'static str,
    /// How often it was checked.
    pub checked: u64,
    /// How often it did not hold.
    pub broken: u64,
    /// What broke it, the first times.
    pub examples: Vec<String>,
}

impl Law {
    /// Whether it held whenever it was looked at, and was looked at.
    pub fn holds(&self) -> bool {
        self.broken == 0 && self.checked > 0
    }
}

/// All laws of a proof, in the order in which they were first looked at.
#[derive(Debug, Default)]
pub struct Laws(Vec<Law>);

impl Laws {
    /// The law was looked at; `what` says what broke it, if it did not hold.
    pub fn check(&mut self, law: &'static str, holds: bool, what: impl FnOnce() -> String) {
        let index = self.0.iter().position(|found| found.law == law).unwrap_or_else(|| {
            self.0.push(Law { law, checked: 0, broken: 0, examples: Vec::new() });
            self.0.len() - 1
        });
        let found = &mut self.0[index];
        found.checked += 1;
        if !holds {
            found.broken += 1;
            if found.examples.len() < MOST_EXAMPLES {
                found.examples.push(what());
            }
        }
    }

    /// All of them.
    pub fn all(self) -> Vec<Law> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_that_is_broken_once_does_not_hold_and_says_by_what() {
        let mut laws = Laws::default();
        laws.check("a", true, || "never asked for".to_owned());
        laws.check("b", true, || "never asked for".to_owned());
        laws.check("a", false, || "the second".to_owned());
        let all = laws.all();
        assert_eq!((all[0].law, all[0].checked, all[0].broken), ("a", 2, 1));
        assert_eq!((all[0].examples.as_slice(), all[0].holds()), (["the second".to_owned()].as_slice(), false));
        assert!(all[1].holds());
    }

    #[test]
    fn a_law_that_nobody_looked_at_does_not_hold() {
        assert!(!Law { law: "a", checked: 0, broken: 0, examples: Vec::new() }.holds());
    }
}

//! The `key=value` arguments of one work.
use crate::work::Failure;
use std::collections::BTreeMap;

pub struct Keys {
    values: BTreeMap<String, String>,
}

impl Keys {
    pub fn new(words: &[String]) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        for word in words {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("\"{word}\" is no key=value")))?;
            values.insert(key.into(), value.into());
        }
        Ok(Keys { values })
    }

    /// One of `choices`; the first when it is not given.
    pub fn choice<'a>(&mut self, key: &str, choices: &[&'a str]) -> Result<&'a str, Failure> {
        let Some(value) = self.values.remove(key) else {
            return Ok(choices[0]);
        };
        let found = choices.iter().find(|choice| **choice == value);
        found
            .copied()
            .ok_or_else(|| Failure::Usage(format!("{key}={value}: choose {}", choices.join(", "))))
    }

    /// A number from 1 on.
    pub fn count(&mut self, key: &str) -> Result<usize, Failure> {
        let value = self.values.remove(key).unwrap_or_default();
        let count = value.parse().ok().filter(|count| *count > 0);
        count.ok_or_else(|| Failure::Usage(format!("{key}={value}: give a number from 1 on")))
    }

    /// Refuses what nobody took.
    pub fn finish(&self) -> Result<(), Failure> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(key) => Err(Failure::Usage(format!("unknown key \"{key}\""))),
        }
    }
}

//! How an explanation is shown: for people, and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::Explained;
use crate::config::Config;
use crate::identity::AuthError;

impl Explained {
    /// Where the settings were written, as far as they are set.
    fn places<'a>(&'a self, config: &'a Config) -> Vec<(&'static str, &'a str)> {
        let places = &config.sources.places;
        self.keys.iter().filter_map(|key| Some((*key, places.get(key)?.as_str()))).collect()
    }

    /// For people.
    pub(in super::super) fn text(&self, error: &AuthError, config: &Config) -> String {
        let mut lines = vec![error.to_string()];
        let mut line = |label: &str, text: String| lines.push(format!("  {label:<10} {text}"));
        line("step", self.step.to_owned());
        line("cause", self.cause.clone());
        let places = self.places(config);
        if places.is_empty() {
            line("set in", config.sources.credentials.clone());
        } else {
            let places: Vec<&str> = places.iter().map(|(_, place)| *place).collect();
            line("set in", places.join("; "));
        }
        for advice in &self.advice {
            line("try", advice.clone());
        }
        for project in &self.projects {
            let domain = project.domain_id.as_deref().unwrap_or("-");
            line("project", format!("{} (id {}, domain id {domain})", project.name, project.id));
        }
        if let Some(skew) = self.skew {
            line("clock", told(skew));
        }
        lines.join("\n")
    }

    /// For programs.
    pub(in super::super) fn json(&self, error: &AuthError, config: &Config) -> Value {
        let projects: Vec<Value> = self
            .projects
            .iter()
            .map(|it| json!({ "id": it.id, "name": it.name, "domain_id": it.domain_id }))
            .collect();
        let settings: serde_json::Map<String, Value> =
            self.places(config).into_iter().map(|(key, place)| (key.to_owned(), place.into())).collect();
        json!({
            "ok": false,
            "cloud": config.sources.cloud,
            "error": error.to_string(),
            "step": self.step,
            "cause": self.cause,
            "credentials": config.sources.credentials,
            "settings": settings,
            "try": self.advice,
            "projects": projects,
            "clock": self.skew.map(told),
        })
    }
}

fn told((apart, ours_is_ahead): (Duration, bool)) -> String {
    let which = if ours_is_ahead { "ahead of" } else { "behind" };
    format!(
        "this machine's clock is {} s {which} Keystone's; tokens do not mind, passcodes and certificates do",
        apart.as_secs()
    )
}

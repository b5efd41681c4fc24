//! Reports of what was done to many objects, as text, JSON or XML (`get_heartbeat_response_body`).

use std::fmt::Write as _;

use super::json;
use super::render::escaped;

/// Formats that a client may ask for.
pub(super) const FORMATS: &[&str] = &["text/plain", "application/json", "application/xml", "text/xml"];

/// A member of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

/// The body of a report; `format` is one of [`FORMATS`], or nothing.
pub(super) fn body(
    format: Option<&str>,
    root: &str,
    members: &[(&'static str, Value)],
    errors: &[(String, String)],
) -> String {
    if format == Some("application/json") {
        let members = members.iter().map(|(name, value)| match value {
            Value::Text(text) => (*name, json::string(text)),
            Value::Number(number) => (*name, number.to_string()),
        });
        let pairs = errors.iter().map(|(name, why)| json::array([json::string(name), json::string(why)]));
        let errors = ("Errors", json::array(pairs));
        return json::object(members.chain([errors]));
    }
    let mut members = members.to_vec();
    members.sort_by_key(|(name, _)| *name);
    let members = members.into_iter().map(|(name, value)| match value {
        Value::Text(text) => (name, text),
        Value::Number(number) => (name, number.to_string()),
    });
    let mut text = String::new();
    if format.is_some_and(|format| format.ends_with("/xml")) {
        let _ = writeln!(text, "<{root}>");
        for (name, value) in members {
            let name = name.replace(' ', "_").to_ascii_lowercase();
            let _ = writeln!(text, "<{name}>{}</{name}>", escaped(&value).replace("&quot;", "\""));
        }
        text.push_str("<errors>\n");
        for (name, why) in errors {
            let (name, why) = (escaped(name), escaped(why));
            let _ = writeln!(text, "<object><name>{name}</name><status>{why}</status></object>");
        }
        let _ = writeln!(text, "</errors>\n</{root}>");
        return text;
    }
    for (name, value) in members {
        let _ = writeln!(text, "{name}: {value}");
    }
    text.push_str("Errors:\n");
    for (name, why) in errors {
        let _ = writeln!(text, "{name}, {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_three_forms() {
        let members =
            [("Response Status", Value::Text("200 OK".into())), ("Number Deleted", Value::Number(1))];
        let errors = [("a<b".to_owned(), "409 Conflict".to_owned())];
        let report = |format| body(format, "delete", &members, &errors);
        assert_eq!(
            report(Some("text/plain")),
            "Number Deleted: 1\nResponse Status: 200 OK\nErrors:\na<b, 409 Conflict\n"
        );
        assert_eq!(
            report(Some("application/json")),
            r#"{"Response Status": "200 OK", "Number Deleted": 1, "Errors": [["a<b", "409 Conflict"]]}"#
        );
        assert_eq!(
            report(Some("text/xml")),
            "<delete>\n<number_deleted>1</number_deleted>\n<response_status>200 OK</response_status>\n<errors>\n\
             <object><name>a&lt;b</name><status>409 Conflict</status></object>\n</errors>\n</delete>\n"
        );
        assert_eq!(report(None), report(Some("text/plain")));
    }
}

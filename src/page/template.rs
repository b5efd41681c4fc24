//! Fills a page of ours with values, by marks on its elements that the script (`page.js`) reads too.
//!
//! - `data-t="key"`: the element's text is the value.
//! - `data-a="name:key name:key"`: its attributes; `true` is one without a value, `false` and null none at all.
//! - `data-each="key"`: it holds a `<template>`, which is repeated for each item of the list; the template's one element
//!   has `data-item`, and keys in it are the item's. Items are put in without marks, which would be half of them: the
//!   script makes its own.
//!
//! A key is a path with dots. Templates are our own files: no `>` stands in an attribute of theirs, an element with
//! `data-t` is empty, and no template stands in another.

use std::fmt::Write as _;

use serde_json::Value;

/// The page with its values, which are text and stay text.
pub(super) fn fill(template: &str, values: &Value) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    put(template, values, true, &mut out);
    out
}

fn put(template: &str, values: &Value, keeps_marks: bool, out: &mut String) {
    let mut rest = template;
    while let Some((before, tag, after)) = next_tag(rest) {
        out.push_str(before);
        rest = after;
        let open = tag.trim_end_matches('>').trim_end_matches('/');
        if keeps_marks {
            out.push_str(open)
        } else {
            put_unmarked(open, out)
        }
        for (name, key) in mark(tag, "data-a").into_iter().flat_map(pairs) {
            match at(values, key) {
                Value::Bool(true) => _ = write!(out, " {name}=\"\""),
                Value::Bool(false) | Value::Null => {}
                value => {
                    _ = write!(out, " {name}=\"");
                    escape(&text(value), out);
                    out.push('"');
                }
            }
        }
        out.push_str(&tag[open.len()..]);
        if let Some(key) = mark(tag, "data-t") {
            escape(&text(at(values, key)), out);
        }
        if let Some(key) = mark(tag, "data-each")
            && let Some(end) = rest.find(END)
        {
            let (repeated, after) = rest.split_at(end + END.len());
            out.push_str(repeated);
            let inner = repeated.trim_start().trim_start_matches(BEGIN).trim_end_matches(END);
            for item in at(values, key).as_array().into_iter().flatten() {
                put(inner, item, false, out);
            }
            rest = after;
        }
    }
    out.push_str(rest);
}

/// A tag without its marks, and without its `>`.
fn put_unmarked(open: &str, out: &mut String) {
    let mut rest = open;
    while let Some((before, after)) = rest.split_once(" data-") {
        out.push_str(before);
        let name = after.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(after.len());
        rest = after[name..]
            .strip_prefix("=\"")
            .and_then(|value| value.split_once('"'))
            .map_or(&after[name..], |(_, rest)| rest);
    }
    out.push_str(rest);
}

const BEGIN: &str = "<template>";
const END: &str = "</template>";

/// What comes before the next tag with a mark, that tag, and what follows.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let start = text[..text.find(" data-")?].rfind('<')?;
    let end = start + text[start..].find('>')? + 1;
    Some((&text[..start], &text[start..end], &text[end..]))
}

/// The value of a mark in a tag.
fn mark<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    after.split('"').next()
}

fn pairs(attributes: &str) -> impl Iterator<Item = (&str, &str)> {
    attributes.split(' ').filter_map(|pair| pair.rsplit_once(':'))
}

fn at<'a>(values: &'a Value, key: &str) -> &'a Value {
    key.split('.').fold(values, |value, part| value.get(part).unwrap_or(&Value::Null))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text as text, between tags and in an attribute with double quotes.
fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_attributes_and_lists_are_filled_in_and_stay_text() {
        let template = concat!(
            r#"<p data-t="who.name" class="x"></p><i data-a="hidden:no title:who.name open:yes n:count"></i>"#,
            r#"<ul data-each="list"><template><li data-item data-t="name"></li></template></ul><b>end</b>"#
        );
        let values = json!({
            "who": { "name": "<script>alert('1')</script>\"&" },
            "no": false, "yes": true, "count": 3,
            "list": [{ "name": "<a>" }, { "name": "b" }],
        });
        let hostile = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;";
        assert_eq!(
            fill(template, &values),
            format!(
                concat!(
                    r#"<p data-t="who.name" class="x">{0}</p>"#,
                    r#"<i data-a="hidden:no title:who.name open:yes n:count" title="{0}" open="" n="3"></i>"#,
                    r#"<ul data-each="list"><template><li data-item data-t="name"></li></template>"#,
                    r#"<li>&lt;a&gt;</li><li>b</li></ul><b>end</b>"#
                ),
                hostile
            )
        );
    }

    #[test]
    fn an_element_that_closes_itself_still_does() {
        let filled = fill(r#"<svg><path data-a="d:d"/><path/></svg>"#, &json!({ "d": "M0 0" }));
        assert_eq!(filled, r#"<svg><path data-a="d:d" d="M0 0"/><path/></svg>"#);
    }

    #[test]
    fn items_keep_what_is_no_mark() {
        let template = r#"<ul data-each="list"><template><li data-item class="a" data-a="title:t hidden:h" id="b"><i/><b data-t="t"></b></li></template></ul>"#;
        let filled = fill(template, &json!({ "list": [{ "t": "x", "h": true }] }));
        assert!(
            filled.ends_with(r#"</template><li class="a" id="b" title="x" hidden=""><i/><b>x</b></li></ul>"#),
            "{filled}"
        );
    }

    #[test]
    fn what_is_not_there_is_empty() {
        assert_eq!(
            fill(r#"<p data-t="a.b"></p><ul data-each="c"><template></template></ul>"#, &json!({})),
            r#"<p data-t="a.b"></p><ul data-each="c"><template></template></ul>"#
        );
    }
}

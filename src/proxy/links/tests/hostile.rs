//! What is no JSON, or JSON that nobody should send.

use super::{pass, shapes, turn, turned};

#[test]
fn what_is_no_link_passes_as_it_came() {
    for document in [
        "",
        " ",
        "null",
        "\"http://up/\"",
        "12 ",
        "[]",
        "{}",
        "[\"http://up/\"]",
        r#"{"next": null}"#,
        r#"{"next": ["http://up/"]}"#,
        r#"{"next": {"next": "http://up/"}}"#,
        r#"{"nextt": "http://up/", "nex": "http://up/", "": "http://up/", "NEXT": "http://up/"}"#,
        r#"{"next": "/a", "b": 1.5e+3, "c": -0, "d": true, "e": [1, 2, {}], "next": "https://elsewhere/"}"#,
        // Lone surrogates, escapes that there are none of, control characters, half an escape.
        r#"{"next": "http://up/\ud800"}"#,
        r#"{"next": "http://up/\udc00\ud800"}"#,
        r#"{"next": "http://up/\q"}"#,
        r#"{"next": "http://up/\u12"}"#,
        "{\"next\": \"http://up/\n\"}",
        "{\"next\": \"http://up/\0\"}",
        r#"{"\ud800next": "http://up/"}"#,
        r#"{"n\qext": "http://up/"}"#,
        // Unterminated.
        "{",
        "{\"",
        "{\"next",
        "{\"next\"",
        "{\"next\":",
        "{\"next\": \"http://up/",
        "{\"next\": \"http://up/\\",
        "{\"next\": \"http://up/\\\"}",
        "[[[[",
        // No JSON at all, or not in UTF-8.
        "<html><a href=\"http://up/\"></html>",
        "next: \"http://up/\"",
        "\u{feff}{\"next\": \"http://up/\"}",
        "{next: \"http://up/\"}",
        "{'next': \"http://up/\"}",
        "{\"next\" \"http://up/\"}",
        "{\"next\":: \"http://up/\"}",
        "{,\"next\": \"http://up/\"}",
        "{\"a\": 1 \"next\": \"http://up/\"}",
        "{\"a\": tr\"ue, \"next\": \"http://up/\"}",
        "{\"a\": [}], \"next\": \"http://up/\"}",
        "{\"a\": {]}, \"next\": \"http://up/\"}",
        "{}{\"next\": \"http://up/\"}",
        "{}, {\"next\": \"http://up/\"}",
        "1, {\"next\": \"http://up/\"}",
        "{\"a\": /* */ 1, \"next\": \"http://up/\"}",
        "\0{\"next\": \"http://up/\"}",
    ] {
        assert_eq!(turned("workflow", document), document);
    }
    for bytes in [
        &b"{\"next\": \"http://up/\xff\"}"[..],
        b"\xff\xfe{\0\"\0",
        b"{\"n\xffext\": \"http://up/\"}",
        b"{\"next\xff\": \"http://up/\"}",
    ] {
        assert_eq!(pass(shapes("workflow"), &[bytes], &mut turn), bytes);
    }
}

#[test]
fn what_comes_after_the_document_or_a_break_in_it_passes() {
    let came = r#"{"next": "http://up/a"} {"next": "http://up/b"}"#;
    assert_eq!(turned("workflow", came), came.replace("up/a", "here/a"));
    let came = r#"{"next": "http://up/a", oops, "next": "http://up/b"}"#;
    assert_eq!(turned("workflow", came), came.replace("up/a", "here/a"));
}

#[test]
fn names_that_come_twice_are_the_same_each_time() {
    let came = r#"{"next": "http://up/a", "next": "http://up/b", "links": 1}"#;
    assert_eq!(turned("workflow", came), came.replace("up", "here"));
}

#[test]
fn a_string_of_any_length_passes_and_no_more_than_a_link_is_held() {
    let longest = |length: usize| format!("http://up/{}", "x".repeat(length - "http://up/".len()));
    // With its quotes a link of 8190 bytes is the longest.
    for (length, expected) in [(8190, true), (8191, false), (1 << 20, false)] {
        let came = format!("{{\"next\": \"{}\", \"next\": \"http://up/\"}}", longest(length));
        let out = turned("workflow", &came);
        assert_eq!(out.contains("http://here/x"), expected, "{length}");
        assert!(out.contains("\"http://here/\""), "{length}");
        if !expected {
            assert_eq!(out.replace("here", "up"), came);
        }
        // In small chunks as well.
        let chunks: Vec<&[u8]> = came.as_bytes().chunks(1000).collect();
        assert_eq!(pass(shapes("workflow"), &chunks, &mut turn), out.as_bytes(), "{length}");
    }
    let name = "n".repeat(1 << 20);
    let came = format!("{{\"{name}_links\": [{{\"href\": \"http://up/\"}}]}}");
    let chunks: Vec<&[u8]> = came.as_bytes().chunks(777).collect();
    assert_eq!(pass(shapes("network"), &chunks, &mut turn), came.as_bytes());
}

#[test]
fn nesting_has_an_end() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("{{\"a\": {}1{}, \"next\": \"http://up/\"}}", open.repeat(times), close.repeat(times))
    };
    for (open, close) in [("[", "]"), ("{\"next\":", "}")] {
        // The outermost object is one of the 128.
        let (allowed, too_deep) = (nested(open, close, 127), nested(open, close, 128));
        assert_eq!(turned("workflow", &allowed), allowed.replace("up", "here"));
        assert_eq!(turned("workflow", &too_deep), too_deep);
    }
    let endless = "[".repeat(1 << 20);
    assert_eq!(turned("workflow", &endless), endless);
    let endless = "{\"versions\":".repeat(1 << 18);
    assert_eq!(turned("workflow", &endless), endless);
}

#[test]
fn what_need_not_be_held_goes_at_once() {
    use super::{Bytes, Pieces, Scanner};
    let mut scanner = Scanner::new(shapes("workflow"));
    let mut pieces = Pieces::default();
    let mut gone = |chunk: &'static str| {
        scanner.feed(&Bytes::from_static(chunk.as_bytes()), &mut turn, &mut pieces);
        let mut all = String::new();
        while let Some(piece) = pieces.take() {
            all.push_str(std::str::from_utf8(&piece).unwrap());
        }
        all
    };
    assert_eq!(gone("{\"workflows\": [\"half a str"), "{\"workflows\": [\"half a str");
    assert_eq!(gone("ing\"], \"ne"), "ing\"], \"ne");
    assert_eq!(gone("xt\": "), "xt\": ");
    assert_eq!(gone(" \"http:"), " ");
    assert_eq!(gone("//up"), "");
    assert_eq!(gone("/a\", \"b\": "), "\"http://here/a\", \"b\": ");
    assert_eq!(gone("1}"), "1}");
}

#[test]
fn a_chunk_without_links_is_not_copied() {
    use super::{Bytes, Pieces, Scanner};
    let mut scanner = Scanner::new(shapes("compute"));
    let mut pieces = Pieces::default();
    for text in ["{\"servers\": [", "{\"name\": \"a\"}", "]}"] {
        let chunk = Bytes::from(text.to_owned());
        scanner.feed(&chunk, &mut turn, &mut pieces);
        let piece = pieces.take().unwrap();
        assert_eq!((piece.as_ptr(), piece.len()), (chunk.as_ptr(), chunk.len()));
        assert!(pieces.take().is_none());
    }
    // Nor are long parts between links.
    let text = format!("{{\"next\": \"http://up/\", \"a\": \"{}\"}}", "x".repeat(1 << 16));
    let chunk = Bytes::from(text);
    let mut scanner = Scanner::new(shapes("workflow"));
    scanner.feed(&chunk, &mut turn, &mut pieces);
    assert_eq!(pieces.take().unwrap(), "{\"next\": \"http://here/\"");
    let rest = pieces.take().unwrap();
    assert!(chunk.as_ptr_range().contains(&rest.as_ptr()));
}

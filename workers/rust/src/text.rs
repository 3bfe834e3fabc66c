//! Texts within the limits of the contract. A `str` is valid Unicode already.

/// At most `limit` bytes of UTF-8; the end is cut.
pub(crate) fn cut(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let mark = "...";
    format!("{}{mark}", &text[..boundary(&text, limit - mark.len())])
}

/// The same for text whose beginning and end say most.
pub(crate) fn cut_middle(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let mark = format!("\n... {} bytes cut ...\n", text.len() - limit);
    let half = (limit - mark.len()) / 2;
    let begin = &text[..boundary(&text, half)];
    let mut from = text.len() - half;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = &text[from..];
    format!("{begin}{mark}{end}")
}

/// The last boundary between characters at or before a byte.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Short text that no receiver has a reason to refuse.
pub(crate) fn ascii(text: &str) -> String {
    const LONGEST: usize = 1000;
    text.chars().flat_map(printable).take(LONGEST).collect()
}

fn printable(character: char) -> impl Iterator<Item = char> {
    let plain = matches!(character, ' '..='~');
    let escaped = (!plain).then(|| character.escape_default());
    plain.then_some(character).into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::{ascii, cut, cut_middle};

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("short".into(), 10), "short");
        let text = cut("ü".repeat(100), 64);
        assert!(text.len() <= 64 && text.ends_with("ü..."));
        let text = cut_middle(format!("a{}z", "ü".repeat(1000)), 256);
        assert!(text.len() <= 256 && text.starts_with("aü") && text.ends_with("üz"));
    }

    #[test]
    fn ascii_is_short_and_plain() {
        assert_eq!(ascii("Grüße\n"), "Gr\\u{fc}\\u{df}e\\n");
        assert_eq!(ascii(&"é".repeat(5000)).len(), 1000);
    }
}

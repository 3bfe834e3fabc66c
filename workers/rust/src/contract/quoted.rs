//! JSON's texts in quotes.

use std::borrow::Cow;

pub(super) struct Quoted<'a> {
    pub text: Cow<'a, str>,
    /// It has a surrogate without its other half; U+FFFD stands for it in `text`.
    pub unpaired: bool,
    /// How many bytes were read, with the quotes.
    pub length: usize,
}

/// Reads a text that begins with a quote. The error is what is wrong with it.
pub(super) fn read(from: &str) -> Result<Quoted<'_>, &'static str> {
    let mut text = Cow::Borrowed("");
    let mut unpaired = false;
    let mut at = 1;
    loop {
        let rest = &from[at..];
        let plain = rest.find(['"', '\\']).ok_or("a text without end")?;
        let part = &rest[..plain];
        if part.bytes().any(|byte| byte < 0x20) {
            return Err("a control character in a text");
        }
        if text.is_empty() {
            text = Cow::Borrowed(part); // most texts have no escapes: no copy
        } else {
            text.to_mut().push_str(part);
        }
        at += plain + 1;
        if rest.as_bytes()[plain] == b'"' {
            return Ok(Quoted { text, unpaired, length: at });
        }
        let (character, length) = escape(&from[at..])?;
        text.to_mut().push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        unpaired |= character.is_none();
        at += length;
    }
}

/// Reads what follows a backslash, and how many bytes that takes; no character for an unpaired
/// surrogate.
fn escape(rest: &str) -> Result<(Option<char>, usize), &'static str> {
    let simple = match rest.as_bytes().first().ok_or("a text without end")? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest),
        _ => return Err("an unknown escape"),
    };
    Ok((Some(simple), 1))
}

fn unicode(rest: &str) -> Result<(Option<char>, usize), &'static str> {
    let high = unit(rest).ok_or("an escape that is cut short")?;
    if let Some(character) = char::from_u32(u32::from(high)) {
        return Ok((Some(character), 5));
    }
    let low = rest.get(5..).and_then(|more| more.strip_prefix('\\')).and_then(unit);
    let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
    Ok((pair, if pair.is_some() { 11 } else { 5 }))
}

/// Reads `uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        u16::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

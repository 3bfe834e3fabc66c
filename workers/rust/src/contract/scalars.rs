//! Protojson's scalars, by the rules of event.proto where its libraries differ.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ContractError;
use super::json::Value;

/// How many bytes of a text, from its start, are a JSON number; 0 for none.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(text.starts_with('-'));
    match digits(at) {
        0 => return 0,
        _ if bytes[at] == b'0' => at += 1, // nothing may follow a leading zero
        count => at += count,
    }
    if bytes.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return at,
            count => at += 1 + count,
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return at,
            count => at += 1 + sign + count,
        }
    }
    at
}

pub(super) fn wrong_type(expected: &str, got: &Value<'_>) -> ContractError {
    let problem = format!("expected {expected}, got {}", got.kind());
    ContractError::new("wrong_type", "", problem)
}

/// How a number is written, bare or in quotes.
fn spelling<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    match value {
        Value::Number(text) => Some(text),
        Value::Text { text, .. } if !text.is_empty() && number_length(text) == text.len() => {
            Some(text)
        }
        _ => None,
    }
}

pub(super) fn integer(value: &Value<'_>, low: i64, high: i64) -> Result<i64, ContractError> {
    let wrong = || wrong_type("an integer", value);
    let outside =
        || ContractError::new("out_of_range", "", "expected an integer in the field's range");
    let spelt = spelling(value).ok_or_else(wrong)?;
    let found = if spelt.contains(['.', 'e', 'E']) {
        let found: f64 = spelt.parse().map_err(|_| wrong())?;
        if found.is_finite() && found.fract() != 0.0 {
            return Err(wrong());
        }
        // The ranges are of 32 bits, which a double holds exactly.
        if !(low as f64..=high as f64).contains(&found) {
            return Err(outside());
        }
        found as i64
    } else {
        spelt.parse().map_err(|_| outside())?
    };
    if (low..=high).contains(&found) { Ok(found) } else { Err(outside()) }
}

pub(super) fn double(value: &Value<'_>) -> Result<f64, ContractError> {
    let not_finite = || ContractError::new("not_finite", "", "expected a finite number");
    if let Value::Text { text, .. } = value
        && matches!(text.as_ref(), "NaN" | "Infinity" | "-Infinity")
    {
        return Err(not_finite());
    }
    let spelt = spelling(value).ok_or_else(|| wrong_type("a number", value))?;
    let found: f64 = spelt.parse().map_err(|_| not_finite())?;
    if found.is_finite() { Ok(found) } else { Err(not_finite()) }
}

pub(super) fn text(value: &Value<'_>) -> Result<String, ContractError> {
    match value {
        Value::Text { unpaired: true, .. } => {
            Err(ContractError::new("invalid_text", "", "it has an unpaired surrogate"))
        }
        Value::Text { text, .. } => Ok(text.clone().into_owned()),
        _ => Err(wrong_type("text", value)),
    }
}

/// Base64 of the standard alphabet with its padding.
pub(super) fn padded(digits: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, CONFIG).decode(digits).ok()
}

/// Base64 of either alphabet, with all padding or none; surplus bits are ignored.
pub(super) fn bytes(value: &Value<'_>) -> Result<Vec<u8>, ContractError> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let Value::Text { text, .. } = value else {
        return Err(wrong_type("base64 text", value));
    };
    let wrong = || ContractError::new("invalid_base64", "", "expected base64");
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if padding > 0 && padding != (4 - digits.len() % 4) % 4 {
        return Err(wrong());
    }
    let alphabet =
        if digits.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, CONFIG).decode(digits).map_err(|_| wrong())
}

package contract

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

// numberLength is how many bytes of text, from its start, are a JSON number; 0 for none.
func numberLength(text string) int {
	at := 0
	digits := func() bool {
		begin := at
		for at < len(text) && text[at] >= '0' && text[at] <= '9' {
			at++
		}
		return at > begin
	}
	if strings.HasPrefix(text, "-") {
		at++
	}
	if strings.HasPrefix(text[at:], "0") {
		at++ // nothing may follow a leading zero
	} else if !digits() {
		return 0
	}
	if strings.HasPrefix(text[at:], ".") {
		whole := at
		at++
		if !digits() {
			return whole
		}
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		mantissa := at
		at++
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		if !digits() {
			return mantissa
		}
	}
	return at
}

// spelling is how a number is written, bare or in quotes; empty if v is none.
func spelling(v value) string {
	if v.kind == number || v.kind == text && v.text != "" && numberLength(v.text) == len(v.text) {
		return v.text
	}
	return ""
}

func wrongType(expected string, got value) *Error {
	return &Error{"wrong_type", "", "expected " + expected + ", got " + string(got.kind)}
}

// readInteger reads an integer, however it is written.
func readInteger(v value, low, high int64) (int64, *Error) {
	spelled := spelling(v)
	if spelled == "" {
		return 0, wrongType("an integer", v)
	}
	outside := &Error{"out_of_range", "", "expected an integer in the field's range"}
	if !strings.ContainsAny(spelled, ".eE") {
		parsed, err := strconv.ParseInt(spelled, 10, 64)
		if err != nil || parsed < low || parsed > high {
			return 0, outside
		}
		return parsed, nil
	}
	parsed, err := strconv.ParseFloat(spelled, 64)
	if err != nil || parsed != math.Trunc(parsed) {
		return 0, wrongType("an integer", v)
	}
	if parsed < float64(low) || parsed > float64(high) {
		return 0, outside
	}
	return int64(parsed), nil
}

func readDouble(v value) (float64, *Error) {
	notFinite := &Error{"not_finite", "", "expected a finite number"}
	if v.kind == text && (v.text == "NaN" || v.text == "Infinity" || v.text == "-Infinity") {
		return 0, notFinite
	}
	spelled := spelling(v)
	if spelled == "" {
		return 0, wrongType("a number", v)
	}
	parsed, err := strconv.ParseFloat(spelled, 64)
	if err != nil {
		return 0, notFinite
	}
	return parsed, nil
}

func readText(v value) (string, *Error) {
	if v.kind != text {
		return "", wrongType("text", v)
	}
	if v.unpaired {
		return "", &Error{"invalid_text", "", "it has an unpaired surrogate"}
	}
	return v.text, nil
}

var toStandard = strings.NewReplacer("-", "+", "_", "/")

// readBytes reads base64 of either alphabet, with all padding or none.
func readBytes(v value) ([]byte, *Error) {
	if v.kind != text {
		return nil, wrongType("base64 text", v)
	}
	wrong := &Error{"invalid_base64", "", "expected base64"}
	given := v.text
	if strings.ContainsAny(given, "-_") {
		if strings.ContainsAny(given, "+/") {
			return nil, wrong
		}
		given = toStandard.Replace(given)
	}
	digits := strings.TrimRight(given, "=")
	padding := len(given) - len(digits)
	// Go's decoder skips line ends, which the contract refuses.
	if padding > 0 && padding != (4-len(digits)%4)%4 || strings.ContainsAny(digits, "\r\n") {
		return nil, wrong
	}
	decoded, err := base64.RawStdEncoding.DecodeString(digits)
	if err != nil {
		return nil, wrong
	}
	return decoded, nil
}

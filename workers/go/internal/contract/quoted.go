package contract

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a text in quotes, and whether it has an unpaired surrogate.
func (p *parser) text() (string, bool) {
	p.at++
	begin := p.at
	plain := strings.IndexAny(p.data[p.at:], "\"\\")
	if plain >= 0 && p.data[p.at+plain] == '"' && !hasControl(p.data[begin:begin+plain]) {
		p.at += plain + 1
		return p.data[begin : begin+plain], false
	}
	var out strings.Builder
	unpaired := false
	for p.at < len(p.data) {
		character := p.data[p.at]
		switch {
		case character == '"':
			p.at++
			return out.String(), unpaired
		case character < 0x20:
			p.fail("a control character in a text")
		case character != '\\':
			out.WriteByte(character)
			p.at++
		default:
			if p.escape(&out) {
				unpaired = true
			}
		}
	}
	p.fail("a text without end")
	return "", false
}

// escape reads an escape sequence; true if it is an unpaired surrogate.
func (p *parser) escape(out *strings.Builder) bool {
	p.at++
	character := p.peek()
	p.at++
	if at := strings.IndexByte(`"\/bfnrt`, character); at >= 0 && character != 0 {
		out.WriteByte("\"\\/\b\f\n\r\t"[at])
		return false
	}
	if character != 'u' {
		p.fail("an unknown escape")
		return false
	}
	unit, ok := p.unit()
	if !ok {
		p.fail("an escape that is cut short")
		return false
	}
	if !utf16.IsSurrogate(unit) {
		out.WriteRune(unit)
		return false
	}
	if strings.HasPrefix(p.data[p.at:], `\u`) {
		before := p.at
		p.at += 2
		low, _ := p.unit()
		if pair := utf16.DecodeRune(unit, low); pair != utf8.RuneError {
			out.WriteRune(pair)
			return false
		}
		p.at = before
	}
	out.WriteRune(utf8.RuneError)
	return true
}

// unit reads four hexadecimal digits.
func (p *parser) unit() (rune, bool) {
	if p.at+4 > len(p.data) {
		return 0, false
	}
	parsed, err := strconv.ParseUint(p.data[p.at:p.at+4], 16, 16)
	p.at += 4
	return rune(parsed), err == nil
}

func hasControl(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 }) >= 0
}

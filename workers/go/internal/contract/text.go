package contract

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a text may nest. The contract asks for 64 levels at least.
const maxDepth = 512

type kind string

const (
	null    kind = "null"
	boolean      = "a bool"
	number       = "a number"
	text         = "text"
	list         = "a list"
	object       = "an object"
)

// value is a JSON value. encoding/json would do, but for two things: it mends unpaired
// surrogates silently, and it does not see that an object has a name twice.
type value struct {
	kind kind
	// text holds a text's characters, and a number's or a bool's spelling.
	text string
	// unpaired: the text has a surrogate without its other half.
	unpaired bool
	items    []value
	members  []member
}

type member struct {
	name  string
	value value
}

// parse reads one JSON value and nothing else.
func parse(data []byte) (value, *Error) {
	if !utf8.Valid(data) {
		return value{}, &Error{"invalid_utf8", "", "expected UTF-8"}
	}
	p := &parser{data: string(data)}
	p.space()
	found := p.value("", 0)
	p.space()
	if p.err == nil && p.at < len(p.data) {
		p.fail("text after it")
	}
	if p.err == nil {
		p.err = p.twice
	}
	return found, p.err
}

// parser goes on after an error without reading more; the first error counts.
type parser struct {
	data string
	at   int
	err  *Error
	// twice is about the name that is there twice, of several the one in the object that the
	// text opens first, at the byte opened. It counts if the text is JSON at all.
	twice  *Error
	opened int
}

func (p *parser) fail(problem string) {
	if p.err == nil {
		problem = fmt.Sprintf("expected one JSON value: %s at byte %d", problem, p.at)
		p.err = &Error{"invalid_json", "", problem}
	}
	p.at = len(p.data)
}

func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.at]) >= 0 {
		p.at++
	}
}

// take reads character after white space, if it is there.
func (p *parser) take(character byte) bool {
	p.space()
	if p.peek() != character || p.at >= len(p.data) {
		return false
	}
	p.at++
	return true
}

// value reads one value, which has a path in the text and is so deep in it.
func (p *parser) value(path string, depth int) value {
	if depth > maxDepth {
		if p.err == nil {
			p.err = &Error{"too_deep", "", "nested deeper than is read"}
		}
		p.at = len(p.data)
		return value{}
	}
	switch p.peek() {
	case '{':
		return p.object(path, depth)
	case '[':
		return p.list(path, depth)
	case '"':
		read, unpaired := p.text()
		return value{kind: text, text: read, unpaired: unpaired}
	}
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(p.data[p.at:], word) {
			p.at += len(word)
			if word == "null" {
				return value{kind: null}
			}
			return value{kind: boolean, text: word}
		}
	}
	length := numberLength(p.data[p.at:])
	if length == 0 {
		p.fail("something else")
		return value{}
	}
	p.at += length
	return value{kind: number, text: p.data[p.at-length : p.at]}
}

func (p *parser) object(path string, depth int) value {
	opened, repeats := p.at, false
	found := value{kind: object}
	names := map[string]bool{}
	p.at++
	if p.take('}') {
		return found
	}
	for p.err == nil {
		p.space()
		if p.peek() != '"' {
			p.fail("no name")
			break
		}
		name, _ := p.text()
		below := short(name)
		if path != "" {
			below = path + "." + below
		}
		if names[name] && !repeats {
			repeats = true
			if p.twice == nil || opened < p.opened {
				p.twice = &Error{"duplicate_key", below, "the name is there twice in one object"}
				p.opened = opened
			}
		}
		names[name] = true
		if !p.take(':') {
			p.fail("no colon")
			break
		}
		p.space()
		found.members = append(found.members, member{name, p.value(below, depth+1)})
		if p.take('}') {
			return found
		}
		if !p.take(',') {
			p.fail("no comma")
		}
	}
	return found
}

func (p *parser) list(path string, depth int) value {
	found := value{kind: list}
	p.at++
	if p.take(']') {
		return found
	}
	for p.err == nil {
		p.space()
		below := path + "[" + strconv.Itoa(len(found.items)) + "]"
		found.items = append(found.items, p.value(below, depth+1))
		if p.take(']') {
			return found
		}
		if !p.take(',') {
			p.fail("no comma")
		}
	}
	return found
}

// short is a sender's name that can be logged.
func short(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	quoted := strconv.QuoteToASCII(name)
	return quoted[1 : len(quoted)-1]
}

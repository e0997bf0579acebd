package logictest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxLine is the longest line of a file.
const maxLine = 4 << 20

// record is one entry of a file. Line is where it begins.
type record struct {
	line int
	kind kind
	sql  string
	// words are the arguments behind the first word of the entry.
	words []string
	// expected is what stands behind ---- of a query, line by line; for a failing statement, what its message contains.
	expected []string
	// answered tells a query whose answer is given, even if it is empty, from one that is run only.
	answered bool
	// conditions are the skipif and onlyif lines before the entry.
	conditions []condition
	// body is what a loop repeats.
	body []record
}

type kind uint8

const (
	kindStatement kind = iota + 1
	kindQuery
	kindHalt
	kindThreshold
	kindLoop
	kindForeach
	kindRequire
	kindMode
	kindOther
)

var kinds = map[string]kind{
	"statement": kindStatement, "query": kindQuery, "halt": kindHalt, "hash-threshold": kindThreshold,
	"loop": kindLoop, "concurrentloop": kindLoop, "foreach": kindForeach, "concurrentforeach": kindForeach,
	"require": kindRequire, "require-env": kindRequire, "mode": kindMode,
	"load": kindOther, "restart": kindOther, "sleep": kindOther, "unzip": kindOther, "set": kindOther, "test-env": kindOther,
	"reconnect": kindOther, "continue": kindOther, "tags": kindOther, "template": kindOther,
}

// condition is skipif or onlyif with the name of an engine.
type condition struct {
	only   bool
	engine string
}

// parser reads lines one at a time.
type parser struct {
	lines *bufio.Scanner
	at    int
}

// parse reads a whole file.
func parse(r io.Reader) ([]record, error) {
	p := &parser{lines: bufio.NewScanner(r)}
	p.lines.Buffer(nil, maxLine)
	out, err := p.records(false)
	if err == nil {
		err = p.lines.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", p.at, err)
	}
	return out, nil
}

func (p *parser) next() (string, bool) {
	if !p.lines.Scan() {
		return "", false
	}
	p.at++
	return strings.TrimRight(p.lines.Text(), "\r"), true
}

// records reads to the end of the file, or to that of a loop.
func (p *parser) records(inLoop bool) ([]record, error) {
	var out []record
	var conditions []condition
	for {
		line, ok := p.next()
		if !ok {
			if inLoop {
				return nil, fmt.Errorf("a loop does not end")
			}
			return out, nil
		}
		words := strings.Fields(line)
		switch {
		case len(words) == 0, line[0] == '#':
			continue
		case words[0] == "endloop":
			return out, nil
		case (words[0] == "skipif" || words[0] == "onlyif") && len(words) > 1:
			conditions = append(conditions, condition{only: words[0] == "onlyif", engine: words[1]})
			continue
		}
		r, err := p.record(words)
		if err != nil {
			return nil, err
		}
		r.conditions, conditions = conditions, nil
		out = append(out, r)
	}
}

func (p *parser) record(words []string) (record, error) {
	r := record{line: p.at, kind: kinds[words[0]], words: words[1:]}
	var err error
	switch r.kind {
	case kindStatement, kindQuery:
		if len(r.words) == 0 {
			return r, fmt.Errorf("%s says nothing more", words[0])
		}
		p.readSQL(&r)
	case kindLoop, kindForeach:
		r.body, err = p.records(true)
	case kindHalt, kindThreshold, kindRequire, kindMode, kindOther:
	default:
		err = fmt.Errorf("%q begins no entry", words[0])
	}
	return r, err
}

// readSQL reads the text of a statement or query and what is expected of it, up to an empty line.
func (p *parser) readSQL(r *record) {
	var sql []string
	for {
		line, ok := p.next()
		switch {
		case !ok, strings.TrimSpace(line) == "" && !r.answered:
			r.sql = strings.Join(sql, "\n")
			return
		case line == "" && r.answered:
			r.sql = strings.Join(sql, "\n")
			return
		case line == "----":
			r.answered = true
		case r.answered:
			r.expected = append(r.expected, line)
		default:
			sql = append(sql, line)
		}
	}
}

// iterations gives the values of a loop's variable, and its name.
func (r *record) iterations() (name string, values []string, err error) {
	if len(r.words) < 2 {
		return "", nil, fmt.Errorf("line %d: a loop takes a name and its values", r.line)
	}
	if r.kind == kindForeach {
		return r.words[0], r.words[1:], nil
	}
	if len(r.words) != 3 {
		return "", nil, fmt.Errorf("line %d: loop takes a name and two numbers", r.line)
	}
	from, err := strconv.Atoi(r.words[1])
	if err != nil {
		return "", nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	to, err := strconv.Atoi(r.words[2])
	if err != nil {
		return "", nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	for i := from; i < to; i++ {
		values = append(values, strconv.Itoa(i))
	}
	return r.words[0], values, nil
}

// with replaces ${name} in an entry and everything in it.
func (r *record) with(name, value string) record {
	placeholder := "${" + name + "}"
	replace := func(s string) string { return strings.ReplaceAll(s, placeholder, value) }
	out := *r
	out.sql = replace(r.sql)
	out.words, out.expected, out.body = nil, nil, nil
	for _, w := range r.words {
		out.words = append(out.words, replace(w))
	}
	for _, e := range r.expected {
		out.expected = append(out.expected, replace(e))
	}
	for i := range r.body {
		out.body = append(out.body, r.body[i].with(name, value))
	}
	return out
}

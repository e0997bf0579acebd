package main

import (
	"bytes"
	"errors"

	"github.com/buger/jsonparser"
	"github.com/minio/simdjson-go"
	"github.com/valyala/fastjson"
)

// The readers here walk a document and are asked for each member's value.

var errMember = errors.New("a member is not what it should be")

// fastReader reads by valyala/fastjson.
type fastReader struct {
	table
	parser fastjson.Parser
}

func (*fastReader) name() string { return "valyala/fastjson" }

func (r *fastReader) read(chunk []byte) (columns, error) {
	out, rows := r.begin(), 0
	var fault error
	visit := func(key []byte, v *fastjson.Value) {
		if err := r.add(out, key, v); err != nil {
			fault = err
		}
	}
	for line := range bytes.Lines(chunk) {
		v, err := r.parser.ParseBytes(line)
		if err != nil {
			return nil, err
		}
		object, err := v.Object()
		if err != nil {
			return nil, err
		}
		object.Visit(visit)
		if fault != nil {
			return nil, fault
		}
		rows++
		r.fill(out, rows)
	}
	return r.end(out), nil
}

func (r *fastReader) add(out columns, key []byte, v *fastjson.Value) error {
	i, ok := r.byName[string(key)]
	if !ok {
		return errMember
	}
	c := &out[i]
	var err error
	switch r.fields[i].kind {
	case integers:
		var n int64
		n, err = v.Int64()
		c.addInt(n)
	case doubles:
		var n float64
		n, err = v.Float64()
		c.addFloat(n)
	case booleans:
		var b bool
		b, err = v.Bool()
		c.addBool(b)
	case documents:
		c.data = v.MarshalTo(c.data)
		c.addText("")
	case texts, times:
		var s []byte
		if s, err = v.StringBytes(); err == nil {
			err = r.addString(c, i, s)
		}
	}
	return err
}

// addString adds a text, or the time that it is.
func (t *table) addString(c *column, i int, s []byte) error {
	if t.fields[i].kind == times {
		return c.addTime(text(s))
	}
	c.addText(text(s))
	return nil
}

// callbackReader reads by buger/jsonparser.
type callbackReader struct {
	table
	scratch []byte
}

func (*callbackReader) name() string { return "buger/jsonparser" }

func (r *callbackReader) read(chunk []byte) (columns, error) {
	out, rows := r.begin(), 0
	r.scratch = make([]byte, 4096)
	visit := func(key, value []byte, _ jsonparser.ValueType, _ int) error { return r.add(out, key, value) }
	for line := range bytes.Lines(chunk) {
		if err := jsonparser.ObjectEach(line, visit); err != nil {
			return nil, err
		}
		rows++
		r.fill(out, rows)
	}
	return r.end(out), nil
}

func (r *callbackReader) add(out columns, key, value []byte) error {
	i, ok := r.byName[string(key)]
	if !ok {
		return errMember
	}
	c := &out[i]
	var err error
	switch r.fields[i].kind {
	case integers:
		var n int64
		n, err = jsonparser.ParseInt(value)
		c.addInt(n)
	case doubles:
		var n float64
		n, err = jsonparser.ParseFloat(value)
		c.addFloat(n)
	case booleans:
		var b bool
		b, err = jsonparser.ParseBoolean(value)
		c.addBool(b)
	case documents:
		c.addText(text(value))
	case texts, times:
		if value, err = jsonparser.Unescape(value, r.scratch); err == nil {
			err = r.addString(c, i, value)
		}
	}
	return err
}

// simdReader reads by minio/simdjson-go, a whole chunk at a time.
type simdReader struct {
	table
	parsed *simdjson.ParsedJson
}

func (*simdReader) name() string { return "minio/simdjson-go" }

func (r *simdReader) read(chunk []byte) (_ columns, err error) {
	if r.parsed, err = simdjson.ParseND(chunk, r.parsed, simdjson.WithCopyStrings(false)); err != nil {
		return nil, err
	}
	out, rows := r.begin(), 0
	var object simdjson.Object
	var member simdjson.Iter
	err = r.parsed.ForEach(func(row simdjson.Iter) error {
		if _, err := row.Object(&object); err != nil {
			return err
		}
		for {
			name, typ, err := object.NextElementBytes(&member)
			if err != nil {
				return err
			}
			if typ == simdjson.TypeNone {
				break
			}
			if err := r.add(out, name, &member); err != nil {
				return err
			}
		}
		rows++
		r.fill(out, rows)
		return nil
	})
	return r.end(out), err
}

func (r *simdReader) add(out columns, key []byte, v *simdjson.Iter) error {
	i, ok := r.byName[string(key)]
	if !ok {
		return errMember
	}
	c := &out[i]
	var err error
	switch r.fields[i].kind {
	case integers:
		var n int64
		n, err = v.Int()
		c.addInt(n)
	case doubles:
		var n float64
		n, err = v.Float()
		c.addFloat(n)
	case booleans:
		var b bool
		b, err = v.Bool()
		c.addBool(b)
	case documents:
		c.data, err = v.MarshalJSONBuffer(c.data)
		c.addText("")
	case texts, times:
		var s []byte
		if s, err = v.StringBytes(); err == nil {
			err = r.addString(c, i, s)
		}
	}
	return err
}

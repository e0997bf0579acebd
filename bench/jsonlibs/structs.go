package main

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"unsafe"

	"github.com/bytedance/sonic"
	jsonv2 "github.com/go-json-experiment/json"
	goccy "github.com/goccy/go-json"
	jsoniter "github.com/json-iterator/go"
	segmentio "github.com/segmentio/encoding/json"
)

// filler is a library that fills in a struct for each row.
type filler struct {
	table
	label string
	row   reflect.Value // a pointer to the struct
	value any           // the same
	fill  func(line []byte, row any) error
}

// fillers are the libraries that fill structs in, each by its fastest way that gives the right values: texts need not outlive their line.
func fillers(s *shape) []reader {
	sonicFast, iteratorFast := sonic.ConfigFastest, jsoniter.ConfigFastest
	var out []reader
	for _, f := range []struct {
		label string
		fill  func(line []byte, row any) error
	}{
		{"encoding/json", stdjson.Unmarshal},
		{"encoding/json/v2", func(line []byte, row any) error { return jsonv2.Unmarshal(line, row) }},
		{"goccy/go-json", func(line []byte, row any) error {
			return goccy.UnmarshalWithOption(line, row, goccy.DecodeNoCopyString())
		}},
		{"json-iterator", iteratorFast.Unmarshal},
		{"bytedance/sonic", func(line []byte, row any) error { return sonicFast.UnmarshalFromString(text(line), row) }},
		{"segmentio/encoding", func(line []byte, row any) error {
			_, err := segmentio.Parse(line, row, segmentio.ZeroCopy)
			return err
		}},
	} {
		row := reflect.New(s.row)
		out = append(out, &filler{table: newTable(s), label: f.label, row: row, value: row.Interface(), fill: f.fill})
	}
	return out
}

func (f *filler) name() string { return f.label }

func (f *filler) read(chunk []byte) (columns, error) {
	out, row := f.begin(), f.row.Elem()
	for line := range bytes.Lines(chunk) {
		row.SetZero()
		if err := f.fill(line[:len(line)-1], f.value); err != nil {
			return nil, err
		}
		if err := f.addStruct(out, unsafe.Pointer(f.row.Pointer())); err != nil {
			return nil, err
		}
	}
	return f.end(out), nil
}

package api

import (
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestSniffedFormats tells the format of bodies that say nothing of themselves, however their bytes arrive, and takes nothing away from them.
func TestSniffedFormats(t *testing.T) {
	t.Parallel()
	long := `{"text":"` + strings.Repeat("x", 2*sniffBytes) + `"}`
	for content, want := range map[string]string{
		"":                                  "ndjson",
		" \n":                               "ndjson",
		`{"a":1}`:                           "ndjson",
		"\ufeff{\"a\":\"}{\\\"\"} \r\n[1]":  "ndjson",
		"\n{\"a\":{\"b\":[{}]}}\n{":         "ndjson",
		`{"a":1}{"a":2}`:                    "json", // what curl -d makes of two lines
		`{"a":1} {"a":2}`:                   "json",
		`{"a":1},`:                          "ndjson",
		"{\n \"a\": 1\n}":                   "json",
		"{\"a\"":                            "json",
		long:                                "json",
		strings.Repeat(`{"a":1}`+"\n", 1e5): "ndjson",
		" [1]":                              "ndjson",
		" [ \r\n{}]":                        "json",
		"PAR1\x15\x04":                      "parquet",
		"ARROW1\x00\x00":                    "arrow",
		"\xff\xff\xff\xff\x78\x00\x00\x00":  "arrow",
		"region=EU&amount=1":                "",
		"ts,region\n1,EU\n":                 "",
		"%7B%22a%22%3A1%7D":                 "",
		"PAR":                               "",
	} {
		for _, src := range []struct {
			name   string
			reader func(string) *body
		}{
			{"at once", func(s string) *body { return &body{plain: strings.NewReader(s)} }},
			{"bytewise", func(s string) *body { return &body{plain: iotest.OneByteReader(strings.NewReader(s))} }},
			{"with its end", func(s string) *body { return &body{plain: iotest.DataErrReader(strings.NewReader(s))} }},
		} {
			b := src.reader(content)
			got, err := b.sniffed(format{name: formMedia})
			if want == "" {
				var fault *event.Error
				require.ErrorAs(t, err, &fault, "%.40q %s", content, src.name)
				require.Equal(t, event.CodeMediaType, fault.Code)
				continue
			}
			require.NoError(t, err, "%.40q %s", content, src.name)
			require.Equal(t, want, got.name, "%.40q %s", content, src.name)
			require.NoError(t, iotest.TestReader(b.plain, []byte(content)), "%.40q %s", content, src.name)
		}
	}
	broken := &body{plain: iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(`{"a":1`)))}
	_, err := broken.sniffed(format{name: formMedia})
	require.ErrorContains(t, err, "broke off")
}

// TestContentTypesOfBodies: who names no format has that of the media type.
func TestContentTypesOfBodies(t *testing.T) {
	t.Parallel()
	for media, want := range map[string]string{
		"":                                 "ndjson",
		"application/jsonl; charset=utf-8": "ndjson",
		"application/json":                 "json",
		"application/cloudevents+json; charset=utf8": "json",
		"application/cloudevents-batch+json":         "json",
		"application/vnd.apache.arrow.stream":        "arrow",
		"application/cloudevents+avro":               "",
		"json":                                       "",
	} {
		got, err := bodyFormat(http.Header{"Content-Type": {media}}, nil)
		if want == "" {
			require.Equal(t, event.CodeMediaType, asFault(err).Code, media)
			continue
		}
		require.NoError(t, err, media)
		require.Equal(t, want, got.name, media)
	}
}

// TestMistakenBodies names what a body is that was sent as something else.
func TestMistakenBodies(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"\x1f\x8b\x08\x00":        "compressed with gzip, and no Content-Encoding says so",
		"\x28\xb5\x2f\xfd\x00":    "compressed with zstd, and no Content-Encoding says so",
		"\xff\xfe{\x00}\x00":      "the body is UTF-16",
		"\xfe\xff\x00{\x00}":      "the body is UTF-16",
		"a\x00,\x00b\x00":         "the body is UTF-16",
		"\x00{\x00}":              "the body is UTF-16",
		"\xff\xfe\x00\x00{\x00":   "the body is UTF-32",
		"PK\x03\x04\x14\x00":      "the body is a zip archive",
		"BZh91AY&SY":              "the body is compressed with bzip2",
		"\xfd7zXZ\x00":            "the body is compressed with xz",
		"Obj\x01\x04":             "the body is an Avro file",
		"\x78\x00\x00\x00\x10":    "",
		"\xff\xff\xff\xff":        "",
		"\xef\xbb\xbf{}":          "",
		"{\"gzip\":\"\u001f\"}\n": "",
	} {
		b := &body{plain: strings.NewReader(content)}
		_, err := b.Read(make([]byte, 64))
		if want == "" {
			require.NoError(t, err, "%q", content)
		} else {
			require.ErrorContains(t, err, want, "%q", content)
		}
	}
}

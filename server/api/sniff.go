package api

import (
	"bytes"
	"cmp"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode/bulkbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/jsonbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/w3cbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/zeekbody"
)

// formMedia is what curl says of a body unless it is told otherwise. A body that really is a form holds no events.
const formMedia = "application/x-www-form-urlencoded"

// sniffBytes is how much of a body is looked at to tell its format.
const sniffBytes = 64 << 10

// sniffed is the format of a body by its beginning: for a body that its sender gave no name, newline-delimited JSON if its first line is an
// object, other JSON, a log of Zeek or in the W3C's format, Arrow or Parquet; for one that is said to be lines, those, other JSON or one of these logs. curl -d
// takes the line breaks out of a file, so that objects may follow one another without any, and what is printed for people has objects over several lines.
// What is chosen depends on the bytes alone and not on how they come.
func (b *body) sniffed(asked format) (format, error) {
	seen, looked := make([]byte, 0, firstSniff), 0
	for {
		// An object over several lines is looked at as a whole: not with each byte that comes.
		if full := len(seen) == sniffBytes; full || looked == 0 || len(seen) > 2*looked {
			name, done := sniff(seen, full, asked)
			if done {
				b.plain = io.MultiReader(bytes.NewReader(seen), b.plain)
				return b.formatNamed(name, asked, seen)
			}
			if looked = 0; bytes.IndexByte(seen, '\n') >= 0 {
				looked = len(seen)
			}
		}
		if len(seen) == cap(seen) {
			seen = append(make([]byte, 0, min(4*cap(seen), sniffBytes)), seen...)
		}
		n, err := b.plain.Read(seen[len(seen):cap(seen)])
		seen = seen[:len(seen)+n]
		if errors.Is(err, io.EOF) {
			name, _ := sniff(seen, true, asked)
			b.plain = bytes.NewReader(seen)
			return b.formatNamed(name, asked, seen)
		}
		if err != nil {
			return format{}, brokenOff(err)
		}
	}
}

// firstSniff is enough to tell the format of most bodies.
const firstSniff = 1 << 10

func (b *body) formatNamed(name string, asked format, begin []byte) (format, error) {
	if bulkbody.LooksLike(begin) {
		return format{}, event.Errorf(event.CodeBadRequest, "the body is a bulk request of Elasticsearch: lines that say where the next one goes are no events").
			WithHint("send it with format=bulk, or to POST /_bulk")
	}
	hint := foreignHint(begin)
	if name == asked.name {
		asked.hint = cmp.Or(hint, asked.hint)
		return asked, nil
	}
	for _, f := range formats {
		if f.name == name {
			return f, nil
		}
	}
	if err := b.mistaken(begin); err != nil {
		return format{}, err
	}
	fault := event.Errorf(event.CodeMediaType, "events cannot be read from %q, and the body does not look like JSON, Arrow or Parquet", formMedia)
	if hint != "" {
		return format{}, fault.WithHint("%s", hint)
	}
	return format{}, fault.WithHint("send one JSON object a line with 'Content-Type: application/x-ndjson', or name another format in ?format=: %s", formatNames())
}

// sniff tells the format of a body by its beginning; "" is none that can be told. done is false while more has to be seen, which all is
// set against.
func sniff(seen []byte, all bool, asked format) (name string, done bool) {
	if asked.name == formMedia {
		if name = sniffMagic(seen); name != "" {
			return name, true
		}
	}
	layout := jsonbody.LayoutOf(seen, !all)
	w3c, known := w3cbody.LooksLike(seen, all)
	switch {
	case bytes.HasPrefix(seen, []byte(zeekbody.Magic)):
		return "zeek", true
	case !all && len(seen) < len(zeekbody.Magic) && bytes.HasPrefix([]byte(zeekbody.Magic), seen):
		return "", false
	case w3c:
		return "w3c", true
	case !known && bytes.HasPrefix(seen, []byte{'#'}): // a head may have any number of lines before that of #Fields
		return "", false
	case layout == jsonbody.Documents:
		return "json", true
	case layout == jsonbody.Lines, asked.name == "ndjson" && (all || layout == jsonbody.NoJSON):
		return "ndjson", true
	case layout == jsonbody.NoJSON && (all || len(seen) >= len("ARROW1")):
		return "", true
	case !all:
		return "", false
	case len(bytes.TrimSpace(seen)) == 0:
		return "ndjson", true
	default: // a line that is long, or cut
		return "json", true
	}
}

// sniffMagic knows binary formats by what they begin with.
func sniffMagic(seen []byte) string {
	for name, magic := range map[string]string{"parquet": "PAR1", "arrow": "ARROW1"} {
		if bytes.HasPrefix(seen, []byte(magic)) {
			return name
		}
	}
	if bytes.HasPrefix(seen, []byte{0xff, 0xff, 0xff, 0xff}) { // the marker of a message
		return "arrow"
	}
	return ""
}

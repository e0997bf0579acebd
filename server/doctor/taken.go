package doctor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// taken finds up to which offsets somebody has taken rows of the streams besides segments: views, and what is known of requests. A log that
// ends before that has lost its end, and must not give those offsets again.
func taken(files vfs.FS, c *catalog.Catalog) (map[string]event.Vector, error) {
	out := map[string]event.Vector{}
	for _, s := range c.Streams() {
		next, err := knownRequests(files, s)
		if err != nil {
			return nil, err
		}
		out[s.Name] = next
	}
	for _, v := range c.Views() {
		generations := []*catalog.View{v}
		if next, ok := c.NextView(v.Name); ok {
			generations = append(generations, next)
		}
		for _, g := range generations {
			if err := takenBy(files, g.Storage(), out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// knownRequests is the vector that a snapshot of requests covers; nil if it cannot be read, which costs no row.
func knownRequests(files vfs.FS, s *catalog.Stream) (next event.Vector, err error) {
	all := dedup.NewBudget(math.MaxInt64)
	state, err := dedup.Look(files, s.Name, dedup.Options{Requests: all, Rows: all})
	if state == nil {
		return nil, notMissing(err)
	}
	defer state.Close()
	for p := range s.Partitions {
		next = append(next, state.Next(event.Partition(p)))
	}
	return next, nil
}

// notMissing passes an error on unless it says that something is not there.
func notMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// takenBy adds what the frames and checkpoints of a generation of a view have taken of streams, as far as they can be read.
func takenBy(files vfs.FS, generation string, out map[string]event.Vector) error {
	for _, kind := range []struct {
		dir, suffix string
		content     record.Content
		header      func(body []byte) []byte
	}{
		{path.Join(viewsDir, generation), ".log", record.Changelog, frameHeader},
		{path.Join(stateDir, generation), ".state", record.Checkpoint, func(body []byte) []byte { return body }},
	} {
		names, err := files.ReadDir(kind.dir)
		if notMissing(err) != nil {
			return err
		}
		for _, name := range names {
			if !strings.HasSuffix(name, kind.suffix) {
				continue
			}
			_, err := record.Check(files, path.Join(kind.dir, name), kind.content, false, func(f record.Frame) error {
				if f.Kind == 1 {
					addMarks(kind.header(f.Body), out)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// frameHeader is the JSON of a frame of a changelog; nil if it is none.
func frameHeader(body []byte) []byte {
	size, n := binary.Uvarint(body)
	if n <= 0 || size > uint64(len(body)-n) {
		return nil
	}
	return body[n : n+int(size)]
}

// addMarks adds the marks of streams that a header has.
func addMarks(header []byte, out map[string]event.Vector) {
	var h struct {
		Marks []struct {
			Name       string       `json:"name"`
			Generation uint64       `json:"generation"`
			Vector     event.Vector `json:"vector"`
		} `json:"marks"`
	}
	if json.Unmarshal(header, &h) != nil {
		return
	}
	for _, m := range h.Marks {
		if m.Generation == 0 {
			out[m.Name] = out[m.Name].Max(m.Vector)
		}
	}
}

package eventlog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestReadFromAnywhere appends batches over several files, at times opening the log again, and compares what Read and FirstAt
// give from every kind of place with a plain list.
func TestReadFromAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		fs := vfs.NewMem()
		options := Options{RotateBytes: 4 << 10, IndexBytes: 512}
		l, err := Open(fs, "log", options)
		require.NoError(t, err)
		var values []string
		var times []int64
		check := func() {
			from := rapid.IntRange(0, len(values)).Draw(r, "from")
			var got []string
			require.NoError(t, l.Read(event.Offset(from), func(e *Entry) error {
				for i, v := range e.Values {
					if int(e.First)+i >= from {
						got = append(got, string(v[:12]))
					}
				}
				return nil
			}))
			require.Equal(t, len(values)-from, len(got))
			for i, v := range got {
				require.Equal(t, values[from+i], v)
			}
			timestamp := rapid.Int64Range(0, 1000).Draw(r, "timestamp")
			want := 0
			for want < len(times) && times[want] < timestamp {
				want++
			}
			found, err := l.FirstAt(timestamp)
			require.NoError(t, err)
			require.EqualValues(t, want, found)
		}
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			if rapid.IntRange(0, 9).Draw(r, "reopen") == 0 {
				require.NoError(t, l.Close())
				l, err = Open(fs, "log", options)
				require.NoError(t, err)
			}
			e := &Entry{}
			for range rapid.IntRange(1, 4).Draw(r, "rows") {
				e.Times = append(e.Times, rapid.Int64Range(0, 1000).Draw(r, "time"))
				value := fmt.Sprintf("%012d", len(values))
				e.Values = append(e.Values, append([]byte(value), make([]byte, 200)...))
				values, times = append(values, value), append(times, e.Times[len(e.Times)-1])
			}
			require.NoError(t, l.Append([]*Entry{e}))
			check()
		}
		require.NoError(t, l.Close())
	})
}

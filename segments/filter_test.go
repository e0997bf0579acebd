package segments

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

func TestFiltersLeaveOutRowGroups(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 5000, PageRows: 1000}), clicks()
	const n = 20_000
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{ts: int64(i), n: int64(i) * 7919 % n, page: fmt.Sprintf("%x", uint32(i)*2654435761), offset: event.Offset(i)}
	}
	f.add(stream, event.Vector{n}, batchOf(stream.Schema, rows))
	read := func(wanted ...int) int {
		r := prune.Range{Field: 3}
		for _, i := range wanted {
			r.Values = append(r.Values, text(rows[i].page))
		}
		if len(wanted) == 1 {
			r.Low, r.High, r.Values = r.Values[0], r.Values[0], nil
		}
		request := everything(stream.Schema)
		request.Ranges = []prune.Range{r}
		lines, _, err := f.scan("clicks", request)
		require.NoError(t, err)
		for _, i := range wanted {
			require.Contains(t, lines, rows[i].line())
		}
		return len(lines)
	}
	total := 0
	for i := 0; i < n; i += 500 {
		total += read(i)
	}
	require.Less(t, total, 40*6000, "of four row groups mostly one is read")
	require.LessOrEqual(t, read(100, 200, 4900), 15_000)
	absent := everything(stream.Schema)
	absent.Ranges = []prune.Range{{Field: 3, Low: text("8nothere"), High: text("8nothere")}}
	_, _, err := f.scan("clicks", absent)
	require.NoError(t, err)
}

func text(v string) arrow.Array { return event.NewStrings([]int32{0, int32(len(v))}, []byte(v), nil) }

package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listener reads the events of a subscription.
type listener struct {
	t      *testing.T
	cancel context.CancelFunc
	answer *http.Response
	lines  *bufio.Scanner
	// id is that of the last event that had one.
	id string
}

// described is a column of an event.
type described struct {
	Name, Type string
	Hidden     bool
}

// sent is one server-sent event.
type sent struct {
	event, id string
	data      struct {
		Columns   []described
		Key       []string
		Rows      [][]any
		More      bool
		Watermark *string
		Vector    map[string][]int64
		Reason    string
		Code      string
		Detail    string
	}
}

func (i *instance) listen(sql, lastID string, options ...string) *listener {
	i.t.Helper()
	ctx, cancel := context.WithCancel(i.t.Context())
	query := url.Values{"q": {sql}}
	for n := 0; n < len(options); n += 2 {
		query.Set(options[n], options[n+1])
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL()+"/v1/subscribe?"+query.Encode(), nil)
	require.NoError(i.t, err)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(request) //nolint:bodyclose // close does
	require.NoError(i.t, err)
	l := &listener{t: i.t.(*testing.T), cancel: cancel, answer: answer, lines: bufio.NewScanner(answer.Body), id: lastID}
	l.lines.Buffer(nil, 16<<20)
	require.Equal(i.t, http.StatusOK, answer.StatusCode)
	i.t.Cleanup(l.close)
	return l
}

func (l *listener) close() {
	l.cancel()
	l.answer.Body.Close()
}

// next reads the next event after the start.
func (l *listener) next() sent {
	l.t.Helper()
	m := l.any()
	if m.event == "start" {
		return l.any()
	}
	return m
}

func (l *listener) any() sent {
	l.t.Helper()
	var m sent
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch {
		case l.lines.Text() == "" && m.event != "":
			return m
		case field == "event":
			m.event = value
		case field == "id":
			m.id, l.id = value, value
		case field == "data":
			decoder := json.NewDecoder(strings.NewReader(value))
			decoder.UseNumber()
			require.NoError(l.t, decoder.Decode(&m.data), value)
		}
	}
	require.NoError(l.t, l.lines.Err())
	require.Fail(l.t, "the subscription has ended")
	return m
}

// folded is the table that a subscriber keeps, as sorted lines.
type folded struct {
	t    *testing.T
	rows []string
	keys map[string]string
}

// apply makes the changes of a batch. Each must fit what is there.
func (f *folded) apply(m sent) {
	f.t.Helper()
	require.Equal(f.t, "batch", m.event)
	for _, row := range m.data.Rows {
		visible := slices.IndexFunc(m.data.Columns, func(c described) bool { return c.Hidden })
		if visible < 0 {
			visible = len(m.data.Columns)
		}
		text, _ := json.Marshal(row[1 : 1+visible])
		line := string(text)
		if m.data.Key == nil {
			switch row[0] {
			case "insert":
				f.rows = append(f.rows, line)
			default:
				at := slices.Index(f.rows, line)
				require.GreaterOrEqual(f.t, at, 0, "%v goes and was not there", row)
				f.rows = slices.Delete(f.rows, at, at+1)
			}
			continue
		}
		key := ""
		for i, c := range m.data.Columns {
			if slices.Contains(m.data.Key, c.Name) {
				key += fmt.Sprint(row[1+i], "|")
			}
		}
		_, there := f.keys[key]
		require.Equal(f.t, row[0] != "insert", there, "%v", row)
		if f.keys[key] = line; row[0] == "delete" {
			delete(f.keys, key)
		}
	}
}

func (f *folded) text() string {
	lines := slices.Clone(f.rows)
	for _, line := range f.keys {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func sortedText(t table) string {
	lines := strings.Split(strings.TrimSpace(t.text()), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestSubscriptionsFoldToTheAnswer follows queries of every kind while events come, breaks off and goes on at the last id, and holds what it
// has been told to what a SELECT gives.
func TestSubscriptionsFoldToTheAnswer(t *testing.T) {
	t.Parallel()
	const minutes = `SELECT window_start, window_end, sym, count(*) AS n, sum(qty) AS total FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute')
		GROUP BY window_start, window_end, sym`
	for name, q := range map[string]struct{ subscribe, batch string }{
		"a view":               {"SELECT * FROM per_minute", minutes + " LATE DROP"},
		"part of a view":       {"SELECT window_start, n FROM per_minute WHERE sym = 'a'", ""},
		"a stream":             {"SELECT ts, sym, qty + 1 AS more FROM trades WHERE qty % 2 = 0", "SELECT ts, sym, qty + 1 AS more FROM trades WHERE qty % 2 = 0"},
		"a query with a state": {minutes, minutes + " LATE DROP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t, t.TempDir())
			i.trades(0, 100)
			i.seal("trades")
			i.trades(100, 200)
			i.query("CREATE MATERIALIZED VIEW per_minute AS " + minutes)
			f := &folded{t: t, keys: map[string]string{}}
			l := i.listen(q.subscribe, "", "snapshot", "true")
			for n := 200; n < 1200; n += 100 {
				i.trades(n, n+100)
				want := q.batch
				if want == "" {
					want = q.subscribe
				}
				expected := sortedText(i.query(want))
				if want == q.subscribe {
					i.wait("SELECT 1 FROM per_minute")
					expected = sortedText(i.query(want))
				}
				for f.text() != expected {
					m := l.next()
					f.apply(m)
					if m.id != "" && n%300 == 0 {
						l.close()
						l = i.listen(q.subscribe, l.id)
					}
				}
				if n == 500 {
					i.seal("trades")
				}
			}
			require.NotEmpty(t, f.text())
		})
	}
}

func TestSubscriptionIsResetWhenItsViewIsReplaced(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 10)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT qty FROM trades WHERE qty < 5")
	l := i.listen("SELECT * FROM v", "")
	first := l.next()
	require.Len(t, first.data.Rows, 5)
	i.query("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT qty, sym FROM trades WHERE qty < 3")
	require.Equal(t, "reset", l.next().event)
	m := l.next()
	require.Equal(t, "batch", m.event)
	require.Len(t, m.data.Rows, 3)
	require.Equal(t, "sym", m.data.Columns[1].Name)

	l = i.listen("SELECT * FROM v", first.id)
	require.Equal(t, "reset", l.next().event)
	require.Len(t, l.next().data.Rows, 3)

	require.Equal(t, 400, i.do("GET", "/v1/subscribe?q=SELECT+*+FROM+v&after=nonsense", "").status)
	require.Equal(t, 400, i.do("GET", "/v1/subscribe?q=SHOW+VIEWS", "").status)
	require.Equal(t, 400, i.do("GET", "/v1/subscribe", "").status)
	require.Equal(t, 400, i.do("POST", "/v1/subscribe", "SELECT nothing FROM v").status)
}

func TestSubscriptionTellsProgress(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 10)
	i.query(`CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM TUMBLE(trades, ts, INTERVAL '1 minute')
		GROUP BY window_start, window_end EMIT ON WINDOW CLOSE`)
	l := i.listen("SUBSCRIBE TO v WITH (progress = true, snapshot = false)", "")
	i.trades(10, 20)
	m := l.next()
	require.Equal(t, "progress", m.event)
	require.NotEmpty(t, m.id)
	require.NotEmpty(t, m.data.Vector["v"])
	require.NotNil(t, m.data.Watermark)
}

// TestSubscriptionNamesItsKey asks for names of key columns that the query has not selected: they are those of the query.
func TestSubscriptionNamesItsKey(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 5)
	i.query(`CREATE MATERIALIZED VIEW m AS SELECT window_start AS window_end, count(*) AS n FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute')
		GROUP BY window_start, window_end`)
	for sql, key := range map[string][]string{
		"SELECT * FROM m":        {"window_end", "window_end_2"},
		"SELECT n FROM m":        {"window_end", "window_end_2"},
		"SELECT qty FROM trades": {"_partition", "_offset"},
		"SELECT a.qty FROM trades a JOIN trades b ON a.qty = b.qty AND a.ts = b.ts": {"_partition", "_offset", "_partition_2", "_offset_2"},
	} {
		l := i.listen(sql, "", "snapshot", "true")
		require.Equal(t, key, l.next().data.Key, sql)
		l.close()
	}
}

// TestSubscriptionGoesOnFromItsStart breaks off before anything has come, of queries that are told nothing of what there is: what came meanwhile
// is there when the subscriber comes back.
func TestSubscriptionGoesOnFromItsStart(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM empty (n BIGINT)")
	i.trades(0, 10)
	i.seal("trades")
	i.trades(10, 15)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT qty FROM trades WHERE qty >= 0")
	for query, options := range map[string][]string{
		"SELECT n FROM empty": nil, "SELECT qty FROM trades": nil, "SELECT qty FROM v": {"snapshot", "false"},
		"SUBSCRIBE TO (SELECT qty FROM v) WITH (snapshot = false)": nil,
		"SELECT qty FROM trades UNION ALL SELECT n FROM empty":     {"snapshot", "false"},
	} {
		l := i.listen(query, "", options...)
		begins := l.any()
		require.Equal(t, "start", begins.event, query)
		require.NotEmpty(t, begins.id)
		require.NotEmpty(t, begins.data.Vector)
		l.close()
		i.trades(15, 17)
		i.query("INSERT INTO empty VALUES (1), (2)")
		i.wait("SELECT 1 FROM v")
		l = i.listen(query, begins.id, options...)
		rows := 0
		for rows < 2 {
			m := l.any()
			require.Equal(t, "batch", m.event, query)
			rows += len(m.data.Rows)
		}
		if strings.Contains(query, "UNION") && rows < 4 {
			rows += len(l.any().data.Rows)
		}
		want := 2
		if strings.Contains(query, "UNION") {
			want = 4
		}
		require.Equal(t, want, rows, query)
		l.close()
	}
	require.Equal(t, "batch", i.listen("SELECT qty FROM v", "").any().event, "who is told everything first begins with that")
}

package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/parquet-go/parquet-go"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/server/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixtureRow is a row of a flights file as others write it.
type fixtureRow struct {
	Date        *time.Time `parquet:"date,optional,timestamp(millisecond)"`
	Delay       *int64     `parquet:"delay,optional"`
	Distance    *int64     `parquet:"distance,optional"`
	Origin      *string    `parquet:"origin,optional"`
	Destination *string    `parquet:"destination,optional"`
}

var firstDeparture = time.Date(2001, 1, 1, 0, 1, 0, 0, time.UTC)

// flightsFile writes flights that depart at the given minutes after the first.
func flightsFile(t *testing.T, minutes ...int) string {
	t.Helper()
	rows := make([]fixtureRow, len(minutes))
	for i, m := range minutes {
		rows[i] = fixtureRow{
			Date: new(firstDeparture.Add(time.Duration(m) * time.Minute)), Delay: new(int64(m)), Distance: new(int64(100)),
			Origin: new("LAS"), Destination: new("PHL"),
		}
	}
	return writeParquet(t, rows)
}

func writeParquet[T any](t *testing.T, rows []T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flights.parquet")
	require.NoError(t, parquet.WriteFile(path, rows))
	return path
}

// fakeServer takes events and answers every query with the same result.
type fakeServer struct {
	mu     sync.Mutex
	events map[string][]map[string]any
	// got is signalled after each request for events or SQL.
	got chan string
	sql map[string]bool
}

func newFakeServer(t *testing.T) (*fakeServer, *client.Client) {
	t.Helper()
	fake := &fakeServer{events: map[string][]map[string]any{}, sql: map[string]bool{}, got: make(chan string)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/streams/{stream}/events", fake.ingest)
	mux.HandleFunc("POST /v1/sql", fake.query)
	server := httptest.NewServer(mux)
	db, err := client.New(server.URL)
	require.NoError(t, err)
	t.Cleanup(func() {
		db.Close()
		server.Close()
	})
	return fake, db
}

func (f *fakeServer) ingest(w http.ResponseWriter, r *http.Request) {
	stream := r.PathValue("stream")
	lines := bufio.NewScanner(r.Body)
	n := 0
	f.mu.Lock()
	for lines.Scan() {
		var e map[string]any
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			f.events[stream] = append(f.events[stream], e)
			n++
		}
	}
	f.mu.Unlock()
	fmt.Fprintf(w, `{"accepted":%d}`, n)
	f.signal(r, stream)
}

func (f *fakeServer) query(w http.ResponseWriter, r *http.Request) {
	var request struct{ SQL string }
	_ = json.NewDecoder(r.Body).Decode(&request)
	f.mu.Lock()
	f.sql[request.SQL] = true
	f.mu.Unlock()
	_, _ = io.WriteString(w, `{"columns":[{"name":"name","type":"TEXT"}],"rows":[[1,2,3,4,"2001-01-01T00:00:00Z"]],"stats":{"elapsed_ms":1}}`)
	f.signal(r, "sql")
}

func (f *fakeServer) signal(r *http.Request, what string) {
	select {
	case f.got <- what:
	case <-r.Context().Done():
	}
}

// lockedBuffer is written by the view while the test waits.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestRunPlaysBothStreamsAndAsksForEverything(t *testing.T) {
	t.Parallel()
	fake, db := newFakeServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lockedBuffer
	ended := make(chan error, 1)
	path := flightsFile(t, 0, 1, 2)
	go func() {
		ended <- Run(ctx, db, Options{Flights: path, Speed: 1e6, View: true, Out: &out})
	}()
	// Four rounds of flights: the file has ended and begun again.
	for seen := map[string]int{}; seen[flightStream] < 4 || seen[telemetryStream] < 1 || seen["sql"] < 6; {
		select {
		case what := <-fake.got:
			seen[what]++
		case err := <-ended:
			t.Fatalf("ended early: %v", err)
		}
	}
	cancel()
	require.NoError(t, <-ended)

	fake.mu.Lock()
	defer fake.mu.Unlock()
	first := fake.events[flightStream][0]
	require.Equal(t, "2001-01-01T00:01:00.000000Z", first["scheduled"])
	require.Equal(t, "LAS", first["origin"])
	require.InDelta(t, 100, first["distance"], 0)
	ts, err := time.Parse(time.RFC3339, first["ts"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), ts, time.Minute)
	require.Greater(t, len(fake.events[flightStream]), 3, "the file is played again")
	require.IsType(t, map[string]any{}, fake.events[telemetryStream][0]["host"])
	for _, sql := range []string{departuresSQL, flightTotalsSQL, flightSecondsSQL, topOriginsSQL, telemetryNowSQL, machineSQL, telemetryMinuteSQL, streamsSQL} {
		require.True(t, fake.sql[sql], sql)
	}
	require.Contains(t, out.String(), "curl -s -G "+db.URL())
	require.Contains(t, out.String(), "Playing: flights, 1e+06 times as fast")
}

func TestRunFailsWithTheServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	db, err := client.New(server.URL)
	require.NoError(t, err)
	defer db.Close()
	var out lockedBuffer
	err = Run(t.Context(), db, Options{Out: &out})
	require.ErrorContains(t, err, "send events to telemetry")
	require.Contains(t, out.String(), "telemetry only")

	require.ErrorContains(t, Run(t.Context(), db, Options{Out: io.Discard, Speed: -1}), "speed must be above 0")
	missing := filepath.Join(t.TempDir(), "none.parquet")
	require.ErrorContains(t, Run(t.Context(), db, Options{Out: io.Discard, Flights: missing}), "none.parquet does not exist")
}

func TestFlightsFileIsReadInOrder(t *testing.T) {
	t.Parallel()
	rows := []fixtureRow{
		{Date: new(firstDeparture.Add(2 * time.Hour)), Origin: new("B")},
		{Origin: new("without a date")},
		{Date: new(firstDeparture), Origin: new("A"), Delay: new(int64(-3))},
	}
	f, err := openFlights(writeParquet(t, rows))
	require.NoError(t, err)
	flights, err := f.next()
	require.NoError(t, err)
	require.Len(t, flights, 2)
	require.Equal(t, "A", *flights[0].Origin)
	require.Equal(t, firstDeparture, flights[0].departed)
	require.EqualValues(t, -3, *flights[0].Delay)
	require.Equal(t, "B", *flights[1].Origin)
	require.Nil(t, flights[1].Delay)
	_, err = f.next()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, f.close())
}

func TestFilesThatAreNoFlights(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("date,delay\n"), 0o600))
	type other struct {
		Date string `parquet:"date"`
	}
	type number struct {
		Date        int64  `parquet:"date"`
		Delay       int64  `parquet:"delay"`
		Distance    int64  `parquet:"distance"`
		Origin      string `parquet:"origin"`
		Destination string `parquet:"destination"`
	}
	for path, want := range map[string]string{
		text:                                  "not a Parquet file",
		writeParquet(t, []other{{"x"}}):       "is missing or has another type",
		writeParquet(t, []number{{Date: 1}}):  `column "date" is not a timestamp`,
		writeParquet(t, []fixtureRow(nil)):    "it has no rows",
		filepath.Join(t.TempDir(), "nothing"): "does not exist",
	} {
		require.ErrorContains(t, checkFlights(path), want)
	}
}

// play returns the player of one batch of flights at the given minutes.
func play(speed float64, minutes ...int) *player {
	batches := [][]flight{nil}
	for _, m := range minutes {
		batches[0] = append(batches[0], flight{departed: firstDeparture.Add(time.Duration(m) * time.Minute)})
	}
	return &player{speed: speed, next: func() ([]flight, error) {
		if len(batches) == 0 {
			return nil, io.EOF
		}
		next := batches[0]
		batches = batches[1:]
		return next, nil
	}}
}

func TestPlayerKeepsTheOriginalPace(t *testing.T) {
	t.Parallel()
	p := play(60, 0, 0, 1, 2, 3) // a minute passes in a second
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	due, err := p.due(now)
	require.NoError(t, err)
	require.Len(t, due, 2)
	due, err = p.due(now.Add(999 * time.Millisecond))
	require.NoError(t, err)
	require.Empty(t, due)
	due, err = p.due(now.Add(2100 * time.Millisecond))
	require.NoError(t, err)
	require.Len(t, due, 2)
	require.Equal(t, "2026-01-01T00:00:01.000000Z", due[0].TS, "stamped with the moment it was due")
	require.Equal(t, "2001-01-01T00:02:00.000000Z", due[0].Scheduled)
	require.Equal(t, "2026-01-01T00:00:02.000000Z", due[1].TS)
	due, err = p.due(now.Add(3 * time.Second))
	require.NoError(t, err)
	require.Len(t, due, 1)
	_, err = p.due(now.Add(3 * time.Second))
	require.ErrorIs(t, err, io.EOF)
}

func TestPlayerDoesNotChaseLostTime(t *testing.T) {
	t.Parallel()
	p := play(60, 0, 1, 2, 3)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := p.due(now)
	require.NoError(t, err)
	late := now.Add(time.Hour)
	due, err := p.due(late)
	require.NoError(t, err)
	require.Len(t, due, 1, "the clock was set back to the flight that waited")
	require.Equal(t, "2026-01-01T01:00:00.000000Z", due[0].TS)
	due, err = p.due(late.Add(time.Second))
	require.NoError(t, err)
	require.Len(t, due, 1)
}

func TestPlayerPlaysStraysAtOnce(t *testing.T) {
	t.Parallel()
	p := play(60, 600, 0, 601)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	due, err := p.due(now)
	require.NoError(t, err)
	require.Len(t, due, 2)
	require.Equal(t, due[0].TS, due[1].TS)
	due, err = p.due(now.Add(time.Second))
	require.NoError(t, err)
	require.Len(t, due, 1, "the stray did not move the clock")
}

func TestPlayerBoundsARequest(t *testing.T) {
	t.Parallel()
	p := play(1, make([]int, mostPerRequest+1)...)
	due, err := p.due(time.Now())
	require.NoError(t, err)
	require.Len(t, due, mostPerRequest)
}

func TestTelemetryRates(t *testing.T) {
	t.Parallel()
	var tm telemetry
	now := time.Unix(100, 0)
	full := func(n float64) counters {
		return counters{busy: new(n), total: new(4 * n), read: new(10 * n), written: new(20 * n), received: new(30 * n), sent: new(40 * n)}
	}
	e := tm.rates(full(1), now)
	require.Nil(t, e.CPUPercent)
	require.Nil(t, e.DiskReadRate)
	e = tm.rates(full(3), now.Add(2*time.Second))
	require.InDelta(t, 25, *e.CPUPercent, 1e-9)
	require.InDelta(t, 10, *e.DiskReadRate, 1e-9)
	require.InDelta(t, 20, *e.DiskWriteRate, 1e-9)
	require.InDelta(t, 30, *e.NetReceiveRate, 1e-9)
	require.InDelta(t, 40, *e.NetSendRate, 1e-9)
	e = tm.rates(counters{read: new(0.0)}, now.Add(3*time.Second))
	require.Nil(t, e.DiskReadRate, "a counter that was set back has no rate")
	require.Nil(t, e.NetSendRate)
}

func TestTelemetryReadsThisMachine(t *testing.T) {
	t.Parallel()
	e := newTelemetry().sample(t.Context(), time.Unix(0, 0))
	require.Equal(t, "1970-01-01T00:00:00.000000Z", e.TS)
	require.NotEmpty(t, e.Host.Name)
	require.Positive(t, *e.MemoryUsed)
}

func TestPartitionsAreNoDisks(t *testing.T) {
	t.Parallel()
	disks := map[string]disk.IOCountersStat{"sda": {}, "sda1": {}, "nvme0n1": {}, "nvme0n1p2": {}, "dm-0": {}, "loop3": {}}
	var whole []string
	for _, name := range []string{"dm-0", "loop3", "nvme0n1", "nvme0n1p2", "sda", "sda1"} {
		if wholeDisk(name, disks) {
			whole = append(whole, name)
		}
	}
	require.Equal(t, []string{"nvme0n1", "sda"}, whole)
}

// TestText runs the goldens: "view" lays answers out, "screen" draws frames on a small terminal.
func TestText(t *testing.T) {
	t.Parallel()
	db, err := client.New("127.0.0.1:7373")
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)
	datadriven.RunTest(t, "testdata/view", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "view":
			v := &view{db: db, flights: !d.HasArg("no-flights"), speed: DefaultSpeed, started: now.Add(-83 * time.Second)}
			return strings.Join(v.render(parseAnswers(t, d.Input), now), "\n") + "\n"
		case "screen":
			var width, height int
			d.ScanArgs(t, "width", &width)
			d.ScanArgs(t, "height", &height)
			var out strings.Builder
			s := &screen{out: &out, size: func() (int, int) { return width, height }}
			for frame := range strings.SplitSeq(d.Input, "\n~\n") {
				require.NoError(t, s.frame(strings.Split(frame, "\n")))
			}
			return strings.ReplaceAll(out.String(), "\x1b", "<esc>") + "\n"
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		}
	})
}

func parseAnswers(t *testing.T, text string) *answers {
	t.Helper()
	var given map[string]*client.Result
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&given))
	a := &answers{
		flightTotals: given["totals"], flightSeconds: given["seconds"], topOrigins: given["origins"],
		telemetryNow: given["now"], telemetryMinute: given["minute"], streams: given["streams"],
	}
	for _, result := range given {
		a.add(result, nil)
	}
	a.add(nil, &client.Error{Code: "not_found", Detail: "no stream yet is no failure"})
	if len(given) == 0 {
		a.add(nil, errors.New("the first failure\nis shown"))
		a.add(nil, errors.New("the second is not"))
	}
	return a
}

func TestScreenPrintsBlocksWithoutATerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &screen{out: &out}
	require.NoError(t, s.frame([]string{"a", "b"}))
	require.NoError(t, s.frame([]string{"c"}))
	require.Equal(t, "a\nb\n\nc\n\n", out.String())
}

func TestBytesOf(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1024: "1.0 KiB", 1e6: "976.6 KiB", 1 << 30: "1.0 GiB", 1e18: "909494.7 TiB"} {
		require.Equal(t, want, bytesOf(n))
	}
}

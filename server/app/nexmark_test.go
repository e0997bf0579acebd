package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// nexmarkRecording holds events and, in cases, the answers that another engine gives to the queries over them.
const nexmarkRecording = "../../../shared/data/nexmark"

var nexmarkStreams = map[string]string{
	"person": `id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMPTZ NOT NULL, extra TEXT`,
	"auction": `id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMPTZ NOT NULL,
		expires TIMESTAMPTZ, seller BIGINT, category BIGINT, extra TEXT`,
	"bid": `auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMPTZ NOT NULL, extra TEXT`,
}

// nexmarkView is one query of testdata/nexmark.sql.
type nexmarkView struct{ name, with, query string }

func nexmarkViews(t *testing.T) []nexmarkView {
	t.Helper()
	text, err := os.ReadFile("testdata/nexmark.sql")
	require.NoError(t, err)
	var out []nexmarkView
	for _, part := range strings.Split(string(text), "\n-- ")[1:] {
		head, query, _ := strings.Cut(part, "\n")
		name, with, _ := strings.Cut(head, " ")
		out = append(out, nexmarkView{name, with, strings.TrimSuffix(strings.TrimSpace(query), ";")})
	}
	require.Len(t, out, 26)
	return out
}

// TestNexmarkOfTheRecording gives every view the recorded events, a part before it is made, and compares it with what another engine
// answered.
func TestNexmarkOfTheRecording(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(nexmarkRecording); err != nil {
		t.Skipf("no recording: %v", err)
	}
	events := map[string][]string{}
	for stream := range nexmarkStreams {
		text, err := os.ReadFile(filepath.Join(nexmarkRecording, stream+".ndjson"))
		require.NoError(t, err)
		events[stream] = strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	i, views := nexmarkRun(t, events)
	for _, v := range views {
		text, err := os.ReadFile(filepath.Join(nexmarkRecording, "cases", v.name+".slt.part"))
		require.NoError(t, err)
		_, expected, ok := strings.Cut(string(text), "----\n")
		require.True(t, ok)
		var want []string
		for line := range strings.Lines(expected) {
			if line = strings.TrimSpace(line); line != "" {
				want = append(want, plainTokens(line))
			}
		}
		slices.Sort(want)
		require.Equal(t, want, plainRows(i.query("SELECT * FROM nexmark_"+v.name)), v.name)
	}
}

// TestNexmarkOfMadeUpEvents does without a recording: what the views say is what the queries say.
func TestNexmarkOfMadeUpEvents(t *testing.T) {
	t.Parallel()
	nexmarkRun(t, madeUpNexmark(rand.New(rand.NewPCG(1, 2)), 40, 120, 900))
}

// nexmarkRun posts the events in parts, with a restart on the way, and compares every view with its query after each part.
func nexmarkRun(t *testing.T, events map[string][]string) (*instance, []nexmarkView) {
	t.Helper()
	i := start(t, t.TempDir())
	for _, stream := range []string{"person", "auction", "bid"} {
		i.query(fmt.Sprintf(`CREATE STREAM %s (%s, WATERMARK FOR date_time AS date_time - INTERVAL '1 hour') WITH (schema = 'strict')`,
			stream, nexmarkStreams[stream]))
	}
	post := func(from, to int) { // in thirds
		for _, stream := range []string{"person", "auction", "bid"} {
			lines := events[stream]
			i.ingest(stream, strings.Join(lines[len(lines)*from/3:len(lines)*to/3], "\n"))
		}
	}
	post(0, 1)
	views := nexmarkViews(t)
	for _, v := range views {
		i.query(fmt.Sprintf("CREATE MATERIALIZED VIEW nexmark_%s %s AS %s", v.name, v.with, v.query))
	}
	check := func() {
		t.Helper()
		for _, v := range views {
			i.wait("SELECT count(*) FROM nexmark_" + v.name)
			require.Equal(t, plainRows(i.query(v.query)), plainRows(i.query("SELECT * FROM nexmark_"+v.name)), v.name)
		}
	}
	check()
	post(1, 2)
	check()
	i = i.restart()
	post(2, 3)
	check()
	return i, views
}

// madeUpNexmark makes events in which prices and times never tie, since queries leave the order of ties open.
func madeUpNexmark(rng *rand.Rand, persons, auctions, bids int) map[string][]string {
	at := func(i, of int) string {
		millis := 60_000 * i / of
		return fmt.Sprintf("2015-07-15 00:%02d:%02d.%03d", millis/60_000, millis/1000%60, millis%1000)
	}
	line := func(row map[string]any) string {
		text, _ := json.Marshal(row)
		return string(text)
	}
	out := map[string][]string{}
	for n := range persons {
		out["person"] = append(out["person"], line(map[string]any{
			"id": n, "name": fmt.Sprint("name ", n%7), "email_address": fmt.Sprint(n, "@example.com"), "credit_card": "0", "city": "c",
			"state": []string{"or", "id", "ca", "wa"}[n%4], "date_time": at(n, persons), "extra": "",
		}))
	}
	for n := range auctions {
		out["auction"] = append(out["auction"], line(map[string]any{
			"id": n, "item_name": fmt.Sprint("item ", n), "description": "d", "initial_bid": n, "reserve": 2 * n, "date_time": at(n, auctions),
			"expires": at(n+rng.IntN(auctions), auctions), "seller": rng.IntN(persons), "category": 10 + n%5, "extra": "x",
		}))
	}
	for n := range bids {
		url := fmt.Sprintf("https://example.com/a%d/b/item.htm?query=1", n%5)
		if n%3 == 0 {
			url += fmt.Sprint("&channel_id=", n)
		}
		out["bid"] = append(out["bid"], line(map[string]any{
			"auction": rng.IntN(auctions), "bidder": rng.IntN(persons), "price": rng.IntN(30_000)*1000 + n,
			"channel": []string{"Apple", "Google", "other"}[n%3], "url": url, "date_time": at(n, bids), "extra": strings.Repeat("c", n%4),
		}))
	}
	return out
}

// plainRows renders rows so that they compare with those of an engine that prints otherwise: words without the space between them,
// numbers to twelve digits, sorted.
func plainRows(answer table) []string {
	out := make([]string, len(answer.Rows))
	for i, row := range answer.Rows {
		values := make([]string, len(row))
		for j, v := range row {
			values[j] = fmt.Sprint(v)
			if v == nil {
				values[j] = "NULL"
			}
			if answer.Columns[j].Type == "TIMESTAMPTZ" && v != nil {
				values[j] = strings.TrimSuffix(strings.Replace(values[j], "T", " ", 1), "Z")
			}
		}
		out[i] = plainTokens(strings.Join(values, " "))
	}
	slices.Sort(out)
	return out
}

func plainTokens(line string) string {
	words := strings.Fields(line)
	for i, word := range words {
		if f, err := strconv.ParseFloat(word, 64); err == nil {
			words[i] = strconv.FormatFloat(f, 'g', 12, 64)
		} else if time, fraction, ok := strings.Cut(word, "."); ok && strings.Count(time, ":") == 2 {
			words[i] = strings.TrimSuffix(time+"."+strings.TrimRight(fraction, "0"), ".")
		}
	}
	return strings.Join(words, " ")
}

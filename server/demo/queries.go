package demo

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// The view's queries. They are plain SQL that a reader can paste into the shell.
const (
	flightTotalsSQL = `SELECT count(*) FILTER (WHERE ts > now() - INTERVAL '10 seconds') / 10.0 AS per_second_10s,
  count(*) / 60.0 AS per_second_1m, avg(delay) AS avg_delay,
  avg(CASE WHEN delay > 15 THEN 100.0 ELSE 0.0 END) AS late_percent, max(scheduled) AS clock
FROM flights WHERE ts > now() - INTERVAL '1 minute'`

	flightSecondsSQL = `SELECT time_bucket(INTERVAL '1 second', ts) AS second, count(*) AS departures
FROM flights WHERE ts > now() - INTERVAL '1 minute' GROUP BY 1 ORDER BY 1`

	// departuresSQL makes a view that is kept current as flights come: of the flights it reads each once.
	departuresSQL = `CREATE MATERIALIZED VIEW IF NOT EXISTS departures AS
SELECT window_start, origin, count(*) AS departures, sum(delay) AS delay
FROM TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '5 seconds') GROUP BY window_start, window_end, origin`

	topOriginsSQL = `SELECT origin, sum(departures) AS departures, sum(delay)::DOUBLE PRECISION / sum(departures) AS avg_delay
FROM departures WHERE window_start > now() - INTERVAL '1 minute' GROUP BY origin ORDER BY departures DESC, origin LIMIT 5`

	telemetryNowSQL = `SELECT cpu_percent, memory_used_bytes, load1, disk_read_bytes_per_s, disk_write_bytes_per_s,
  net_rx_bytes_per_s, net_tx_bytes_per_s, host->>'name' AS host
FROM telemetry WHERE ts > now() - INTERVAL '1 minute' ORDER BY ts DESC LIMIT 1`

	// machineSQL makes a view of rolling averages: one row for each reading, of the minute before it.
	machineSQL = `CREATE MATERIALIZED VIEW IF NOT EXISTS machine AS
SELECT ts, avg(cpu_percent) OVER w AS cpu_percent, avg(memory_used_bytes) OVER w AS memory_used_bytes, avg(load1) OVER w AS load1,
  avg(disk_read_bytes_per_s) OVER w AS disk_read_bytes_per_s, avg(disk_write_bytes_per_s) OVER w AS disk_write_bytes_per_s,
  avg(net_rx_bytes_per_s) OVER w AS net_rx_bytes_per_s, avg(net_tx_bytes_per_s) OVER w AS net_tx_bytes_per_s
FROM telemetry WINDOW w AS (ORDER BY ts RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW)`

	telemetryMinuteSQL = `SELECT cpu_percent, memory_used_bytes, load1, disk_read_bytes_per_s, disk_write_bytes_per_s,
  net_rx_bytes_per_s, net_tx_bytes_per_s
FROM machine WHERE ts > now() - INTERVAL '1 minute' ORDER BY ts DESC LIMIT 1`

	streamsSQL = `SHOW STREAMS`
)

// answers are the results of one round of queries; a query that failed leaves nil and its error.
type answers struct {
	flightTotals, flightSeconds, topOrigins *client.Result
	telemetryNow, telemetryMinute, streams  *client.Result
	// failure is the first refusal, if any; a stream that does not exist yet is none.
	failure error
	// queries, elapsedMS and rowsRead add up what the server says of its work.
	queries   int
	elapsedMS float64
	rowsRead  int64
}

// ask runs all queries at the same time, so that the view shows one moment.
func ask(ctx context.Context, db *client.Client, flights bool) *answers {
	a := &answers{}
	type question struct {
		sql string
		to  **client.Result
	}
	questions := []question{{telemetryNowSQL, &a.telemetryNow}, {telemetryMinuteSQL, &a.telemetryMinute}, {streamsSQL, &a.streams}}
	if flights {
		questions = append(questions, question{flightTotalsSQL, &a.flightTotals},
			question{flightSecondsSQL, &a.flightSeconds}, question{topOriginsSQL, &a.topOrigins})
	}
	errs := make([]error, len(questions))
	var group errgroup.Group
	for i, q := range questions {
		group.Go(func() error {
			*q.to, errs[i] = db.Query(ctx, q.sql, client.QueryOptions{})
			return nil
		})
	}
	_ = group.Wait() // failures are kept one by one
	for i, q := range questions {
		a.add(*q.to, errs[i])
	}
	return a
}

func (a *answers) add(result *client.Result, err error) {
	var refused *client.Error
	missing := errors.As(err, &refused) && refused.Code == event.CodeNotFound
	if err != nil && !missing && a.failure == nil {
		a.failure = err
	}
	if result == nil {
		return
	}
	a.queries++
	a.elapsedMS += result.Stats.ElapsedMS
	a.rowsRead += result.Stats.RowsScanned
}

// value is the cell at row and column, or nil if there is none.
func value(result *client.Result, row, column int) any {
	if result == nil || row >= len(result.Rows) || column >= len(result.Rows[row]) {
		return nil
	}
	return result.Rows[row][column]
}

// text is a string cell, or a dash.
func text(result *client.Result, row, column int) string {
	if s, ok := value(result, row, column).(string); ok {
		return s
	}
	return "-"
}

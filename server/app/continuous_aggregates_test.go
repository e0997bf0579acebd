package app

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// aggregateCalls has calls of every aggregate over the stream orders. What depends on the order of its rows says which.
var aggregateCalls = map[string][]string{
	"any_value": {"any_value(region)"}, "approx_count_distinct": {"approx_count_distinct(customer)", "approx_count_distinct(price) FILTER (WHERE paid)"},
	"approx_percentile": {"approx_percentile(amount, 0.9)"}, "approx_top_k": {"approx_top_k(region, 2)"},
	"array_agg": {"array_agg(quantity ORDER BY amount, id)", "array_agg(DISTINCT quantity ORDER BY quantity)"},
	"avg":       {"avg(amount)", "avg(price)", "avg(DISTINCT quantity)"}, "bit_and": {"bit_and(quantity)"}, "bit_or": {"bit_or(quantity)"},
	"bit_xor": {"bit_xor(quantity)", "bit_xor(quantity) FILTER (WHERE paid)"}, "bool_and": {"bool_and(paid)"}, "bool_or": {"bool_or(paid)"},
	"corr": {"round(corr(amount, quantity), 5) + 0"}, "covar_pop": {"round(covar_pop(amount, quantity), 5) + 0"},
	"covar_samp": {"round(covar_samp(amount, quantity), 5) + 0"},
	"count":      {"count(*)", "count(region)", "count(DISTINCT customer)", "count(DISTINCT price) FILTER (WHERE paid)", "count(*) FILTER (WHERE amount > 20)"},
	"delta":      {"delta(amount, ts)"}, "first": {"first(amount)", "first(region ORDER BY amount DESC, id)"}, "geometric_mean": {"geometric_mean(amount + 100)"},
	"histogram": {"histogram(amount, 0, 50, 5)"}, "increase": {"increase(amount, ts)"}, "json_agg": {"json_agg(region ORDER BY id, amount)"},
	"json_object_agg": {"json_object_agg(region, quantity ORDER BY id, amount) FILTER (WHERE region IS NOT NULL)"},
	"last":            {"last(amount)", "last(price ORDER BY amount, id)"}, "max": {"max(amount)", "max(price)", "max(region)", "max(ts)"},
	"median": {"median(amount)"}, "min": {"min(amount)", "min(region)", "min(price) FILTER (WHERE paid)"}, "mode": {"mode(region)", "mode(quantity)"},
	"percentile_cont": {"percentile_cont(0.25) WITHIN GROUP (ORDER BY amount)"}, "percentile_disc": {"percentile_disc(0.75) WITHIN GROUP (ORDER BY quantity)"},
	"product": {"product(CASE WHEN paid THEN 2.0 ELSE 0.5 END)"}, "rate": {"rate(amount, ts)"},
	"regr_avgx": {"regr_avgx(amount, quantity)"}, "regr_avgy": {"regr_avgy(amount, quantity)"}, "regr_count": {"regr_count(amount, quantity)"},
	"regr_intercept": {"round(regr_intercept(amount, quantity), 5) + 0"}, "regr_r2": {"round(regr_r2(amount, quantity), 5) + 0"},
	"regr_slope": {"round(regr_slope(amount, quantity), 5) + 0"}, "regr_sxx": {"round(regr_sxx(amount, quantity), 5) + 0"},
	"regr_sxy": {"round(regr_sxy(amount, quantity), 5) + 0"}, "regr_syy": {"round(regr_syy(amount, quantity), 5) + 0"},
	"stddev_pop": {"round(stddev_pop(amount), 5)"}, "stddev_samp": {"round(stddev_samp(amount), 5)"},
	"string_agg": {"string_agg(region, '-' ORDER BY amount, id)", "string_agg(DISTINCT region, '-' ORDER BY region)"},
	"sum":        {"sum(amount)", "sum(price)", "sum(quantity)", "sum(DISTINCT quantity)", "sum(ts - TIMESTAMPTZ '2026-01-01')"},
	"var_pop":    {"round(var_pop(amount), 5)", "round(var_pop(price::DOUBLE PRECISION), 5)"}, "var_samp": {"round(var_samp(amount), 5)"},
}

// aggregatePlaces are queries around a call.
var aggregatePlaces = map[string]string{
	"groups": "SELECT customer, %s AS a FROM orders GROUP BY customer",
	"hop":    "SELECT window_end, %s AS a FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2 seconds', INTERVAL '10 seconds') GROUP BY window_start, window_end",
	"sessions": "SELECT customer, window_end, %s AS a FROM SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '3 seconds') " +
		"GROUP BY 1, 2, window_start",
	"retract": "SELECT paid, %s AS a FROM (SELECT * FROM orders LATEST ON ts PARTITION BY customer, region) AS o GROUP BY paid",
	"rolling": "SELECT id, ts, %s OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW) AS a FROM orders",
	"ttl":     "WITH (ttl = '3 seconds') AS SELECT region, %s AS a FROM orders GROUP BY region",
}

// TestAggregatesInViews holds every aggregate, in every place where a view computes one in a way of its own, to its bounded answer.
func TestAggregatesInViews(t *testing.T) {
	t.Parallel()
	for name, functions := range plan.Functions {
		if slices.ContainsFunc(functions, func(f *plan.Function) bool { return f.Aggregate }) {
			require.Contains(t, aggregateCalls, name)
		}
	}
	known := defineStreams(t)
	rounds, seed := simulations(t, 1)
	for _, place := range slices.Sorted(maps.Keys(aggregatePlaces)) {
		for _, name := range slices.Sorted(maps.Keys(aggregateCalls)) {
			t.Run(place+"/"+name, func(t *testing.T) {
				t.Parallel()
				space, err := spill.Open(vfs.NewMem(), "spill", 1<<30)
				require.NoError(t, err)
				for _, call := range aggregateCalls[name] {
					if place == "rolling" && (strings.Contains(call, "ORDER BY") || strings.HasPrefix(call, "round(")) { // no call alone
						continue
					}
					sql := fmt.Sprintf(aggregatePlaces[place], call)
					program, err := compileSQL(t, sql, known, continuous.Options{MemoryBytes: 1 << 30, Spill: space})
					require.NoError(t, err, sql)
					for round := range rounds {
						rng := rand.New(rand.NewPCG(seed, uint64(round)))
						s := newSimulation(t, rng, known, program)
						s.name = fmt.Sprintf("%s\nseed %d, round %d\n%s", sql, seed, round, program)
						s.source.streams["orders"] = newHistory(rng, known["orders"], 50)
						for s.left() {
							s.step(rng, 20)
							s.check()
							if rng.IntN(3) == 0 {
								s.restart()
								require.NoError(t, s.machine.Spill(1<<16))
							}
						}
						require.NoError(t, s.machine.Close())
					}
				}
			})
		}
	}
}

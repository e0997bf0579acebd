package otlp

import (
	"encoding/hex"
	"iter"
	"strconv"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// metricShape is the columns of data points, in their order.
var metricShape = newShape(append([]decode.Field{
	{Name: "time", Type: instant}, {Name: "start_time", Type: instant}, {Name: "name", Type: text}, {Name: "kind", Type: text},
	{Name: "unit", Type: text}, {Name: "description", Type: text}, {Name: "value", Type: double}, {Name: "int_value", Type: whole},
	{Name: "count", Type: whole}, {Name: "sum", Type: double}, {Name: "min", Type: double}, {Name: "max", Type: double},
	{Name: "temporality", Type: text}, {Name: "monotonic", Type: boolean}, {Name: "buckets", Type: nested},
	{Name: "attributes", Type: nested}, {Name: "flags", Type: whole}, {Name: "exemplars", Type: nested},
}, originFields...))

// Metrics gives a row for each data point, numbered through the request.
func Metrics(request []*metrics.ResourceMetrics) iter.Seq[*decode.Chunk] {
	return chunks(metricShape, func(b *batch) {
		p := &pointer{batch: b, row: newRow(metricShape), about: newRow(metricShape)}
		for _, from := range request {
			for _, scope := range from.GetScopeMetrics() {
				o := origin(metricShape, from.GetResource(), scope.GetScope())
				for _, metric := range scope.GetMetrics() {
					p.metric(metric, o)
				}
			}
		}
	})
}

// pointer makes the rows of data points.
type pointer struct {
	*row
	batch *batch
	about *row // what all points of the metric share
}

// metric adds the data points of a metric.
func (r *pointer) metric(m *metrics.Metric, o *row) {
	if r.batch.stopped {
		return
	}
	r.about.begin(o)
	r.about.text("name", m.GetName())
	r.about.text("unit", m.GetUnit())
	r.about.text("description", m.GetDescription())
	switch data := m.GetData().(type) {
	case *metrics.Metric_Gauge:
		for _, p := range data.Gauge.GetDataPoints() {
			r.number(p, "gauge")
			r.batch.add(r.row)
		}
	case *metrics.Metric_Sum:
		for _, p := range data.Sum.GetDataPoints() {
			r.number(p, "sum")
			r.temporality(data.Sum.GetAggregationTemporality())
			r.boolean("monotonic", data.Sum.GetIsMonotonic())
			r.batch.add(r.row)
		}
	case *metrics.Metric_Histogram:
		for _, p := range data.Histogram.GetDataPoints() {
			r.histogram(p)
			r.temporality(data.Histogram.GetAggregationTemporality())
			r.batch.add(r.row)
		}
	case *metrics.Metric_ExponentialHistogram:
		for _, p := range data.ExponentialHistogram.GetDataPoints() {
			r.exponential(p)
			r.temporality(data.ExponentialHistogram.GetAggregationTemporality())
			r.batch.add(r.row)
		}
	case *metrics.Metric_Summary:
		for _, p := range data.Summary.GetDataPoints() {
			r.summary(p)
			r.batch.add(r.row)
		}
	}
}

// point is what the data points of all kinds have.
type point interface {
	GetTimeUnixNano() uint64
	GetStartTimeUnixNano() uint64
	GetAttributes() []*common.KeyValue
	GetFlags() uint32
}

// point begins the row of a point.
func (r *pointer) point(p point, kind string) {
	r.begin(r.about)
	r.time("time", p.GetTimeUnixNano())
	r.time("start_time", p.GetStartTimeUnixNano())
	r.text("kind", kind)
	r.attributes("attributes", p.GetAttributes())
	if f := p.GetFlags(); f != 0 {
		r.whole("flags", int64(f))
	}
}

func (r *pointer) number(p *metrics.NumberDataPoint, kind string) {
	r.point(p, kind)
	switch v := p.GetValue().(type) {
	case *metrics.NumberDataPoint_AsDouble:
		r.double("value", v.AsDouble)
	case *metrics.NumberDataPoint_AsInt:
		r.double("value", float64(v.AsInt)) // rounded beyond 2^53; int_value is exact
		r.whole("int_value", v.AsInt)
	}
	r.exemplars(p.GetExemplars())
}

func (r *pointer) histogram(p *metrics.HistogramDataPoint) {
	r.point(p, "histogram")
	r.count("count", p.GetCount())
	r.optional("sum", p.Sum)
	r.optional("min", p.Min)
	r.optional("max", p.Max)
	if len(p.GetBucketCounts()) > 0 {
		start := len(r.dst)
		r.dst = append(r.dst, `{"bounds":[`...)
		for i, bound := range p.GetExplicitBounds() {
			r.comma(i)
			r.dst = decode.AppendDouble(r.dst, bound)
		}
		r.dst = append(r.dst, `],"counts":`...)
		r.counts(p.GetBucketCounts())
		r.dst = append(r.dst, '}')
		r.written("buckets", start)
	}
	r.exemplars(p.GetExemplars())
}

func (r *pointer) exponential(p *metrics.ExponentialHistogramDataPoint) {
	r.point(p, "exponential_histogram")
	r.count("count", p.GetCount())
	r.optional("sum", p.Sum)
	r.optional("min", p.Min)
	r.optional("max", p.Max)
	start := len(r.dst)
	r.dst = strconv.AppendInt(append(r.dst, `{"scale":`...), int64(p.GetScale()), 10)
	r.dst = strconv.AppendUint(append(r.dst, `,"zero_count":`...), p.GetZeroCount(), 10)
	r.dst = decode.AppendDouble(append(r.dst, `,"zero_threshold":`...), p.GetZeroThreshold())
	for _, side := range []struct {
		name    string
		buckets *metrics.ExponentialHistogramDataPoint_Buckets
	}{{"positive", p.GetPositive()}, {"negative", p.GetNegative()}} {
		r.member(side.name)
		r.dst = strconv.AppendInt(append(r.dst, `{"offset":`...), int64(side.buckets.GetOffset()), 10)
		r.dst = append(r.dst, `,"counts":`...)
		r.counts(side.buckets.GetBucketCounts())
		r.dst = append(r.dst, '}')
	}
	r.dst = append(r.dst, '}')
	r.written("buckets", start)
	r.exemplars(p.GetExemplars())
}

func (r *pointer) summary(p *metrics.SummaryDataPoint) {
	r.point(p, "summary")
	r.count("count", p.GetCount())
	r.double("sum", p.GetSum())
	if len(p.GetQuantileValues()) > 0 {
		start := len(r.dst)
		r.dst = append(r.dst, `{"quantiles":[`...)
		for i, q := range p.GetQuantileValues() {
			r.comma(i)
			r.dst = decode.AppendDouble(append(r.dst, `{"quantile":`...), q.GetQuantile())
			r.dst = append(decode.AppendDouble(append(r.dst, `,"value":`...), q.GetValue()), '}')
		}
		r.dst = append(r.dst, "]}"...)
		r.written("buckets", start)
	}
}

func (r *row) comma(i int) {
	if i > 0 {
		r.dst = append(r.dst, ',')
	}
}

func (r *row) optional(name string, v *float64) {
	if v != nil {
		r.double(name, *v)
	}
}

func (r *row) counts(counts []uint64) {
	r.dst = append(r.dst, '[')
	for i, n := range counts {
		r.comma(i)
		r.dst = strconv.AppendUint(r.dst, n, 10)
	}
	r.dst = append(r.dst, ']')
}

func (r *row) temporality(t metrics.AggregationTemporality) {
	switch t {
	case metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA:
		r.text("temporality", "delta")
	case metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE:
		r.text("temporality", "cumulative")
	default: // unspecified, or a kind that is yet to come
	}
}

// exemplars adds the measurements that stand for a point.
func (r *row) exemplars(list []*metrics.Exemplar) {
	if len(list) == 0 {
		return
	}
	start := len(r.dst)
	r.dst = append(r.dst, '[')
	for i, e := range list {
		r.comma(i)
		r.exemplar(e)
	}
	r.dst = append(r.dst, ']')
	r.written("exemplars", start)
}

// exemplar appends one as an object.
func (r *row) exemplar(e *metrics.Exemplar) {
	r.dst = append(r.dst, '{')
	if nanos := e.GetTimeUnixNano(); nanos > latestNanos {
		r.fault = outOfRange("time", nanos)
	} else if nanos > 0 {
		r.member("time")
		r.dst = append(event.AppendTimestamp(append(r.dst, '"'), int64(nanos/1000)), '"')
	}
	switch v := e.GetValue().(type) {
	case *metrics.Exemplar_AsDouble:
		r.member("value")
		r.dst = decode.AppendDouble(r.dst, v.AsDouble)
	case *metrics.Exemplar_AsInt:
		r.member("value")
		r.dst = strconv.AppendInt(r.dst, v.AsInt, 10)
	}
	for _, id := range []struct {
		name string
		id   []byte
	}{{"trace_id", e.GetTraceId()}, {"span_id", e.GetSpanId()}} {
		if len(id.id) > 0 {
			r.member(id.name)
			r.dst = append(hex.AppendEncode(append(r.dst, '"'), id.id), '"')
		}
	}
	if list := e.GetFilteredAttributes(); len(list) > 0 {
		r.member("attributes")
		r.object(list, 0)
	}
	r.dst = append(r.dst, '}')
}

// member begins a member of an object.
func (r *row) member(name string) {
	if r.dst[len(r.dst)-1] != '{' {
		r.dst = append(r.dst, ',')
	}
	r.dst = append(event.AppendJSONString(r.dst, name), ':')
}

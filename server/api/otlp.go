package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"

	collectlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/otlp"
)

const (
	// The streams of OpenTelemetry.
	logStream    = "otel_logs"
	metricStream = "otel_metrics"
	// otlpBytes bounds a request, which takes several times its size in memory once it is decoded. Exporters send a few MiB at most.
	otlpBytes = 16 << 20
	// otlpMemory bounds what it takes once it is decoded, by the sorts of messages that it has.
	otlpMemory = 256 << 20
	// otlpTimes bounds the rows that a request makes, in sizes of the request, beyond otlpRows.
	otlpTimes = 250
	otlpRows  = 64 << 20
	// otlpDepth bounds the nesting of its messages: values within values take two levels each.
	otlpDepth = 128

	protobufMedia = "application/x-protobuf"
	jsonMedia     = "application/json"
)

// postLogs takes logs in as OTLP/HTTP has it.
func (s *Server) postLogs(w http.ResponseWriter, r *http.Request) error {
	request := &collectlogs.ExportLogsServiceRequest{}
	return s.takeOTLP(w, r, otlpRoute{logStream, otlp.LogBytes}, request, func() iter.Seq[*decode.Chunk] {
		hexIDs(request.GetResourceLogs())
		return otlp.Logs(request.GetResourceLogs())
	}, func(rejected int64, reason string) proto.Message {
		answer := &collectlogs.ExportLogsServiceResponse{}
		if rejected > 0 {
			answer.PartialSuccess = &collectlogs.ExportLogsPartialSuccess{RejectedLogRecords: rejected, ErrorMessage: reason}
		}
		return answer
	})
}

// postMetrics takes metrics in as OTLP/HTTP has it.
func (s *Server) postMetrics(w http.ResponseWriter, r *http.Request) error {
	request := &collectmetrics.ExportMetricsServiceRequest{}
	return s.takeOTLP(w, r, otlpRoute{metricStream, otlp.MetricBytes}, request, func() iter.Seq[*decode.Chunk] {
		hexExemplars(request.GetResourceMetrics())
		return otlp.Metrics(request.GetResourceMetrics())
	}, func(rejected int64, reason string) proto.Message {
		answer := &collectmetrics.ExportMetricsServiceResponse{}
		if rejected > 0 {
			answer.PartialSuccess = &collectmetrics.ExportMetricsPartialSuccess{RejectedDataPoints: rejected, ErrorMessage: reason}
		}
		return answer
	})
}

// postTraces tells exporters that traces are not taken, as they understand it: they give up what they have sent.
func (s *Server) postTraces(w http.ResponseWriter, r *http.Request) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != protobufMedia {
		media = jsonMedia
	}
	return sendOTLPError(w, media, event.Errorf(event.CodeNotSupported, "traces are not taken: this server stores logs and metrics").
		WithHint("leave the traces pipeline out of the exporter; /v1/logs and /v1/metrics are here"))
}

// otlpRoute is a stream, and what bounds the memory of the messages for it once they are decoded.
type otlpRoute struct {
	stream string
	bytes  func(request []byte) int64
}

// takeOTLP reads a request, takes its rows in and answers, in the encoding that the request has.
func (s *Server) takeOTLP(w http.ResponseWriter, r *http.Request, route otlpRoute, request proto.Message, rows func() iter.Seq[*decode.Chunk],
	answer func(rejected int64, reason string) proto.Message,
) error {
	held := &account{ingest: s.Ingest, stream: route.stream}
	defer held.close()
	size, media, err := s.readOTLP(w, r, request, route, held)
	if err != nil {
		return sendOTLPError(w, media, err)
	}
	in, err := s.newIntake(w, r, ingest.BodyOptions{TimeColumn: "time"})
	if err != nil {
		return sendOTLPError(w, media, err)
	}
	err = in.feedAll(r.Context(), route.stream, rows(), otlpRows+otlpTimes*size)
	got, failure := in.finish(r.Context())
	if err = errors.Join(err, failure); err != nil {
		s.Logger.Warn("OTLP broken off", "stream", route.stream, "accepted", got.accepted, "error", err)
		return sendOTLPError(w, media, err)
	}
	reason := ""
	if got.first != nil {
		reason = fmt.Sprintf("item %d: %s", got.first.Row, got.first.Reason)
	}
	return sendOTLP(w, media, http.StatusOK, answer(got.rejected, reason))
}

// feedAll takes the chunks in, which may take so many bytes together: what is said once of a resource is in each of its rows.
func (in *intake) feedAll(ctx context.Context, stream string, chunks iter.Seq[*decode.Chunk], most int64) error {
	var held *decode.Chunk
	for chunk := range chunks {
		if most -= int64(chunk.Bytes()); most < 0 {
			return event.Errorf(event.CodeTooLarge, "the request stands for out of all proportion more than its bytes: its resources are repeated in each row").
				WithHint("send fewer records in a request, or resources with fewer attributes")
		}
		if held != nil {
			if err := in.feed(ctx, stream, held, false); err != nil {
				return err
			}
		}
		held = chunk
	}
	if held == nil {
		return nil
	}
	return in.feed(ctx, stream, held, true)
}

// readOTLP decodes the body and gives its size; media is how the answer is to be encoded. held counts the memory that it takes.
func (s *Server) readOTLP(w http.ResponseWriter, r *http.Request, request proto.Message, route otlpRoute, held *account,
) (size int64, media string, err error) {
	media, _, _ = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != protobufMedia && media != jsonMedia {
		return 0, jsonMedia, event.Errorf(event.CodeMediaType, "OTLP cannot be read from %q", r.Header.Get("Content-Type")).
			WithHint("send %s or %s", protobufMedia, jsonMedia)
	}
	body, err := s.openBody(w, r, route.stream, otlpBytes)
	if err != nil {
		return 0, media, err
	}
	defer body.close()
	body.paced.chunk()
	content, _, err := held.readWhole(body, 0)
	if err != nil {
		return 0, media, err
	}
	bytes := route.bytes
	if media == jsonMedia {
		bytes = otlp.JSONBytes
	}
	decoded := bytes(content)
	if decoded > otlpMemory {
		return 0, media, event.Errorf(event.CodeTooLarge, "the messages of the request may take %d MiB when they are decoded, more than %d",
			decoded>>20, otlpMemory>>20).
			WithHint("send fewer records in a request")
	}
	if err := held.hold(decoded); err != nil {
		return 0, media, err
	}
	if media == jsonMedia {
		err = protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: otlpDepth}.Unmarshal(content, request)
	} else {
		err = proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: otlpDepth}.Unmarshal(content, request)
	}
	if err != nil {
		return 0, media, event.Errorf(event.CodeBadRequest, "the body is not OTLP: %v", err)
	}
	return int64(len(content)), media, nil
}

// sendOTLP answers with a message.
func sendOTLP(w http.ResponseWriter, media string, status int, message proto.Message) error {
	encode := proto.Marshal
	if media == jsonMedia {
		encode = protojson.Marshal
	}
	body, err := encode(message)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

// sendOTLPError answers with a google.rpc.Status, whose field 2 is the message. Exporters send again after 429, 502, 503 and 504 only, so a disk
// that is full for the moment is 503 here.
func sendOTLPError(w http.ResponseWriter, media string, err error) error {
	fault := asFault(err)
	code := status(fault.Code)
	if code == http.StatusInsufficientStorage {
		code = http.StatusServiceUnavailable
	}
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if media == jsonMedia {
		return writeJSON(w, code, map[string]string{"message": fault.Error(), "code": string(fault.Code)})
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	_, err = io.Writer(w).Write(protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), fault.Error()))
	return err
}

// OTLP's JSON has the ids of traces and spans in hexadecimal digits, where the mapping of protocol buffers to JSON has base64. All digits of the
// one are digits of the other, so what was read as base64 has other lengths than ids, and is turned back.
const (
	traceDigits = 32
	spanDigits  = 16
)

func hexID(id []byte) []byte {
	if n := base64.StdEncoding.EncodedLen(len(id)); n != traceDigits && n != spanDigits || len(id) == spanDigits || len(id) == spanDigits/2 {
		return id
	}
	digits := base64.StdEncoding.EncodeToString(id)
	if plain, err := hex.DecodeString(digits); err == nil {
		return plain
	}
	return id
}

func hexIDs(request []*logs.ResourceLogs) {
	for _, from := range request {
		for _, scope := range from.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				record.TraceId, record.SpanId = hexID(record.GetTraceId()), hexID(record.GetSpanId())
			}
		}
	}
}

func hexExemplars(request []*metrics.ResourceMetrics) {
	turn := func(list []*metrics.Exemplar) {
		for _, e := range list {
			e.TraceId, e.SpanId = hexID(e.GetTraceId()), hexID(e.GetSpanId())
		}
	}
	for _, from := range request {
		for _, scope := range from.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				for _, p := range append(metric.GetGauge().GetDataPoints(), metric.GetSum().GetDataPoints()...) {
					turn(p.GetExemplars())
				}
				for _, p := range metric.GetHistogram().GetDataPoints() {
					turn(p.GetExemplars())
				}
				for _, p := range metric.GetExponentialHistogram().GetDataPoints() {
					turn(p.GetExemplars())
				}
			}
		}
	}
}

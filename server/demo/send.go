package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tidemarkdb/tidemark/server/client"
)

// timeLayout is RFC 3339 in UTC with microseconds, the server's own precision.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// send posts events as NDJSON. A server that is too busy drops them: a demonstration must not lag behind its own clock.
func send[T any](ctx context.Context, db *client.Client, stream string, events []T) error {
	if len(events) == 0 {
		return nil
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for i := range events {
		if err := encoder.Encode(&events[i]); err != nil {
			return fmt.Errorf("encode event of %s: %w", stream, err)
		}
	}
	result, err := db.Ingest(ctx, stream, &body, client.IngestOptions{TimeColumn: "ts"})
	var refused *client.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests:
		return nil
	case err != nil:
		return fmt.Errorf("send events to %s: %w", stream, err)
	case result.Rejected > 0:
		return fmt.Errorf("send events to %s: the server rejected %d of %d: %s", stream, result.Rejected, len(events), firstReason(result))
	}
	return nil
}

func firstReason(result *client.IngestResult) string {
	if len(result.Errors) == 0 {
		return "it gives no reason"
	}
	return result.Errors[0].Reason
}

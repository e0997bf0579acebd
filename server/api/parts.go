package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// parts gives a body that has rows of several streams part by part: its rows by stream, and what is a row of none; io.EOF after the last.
type parts interface {
	Next() ([]decode.StreamChunk, []decode.Rejected, error)
}

// feedParts takes a body in part by part. With a key it stays one part behind, as feedKeyed does.
func feedParts(r *http.Request, in *intake, reader parts, body *body) error {
	var held []decode.StreamChunk
	for {
		body.chunk(in.keyed())
		rows, refused, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return in.feedPart(r.Context(), held, true)
		}
		if err != nil {
			return brokenOff(err)
		}
		in.refuse(refused)
		if err := body.give(chunksOf(rows)...); err != nil {
			return err
		}
		if in.keyed() {
			rows, held = held, rows
		}
		if err := in.feedPart(r.Context(), rows, false); err != nil {
			return err
		}
	}
}

func chunksOf(rows []decode.StreamChunk) []*decode.Chunk {
	chunks := make([]*decode.Chunk, len(rows))
	for i, part := range rows {
		chunks[i] = part.Chunk
	}
	return chunks
}

// feedPart queues the rows of a part of a body.
func (in *intake) feedPart(ctx context.Context, rows []decode.StreamChunk, last bool) error {
	for _, part := range rows {
		if err := in.feed(ctx, part.Stream, part.Chunk, last); err != nil {
			return err
		}
	}
	return in.round()
}

// partChunks gives a body of which all rows go to one stream.
type partChunks struct {
	reader parts
	rows   []decode.StreamChunk
}

// Next gives the chunks of a part of the body one by one, and what belongs to none with the first.
func (c *partChunks) Next() (*decode.Chunk, error) {
	if len(c.rows) == 0 {
		rows, refused, err := c.reader.Next()
		if err != nil {
			return nil, err
		}
		c.rows = rows
		if len(rows) == 0 {
			return &decode.Chunk{Numbers: []int64{}, Refused: refused}, nil
		}
		rows[0].Chunk.Refused = append(rows[0].Chunk.Refused, refused...)
	}
	next := c.rows[0].Chunk
	c.rows = c.rows[1:]
	return next, nil
}

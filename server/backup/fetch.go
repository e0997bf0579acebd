package backup

import (
	"context"
	"fmt"
	"io"
)

// Remote is a running server's pinned data.
type Remote struct {
	Pinned
	// Dir is where the pinned files are on the server's machine.
	Dir string `json:"dir"`
}

// Fetch makes a backup of what a server has pinned. to must be empty or not exist. open reads a pinned file.
func Fetch(ctx context.Context, from Remote, to string, o Options, open func(ctx context.Context, name string) (io.ReadCloser, error)) (*List, error) {
	m, err := newMaker(to, o)
	if err != nil {
		return nil, err
	}
	m.list.Created = from.Created.UTC()
	for _, want := range from.Files {
		f, err := m.takePinned(ctx, want, from.Dir, open)
		if err != nil {
			return nil, fmt.Errorf("back up %s: %w", want.Name, err)
		}
		m.list.Files = append(m.list.Files, f)
	}
	return m.finish(ctx)
}

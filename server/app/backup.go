package app

import (
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/server/backup"
)

// openBackups makes what lets a backup be taken of the running server.
func (a *App) openBackups(fs vfs.FS) (err error) {
	a.backups, err = backup.NewKeeper(backup.Source{
		FS: fs, Hold: a.journal.Hold, Segments: a.liveSegments, Views: a.viewsBeforeInputs, Writing: a.ingest.Writing, Now: a.now,
	})
	return err
}

// liveSegments are those that count, of streams and of views.
func (a *App) liveSegments() (out []*manifest.Segment) {
	for _, stream := range a.manifest.Streams() {
		out = append(out, a.manifest.View(stream).Segments...)
	}
	return out
}

// viewsBeforeInputs lists the directories of views, every view before those that it reads.
func (a *App) viewsBeforeInputs() (out []string) {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		view, ok := a.catalog.View(name)
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		generations := []*catalog.View{view}
		if next, ok := a.catalog.NextView(name); ok {
			generations = append(generations, next)
		}
		for _, g := range generations {
			for _, input := range g.Inputs {
				visit(input)
			}
		}
		for _, g := range generations {
			out = append(out, g.Storage())
		}
	}
	for _, view := range a.catalog.Views() {
		visit(view.Name)
	}
	slices.Reverse(out)
	return out
}

// pinnedBackups answers the routes of backups.
type pinnedBackups struct{ app *App }

// Begin pins the data as it is now.
func (b pinnedBackups) Begin(ctx context.Context) (any, error) {
	pinned, err := b.app.backups.Begin(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Join(b.app.config.Data, backup.Dir, pinned.ID))
	if err != nil {
		return nil, err
	}
	b.app.logger.Info("a backup begins", "id", pinned.ID, "files", len(pinned.Files))
	return backup.Remote{Pinned: *pinned, Dir: dir}, nil
}

// Open reads a pinned file.
func (b pinnedBackups) Open(id, name string) (io.ReadCloser, int64, error) {
	file, err := b.app.backups.Open(id, name)
	if err != nil {
		return nil, 0, err
	}
	return file, file.Size(), nil
}

// End gives pinned files up.
func (b pinnedBackups) End(id string) error { return b.app.backups.End(id) }

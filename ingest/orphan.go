package ingest

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// CheckLogs refuses a directory in which a log lies whose stream the catalog has neither defined nor dropped. A definition is durable
// before its log begins, so the journal has then lost records, as when it was deleted or comes from an older copy. Going on would
// take acknowledged events for leftovers. Call it before anything in the directory is moved.
func CheckLogs(fs vfs.FS, c *catalog.Catalog) error {
	names, err := orphans(fs, c)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !c.Dropped(name) {
			return event.Errorf(event.CodeCorrupt, "%s/%s is the log of a stream that the journal does not know: the journal is damaged, or not the one of this data",
				logDir, name).WithHint("put the journal back that belongs to it; nothing has been changed")
		}
	}
	return nil
}

// orphans lists the streams that have a log and no definition.
func orphans(files vfs.FS, c *catalog.Catalog) ([]string, error) {
	names, err := files.ReadDir(logDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", logDir, err)
	}
	var out []string
	for _, name := range names {
		if _, ok := c.Stream(name); !ok && catalog.ValidateName(name) == nil {
			out = append(out, name)
		}
	}
	return out, nil
}

// discardOrphans moves away the logs of streams that were dropped just before a crash.
func (e *Engine) discardOrphans() error {
	if err := CheckLogs(e.fs, e.catalog); err != nil {
		return err
	}
	names, err := orphans(e.fs, e.catalog)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := e.discardLog(name); err != nil {
			return fmt.Errorf("discard log of dropped stream: %w", err)
		}
	}
	e.catalog.ForgetDropped()
	return nil
}

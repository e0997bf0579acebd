package eventlog

import (
	"errors"

	"github.com/tidemarkdb/tidemark/event"
)

// FirstAt finds the first offset whose record has a timestamp at or after the given one, in milliseconds since 1970; the offset after
// the last record where there is none. Timestamps need not rise.
func (l *Log) FirstAt(timestamp int64) (event.Offset, error) {
	from := l.skipOlder(timestamp)
	found := event.Offset(-1)
	err := l.Read(from, func(e *Entry) error {
		for i, t := range e.Times {
			if e.Idle != nil {
				break
			}
			if offset := e.First + event.Offset(i); t >= timestamp && offset >= from {
				found = offset
				return errFound
			}
		}
		from = e.End()
		return nil
	})
	if errors.Is(err, errFound) {
		return found, nil
	}
	return from, err
}

// skipOlder gives an offset before which every record is older, as far as the indexes know.
func (l *Log) skipOlder(timestamp int64) event.Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.mu.files {
		if len(f.index) == 0 {
			return f.first
		}
		for _, m := range f.index {
			if m.newest >= timestamp {
				return m.offset
			}
		}
	}
	return l.mu.next
}

package views

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// A view whose state is of no use, as after an upgrade that keeps it in another way, is built anew beside itself. Until then it shows what it
// held. Where events have expired that are behind that, it would come back with less: then it goes on showing what it held, and somebody has to
// say that it may.

// errWouldLose marks the failure of a view that would lose rows if it were built anew.
var errWouldLose = errors.New("the view would lose rows")

// buildAnew makes the view anew beside itself, unless it would lose rows by that which nobody has given up.
func (v *View) buildAnew(ctx context.Context, cause error) error {
	definition := v.Definition()
	if err := v.showStored(ctx); err != nil {
		v.set.options.Logger.Warn("what a view held cannot be shown", "view", definition.Name, "error", err)
	}
	if err := v.wouldLose(definition, cause); err != nil {
		return err
	}
	return outgrown(v.set.rebuild(v, definition))
}

// wouldLose fails where events have expired that the view has taken. What a subscription made for itself is told to its subscribers, who begin anew.
func (v *View) wouldLose(definition *catalog.View, cause error) error {
	_, begun := v.set.options.Catalog.NextView(definition.Name)
	v.mu.Lock()
	given := v.mu.given
	v.mu.Unlock()
	if begun || given || definition.Hidden || !definition.Ready {
		return nil
	}
	lost := v.set.forgotten(definition)
	if len(lost) == 0 {
		return nil
	}
	why := "what it reads has changed"
	if errors.Is(cause, continuous.ErrOtherState) {
		why = "this version of the server keeps its state in another way"
	}
	v.set.options.Logger.Error("a view would lose rows if it were built anew", "view", definition.Name, "stream", lost[0].Stream,
		"from", lost[0].From.String(), "to", lost[0].To.String(), "reason", cause)
	return &event.Error{
		Code: event.CodeConflict,
		Detail: fmt.Sprintf("it has to be built anew, as %s, and events of %s that are in what it shows have expired, before offsets %s",
			why, lost[0].Stream, lost[0].To),
		Hint:  fmt.Sprintf("ALTER MATERIALIZED VIEW %s RESUME builds it from the events that are left; until then it stays as it is", definition.Name),
		Cause: errWouldLose,
	}
}

// forgotten are rows of streams that have expired since the view began.
func (s *Set) forgotten(definition *catalog.View) (out []Loss) {
	for _, name := range definition.Inputs {
		if _, ok := s.options.Catalog.Stream(name); !ok {
			continue
		}
		pinned := s.options.Segments.View(name)
		from := Mark{Name: name, Vector: definition.Since[name].Max(definition.Begun[name])}
		if len(from.Vector) == 0 {
			from.Vector = make(event.Vector, 1)
		}
		counted := definition.Start != catalog.StartTime || pinned.ExpiredBefore() > definition.StartTime
		if loss, ok := lossBetween(from, pinned.Sealed().Next, pinned.ExpiredTo()); ok && counted {
			out = append(out, loss)
		}
		if err := pinned.Close(); err != nil {
			s.options.Logger.Warn("segments could not be let go of", "stream", name, "error", err)
		}
	}
	return out
}

// noteSince notes what its streams had let go of before a view began.
func (s *Set) noteSince(definition *catalog.View) error {
	definition.Since = map[string]event.Vector{}
	for _, name := range definition.Inputs {
		if _, ok := s.options.Catalog.Stream(name); !ok {
			continue
		}
		pinned := s.options.Segments.View(name)
		if expired := pinned.ExpiredTo(); len(expired) > 0 {
			definition.Since[name] = slices.Clone(expired)
		}
		if err := pinned.Close(); err != nil {
			return fmt.Errorf("look at the segments of %s: %w", name, err)
		}
	}
	return nil
}

// showStored shows what a view held when the server ended, where it shows nothing yet: the rows of its newest checkpoint and those of the frames
// since, which mean what they did whatever its state has become.
func (v *View) showStored(ctx context.Context) error {
	definition := v.Definition()
	if v.snapshot() != nil || !definition.Ready {
		return nil
	}
	r := &runtime{view: v, set: v.set, definition: definition}
	found, err := r.newestRows()
	if err != nil {
		return err
	}
	s := &Snapshot{
		definition: definition, Marks: found.Marks, Closed: found.Closed, Final: found.Final, Late: found.Late, Lost: found.Lost,
	}
	apply := func(f *Frame) error {
		s.Marks, s.Closed, s.Final, s.Late, s.Lost = f.Marks, f.Closed, f.Final, f.Late, f.Lost
		return found.content.apply(rows{columns: f.Columns, count: f.Rows}, f.Weights, f.Final)
	}
	log, err := openChangelog(v.set.options.FS, r.changelogDir(), definition.Schema, found.Next, apply)
	if err != nil {
		return err
	}
	if s.live, err = found.content.live.publish(); err != nil {
		return errors.Join(err, log.close())
	}
	c := found.content
	s.liveRows, s.final, s.next, s.sealed, s.frame = c.live.alive, slices.Clone(c.final), c.next, c.sealed, log.next()
	if err := errors.Join(ctx.Err(), log.close()); err != nil {
		return err
	}
	v.setSnapshot(log, s)
	v.setRestored(found.Marks)
	return nil
}

// newestRows are the rows of the newest checkpoint that can be read, without its machine.
func (r *runtime) newestRows() (*restored, error) {
	finality, time := continuous.FinalNever, -1
	switch d := r.definition; {
	case d.AppendOnly:
		finality = continuous.FinalAtOnce
	case d.Schema.TimeColumn != 0:
		finality, time = continuous.FinalByTime, int(d.Schema.TimeColumn)-1
	case r.set.sealed(d) > 0:
		return nil, event.Errorf(event.CodeNotSupported, "the definition does not say by which column rows became final")
	}
	return r.newest(nil, func() *content {
		return &content{definition: r.definition, finality: finality, live: newLiveRows(r.set.seed, time)}
	})
}

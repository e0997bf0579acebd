package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// faultRun is a bit of everything on a disk that fails: what was told to the client, and what may be.
type faultRun struct {
	t     *testing.T
	where fmt.Stringer
	// stored are rows that were acknowledged; sent are all.
	stored, sent map[string]bool
	// quarantined is set if it is no failure when rows are told to be lost.
	quarantined bool
}

// TestEveryFailureOfTheDisk fails one operation on the disk after the other, each once and from then on for good, while events are stored,
// sealed, merged and put into views, and while the server starts anew. No query that is answered is answered wrongly meanwhile, and when the
// disk works again a start has every row that was acknowledged, no other, and the views that belong to them; also if the power is cut.
//
// There is one exception, if every read gives a wrong bit: what a start could not read is quarantined, and queries say so from then on.
func TestEveryFailureOfTheDisk(t *testing.T) {
	t.Parallel()
	every, seed := 61, uint64(5)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		every, seed = 1, uint64(time.Now().UnixNano())
	}
	for _, fault := range vfs.Faults {
		for _, sticky := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sticky %t", fault, sticky), func(t *testing.T) {
				t.Parallel()
				t.Logf("seed %d", seed)
				runs := 0
				for at := 1; failFrom(t, vfs.NewScript(fault, at, sticky, seed), at, fault == vfs.FaultFlip && sticky); at += every {
					runs++
				}
				require.Positive(t, runs)
				t.Logf("%d runs", runs)
			})
		}
	}
}

// failFrom is one run. It reports whether the script came to its operation.
func failFrom(t *testing.T, script *vfs.Script, at int, quarantined bool) bool {
	mem := vfs.NewMem()
	run := &faultRun{t: t, where: script, stored: map[string]bool{}, sent: map[string]bool{}, quarantined: quarantined}
	fs := vfs.NewFaultyAll(mem, script.Inject)
	for life := range 2 {
		if d := tryOnDisk(t, fs); d != nil {
			run.live(d, rand.New(rand.NewPCG(7, uint64(life))), life)
		}
	}
	script.End()
	cut := mem.Crash()
	for left, fs := range map[string]*vfs.Mem{"a new start": mem, "a power cut": cut} {
		a := diskApp(&lockedBuffer{})
		require.NoError(t, a.open(fs), "%s, after %s", left, script)
		d := &disk{App: a, t: t}
		run.check(d, true)
		require.NoError(t, d.closeStore(), "%s, after %s", left, script)
	}
	return script.Count() >= at
}

// live stores, seals, merges and asks. What fails is tried no second time, as a client would that has other things to do.
func (r *faultRun) live(d *disk, rnd *rand.Rand, life int) {
	defer func() { _ = d.closeStore() }()
	if life == 0 {
		_ = d.makeViews()
	}
	for step := range 6 {
		r.insert(d, rnd, life, step)
		if step%2 == 1 {
			if stream, err := d.ingest.Stream("trades"); err == nil {
				_, _ = stream.Seal(r.t.Context())
			}
			d.compact.Look(r.t.Context())
		}
		r.check(d, false)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	_ = d.views.Await(ctx, []string{"by_minute", "closed", "filtered", "cascade"})
}

// insert sends rows of one symbol, which is their name.
func (r *faultRun) insert(d *disk, rnd *rand.Rand, life, step int) {
	var rows []string
	names := map[string]bool{}
	for i := range 1 + rnd.IntN(4) {
		name := fmt.Sprintf("%d-%d-%d", life, step, i)
		names[name], r.sent[name] = true, true
		rows = append(rows, fmt.Sprintf("('2026-01-01T00:%02d:%02dZ','%s',%d)", 3*life+step/2, rnd.IntN(60), name, rnd.IntN(100)))
	}
	if _, err := d.run("INSERT INTO trades (ts, sym, qty) VALUES "+strings.Join(rows, ","), false); err == nil {
		for name := range names {
			r.stored[name] = true
		}
	}
}

// check asks for all rows: none that was acknowledged is missing, and none is there that was not sent, or twice. healthy is when the disk
// works: then views are to be right, too.
func (r *faultRun) check(d *disk, healthy bool) {
	r.t.Helper()
	_, known := d.catalog.Stream("trades")
	if !known && healthy {
		require.Empty(r.t, r.stored, r.where)
		return
	}
	answer, err := d.run("SELECT sym FROM trades", false)
	if err != nil {
		var fault *event.Error
		told := r.quarantined && errors.As(err, &fault) && fault.Code == event.CodeCorrupt
		require.True(r.t, !healthy || told, "%s: %v", r.where, err)
		require.NotContains(r.t, err.Error(), "runtime error", r.where) // a panic that was caught
		return
	}
	found := map[string]bool{}
	for line := range strings.Lines(answer) {
		name := strings.Trim(strings.TrimSpace(line), `[]"\`)
		require.False(r.t, found[name], "%s: %s is there twice", r.where, name)
		require.True(r.t, r.sent[name], "%s: %s was never sent", r.where, name)
		found[name] = true
	}
	for name := range r.stored {
		require.True(r.t, found[name], "%s: %s was acknowledged", r.where, name)
	}
	if healthy {
		d.check(r.where.String())
	}
}

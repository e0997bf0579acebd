package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/views"
)

var (
	// errScript says that a script makes no sense, as one may that was cut down.
	errScript = errors.New("the script makes no sense")
	// errPower is what every operation on a disk without power gives.
	errPower = errors.New("the power is cut")
)

// simWorld runs a script: a server on a disk in memory, in virtual time, with clients and subscribers.
type simWorld struct {
	ctx      context.Context //nolint:containedctx // that of the test, for all its calls
	disk     *simDisk
	server   *App
	log      *lockedBuffer
	limits   views.Limits
	streams  []simulatedStream
	views    []*simulatedView
	alters   []simStep // of streams
	follower map[string]*simFollower
	// acked are the rows, by stream and number, that the server has acknowledged.
	acked map[string]map[int64]bool
	// answers are those of the last check, by view.
	answers map[string][]string
	// frozen is what the views held when all events expired, and at which watermarks; nil before.
	frozen *simFrozen
	// replaced counts the views that took the place of others.
	replaced int
	seen     simSeen
}

// simSeen counts what simulations have shown, so that a test can tell that they show something.
type simSeen struct {
	crashes, resumed, checks int
	// views counts comparisons of a view with its query, filled those of a view with rows, late those of one that had left some out.
	views, filled, late, rows int
	// deliveries are what subscribers were told.
	deliveries int
	// skipped counts the events that views left out, paused how often one had too little memory.
	skipped, paused int
	// expired counts segments that retention dropped, outlived the views that were held to what they had before.
	expired, outlived int
	// features counts scripts by what they have.
	features map[string]int
	// partitions counts rows that were compared with those over other partitions.
	partitions int
}

func (s *simSeen) add(o simSeen) {
	s.crashes, s.resumed, s.checks = s.crashes+o.crashes, s.resumed+o.resumed, s.checks+o.checks
	s.views, s.filled, s.late, s.rows = s.views+o.views, s.filled+o.filled, s.late+o.late, s.rows+o.rows
	s.deliveries, s.partitions = s.deliveries+o.deliveries, s.partitions+o.partitions
	s.skipped, s.paused = s.skipped+o.skipped, s.paused+o.paused
	s.expired, s.outlived = s.expired+o.expired, s.outlived+o.outlived
	for feature, count := range o.features {
		s.features[feature] += count
	}
}

type simulatedStream struct{ name, create string }

// simulatedView is a view and what it must hold.
type simulatedView struct {
	name, create, equals, late string
	never                      []string
	// skips says that it may stop at an event, and goes on without that.
	skips bool
	// begun is which rows came behind those that were there when the view was made.
	begun string
	// redo says that a crash kept the view from being replaced, perhaps.
	redo bool
}

// simDisk cuts the power, or kills the process, after some operations.
type simDisk struct {
	mu    sync.Mutex
	mem   *vfs.Mem
	fs    *vfs.Faulty // what the server sees of mem
	share string
	// left counts down to the crash; below 0 none is due. dead tells that it has come.
	left int
	dead bool
	// after is the disk as the next start finds it.
	after *vfs.Mem
	count int
}

func (d *simDisk) inject(vfs.Op, string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return errPower
	}
	d.count++
	if d.left < 0 {
		return nil
	}
	if d.left--; d.left >= 0 {
		return nil
	}
	d.fs.End(errPower, d.die)
	return errPower
}

// die takes what is left of the disk. No operation is under way, and none comes after: what was told to be durable is.
func (d *simDisk) die() {
	d.dead, d.after = true, d.mem
	switch kind, seed, _ := strings.Cut(d.share, ":"); kind {
	case "none":
		d.after = d.mem.Crash()
	case "some":
		n, _ := strconv.ParseUint(seed, 10, 64) // checked when it was set
		d.after = d.mem.CrashTorn(rand.New(rand.NewPCG(n, 4)))
	}
}

func (d *simDisk) hasDied() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// runScript runs a script in a world of its own, and in virtual time. It reports what went against the promises.
func runScript(t *testing.T, steps []simStep) (w *simWorld, failure error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = &simWorld{
			ctx: t.Context(), disk: &simDisk{mem: vfs.NewMem(), left: -1}, follower: map[string]*simFollower{},
			acked: map[string]map[int64]bool{}, answers: map[string][]string{},
		}
		failure = w.run(steps)
	})
	return w, failure
}

func (w *simWorld) run(steps []simStep) (err error) {
	defer func() {
		if closing := w.close(); err == nil && closing != nil && !w.disk.hasDied() {
			err = fmt.Errorf("close: %w", closing)
		}
	}()
	for i, step := range append(steps, simStep{"check", "-", ""}) {
		if err := w.step(step); err != nil {
			return fmt.Errorf("line %d, %s %s: %w", i+1, step.verb, step.name, err)
		}
		if w.disk.hasDied() {
			if err := w.reopen(); err != nil {
				return fmt.Errorf("line %d, start after the crash: %w", i+1, err)
			}
		}
	}
	return nil
}

// close stops the server and lets go of the subscriptions.
func (w *simWorld) close() error {
	for _, f := range w.follower {
		f.close()
	}
	if w.server == nil {
		return nil
	}
	server := w.server
	w.server = nil
	return server.closeStore()
}

// open starts a server on what is on the disk.
func (w *simWorld) open() error {
	w.log = &lockedBuffer{}
	a := diskApp(w.log)
	a.viewLimits = w.limits
	w.server = a
	w.disk.fs = vfs.NewFaulty(w.disk.mem, w.disk.inject)
	return a.open(w.disk.fs)
}

// reopen starts again, after a crash or in good order, until that is done without another crash, and takes up what was going on.
func (w *simWorld) reopen() error {
	for {
		if err := w.close(); err != nil && !w.disk.hasDied() {
			return fmt.Errorf("close: %w", err)
		}
		if w.disk.hasDied() {
			w.disk.mem, w.disk.dead, w.disk.left = w.disk.after, false, -1
			w.seen.crashes++
		}
		err := w.open()
		if err == nil {
			err = w.resumeAll()
		}
		if !w.disk.hasDied() {
			return err
		}
	}
}

// resumeAll makes the streams and views that a crash kept from being made, and goes on with the subscriptions.
func (w *simWorld) resumeAll() error {
	for _, s := range w.streams {
		if _, ok := w.server.catalog.Stream(s.name); !ok && len(w.acked[s.name]) == 0 {
			if _, err := w.query(s.create); err != nil {
				return fmt.Errorf("%s: %w", s.create, err)
			}
		}
		if w.frozen != nil {
			continue
		}
		if err := w.keepsAcknowledged(s.name); err != nil {
			return err
		}
	}
	for _, s := range w.alters {
		if _, err := w.query(s.text); err != nil {
			return fmt.Errorf("%s: %w", s.text, err)
		}
	}
	for _, v := range w.views {
		if _, ok := w.server.views.View(v.name); ok && !v.redo {
			continue
		}
		if err := w.made(v); err != nil {
			return fmt.Errorf("%s: %w", v.create, err)
		}
		v.redo = false
	}
	for _, name := range slices.Sorted(maps.Keys(w.follower)) {
		if err := w.follower[name].resume(w); err != nil {
			return fmt.Errorf("subscriber %s: %w", name, err)
		}
	}
	return nil
}

// keepsAcknowledged makes sure that a stream has the rows that were acknowledged.
func (w *simWorld) keepsAcknowledged(stream string) error {
	lines, err := w.query("SELECT DISTINCT id FROM " + stream)
	if err != nil {
		return err
	}
	for id := range w.acked[stream] {
		if !slices.Contains(lines, "|"+strconv.FormatInt(id, 10)) {
			return fmt.Errorf("stream %s has lost row %d, which was acknowledged", stream, id)
		}
	}
	return nil
}

// query runs SQL, waiting for views, and gives the rows of its last statement as sorted lines.
func (w *simWorld) query(sql string) ([]string, error) {
	rows, err := (&runner{app: w.server}).Run(w.ctx, api.Request{SQL: sql, Wait: true})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	lines := []string{}
	for {
		batch, err := rows.Next()
		if errors.Is(err, io.EOF) {
			sort.Strings(lines)
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range batch.Rows {
			lines = append(lines, printRow(batch.Columns, i))
		}
	}
}

// step carries out one line. An error of a server without power is none.
func (w *simWorld) step(s simStep) error {
	if w.server == nil && s.verb != "sealrows" && s.verb != "frames" {
		if err := w.open(); err != nil {
			return err
		}
	}
	err := w.do(s)
	if w.disk.hasDied() && !errors.Is(err, errScript) {
		return nil
	}
	return err
}

func (w *simWorld) do(s simStep) error {
	switch s.verb {
	case "sealrows":
		return number(s.name, func(n int) { w.limits.SealRows = int64(n) })
	case "frames":
		return number(s.name, func(n int) { w.limits.CheckpointFrames = n })
	case "stream":
		w.streams = append(w.streams, simulatedStream{s.name, s.text})
		w.acked[s.name] = map[int64]bool{}
		_, err := w.query(s.text)
		return err
	case "view", "stopping":
		return w.createView(s)
	case "alter":
		return w.alter(s)
	case "equals", "late", "never":
		return w.demand(s)
	case "follow", "answers", "read", "resume":
		return w.follow(s)
	case "insert":
		return w.insert(s)
	case "events":
		return w.events(s)
	case "expire":
		return w.expire(s)
	case "crash":
		return number(s.name, func(n int) {
			w.disk.mu.Lock()
			defer w.disk.mu.Unlock()
			w.disk.left, w.disk.share = n, s.text
		})
	case "check":
		return w.check()
	default:
		return w.maintain(s)
	}
}

func number(text string, use func(int)) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	use(n)
	return nil
}

// maintain does what a server does by itself.
func (w *simWorld) maintain(s simStep) error {
	switch s.verb {
	case "wait":
		d, err := time.ParseDuration(s.name)
		if err != nil {
			return fmt.Errorf("%w: %w", errScript, err)
		}
		sleep(d)
		return nil
	case "seal":
		stream, err := w.server.ingest.Stream(s.name)
		if err != nil {
			return fmt.Errorf("%w: %w", errScript, err)
		}
		_, err = stream.Seal(w.ctx)
		return err
	case "compact":
		w.server.compact.Wake()
		return nil
	case "restart":
		return w.reopen()
	default:
		return fmt.Errorf("%w: there is no verb %q", errScript, s.verb)
	}
}

// createView makes a view or replaces it. What it must hold comes in lines of its own.
func (w *simWorld) createView(s simStep) error {
	at := slices.IndexFunc(w.views, func(v *simulatedView) bool { return v.name == s.name })
	if at < 0 {
		at = len(w.views)
		w.views = append(w.views, &simulatedView{name: s.name})
	}
	*w.views[at] = simulatedView{name: s.name, create: s.text, skips: s.verb == "stopping"}
	replaces := strings.HasPrefix(s.text, "CREATE OR REPLACE")
	if replaces {
		w.replaced++
	}
	err := w.made(w.views[at])
	w.views[at].redo = replaces && err != nil
	return cutOut(err)
}

// made runs the statement that makes a view, and helps it until it can be read.
func (w *simWorld) made(v *simulatedView) error {
	w.begins(v)
	_, err := w.query(v.create)
	for err != nil && !w.disk.hasDied() {
		helped, failed := w.unblock()
		if failed != nil || !helped {
			return errors.Join(err, failed)
		}
		_, err = w.query("SELECT * FROM " + v.name)
	}
	return err
}

// alter changes a stream or a view. A stream must be changed when the script goes on: later rows have its columns.
func (w *simWorld) alter(s simStep) error {
	if strings.HasPrefix(s.text, "ALTER STREAM") {
		w.alters = append(w.alters, s)
	}
	_, err := w.query(s.text)
	return cutOut(err)
}

// cutOut says of an error that a stream or view is missing that the script is to blame: the line that makes it was left out.
func cutOut(err error) error {
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	return err
}

func (w *simWorld) demand(s simStep) error {
	at := slices.IndexFunc(w.views, func(v *simulatedView) bool { return v.name == s.name })
	if at < 0 {
		return fmt.Errorf("%w: there is no view %s", errScript, s.name)
	}
	switch v := w.views[at]; s.verb {
	case "late":
		v.late = s.text
	case "never":
		v.never = append(v.never, s.text)
	default:
		v.equals, v.never = s.text, nil
	}
	return nil
}

// rowNumber finds the numbers of the rows that an INSERT has.
var rowNumber = regexp.MustCompile(`\((\d+),`)

func (w *simWorld) insert(s simStep) error {
	if w.acked[s.name] == nil {
		return fmt.Errorf("%w: there is no stream %s", errScript, s.name)
	}
	if _, err := w.query(s.text); err != nil {
		return err
	}
	if w.disk.hasDied() {
		return nil // as the one write went on, another may have been the end of the power: whether the answer still left nobody knows
	}
	for _, found := range rowNumber.FindAllStringSubmatch(s.text, -1) {
		id, err := strconv.ParseInt(found[1], 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %w", errScript, err)
		}
		w.acked[s.name][id] = true
	}
	return nil
}

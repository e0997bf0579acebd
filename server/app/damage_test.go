package app

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/server/doctor"
)

// damageable is a data directory with a file of every kind, closed in order, and what queries answer from it.
type damageable struct {
	files   map[string][]byte
	listed  map[string]*manifest.Segment // those that count, by file
	queries []string
	answers map[string]string
}

func makeDamageable(t *testing.T) *damageable {
	t.Helper()
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	require.NoError(t, d.makeViews())
	d.must("CREATE STREAM keyed (id TEXT, at TIMESTAMPTZ NOT NULL, WATERMARK FOR at AS at) DEDUP KEY (id) WITHIN INTERVAL '1 day'")
	rnd := rand.New(rand.NewPCG(1, 1))
	for step := range 30 {
		require.NoError(t, d.insert(rnd, step))
		d.must(fmt.Sprintf("INSERT INTO keyed VALUES ('k%d', '2026-01-01T00:00:%02dZ')", step%9, step))
		if step%8 == 7 {
			d.seal("trades")
			d.seal("keyed")
		}
	}
	for name := range watched {
		d.must("SELECT count(*) FROM " + name)
	}
	out := &damageable{files: map[string][]byte{}, answers: map[string]string{}, listed: map[string]*manifest.Segment{}}
	out.queries = []string{
		"SELECT * FROM trades", "SELECT sym, count(*), sum(qty), min(ts) FROM trades GROUP BY sym", "SELECT count(*) FROM trades WHERE qty = 7",
		"SELECT * FROM keyed",
	}
	for name := range maps.Keys(watched) {
		out.queries = append(out.queries, "SELECT * FROM "+name)
	}
	slices.Sort(out.queries)
	for _, sql := range out.queries {
		out.answers[sql] = d.must(sql)
	}
	require.NoError(t, d.closeStore())
	for _, segment := range d.liveSegments() {
		out.listed[segment.File] = segment
	}
	readTree(t, mem, ".", out.files)
	return out
}

// readTree reads all files below a directory.
func readTree(t *testing.T, files vfs.FS, dir string, into map[string][]byte) {
	t.Helper()
	names, err := files.ReadDir(dir)
	require.NoError(t, err)
	for _, name := range names {
		name = path.Join(dir, name)
		info, err := files.Stat(name)
		require.NoError(t, err)
		if info.IsDir() {
			readTree(t, files, name, into)
			continue
		}
		into[name] = make([]byte, info.Size())
		file, err := files.Open(name)
		require.NoError(t, err)
		if info.Size() > 0 {
			_, err = file.ReadAt(into[name], 0)
			require.NoError(t, err)
		}
		require.NoError(t, file.Close())
	}
}

// disk makes a disk with one file in another state.
func (w *damageable) disk(t *testing.T, name string, content []byte) *vfs.Mem {
	t.Helper()
	mem := vfs.NewMem()
	for file, body := range w.files {
		if file == name {
			body = content
		}
		require.NoError(t, mem.MkdirAll(path.Dir(file)))
		f, err := mem.Create(file)
		require.NoError(t, err)
		_, err = f.Write(body)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	return mem
}

// harm is one way to damage a file. It gives nil where it would change nothing.
type harm struct {
	name string
	at   int // the first byte that may be another; then that is
	make func(good []byte) []byte
}

const blockOfDisk = 512

// harms lists the ways to damage a file of a size: bits that flip, ends that are gone, blocks of a disk that are zero or in each other's place. Of
// each kind there are as many as asked for, or all.
func harms(size, most int, rnd *rand.Rand) (out []harm) {
	places := func(n int) []int {
		at := rnd.Perm(n)
		return at[:min(n, most)]
	}
	for _, at := range places(size) {
		bit := byte(1) << rnd.IntN(8)
		out = append(out, harm{"bit flipped", at, func(good []byte) []byte { good[at] ^= bit; return good }})
	}
	for _, at := range places(size) {
		out = append(out, harm{"cut", at, func(good []byte) []byte { return good[:at] }})
	}
	blocks := (size + blockOfDisk - 1) / blockOfDisk
	for _, n := range places(blocks) {
		out = append(out, harm{"zeroed block", n * blockOfDisk, func(good []byte) []byte {
			clear(good[n*blockOfDisk : min(size, (n+1)*blockOfDisk)])
			return good
		}})
	}
	for _, n := range places(max(0, size/blockOfDisk-1)) {
		out = append(out, harm{"swapped blocks", n * blockOfDisk, func(good []byte) []byte {
			a, b := good[n*blockOfDisk:(n+1)*blockOfDisk], good[(n+1)*blockOfDisk:(n+2)*blockOfDisk]
			kept := slices.Clone(a)
			copy(a, b)
			copy(b, kept)
			return good
		}})
	}
	return out
}

// TestNoDamageAnswersWrongly damages every file of a data directory in every way and opens a server over it: it refuses to start and points at
// doctor, or answers each query rightly or not at all; nothing is removed, and doctor names the file and the place.
//
// TIDEMARK_STRESS damages every byte. Each harm is read by what doctor and servers read such a file with, and must be found at its place. Where that
// finds the same of two harms, one data directory is for both: of the first, and of some of the others, which must not turn out otherwise. One
// that it does not find has a data directory to itself. TIDEMARK_SLICE=3/100 takes the fourth of a hundred parts of the others: they are dealt out in
// turns.
func TestNoDamageAnswersWrongly(t *testing.T) {
	t.Parallel()
	most, seed := 1, uint64(time.Now().UnixNano())
	turn, of := 0, 1
	if os.Getenv("TIDEMARK_STRESS") != "" {
		most, of = 1<<20, 50
		turn = int(seed % 50)
		if text := os.Getenv("TIDEMARK_SLICE"); text != "" {
			_, err := fmt.Sscanf(text, "%d/%d", &turn, &of)
			require.NoError(t, err)
			require.True(t, turn >= 0 && turn < of, text)
			seed = 1 // the parts are of one whole
		}
	}
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := makeDamageable(t)
	kinds, known := map[string]int{}, map[string]bool{}
	all, opened := 0, 0
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if name == "LOCK" {
			continue
		}
		kinds[strings.Split(name, "/")[0]+path.Ext(name)]++
		reader := w.readerOf(t, name)
		for _, h := range harms(len(w.files[name]), most, rnd) {
			bad := h.make(slices.Clone(w.files[name]))
			if slices.Equal(bad, w.files[name]) {
				continue
			}
			h.at = firstChange(w.files[name], bad)
			found := reader.read(h, bad)
			if all++; found == "" || !known[found] || all%of == turn {
				known[found] = true
				opened++
				c := w.harmed(t, name, bad, h)
				c.askDoctor()
				c.askServer()
			}
		}
	}
	require.Len(t, kinds, 6, "%v", kinds)
	t.Logf("%d harms, of which %d are told apart; %d data directories", all, len(known), opened)
}

// firstChange is the first byte that is another, or is not there any more.
func firstChange(good, bad []byte) int {
	for i := range bad {
		if bad[i] != good[i] {
			return i
		}
	}
	return len(bad)
}

// harmed is a data directory with one harm.
type harmed struct {
	*damageable
	t    *testing.T
	mem  *vfs.Mem
	name string
	bad  []byte
	harm
	where string
}

func (w *damageable) harmed(t *testing.T, name string, bad []byte, h harm) *harmed {
	t.Helper()
	where := fmt.Sprintf("%s, %s at %d of %d", name, h.name, h.at, len(w.files[name]))
	return &harmed{w, t, w.disk(t, name, bad), name, bad, h, where}
}

// askDoctor makes sure that doctor tells of the harm.
func (c *harmed) askDoctor() {
	c.t.Helper()
	report, err := doctor.Verify(c.t.Context(), c.mem)
	require.NoError(c.t, err, c.where)
	if !c.seenByDoctor(report, c.name, c.harm, c.bad) {
		c.t.Errorf("%s: doctor does not tell: %v", c.where, report.Findings)
	}
}

// askServer opens a server and asks it everything.
func (c *harmed) askServer() {
	c.t.Helper()
	log := &lockedBuffer{}
	a := diskApp(log)
	if err := a.open(c.mem); err != nil {
		requireDamageTold(c.t, err, c.where)
		require.NoError(c.t, a.closeStore())
	} else {
		c.query(c.t, &disk{App: a, t: c.t, log: log}, c.where)
		require.NoError(c.t, a.closeStore(), c.where)
	}
	c.requireKept(c.t, c.mem, c.name, c.bad, c.where)
}

// query asks everything. An answer is the right one, or says that it cannot be given.
func (w *damageable) query(t *testing.T, d *disk, where string) {
	t.Helper()
	for _, sql := range w.queries {
		got, err := d.run(sql, true)
		if err != nil {
			requireDamageTold(t, err, where+": "+sql)
		} else if got != w.answers[sql] {
			t.Errorf("%s: %s: a wrong answer:\n%s\nwhere right is\n%s", where, sql, got, w.answers[sql])
		}
	}
}

func requireDamageTold(t *testing.T, err error, where string) {
	t.Helper()
	var fault *event.Error
	if !errors.As(err, &fault) || fault.Code != event.CodeCorrupt {
		t.Errorf("%s: not an error that tells of damage: %v", where, err)
	}
}

// seenByDoctor reports whether a finding names the file, and where it names a place, one that is not behind the damage.
func (w *damageable) seenByDoctor(report *doctor.Report, name string, h harm, bad []byte) bool {
	return slices.ContainsFunc(report.Findings, func(f doctor.Finding) bool {
		if w.isEmpty(name) {
			return f.File == name // it was begun and never used: that is all there is to say
		}
		return f.Kind == doctor.Damage && f.File == name && (f.To == 0 || f.From <= int64(h.at) && (f.To > int64(h.at) || len(bad) < len(w.files[name])))
	})
}

// isEmpty reports whether a file has a header and nothing else.
func (w *damageable) isEmpty(name string) bool { return len(w.files[name]) <= 20 }

// requireKept makes sure that the damaged bytes are still there, for whoever wants to look at them. A file without content is made anew, and
// a checkpoint, which is made of what other files have, goes when there are two newer ones.
func (w *damageable) requireKept(t *testing.T, mem *vfs.Mem, name string, bad []byte, where string) {
	t.Helper()
	if w.isEmpty(name) || path.Ext(name) == ".state" {
		return
	}
	left := map[string][]byte{}
	readTree(t, mem, ".", left)
	for _, body := range left {
		if slices.Equal(body, bad) {
			return
		}
	}
	t.Errorf("%s: the damaged file is gone", where)
}

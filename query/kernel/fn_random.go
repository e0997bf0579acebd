package kernel

import (
	"crypto/rand"
	"math"
	numbers "math/rand/v2"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// Random is where the numbers of one query come from. The zero value gives others each time, until it is seeded. It may be used from
// any goroutine.
type Random struct {
	mu     sync.Mutex
	seeded *numbers.Rand
}

// seed makes the numbers that follow depend on the value alone.
func (r *Random) seed(value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seeded = numbers.New(numbers.NewPCG(math.Float64bits(value), 0)) //nolint:gosec // random() is no secret, and can be repeated
}

// fill sets all of out to numbers from 0 up to 1, without 1.
func (r *Random) fill(out []float64) {
	next := numbers.Float64
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.seeded != nil {
			next = r.seeded.Float64
		}
	}
	for i := range out {
		out[i] = next()
	}
}

func registerRandom(r registry) {
	r.lax("random()", func(ctx *Context, _ []Operand, rows int) (Operand, error) {
		out := make([]float64, rows)
		ctx.Random.fill(out)
		return Operand{Array: event.NewFloat64s(out, nil)}, nil
	})
	r.lax("gen_random_uuid()", randomUUIDs)
	r.lax("setseed(DOUBLE PRECISION)", setSeed)
}

// randomUUIDs are of version 4 as RFC 9562 has it: random but for the bits that say so.
func randomUUIDs(_ *Context, _ []Operand, rows int) (Operand, error) {
	out := make([]decimal128.Num, rows)
	for i := range out {
		var v [16]byte
		_, _ = rand.Read(v[:]) // it never fails
		v[6], v[8] = v[6]&0x0f|0x40, v[8]&0x3f|0x80
		out[i] = event.UUIDWord(v)
	}
	return Operand{Array: event.NewUUIDs(out, nil)}, nil
}

// setSeed seeds the query's numbers with the last value of a batch.
func setSeed(ctx *Context, args []Operand, rows int) (Operand, error) {
	seeds := args[0].Expand(rows).(*array.Float64)
	for i := range rows {
		if seeds.IsNull(i) {
			continue
		}
		v := seeds.Value(i)
		if !(v >= -1 && v <= 1) {
			return Operand{}, event.Errorf(event.CodeInvalidValue, "setseed(%v): the seed lies between -1 and 1", v)
		}
		if ctx.Random != nil {
			ctx.Random.seed(v)
		}
	}
	return Operand{Array: event.NewNulls(event.Type{Kind: event.Text}, rows)}, nil
}

package decode

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Block is memory for a piece of a body. Rows and lines point into it, so it is used again only once all who hold it have let go of it. They need not: then
// it is collected.
type Block struct {
	memory []byte
	holds  atomic.Int32
}

// Blocks of these sizes and the powers of two between them are used again.
const (
	leastBlock = 2 << 10
	mostBlock  = 1 << 20
)

var freeBlocks [10]sync.Pool // of *Block, the least first

// NewBlock gives a block of so many bytes, which its caller holds.
func NewBlock(size int) *Block {
	var b *Block
	if pool := poolOf(size); pool != nil {
		b, _ = pool.Get().(*Block)
	}
	if b == nil {
		b = &Block{memory: make([]byte, size)}
	}
	b.holds.Store(1)
	return b
}

// poolOf is where blocks of a size wait to be used again; nil if those are not.
func poolOf(size int) *sync.Pool {
	if size < leastBlock || size > mostBlock || size&(size-1) != 0 {
		return nil
	}
	return &freeBlocks[bits.Len(uint(size))-bits.Len(leastBlock)]
}

// BlockBytes is what blocks take.
func BlockBytes(blocks []*Block) (bytes int64) {
	for _, b := range blocks {
		bytes += int64(len(b.memory))
	}
	return bytes
}

// Room is the block's memory as a slice without a byte yet.
func (b *Block) Room() []byte { return b.memory[:0] }

// Hold keeps the block for one Release more.
func (b *Block) Hold() { b.holds.Add(1) }

// Release lets go of the block. Who calls it refers to no byte of it any more.
func (b *Block) Release() {
	if b.holds.Add(-1) > 0 {
		return
	}
	if pool := poolOf(len(b.memory)); pool != nil {
		pool.Put(b)
	}
}

// Keep holds blocks, and gives what lets go of them again, which counts once only.
func Keep(blocks []*Block) (free func()) {
	for _, b := range blocks {
		b.Hold()
	}
	return func() {
		for _, b := range blocks {
			b.Release()
		}
		blocks = nil
	}
}

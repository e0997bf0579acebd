package api

import (
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/tidemarkdb/tidemark/event"
)

// The sizes of what a zstd frame is made of, and the kinds of its blocks that say more than their size: RFC 8878, 3.1.1.
const (
	zstdBlockHead = 3
	zstdChecksum  = 4
	zstdRLE       = 1
	zstdReserved  = 3
)

// zstdFrames passes a zstd body on, and asks for the memory that decompressing it needs before each frame that needs more than those before it: a body may be
// any number of frames, of which the first says nothing of the others.
type zstdFrames struct {
	src  io.Reader
	hold func(bytes int64) error
	held int64

	part  zstdPart
	head  []byte // what has come of the head of a frame or block
	skip  int64  // what is still to come of what a head stands before
	after zstdPart
	sums  bool // a checksum ends the present frame
}

// zstdPart is what comes next of a body.
type zstdPart uint8

const (
	frameHead zstdPart = iota
	blockHead
	content // skip bytes, behind which after comes
	nothing // that is zstd: the decoder will say so
)

// Read passes on what has been looked at.
func (f *zstdFrames) Read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		var fault error
		if rest, fault = f.pass(rest); fault != nil {
			return 0, fault
		}
	}
	return n, err
}

// pass looks at a part of the bytes, and gives those behind it.
func (f *zstdFrames) pass(text []byte) ([]byte, error) {
	switch f.part {
	case content:
		n := min(f.skip, int64(len(text)))
		if f.skip -= n; f.skip == 0 {
			f.part = f.after
		}
		return text[n:], nil
	case frameHead:
		f.head = append(f.head, text[0])
		return text[1:], f.frame()
	case blockHead:
		if f.head = append(f.head, text[0]); len(f.head) == zstdBlockHead {
			f.block(uint32(f.head[0]) | uint32(f.head[1])<<8 | uint32(f.head[2])<<16)
			f.head = f.head[:0]
		}
		return text[1:], nil
	default:
		return nil, nil
	}
}

// frame takes the head of a frame, once it is there.
func (f *zstdFrames) frame() error {
	var head zstd.Header
	fault := head.Decode(f.head)
	switch {
	case errors.Is(fault, io.ErrUnexpectedEOF):
		return nil
	case fault != nil:
		f.part = nothing
	case head.Skippable:
		f.then(int64(head.SkippableSize), frameHead)
	default:
		if err := f.need(zstdNeeds(head)); err != nil {
			return err
		}
		f.part, f.sums = blockHead, head.HasCheckSum
	}
	f.head = f.head[:0]
	return nil
}

// block takes the head of a block.
func (f *zstdFrames) block(head uint32) {
	last, kind, size := head&1 != 0, head>>1&3, int64(head>>3)
	if kind == zstdRLE { // the size is that of the byte that is repeated
		size = 1
	}
	switch {
	case kind == zstdReserved:
		f.part = nothing
	case !last:
		f.then(size, blockHead)
	case f.sums:
		f.then(size+zstdChecksum, frameHead)
	default:
		f.then(size, frameHead)
	}
}

// then passes over bytes before the next part.
func (f *zstdFrames) then(size int64, next zstdPart) {
	f.part, f.skip, f.after = content, size, next
	if size == 0 {
		f.part = next
	}
}

// need asks for what is more than was asked for.
func (f *zstdFrames) need(bytes int64) error {
	if bytes <= f.held {
		return nil
	}
	if err := f.hold(bytes - f.held); err != nil {
		return err
	}
	f.held = bytes
	return nil
}

// zstdNeeds is the memory that a frame needs. One that is a single segment has a window of its size.
func zstdNeeds(head zstd.Header) int64 {
	window := max(head.WindowSize, zstd.MinWindowSize)
	if head.SingleSegment {
		window = max(head.FrameContentSize, zstd.MinWindowSize)
	} else if head.HasFCS {
		window = min(window, head.FrameContentSize)
	}
	size := int64(min(window, zstdWindow))
	return size + min(size, zstdAhead) + zstdBytes
}

// zstdBody is a decompressed body that says so where it is none.
type zstdBody struct {
	src   io.Reader
	begun bool
}

// Read decompresses.
func (b *zstdBody) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	if !b.begun && errors.Is(err, zstd.ErrMagicMismatch) {
		return n, event.Errorf(event.CodeBadRequest, "the body is not zstd: it does not begin as that does").WithHint(encodingHint)
	}
	b.begun = b.begun || n > 0
	return n, err
}

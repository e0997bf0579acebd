package api

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// frame is text as a zstd frame with a window; 0 makes it a single segment.
func frame(t require.TestingT, text []byte, window int, sum bool) []byte {
	options := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(sum), zstd.WithSingleSegment(window == 0)}
	if window > 0 {
		options = append(options, zstd.WithWindowSize(window))
	}
	if window == 0 {
		z, err := zstd.NewWriter(nil, options...)
		require.NoError(t, err)
		return z.EncodeAll(text, nil)
	}
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, options...)
	require.NoError(t, err)
	_, err = z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Flush()) // else the frame is as small as its text
	require.NoError(t, z.Close())
	return out.Bytes()
}

// skipped is a frame that decoders pass over.
func skipped(bytes int) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("\x53\x2a\x4d\x18"), uint32(bytes)), make([]byte, bytes)...)
}

// TestEveryFrameIsCharged holds that each frame of a body is charged where it needs more than those before it, in whichever pieces the body comes.
func TestEveryFrameIsCharged(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("a row of text, and another "), 400_000)
	body := joined(frame(t, text[:10], 1<<10, true), skipped(0), skipped(70_000), frame(t, text, 64<<10, false), frame(t, text[:5], 0, true),
		frame(t, text, 4<<20, true), frame(t, text, 1<<20, true), frame(t, text[:5<<20], 0, false))
	want := []int64{1<<10 + 1<<10 + zstdBytes, 64<<10 + 64<<10 + zstdBytes, 4<<20 + zstdAhead + zstdBytes, 5<<20 + zstdAhead + zstdBytes}
	for _, src := range []io.Reader{bytes.NewReader(body), iotest.OneByteReader(bytes.NewReader(body)), iotest.DataErrReader(bytes.NewReader(body))} {
		var held []int64
		total := int64(0)
		frames := &zstdFrames{src: src, hold: func(bytes int64) error {
			total += bytes
			held = append(held, total)
			return nil
		}}
		z, err := zstd.NewReader(frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, z)
		require.NoError(t, err)
		require.Equal(t, int64(3*len(text)+15+5<<20), n)
		require.Equal(t, want, held)
		z.Close()
	}
}

func TestAFrameThatIsRefused(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("text "), 1<<20)
	body := append(frame(t, text[:5], 1<<10, true), frame(t, text, 8<<20, true)...)
	full := errors.New("no memory")
	frames := &zstdFrames{src: iotest.OneByteReader(bytes.NewReader(body)), hold: func(bytes int64) error {
		if bytes > 1<<20 {
			return full
		}
		return nil
	}}
	z, err := zstd.NewReader(frames, zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	defer z.Close()
	got, err := io.ReadAll(z)
	require.ErrorIs(t, err, full)
	require.Equal(t, text[:5], got)
}

// TestWhatIsNoZstdPasses holds that a body that is damaged comes as it is: the decoder says what is wrong with it.
func TestWhatIsNoZstdPasses(t *testing.T) {
	t.Parallel()
	whole := joined(frame(t, []byte("some text, some text"), 1<<10, true), skipped(3), frame(t, []byte("x"), 0, false))
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Clone(whole)
		for range rapid.IntRange(0, 3).Draw(t, "damages") {
			body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		body = body[:rapid.IntRange(0, len(body)).Draw(t, "length")]
		got, err := io.ReadAll(&zstdFrames{src: iotest.HalfReader(bytes.NewReader(body)), hold: func(int64) error { return nil }})
		require.NoError(t, err)
		require.True(t, bytes.Equal(body, got))
	})
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

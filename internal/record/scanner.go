package record

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// scanBuffer is what a Scanner reads at a time: a few disk readaheads.
const scanBuffer = 256 << 10

// Frame is one frame of a file.
type Frame struct {
	Kind uint8
	// Offset is where the frame begins in the file.
	Offset int64
	// Body is valid until the next call of Next.
	Body []byte
}

// Size is how many bytes of the file the frame takes.
func (f Frame) Size() int64 { return frameHeaderSize + int64(len(f.Body)) }

// ScanOptions say what a Scanner may take for granted.
type ScanOptions struct {
	// Start is where a frame is known to begin, to scan from there on; 0 is the first frame.
	Start int64
	// Limit ends the scan at that size, for a file that is being written; 0 is the size of the file.
	Limit int64
	// Whole says that all of the file is known durable: any damage is corruption, never a torn tail.
	Whole bool
}

// Scanner iterates over the frames of a file.
type Scanner struct {
	file    vfs.File
	name    string
	salt    uint64
	size    int64
	whole   bool
	in      *bufio.Reader
	header  [frameHeaderSize]byte
	body    []byte
	offset  int64 // of the next frame
	durable int64 // the highest claim seen
	closed  bool
	done    error
}

// NewScanner reads the file header. It fails with ErrTorn where the file was being created when a crash came, and with a
// corruption error where it is damaged otherwise. name is for errors.
func NewScanner(file vfs.File, name string, content Content, options ScanOptions) (*Scanner, error) {
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if options.Limit > 0 {
		size = min(size, options.Limit)
	}
	in := bufio.NewReaderSize(io.NewSectionReader(file, 0, size), int(min(size+1, scanBuffer)))
	raw := make([]byte, min(size, fileHeaderSize))
	if _, err := io.ReadFull(in, raw); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	header, ok := parseFileHeader(raw)
	switch {
	case !ok && size <= fileHeaderSize && !options.Whole:
		return nil, ErrTorn // frames are only written after the header is durable, so there were none
	case !ok:
		return nil, Corrupt(name, 0, "not a file header of Tidemark")
	case header.version > formatVersion:
		return nil, event.Errorf(event.CodeNotSupported, "%s has format version %d and this program knows up to %d",
			name, header.version, formatVersion)
	case header.version == 0 || header.content != content:
		return nil, Corrupt(name, 0, "the file holds content %d where %d belongs", header.content, content)
	}
	s := &Scanner{file: file, name: name, salt: header.salt, size: size, whole: options.Whole, in: in, offset: fileHeaderSize}
	if options.Start > s.offset {
		s.offset = min(options.Start, size)
		in.Reset(io.NewSectionReader(file, s.offset, size-s.offset))
	}
	return s, nil
}

// Next gives the next frame. It ends with io.EOF after the last one, with ErrTorn before a torn tail, and with a corruption
// error where what was durable is damaged; then it repeats that error. Marks are passed over.
func (s *Scanner) Next() (Frame, error) {
	for s.done == nil {
		frame, err := s.read()
		if err != nil {
			s.done = err
			break
		}
		if frame.Kind != KindMark {
			return frame, nil
		}
	}
	return Frame{}, s.done
}

// Offset is where the frames read so far end: the file's proper size once Next has ended.
func (s *Scanner) Offset() int64 { return s.offset }

// Durable is how many bytes of the file are known to be durable, by the frames read so far.
func (s *Scanner) Durable() int64 { return max(s.durable, fileHeaderSize) }

// Closed reports whether the frames read so far end in a mark that declares everything before it durable, which is what
// Writer.Mark leaves.
func (s *Scanner) Closed() bool { return s.closed }

// read is readOnce that reads damage once more: a file that is being written may have got the frame between that reading and the one that
// found a later frame.
func (s *Scanner) read() (Frame, error) {
	frame, err := s.readOnce()
	var fault *CorruptionError
	if errors.As(err, &fault) {
		s.in.Reset(io.NewSectionReader(s.file, s.offset, s.size-s.offset))
		return s.readOnce()
	}
	return frame, err
}

func (s *Scanner) readOnce() (Frame, error) {
	left := s.size - s.offset
	if left == 0 {
		return Frame{}, io.EOF
	}
	if left < frameHeaderSize {
		return Frame{}, s.damaged("incomplete frame header")
	}
	if _, err := io.ReadFull(s.in, s.header[:]); err != nil {
		return Frame{}, fmt.Errorf("read %s at byte %d: %w", s.name, s.offset, err)
	}
	h, ok := parseFrameHeader(s.header[:], s.salt)
	if !ok {
		return Frame{}, s.damaged("no frame begins here")
	}
	if h.length > left-frameHeaderSize { // checked before anything of that length is allocated
		return Frame{}, s.damaged("the frame is longer than the file")
	}
	if int64(cap(s.body)) < h.length {
		s.body = make([]byte, h.length)
	}
	s.body = s.body[:h.length]
	if _, err := io.ReadFull(s.in, s.body); err != nil {
		return Frame{}, fmt.Errorf("read %s at byte %d: %w", s.name, s.offset, err)
	}
	if checksum(s.header[:24], s.body) != h.crc || h.durable > s.offset {
		return Frame{}, s.damaged("checksum mismatch")
	}
	frame := Frame{Kind: h.kind, Offset: s.offset, Body: s.body}
	s.closed = h.kind == KindMark && h.durable == s.offset
	s.durable = max(s.durable, h.durable)
	s.offset += frameHeaderSize + h.length
	return frame, nil
}

// Resync goes on behind damage, after Next has ended with ErrTorn or a corruption error: at the next place where an undamaged frame of
// the file begins. It reports false where none follows. What lies between is lost to the reader, who has to account for it.
func (s *Scanner) Resync() (bool, error) {
	at, err := s.search(s.offset, -1)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", s.name, err)
	}
	if at < 0 {
		return false, nil
	}
	s.in.Reset(io.NewSectionReader(s.file, at, s.size-at))
	s.offset, s.done = at, nil
	return true, nil
}

// damaged decides what bad bytes at the present offset are. They are a torn tail if nothing says that they were ever durable:
// no earlier frame, and no later one either, since a device may write a later page and lose an earlier one.
//
// Zeroes up to the end behind a mark are neither: they are space that a Writer was about to cut off, or to write to.
func (s *Scanner) damaged(reason string) error {
	if s.closed {
		if empty, err := s.Empty(); err != nil || empty {
			return cmp.Or(err, io.EOF)
		}
	}
	if s.whole || s.offset < s.durable {
		return Corrupt(s.name, s.offset, "%s", reason)
	}
	claim, err := s.search(s.offset, s.offset)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	if claim >= 0 {
		return Corrupt(s.name, s.offset, "%s, and the frame at byte %d shows that it was durable", reason, claim)
	}
	return ErrTorn
}

// Empty reports whether nothing but zeroes follows the frames read so far.
func (s *Scanner) Empty() (bool, error) {
	window := make([]byte, min(scanBuffer, s.size-s.offset))
	for at := s.offset; at < s.size; at += int64(len(window)) {
		window = window[:min(int64(len(window)), s.size-at)]
		if _, err := s.file.ReadAt(window, at); err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("read %s at byte %d: %w", s.name, at, err)
		}
		if len(bytes.TrimLeft(window, "\x00")) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// search looks behind damage at the offset for an undamaged frame written when more bytes than that were durable. It gives the frame's
// place, or -1.
func (s *Scanner) search(offset, durable int64) (int64, error) {
	window := make([]byte, min(scanBuffer, s.size-offset))
	for at := offset + 1; at+frameHeaderSize <= s.size; {
		window = window[:min(int64(len(window)), s.size-at)]
		if _, err := s.file.ReadAt(window, at); err != nil && !errors.Is(err, io.EOF) {
			return -1, err
		}
		for i := 0; i+frameHeaderSize <= len(window); i++ {
			hit := bytes.Index(window[i:len(window)-frameHeaderSize+len(frameMagic)], frameMagic)
			if hit < 0 {
				break
			}
			i += hit
			h, ok := parseFrameHeader(window[i:i+frameHeaderSize], s.salt)
			if !ok || h.durable <= durable {
				continue
			}
			if valid, err := s.verify(window[i:i+frameHeaderSize], h, at+int64(i)); err != nil || valid {
				return at + int64(i), err
			}
		}
		at += int64(len(window)) - frameHeaderSize + 1
	}
	return -1, nil
}

// verify checks the body of the frame at the offset.
func (s *Scanner) verify(header []byte, h frameHeader, offset int64) (bool, error) {
	if h.length > s.size-offset-frameHeaderSize || h.durable > offset {
		return false, nil
	}
	body := make([]byte, h.length)
	if _, err := s.file.ReadAt(body, offset+frameHeaderSize); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return checksum(header[:24], body) == h.crc, nil
}

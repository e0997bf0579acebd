package parquetbody

import (
	"errors"
	"io"
)

const (
	// windowBytes is how much of a column chunk is read at a time where the body is a file.
	windowBytes = 64 << 10
	// headerBytes bounds the header of a page, which may hold the least and greatest value.
	headerBytes = 8 << 20
)

// source gives the pages of a column chunk one after the other. A copy of it gives the same pages again.
type source struct {
	file io.ReaderAt // nil where buf is all there is
	// at and end bound what was not read yet.
	at, end int64
	buf     []byte // what was read and not given; never written again
}

func (s *source) empty() bool { return len(s.buf) == 0 && s.at == s.end }

// ahead is the next n bytes, or what there is.
func (s *source) ahead(n int) ([]byte, error) {
	if len(s.buf) >= n || s.at == s.end {
		return s.buf[:min(n, len(s.buf))], nil
	}
	grown := make([]byte, min(int64(max(n, windowBytes)), int64(len(s.buf))+s.end-s.at))
	had := copy(grown, s.buf)
	if read, err := s.file.ReadAt(grown[had:], s.at); read < len(grown)-had {
		return nil, errors.Join(errors.New("a page is cut off"), err)
	}
	s.at += int64(len(grown) - had)
	s.buf = grown
	return grown[:min(n, len(grown))], nil
}

// packed is what a page takes as it was read, where that is of its own.
func (s *source) packed(h *pageHeader) int64 {
	if s.file == nil {
		return 0
	}
	return h.packed
}

// next gives the next page.
func (s *source) next() (h pageHeader, body []byte, err error) {
	for window := windowBytes; ; window *= 8 {
		begin, err := s.ahead(window)
		if err != nil {
			return h, nil, err
		}
		h = pageHeader{compressed: true}
		size, err := walk(begin, h.note)
		if err == nil {
			s.buf = s.buf[size:]
			break
		}
		if len(begin) < window || window >= headerBytes {
			return h, nil, err
		}
	}
	if h.packed < 0 || h.packed > int64(len(s.buf))+s.end-s.at {
		return h, nil, errors.New("a page is cut off")
	}
	if h.packed > pageBytes {
		return h, nil, errLargePage
	}
	if body, err = s.ahead(int(h.packed)); err != nil {
		return h, nil, err
	}
	s.buf = s.buf[len(body):]
	return h, body, h.checked(body)
}

var errLargePage = errors.New("a page is longer than can be read")

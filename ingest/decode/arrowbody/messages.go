package arrowbody

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// messageBytes bounds one message of a stream: a record batch, or a dictionary.
	messageBytes = 64 << 20
	// asideBytes bounds the batches of a file that wait for their dictionaries.
	asideBytes = 256 << 20
)

// messages gives the messages of a stream away one by one, each checked when it is there as a whole. What is held is one message, which
// grows as its bytes come, whatever length it declares. Of a file whose dictionaries lie behind its rows, as Polars writes them, the batches are held until
// all dictionaries have come, and given after them.
type messages struct {
	src io.Reader
	// hold is asked for more memory, or given some back by a negative number.
	hold  func(bytes int64) error
	held  int64
	begun bool
	// isFile is set for a file; missing are the dictionaries of its schema that have not come yet, and aside the batches that wait for them.
	isFile    bool
	missing   map[int64]bool
	aside     []loaded
	asideSize int64
	mostAside int64
	ended     bool // the end has been read, though batches may wait
	// loaded is the present message, and rest what is left to be read of it.
	loaded
	rest   []byte
	number int
	// taken counts the bytes of all messages so far.
	taken int64
	err   error
}

// loaded is a message that is there as a whole.
type loaded struct {
	message []byte
	// metadata and body are its parts.
	metadata, body []byte
}

// fileMagic is what an Arrow file begins with. A stream follows, and an index behind it that is of no use here.
var fileMagic = []byte("ARROW1\x00\x00")

// featherMagic is what the format begins with that Arrow files took the place of.
var featherMagic = []byte("FEA1")

var errCutOff = errors.New("the stream is cut off")

// Read implements io.Reader.
func (m *messages) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if m.err == nil {
			m.err = m.next()
		}
		if m.err != nil {
			return 0, m.err
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// next reads the next message; io.EOF behind the last.
func (m *messages) next() error {
	err := m.inOrder()
	var fault *event.Error
	switch {
	case errors.Is(err, io.EOF), errors.As(err, &fault):
		return err
	case err != nil:
		return fmt.Errorf("message %d: %w", m.number, err)
	}
	m.number++
	m.taken += int64(len(m.message))
	m.rest = m.message
	return nil
}

// inOrder loads the next message, or one that has waited for those before it.
func (m *messages) inOrder() error {
	switch {
	case len(m.aside) > 0 && (m.ended || len(m.missing) == 0):
		m.takeAside()
		return nil
	case m.ended:
		return io.EOF
	}
	for {
		m.message = m.message[:0]
		kind, err := m.load()
		switch {
		case errors.Is(err, io.EOF) && len(m.aside) > 0: // their dictionaries never came: the library says what is wrong, if anything is
			m.ended = true
			m.takeAside()
			return nil
		case err != nil:
			return err
		case kind != batchMessage || !m.isFile || len(m.missing) == 0:
			return nil
		}
		if m.asideSize += int64(cap(m.message)); m.asideSize > m.mostAside {
			return event.Errorf(event.CodeTooLarge, "the Arrow file has more than %d MiB of rows before their dictionaries", m.mostAside>>20).
				WithHint("write it as an Arrow stream, or as Parquet")
		}
		m.aside, m.loaded = append(m.aside, m.loaded), loaded{}
	}
}

// takeAside takes the first of the batches that were set aside.
func (m *messages) takeAside() {
	m.loaded, m.aside = m.aside[0], m.aside[1:]
	m.asideSize -= int64(cap(m.message))
	_ = m.account(int64(cap(m.message))) // less is never refused
}

// load reads a message's length, metadata and body.
func (m *messages) load() (kind byte, err error) {
	if !m.begun {
		m.begun = true
		if err := m.skipMagic(); err != nil {
			return 0, err
		}
	}
	if err := m.fill(4); err != nil {
		if len(m.message) == 0 {
			return 0, err // the stream may end without a mark
		}
		return 0, cutOff(err)
	}
	length, at := binary.LittleEndian.Uint32(m.message), 4
	if length == continuation {
		if err := m.fill(8); err != nil {
			return 0, cutOff(err)
		}
		length, at = binary.LittleEndian.Uint32(m.message[4:]), 8
	}
	if length == 0 {
		return 0, io.EOF
	}
	if length > metadataBytes && m.number == 0 {
		return 0, errors.New("it does not begin as an Arrow stream")
	}
	if length > metadataBytes {
		return 0, fmt.Errorf("metadata of %d bytes", length)
	}
	end := at + int(length)
	if err := m.fill(end); err != nil {
		return 0, cutOff(err)
	}
	said, err := checkMetadata(m.message[at:end])
	if err != nil {
		return 0, err
	}
	body := said.body
	if body < 0 {
		return 0, errCutOff
	}
	m.note(said)
	if body > messageBytes {
		return 0, event.Errorf(event.CodeTooLarge, "message %d of the Arrow stream has %d bytes", m.number, body).
			WithHint("a record batch may have %d MiB: send more of fewer rows", messageBytes>>20)
	}
	if err := m.fill(end + int(body)); err != nil {
		return 0, cutOff(err)
	}
	m.metadata, m.body = m.message[at:end], m.message[end:]
	return said.kind, nil
}

// note keeps count of the dictionaries of a file.
func (m *messages) note(said told) {
	switch {
	case !m.isFile:
	case said.kind == schemaMessage:
		m.missing = make(map[int64]bool, len(said.dictionaries))
		for _, id := range said.dictionaries {
			m.missing[id] = true
		}
	case said.kind == dictionaryMessage:
		for _, id := range said.dictionaries {
			delete(m.missing, id)
		}
	}
}

// skipMagic passes over the beginning of a file.
func (m *messages) skipMagic() error {
	if err := m.fill(4); err != nil {
		if len(m.message) > 0 {
			err = cutOff(err)
		}
		return err
	}
	if bytes.Equal(m.message, featherMagic) {
		return event.Errorf(event.CodeNotSupported, "the body is a Feather file of version 1").
			WithHint("write it as version 2, which is an Arrow file, or as Parquet")
	}
	if !bytes.Equal(m.message, fileMagic[:4]) {
		return nil
	}
	if err := m.fill(len(fileMagic)); err != nil || !bytes.Equal(m.message, fileMagic) {
		return errors.Join(errors.New("it does not begin as an Arrow file"), cutOff(err))
	}
	m.message, m.isFile = m.message[:0], true
	return m.bareSchema()
}

// leastMetadata is less than the metadata of any message has, and more than where a FlatBuffer has its first table.
const leastMetadata = 48

// bareSchema makes a message of a schema without its length, with which Polars begins its files: those who read files read the schema behind
// the rows. It ends where the first message with a length begins.
func (m *messages) bareSchema() error {
	if err := m.fill(4); err != nil {
		return cutOff(err)
	}
	if first := binary.LittleEndian.Uint32(m.message); first == 0 || first >= leastMetadata {
		return nil
	}
	for end := 8; end <= metadataBytes; end += 8 {
		if err := m.fill(end + 4); err != nil {
			return cutOff(err)
		}
		if binary.LittleEndian.Uint32(m.message[end:]) != continuation {
			continue
		}
		if _, err := checkMetadata(m.message[:end]); err != nil {
			continue
		}
		whole := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, continuation), uint32(end))
		m.src = io.MultiReader(bytes.NewReader(append(whole, m.message...)), m.src)
		m.message = m.message[:0]
		return nil
	}
	return errMetadata
}

// fill reads until the message has n bytes.
func (m *messages) fill(n int) error {
	for len(m.message) < n {
		if len(m.message) == cap(m.message) {
			grown := max(1<<10, 2*cap(m.message))
			if err := m.account(int64(grown)); err != nil {
				return err
			}
			m.message = append(make([]byte, 0, grown), m.message...)
		}
		read, err := m.src.Read(m.message[len(m.message):min(n, cap(m.message))])
		m.message = m.message[:len(m.message)+read]
		if err != nil && len(m.message) < n {
			return err
		}
	}
	return nil
}

// account asks for memory for a message of a capacity.
func (m *messages) account(bytes int64) error {
	if m.hold == nil {
		return nil
	}
	bytes += m.asideSize
	err := m.hold(bytes - m.held)
	if err == nil {
		m.held = bytes
	}
	return err
}

// cutOff words the end of a body within a message.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return errCutOff
	}
	return err
}

package parquetbody

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// footerBytes bounds the footer; that of 10,000 row groups of 50 columns has about half of it.
	footerBytes = 64 << 20
	// schemaBytes bounds the part of it that the Parquet library reads.
	schemaBytes = 4 << 20
	// schemaNodes bounds its columns and groups, as a row's members are.
	schemaNodes = decode.MaxMembers
	// chunkBytes is about what is kept of a column of a row group.
	chunkBytes = 48
)

// The marks at both ends of a file; the second is of one whose footer is encrypted.
var magic, encryptedMagic = []byte("PAR1"), []byte("PARE")

// footer is what the end of a file says of it.
type footer struct {
	schema []byte // the list of its columns, as it is written
	groups []rowGroup
}

// rowGroup is where the columns of some rows lie.
type rowGroup struct {
	rows    int64
	columns []columnChunk
}

// columnChunk is where a column of a row group lies.
type columnChunk struct {
	kind              format.Type
	codec             format.CompressionCodec
	data, dict, bytes int64
	elsewhere         bool // in another file, or encrypted
}

// start is where its first page begins.
func (c *columnChunk) start() int64 {
	if c.dict > 0 && c.dict < c.data {
		return c.dict
	}
	return c.data
}

// readFooter reads the end of a file. hold is asked for the memory that it takes.
func readFooter(file io.ReaderAt, size int64, hold func(int64) error) (*footer, error) {
	var head, tail [8]byte
	if size < 12 {
		return nil, errNoFile
	}
	for _, part := range []struct {
		dst []byte
		at  int64
	}{{head[:4], 0}, {tail[:], size - 8}} {
		if _, err := file.ReadAt(part.dst, part.at); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if bytes.Equal(tail[4:], encryptedMagic) {
		return nil, errEncrypted()
	}
	if !bytes.Equal(head[:4], magic) || !bytes.Equal(tail[4:], magic) {
		return nil, errNoFile
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > footerBytes || length > size-12 {
		return nil, fmt.Errorf("a footer of %d bytes", length)
	}
	if err := hold(length); err != nil {
		return nil, err
	}
	raw := make([]byte, length)
	if _, err := file.ReadAt(raw, size-8-length); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	out, err := parseFooter(raw, hold)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err) // an *event.Error within stays what it is
	}
	return out, nil
}

var errNoFile = errors.New("it does not begin and end as a Parquet file")

func errEncrypted() error {
	return event.Errorf(event.CodeNotSupported, "the Parquet file is encrypted").WithHint("write it without encryption")
}

// The fields of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData, from parquet.thrift of the Parquet format.
const (
	fileSchema    = 2
	fileGroups    = 4
	fileEncrypted = 8

	groupColumns = 1
	groupRows    = 3

	chunkFile      = 1
	chunkMeta      = 3
	chunkEncrypted = 8

	metaType  = 1
	metaCodec = 4
	metaBytes = 7
	metaData  = 9
	metaDict  = 11
)

// parseFooter takes a footer apart. It is walked as a whole first, so that what is read here is there.
func parseFooter(raw []byte, hold func(int64) error) (*footer, error) {
	t := &thrift{src: raw}
	if t.fields(0, 0); t.failed {
		return nil, errThrift
	}
	behind := t.rest()
	if err := hold(chunkBytes * int64(t.elements)); err != nil {
		return nil, err
	}
	out := &footer{}
	encrypted, nodes := false, 0
	t = &thrift{src: raw}
	t.each(func(field, kind int) {
		switch {
		case field == fileSchema && kind == typeList:
			nodes = t.peekList()
			before := t.at
			t.value(kind, -1, -1, 0)
			out.schema = raw[before:t.at]
		case field == fileGroups && kind == typeList:
			out.groups = make([]rowGroup, 0, min(t.peekList(), maxElements))
			t.eachElement(func() {
				out.groups = append(out.groups, rowGroup{})
				t.group(&out.groups[len(out.groups)-1])
			})
		default:
			encrypted = encrypted || field == fileEncrypted
			t.value(kind, -1, -1, 0)
		}
	})
	switch {
	case t.failed:
		return nil, errThrift
	case encrypted: // and signed
		return nil, errEncrypted()
	case behind > 0:
		return nil, errors.New("something follows it")
	case len(out.schema) > schemaBytes || nodes > schemaNodes:
		return nil, event.Errorf(event.CodeTooLarge, "the schema has %d columns and groups in %d bytes", nodes, len(out.schema)).
			WithHint("it may have %d in %d bytes", schemaNodes, schemaBytes)
	default:
		return out, nil
	}
}

// group reads a RowGroup.
func (t *thrift) group(g *rowGroup) {
	t.each(func(field, kind int) {
		switch {
		case field == groupColumns && kind == typeList:
			g.columns = make([]columnChunk, 0, min(t.peekList(), maxElements))
			t.eachElement(func() {
				g.columns = append(g.columns, columnChunk{})
				t.chunk(&g.columns[len(g.columns)-1])
			})
		case field == groupRows && kind == typeI64:
			g.rows = t.zigzag()
		default:
			t.value(kind, -1, -1, 0)
		}
	})
}

// chunk reads a ColumnChunk.
func (t *thrift) chunk(c *columnChunk) {
	t.each(func(field, kind int) {
		switch {
		case field == chunkMeta && kind == typeStruct:
			t.meta(c)
		default:
			c.elsewhere = c.elsewhere || field == chunkFile || field == chunkEncrypted
			t.value(kind, -1, -1, 0)
		}
	})
}

// meta reads a ColumnMetaData.
func (t *thrift) meta(c *columnChunk) {
	t.each(func(field, kind int) {
		if kind != typeI32 && kind != typeI64 {
			t.value(kind, -1, -1, 0)
			return
		}
		v := t.zigzag()
		switch field {
		case metaType:
			c.kind = format.Type(v)
		case metaCodec:
			c.codec = format.CompressionCodec(v)
		case metaBytes:
			c.bytes = v
		case metaData:
			c.data = v
		case metaDict:
			c.dict = v
		}
	})
}

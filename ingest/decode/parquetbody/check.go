package parquetbody

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// footerBytes bounds the footer.
const footerBytes = 16 << 20

var magic = []byte("PAR1")

// checkFooter checks the footer before the library reads it.
func checkFooter(body []byte) error {
	if len(body) < 12 || !bytes.Equal(body[:4], magic) || !bytes.Equal(body[len(body)-4:], magic) {
		return errors.New("it does not begin and end as a Parquet file")
	}
	size := int64(binary.LittleEndian.Uint32(body[len(body)-8:]))
	if size > footerBytes || size > int64(len(body))-12 {
		return fmt.Errorf("a footer of %d bytes", size)
	}
	if _, err := walk(body[int64(len(body))-8-size:len(body)-8], nil); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	return nil
}

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// body is one row of about 250 bytes.
var body = []byte(`{"ts":"2026-01-01T00:00:00Z","id":1,"text":"` + strings.Repeat("x", 200) + "\"}\n")

// send posts the body on one connection until the end, and gives how long each answer took in milliseconds.
func send(address, ack string, end time.Time) (times []float64, err error) {
	connection, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = connection.Close() }()
	request := fmt.Appendf(nil, "POST /v1/streams/acks/events?ack=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s",
		ack, address, len(body), body)
	in := bufio.NewReader(connection)
	for time.Now().Before(end) {
		began := time.Now()
		if _, err := connection.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(in); err != nil {
			return nil, err
		}
		times = append(times, milliseconds(began))
	}
	return times, nil
}

// readAnswer reads one answer, which must say that the row is accepted.
func readAnswer(in *bufio.Reader) error {
	text := textproto.NewReader(in)
	status, err := text.ReadLine()
	if err != nil {
		return err
	}
	header, err := text.ReadMIMEHeader()
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return fmt.Errorf("an answer without a length: %s", status)
	}
	answer := make([]byte, length)
	if _, err := io.ReadFull(in, answer); err != nil {
		return err
	}
	if !bytes.Contains(answer, []byte(`"accepted":1`)) {
		return fmt.Errorf("not accepted: %s: %s", status, answer)
	}
	return nil
}

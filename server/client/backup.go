package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// DefaultAdminURL is where a server has its admin listener unless it was told otherwise.
const DefaultAdminURL = "http://127.0.0.1:7374"

// BeginBackup asks a server, by its admin listener, to keep its data as it is now until EndBackup. What it says of that is decoded into
// a value.
func (c *Client) BeginBackup(ctx context.Context, into any) (err error) {
	res, err := c.do(ctx, http.MethodPost, "/backup", nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read the server's list of files: %w", err)
	}
	return nil
}

// BackupFile reads a file that is kept. The caller closes it; one that ends too early is an error when it is read.
func (c *Client) BackupFile(ctx context.Context, id, name string) (io.ReadCloser, error) {
	res, err := c.do(ctx, http.MethodGet, "/backup/"+url.PathEscape(id)+"/files/"+(&url.URL{Path: name}).EscapedPath(), nil, nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// EndBackup gives the files up.
func (c *Client) EndBackup(ctx context.Context, id string) error {
	res, err := c.do(ctx, http.MethodDelete, "/backup/"+url.PathEscape(id), nil, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Backups lets others read the data as it is at one moment while the server goes on.
type Backups interface {
	// Begin keeps the data as it is now. What it gives is answered as JSON and names the files.
	Begin(ctx context.Context) (any, error)
	// Open reads one of the files, of so many bytes.
	Open(id, name string) (file io.ReadCloser, bytes int64, err error)
	// End gives the files up.
	End(id string) error
}

func (s *Server) postBackup(w http.ResponseWriter, r *http.Request) error {
	begun, err := s.Backups.Begin(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, begun)
}

func (s *Server) getBackupFile(w http.ResponseWriter, r *http.Request) (err error) {
	file, size, err := s.Backups.Open(r.PathValue("id"), r.PathValue("name"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, err = io.Copy(w, file)
	return err
}

func (s *Server) deleteBackup(w http.ResponseWriter, r *http.Request) error {
	if err := s.Backups.End(r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

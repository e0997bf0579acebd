package vfs

import (
	"errors"
	"io"
)

// faultyFile is one opening of a file in a Faulty.
type faultyFile struct {
	File
	fs   *Faulty
	name string
}

// Write implements io.Writer.
func (f *faultyFile) Write(p []byte) (int, error) { return f.write(p, f.File.Write) }

// WriteAt implements io.WriterAt.
func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	return f.write(p, func(p []byte) (int, error) { return f.File.WriteAt(p, off) })
}

func (f *faultyFile) write(p []byte, write func([]byte) (int, error)) (int, error) {
	if err := f.fs.inject(OpWrite, f.name); err != nil {
		n, werr := write(p[:len(p)/2])
		if werr != nil {
			return n, werr
		}
		return n, pathError("write", f.name, err)
	}
	n := 0
	err := f.fs.carryOut(OpWrite, f.name, func() (err error) {
		n, err = write(p)
		return err
	})
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// Sync implements File.
func (f *faultyFile) Sync() error {
	err := f.fs.before(OpSync, f.name, func() error {
		if f.fs.hasLost(f.name) {
			return nil
		}
		return f.File.Sync()
	})
	if err == nil {
		return nil
	}
	f.fs.lose(f.name, true)
	var forgets ForgetError
	if mem, ok := f.fs.FS.(*Mem); ok && errors.As(err, &forgets) {
		mem.forget(f.name)
	}
	return err
}

// Truncate implements File.
func (f *faultyFile) Truncate(size int64) error {
	return f.fs.before(OpTruncate, f.name, func() error { return f.File.Truncate(size) })
}

// ReadAt implements io.ReaderAt.
func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	err := f.fs.look(OpRead, f.name)
	var flip FlipError
	if errors.As(err, &flip) {
		n, err := f.File.ReadAt(p, off)
		if n > 0 {
			bit := uint64(flip) % (uint64(n) * 8)
			p[bit/8] ^= 1 << (bit % 8)
		}
		return n, err
	}
	if err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Size implements File.
func (f *faultyFile) Size() (int64, error) {
	if err := f.fs.look(OpSize, f.name); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Close implements io.Closer. Like close(2) it gives the file up whatever it answers.
func (f *faultyFile) Close() error {
	return errors.Join(f.fs.look(OpClose, f.name), f.File.Close())
}

package vfs

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
)

// Fault is one way in which operations fail.
type Fault string

// The faults. Each is about the operations that it can happen to, and leaves the others alone.
const (
	// FaultIO is an input/output error of any operation.
	FaultIO Fault = "io"
	// FaultFull is a full disk, met by what needs space.
	FaultFull Fault = "full"
	// FaultShort is a write that stores a part of its bytes.
	FaultShort Fault = "short"
	// FaultForget is a sync that fails and takes what was written from the page cache too.
	FaultForget Fault = "forget"
	// FaultFlip is a read that gives a wrong bit.
	FaultFlip Fault = "flip"
)

// Faults are all of them.
var Faults = []Fault{FaultIO, FaultFull, FaultShort, FaultForget, FaultFlip}

// fails gives the error of an operation, or nil where the fault cannot happen to it.
func (f Fault) fails(op Op, random *rand.Rand) error {
	switch {
	case f == FaultIO:
		return syscall.EIO
	case f == FaultFull && (op == OpCreate || op == OpWrite || op == OpMkdir || op == OpSync || op == OpSyncDir || op == OpRename):
		return syscall.ENOSPC
	case f == FaultShort && op == OpWrite:
		return fmt.Errorf("half of it is written: %w", syscall.EIO)
	case f == FaultForget && op == OpSync:
		return ForgetError{syscall.EIO}
	case f == FaultFlip && op == OpRead:
		return FlipError(random.Uint64())
	}
	return nil
}

// Script is an inject for Faulty that lets the operation of a number fail, or all from it on. It counts those that its fault can happen to,
// from 1. Its methods may be called from any goroutine.
type Script struct {
	fault  Fault
	number int
	sticky bool

	mu struct {
		sync.Mutex
		random *rand.Rand
		count  int
		over   bool
		first  string
	}
}

// NewScript makes a Script. The seed decides which bits are turned over.
func NewScript(fault Fault, number int, sticky bool, seed uint64) *Script {
	s := &Script{fault: fault, number: number, sticky: sticky}
	s.mu.random = rand.New(rand.NewPCG(seed, uint64(number))) //nolint:gosec // it is to be repeated, not to be secret
	return s
}

// Inject decides an operation.
func (s *Script) Inject(op Op, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.over {
		return nil
	}
	err := s.fault.fails(op, s.mu.random)
	if err == nil {
		return nil
	}
	if s.mu.count++; s.mu.count < s.number || (s.mu.count > s.number && !s.sticky) {
		return nil
	}
	if s.mu.first == "" {
		s.mu.first = string(op) + " " + name
	}
	return err
}

// End lets nothing fail any more.
func (s *Script) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.over = true
}

// Count is how many operations there were that the fault can happen to.
func (s *Script) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.count
}

// String says what fails, for tests to say where they are.
func (s *Script) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	how := "once"
	if s.sticky {
		how = "from then on"
	}
	return fmt.Sprintf("%s at operation %d, %s: %s", s.fault, s.number, how, s.mu.first)
}

package event

import "fmt"

// Code names a kind of failure that a client can act on. The list is part of the API's contract.
type Code string

// The codes.
const (
	CodeBadRequest      Code = "bad_request"
	CodeSyntax          Code = "syntax_error"
	CodeUnknownColumn   Code = "unknown_column"
	CodeAmbiguousColumn Code = "ambiguous_column"
	CodeUnknownFunction Code = "unknown_function"
	CodeTypeMismatch    Code = "type_mismatch"
	CodeInvalidValue    Code = "invalid_value" // a value that cannot be computed: overflow, division by zero, a bad cast
	CodeNotSupported    Code = "not_supported"
	CodeNotFound        Code = "not_found"
	CodeAlreadyExists   Code = "already_exists"
	CodeConflict        Code = "conflict" // what is asked for contradicts what is there
	CodeReadOnly        Code = "read_only"
	CodeForbidden       Code = "forbidden"
	CodeMediaType       Code = "unsupported_media_type"
	CodeRejected        Code = "all_rows_rejected"
	CodeBatchRejected   Code = "batch_rejected" // some rows cannot be stored, and so none was
	CodeTooLarge        Code = "too_large"
	CodeTooBusy         Code = "too_busy"
	CodeMemoryLimit     Code = "memory_limit"
	CodeTimeout         Code = "timeout"
	CodeCancelled       Code = "cancelled"
	CodeDiskFull        Code = "disk_full"
	CodeCorrupt         Code = "corrupt"
	CodeClosed          Code = "unavailable"
	CodeInternal        Code = "internal"
)

// Position is a place in SQL text; both count from 1, columns in characters.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is a failure with a code, made where it is found and passed up unchanged or wrapped with %w. Errors of any other type
// count as CodeInternal.
type Error struct {
	Code Code
	// Detail says what is wrong, in one sentence without a final full stop.
	Detail string
	// Hint says what would help; it may be empty.
	Hint string
	// Position is set for failures that lie in SQL text.
	Position *Position
	// Cause, if any, is what errors.Is and errors.As see behind the error.
	Cause error
}

// Error is the detail, with the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Detail
	}
	return e.Detail + " (" + e.Hint + ")"
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error without hint or position.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// WithHint returns a copy that carries a hint.
func (e *Error) WithHint(format string, args ...any) *Error {
	out := *e
	out.Hint = fmt.Sprintf(format, args...)
	return &out
}

// At returns a copy that carries a position.
func (e *Error) At(p Position) *Error {
	out := *e
	out.Position = &p
	return &out
}

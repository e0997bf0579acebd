package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// emitForms are the ways to write EMIT, as errors name them.
const emitForms = "there are EMIT ON UPDATE, EMIT ON UPDATE WITH BATCH INTERVAL '5 seconds' and EMIT ON WINDOW CLOSE"

// readEmit reads when a view shows rows, if EMIT comes next:
//
//	EMIT ON WINDOW CLOSE                    or FINAL, [STREAM] AFTER WATERMARK, [STREAM] AFTER WINDOW CLOSE
//	EMIT ON UPDATE [WITH BATCH interval]    or CHANGES, PERIODIC interval, [STREAM] AFTER DELAY interval
func readEmit(lex *cursor) (*ast.Emit, error) {
	out := &ast.Emit{Pos: position(lex.peek().Pos)}
	if !accept(lex, "EMIT") {
		return nil, nil
	}
	accept(lex, "STREAM")
	var err error
	switch {
	case accept(lex, "FINAL"), acceptWords(lex, "AFTER", "WATERMARK"), acceptWords(lex, "AFTER", "WINDOW", "CLOSE"):
		out.OnClose = true
		if err = noDelay(lex); err != nil {
			return nil, err
		}
	case accept(lex, "PERIODIC"), acceptWords(lex, "AFTER", "DELAY"):
		out.Interval, err = span(lex)
		return out, err
	case accept(lex, "CHANGES"):
	default:
		if out.OnClose, err = emitOn(lex); err != nil {
			return nil, err
		}
	}
	if !acceptWords(lex, "WITH", "BATCH") { // options of a view may stand behind it too
		return out, nil
	}
	out.Interval, err = readExpr(lex)
	return out, err
}

// emitOn reads ON UPDATE or ON WINDOW CLOSE.
func emitOn(lex *cursor) (onClose bool, err error) {
	t := lex.peek()
	if !accept(lex, "ON") {
		return false, event.Errorf(event.CodeSyntax, "expected ON behind EMIT, found %s", described(t)).At(position(t.Pos)).WithHint("%s", emitForms)
	}
	if accept(lex, "UPDATE") {
		return false, nil
	}
	return true, expect(lex, "WINDOW", "CLOSE")
}

// noDelay refuses to wait for longer than the watermark, which others write behind EMIT.
func noDelay(lex *cursor) error {
	t := lex.peek()
	if acceptWords(lex, "WITH", "DELAY") || acceptWords(lex, "AND", "DELAY") || acceptWords(lex, "DELAY") {
		return notSupported(t, "a delay behind the watermark", "the stream says how far its watermark lies behind: WATERMARK FOR ts AS ts - INTERVAL '2 seconds'")
	}
	return nil
}

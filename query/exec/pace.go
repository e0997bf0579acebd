package exec

import "github.com/tidemarkdb/tidemark/query/kernel"

// pace looks at the context of work over more rows than a batch has, whenever another batch's worth is done.
type pace struct {
	ctx  *kernel.Context
	rows int // since the last look
}

// after fails where nobody waits for the answer any more. It is told how many rows have been worked on since the call before.
func (p *pace) after(rows int) error {
	if p.rows += rows; p.rows < defaultBatchRows {
		return nil
	}
	p.rows = 0
	return p.ctx.Err()
}
